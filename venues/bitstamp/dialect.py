"""Bitstamp as the exchange speaks, for a server that stands in for it.

{"event":"bts:subscription_succeeded","channel":"live_trades_btcusd","data":{}}
{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}
{"event":"bts:error","channel":"","data":{"code":null,"message":"Bad subscription string."}}
{"token":"…","valid_sec":60,"user_id":1}     POST /api/v2/websockets_token/

A private channel ends in the user's number: a topic here is without it, since a recording may be
served to another user than it was made by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from venues.event import NO_ROUTES, Routes, Row
from venues.op_args import same_text
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind

PATHS = ("", "/")
SNAPSHOT_PATH = "/api/v2/order_book/"
TOKEN_PATH = "/api/v2/websockets_token/"  # noqa: S105  a path

_KINDS = {
    "bts:subscribe": RequestKind.SUBSCRIBE,
    "bts:unsubscribe": RequestKind.UNSUBSCRIBE,
    "bts:heartbeat": RequestKind.PING,
}
_EVENTS = {
    RequestKind.SUBSCRIBE: "bts:subscription_succeeded",
    RequestKind.UNSUBSCRIBE: "bts:unsubscription_succeeded",
}
_SYMBOL = re.compile(r"[a-z0-9]{1,30}(?:-perp)?")
_USER_NUMBER = re.compile(r"-[0-9]+")
_TOKEN = "tickreel"  # noqa: S105  the token that this side hands out
_USER = 1


class _Asked(msgspec.Struct):
    channel: str = ""
    auth: str = ""


class _Request(msgspec.Struct):
    event: str
    data: _Asked = msgspec.field(default_factory=_Asked)


class _Message(msgspec.Struct):
    event: str
    channel: str = ""


_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)


@dataclass(frozen=True, slots=True)
class BitstampDialect(Dialect):
    """The exchange's side."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        try:
            request = _REQUEST.decode(payload)
        except (ValueError, RecursionError):
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind = _KINDS.get(request.event, RequestKind.UNREADABLE)
        channel = request.data.channel
        return ClientRequest(kind, (_topic(channel),) if channel else (), None, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return what answers `request`: a channel is one message."""
        if request.kind is RequestKind.UNREADABLE:
            refused = refused or "Bad subscription string."
        if refused is not None:
            return [_text("bts:error", "", {"code": None, "message": refused})]
        if request.kind is RequestKind.PING:
            return [_text("bts:heartbeat", "", {"status": "success"})]
        event = _EVENTS[request.kind]
        return [_text(event, channel, {}) for channel in request.topics]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a subscription carries the token that this side hands out."""
        try:
            return same_text(_REQUEST.decode(request.payload).data.auth, _TOKEN)
        except (ValueError, RecursionError):
            return False

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the channel that a recorded message was sent for."""
        try:
            message = _MESSAGE.decode(payload)
        except (ValueError, RecursionError):
            return None
        if message.event.startswith("bts:") or not message.channel:
            return None
        return _topic(message.channel)

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the root."""
        return path in PATHS

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the root: a subscription with a token opens the rest."""
        return path in PATHS

    def access_body(
        self, path_and_query: str, websocket_url: str, headers: Mapping[str, str]
    ) -> bytes | None:
        """Return a token, where one is asked for."""
        if urlsplit(path_and_query).path != TOKEN_PATH:
            return None
        return msgspec.json.encode({"token": _TOKEN, "valid_sec": 60, "user_id": _USER})

    def snapshot_symbol(self, path_and_query: str) -> str | None:
        """Return the symbol that a request for an order book asks about."""
        path = urlsplit(path_and_query).path
        if not path.startswith(SNAPSHOT_PATH):
            return None
        symbol = path[len(SNAPSHOT_PATH) :].removesuffix("/")
        return symbol if _SYMBOL.fullmatch(symbol) else None

    def snapshot_body(
        self,
        symbol: str,
        bids: Sequence[Row],
        asks: Sequence[Row],
        sequence: int,
        time_ms: int | None = None,
    ) -> bytes:
        """Return the REST order book. Its number is its time, whatever `time_ms` says."""
        times = {"timestamp": str(sequence // 1_000_000), "microtimestamp": str(sequence)}
        return msgspec.json.encode({**times, "bids": bids, "asks": asks})


def _topic(channel: str) -> str:
    if not channel.startswith("private-"):
        return channel
    name, _, number = channel.rpartition("-")
    return name if _USER_NUMBER.fullmatch(f"-{number}") else channel


def _text(event: str, channel: str, content: dict[str, object]) -> str:
    body = {"event": event, "channel": channel, "data": content}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
