"""BitMEX as the exchange speaks, for a server that stands in for it.

    {"info":"Welcome to the BitMEX Realtime API.","version":"…","timestamp":"…","docs":"…",
     "limit":{"remaining":39}}
    {"success":true,"subscribe":"trade:XBTUSD","request":{"op":"subscribe","args":[…]}}
    {"success":true,"unsubscribe":"trade:XBTUSD","request":{…}}
    {"success":true,"request":{"op":"authKeyExpires","args":[…]}}
    {"status":400,"error":"Unknown or expired symbol: X","meta":{},"request":{…}}
    pong

Each topic of a request is acknowledged by a message of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from venues.bitmex.account import ACCOUNT_READERS
from venues.bitmex.market import Filter
from venues.event import NO_ROUTES, Routes
from venues.op_args import same_text, signature
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import decoded_or_none

PATH = "/realtime"
PING, PONG = "ping", "pong"

_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "authKeyExpires": RequestKind.LOGIN,
}
_GREETING = {
    "info": "Welcome to the BitMEX Realtime API.",
    "version": "tickreel",
    "limit": {"remaining": 39},
}
_BAD_REQUEST, _UNAUTHORIZED = 400, 401


class _Request(msgspec.Struct):
    op: str
    args: list[str | int] | str | int = []


class _Row(msgspec.Struct):
    symbol: str = ""


class _Table(msgspec.Struct):
    table: str
    data: list[_Row] = []
    filter: Filter | None = None


_REQUEST = msgspec.json.Decoder(_Request)
_TABLE = msgspec.json.Decoder(_Table)


def signed_text(expires_s: str) -> str:
    """Return the text that a login signs."""
    return f"GET{PATH}{expires_s}"


@dataclass(frozen=True, slots=True)
class BitmexDialect(Dialect):
    """The exchange's side."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        if payload == PING.encode():
            return ClientRequest(RequestKind.PING, payload=payload)
        request = decoded_or_none(_REQUEST, payload)
        kind = None if request is None else _KINDS.get(request.op)
        if request is None or kind is None:
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        topics = () if kind is RequestKind.LOGIN else tuple(map(str, _args(request)))
        return ClientRequest(kind, topics, payload=payload)

    def greeting(self) -> list[str]:
        """Return the welcome, which is said first."""
        return [_text(_GREETING)]

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the messages that answer `request`, one a topic, or the refusal of all."""
        if request.kind is RequestKind.PING:
            return [PONG]
        asked = decoded_or_none(_REQUEST, request.payload)
        echo = {} if asked is None else {"op": asked.op, "args": asked.args}
        if refused is not None or asked is None or request.kind is RequestKind.UNREADABLE:
            login = request.kind is RequestKind.LOGIN
            error = {"status": _UNAUTHORIZED if login else _BAD_REQUEST}
            text = refused or "Unrecognized request."
            return [_text({**error, "error": text, "meta": {}, "request": echo})]
        if request.kind is RequestKind.LOGIN:
            return [_text({"success": True, "request": echo})]
        return [
            _text({"success": True, asked.op: topic, "request": echo}) for topic in request.topics
        ]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a LOGIN request was signed with these keys."""
        asked = decoded_or_none(_REQUEST, request.payload)
        if asked is None or asked.op != "authKeyExpires" or len(_args(asked)) != 3:
            return False
        key, expires_s, signed = map(str, _args(asked))
        expected = signature(credentials.secret, signed_text(expires_s))
        return same_text(key, credentials.key) and same_text(signed, expected)

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return table and symbol; of one's own account, the table alone."""
        message = decoded_or_none(_TABLE, payload)
        if message is None:
            return None
        if message.table in ACCOUNT_READERS:
            return message.table
        symbol = message.filter.symbol if message.filter is not None else ""
        if not symbol and message.data:
            symbol = message.data[0].symbol
        return f"{message.table}:{symbol}" if symbol else message.table

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the one there is."""
        return path == PATH

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the one there is: a login makes a connection private."""
        return path == PATH


def _args(request: _Request) -> list[str | int]:
    return request.args if isinstance(request.args, list) else [request.args]


def _text(body: Mapping[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
