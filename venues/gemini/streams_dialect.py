"""The API at ws.gemini.com as the exchange speaks, for a server that stands in for it.

{"id":1,"status":200}
{"id":4,"status":400,"error":{"code":-1013,"msg":"Invalid stream name: nosuch@depth@100ms"}}
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from venues.event import NO_ROUTES, Routes
from venues.op_args import same_text
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind

PATHS = ("", "/")
BOOK_STREAM = "depth@100ms"

_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "list_subscriptions": RequestKind.LIST,
    "ping": RequestKind.PING,
}
_PRIVATE_STREAMS = {
    "orderUpdate": "orders@account",
    "balanceUpdate": "balances@account",
    "positionReport": "positions@account",
}
_REFUSED_CODE = -1013


class _Request(msgspec.Struct):
    method: str
    params: list[str] = []
    id: int | str | None = None


class _Message(msgspec.Struct):
    e: str | None = None
    s: str = ""
    t: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    u: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    status: int | None = None


_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)


def signed_headers(keys: Credentials, time_ms: int) -> tuple[tuple[str, str], ...]:
    """Return the headers of the handshake that log in; the nonce is the time in seconds."""
    nonce = str(time_ms // 1000)
    payload = base64.b64encode(nonce.encode()).decode()
    return (
        ("X-GEMINI-APIKEY", keys.key),
        ("X-GEMINI-NONCE", nonce),
        ("X-GEMINI-PAYLOAD", payload),
        ("X-GEMINI-SIGNATURE", _signature(keys.secret, payload)),
    )


def _signature(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha384).hexdigest()


@dataclass(frozen=True, slots=True)
class StreamsDialect(Dialect):
    """The exchange's side of ws.gemini.com."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        try:
            request = _REQUEST.decode(payload)
        except (ValueError, RecursionError):
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind = _KINDS.get(request.method.lower(), RequestKind.UNREADABLE)
        topics = tuple(_lower(stream) for stream in request.params)
        return ClientRequest(kind, topics, request.id, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the message that answers `request`."""
        if request.kind is RequestKind.UNREADABLE:
            refused = refused or "Unsupported operation"
        body: dict[str, object] = {"id": request.request_id, "status": 200}
        if refused is not None:
            body |= {"status": 400, "error": {"code": _REFUSED_CODE, "msg": refused}}
        elif request.kind is RequestKind.LIST:
            body["result"] = list(request.topics)
        return [json.dumps(body, separators=(",", ":"), ensure_ascii=False)]

    def handshake_valid(
        self, path_and_query: str, headers: Mapping[str, str], credentials: Credentials
    ) -> bool:
        """Return whether the handshake was signed with these keys, whenever that was."""
        payload = headers.get("x-gemini-payload", "")
        nonce = base64.b64encode(headers.get("x-gemini-nonce", "").encode()).decode()
        expected = _signature(credentials.secret, payload)
        return (
            same_text(headers.get("x-gemini-apikey", ""), credentials.key)
            and same_text(headers.get("x-gemini-signature", ""), expected)
            and same_text(payload, nonce)
        )

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the stream that a recorded message was sent for."""
        try:
            message = _MESSAGE.decode(payload)
        except (ValueError, RecursionError):
            return None
        if message.status is not None:
            return None
        if message.e in _PRIVATE_STREAMS:
            return _PRIVATE_STREAMS[message.e]
        stream = _stream(message)
        return None if stream is None or not message.s else f"{message.s.lower()}@{stream}"

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the root."""
        return path in PATHS

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the root: a signed handshake opens the private streams."""
        return path in PATHS


def _stream(message: _Message) -> str | None:
    if message.e == "depthUpdate":
        return BOOK_STREAM
    if message.e not in (None, "trade"):
        return message.e
    if message.t is not msgspec.UNSET:
        return "trade"
    return "bookTicker" if message.u is not msgspec.UNSET else None


def _lower(stream: str) -> str:
    symbol, at, rest = stream.partition("@")
    return f"{symbol.lower()}{at}{rest}"
