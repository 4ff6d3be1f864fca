"""Deribit v2 as the exchange speaks, for a server that stands in for it; see `rpc` for the shapes.

A subscription is answered by the channels that it got. The channels that a real exchange does not
know it leaves out without a word; this one refuses with what the server says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from venues.deribit.rpc import MESSAGE
from venues.event import NO_ROUTES, Routes, Row
from venues.op_args import same_text
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import decoded_or_none, leading_text

PATHS = ("/ws/api/v2", "/ws/api/v2/")
ORDER_BOOK_PATH = "/api/v2/public/get_order_book"
NOTIFICATION = b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"'

_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "auth": RequestKind.LOGIN,
    "test": RequestKind.PING,
    "set_heartbeat": RequestKind.SETTING,
    "disable_heartbeat": RequestKind.SETTING,
}
_TEST_REQUEST = '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}'
_INVALID_PARAMS, _INVALID_CREDENTIALS = -32602, 13004


class _Params(msgspec.Struct):
    channels: list[str] = []
    client_id: str = ""
    client_secret: str = ""
    grant_type: str = ""


class _Request(msgspec.Struct):
    method: str
    id: int | str | None = None
    params: _Params | None = None


_REQUEST = msgspec.json.Decoder(_Request)


def channel_of(payload: bytes) -> str | None:
    """Return the channel that a notification was sent by; None for any other message."""
    channel = leading_text(payload, NOTIFICATION)
    if channel is not None:
        return channel
    message = decoded_or_none(MESSAGE, payload)
    if message is None or message.method != "subscription" or message.params is None:
        return None
    return message.params.channel


@dataclass(frozen=True, slots=True)
class DeribitDialect(Dialect):
    """The exchange's side."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        request = decoded_or_none(_REQUEST, payload)
        scope, _, word = ("", "", "") if request is None else request.method.partition("/")
        kind = _KINDS.get(word) if scope in ("public", "private") else None
        if request is None or kind is None:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        subscribes = kind in (RequestKind.SUBSCRIBE, RequestKind.UNSUBSCRIBE)
        topics = tuple(request.params.channels) if subscribes and request.params else ()
        return ClientRequest(kind, topics, request.id, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the message that answers `request`."""
        if refused is not None or request.kind is RequestKind.UNREADABLE:
            login = request.kind is RequestKind.LOGIN
            code = _INVALID_CREDENTIALS if login else _INVALID_PARAMS
            error = {"code": code, "message": refused or "the request cannot be read"}
            return [_text({**_head(request), "error": error})]
        results: dict[RequestKind, object] = {
            RequestKind.SUBSCRIBE: list(request.topics),
            RequestKind.UNSUBSCRIBE: list(request.topics),
            RequestKind.PING: {"version": "1.2.26"},
            RequestKind.LOGIN: {
                "access_token": "tickreel-access",
                "refresh_token": "tickreel-refresh",
                "expires_in": 31_536_000,
                "scope": "connection",
                "token_type": "bearer",
            },
        }
        return [_text({**_head(request), "result": results.get(request.kind, "ok")})]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a LOGIN request names these keys."""
        asked = decoded_or_none(_REQUEST, request.payload)
        if asked is None or asked.params is None or asked.method != "public/auth":
            return False
        params = asked.params
        return (
            params.grant_type == "client_credentials"
            and same_text(params.client_id, credentials.key)
            and same_text(params.client_secret, credentials.secret)
        )

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the channel that a recorded message was sent by."""
        return channel_of(payload)

    def heartbeat(self, time_ms: int) -> str | bytes | None:
        """Return a test request, which has to be answered."""
        return _TEST_REQUEST

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is that of version 2."""
        return path in PATHS

    def private_path(self, path: str) -> bool:
        """Return whether `path` is that of version 2: a login makes a connection private."""
        return path in PATHS

    def snapshot_symbol(self, path_and_query: str) -> str | None:
        """Return the instrument that an HTTP request wants the book of."""
        parts = urlsplit(path_and_query)
        if parts.path != ORDER_BOOK_PATH:
            return None
        return parse_qs(parts.query).get("instrument_name", [""])[-1] or None

    def snapshot_body(
        self,
        symbol: str,
        bids: Sequence[Row],
        asks: Sequence[Row],
        sequence: int,
        time_ms: int | None = None,
    ) -> bytes:
        """Return the REST answer that states this book."""
        book: dict[str, Any] = {
            "instrument_name": symbol,
            "timestamp": time_ms,
            "change_id": sequence,
            "bids": _numbers(bids),
            "asks": _numbers(asks),
        }
        return msgspec.json.encode({"jsonrpc": "2.0", "result": book})


def _numbers(rows: Sequence[Row]) -> list[list[msgspec.Raw]]:
    return [[msgspec.Raw(text.encode()) for text in row] for row in rows]


def _head(request: ClientRequest) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request.request_id}


def _text(body: Mapping[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
