"""Kraken spot v2 as the exchange speaks, for a server that stands in for it.

{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online",…}]}
{"method":"subscribe","result":{"channel":"book","depth":10,"snapshot":true,"symbol":"BTC/USD"},
 "success":true,"time_in":"2026-08-24T22:21:56.724795Z","time_out":"2026-08-24T22:21:56.724853Z"}
{"error":"Currency pair not supported XX/YY","method":"subscribe","success":false,"symbol":"XX/YY"}
{"error":"Malformed request","success":false,…}
{"method":"pong","req_id":42,…}      {"channel":"heartbeat"}, every second without other messages

A topic is the name of the channel and the symbol: `book:BTC/USD`. The depth is not part of it, as
no message carries it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from venues.event import NO_ROUTES, Routes
from venues.kraken.spot_v1_dialect import TOKEN, token_body
from venues.kraken.spot_v1_market import DEPTH_DEFAULT
from venues.time_shift import shifted_iso_times
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind

PATH = "/v2"

_KINDS = {
    "subscribe": RequestKind.SUBSCRIBE,
    "unsubscribe": RequestKind.UNSUBSCRIBE,
    "ping": RequestKind.PING,
}
_METHODS = {kind: method for method, kind in _KINDS.items()}
_TIMES = {"time_in": "2026-01-01T00:00:00.000000Z", "time_out": "2026-01-01T00:00:00.000010Z"}
"""When an answer was made: a dialect has no clock, and clients only show it."""


class _Wish(msgspec.Struct):
    channel: str = ""
    symbol: list[str] = []
    token: str = ""
    depth: int | None = None


class _Request(msgspec.Struct):
    method: str
    params: _Wish | None = None
    req_id: int | None = None


class _Symbol(msgspec.Struct, gc=False):
    symbol: str = ""


class _Message(msgspec.Struct, gc=False):
    channel: str
    data: list[_Symbol] = []


class _Channel(msgspec.Struct, gc=False):
    channel: str


_TIME_KEYS = frozenset(("timestamp", "time_in", "time_out", "effective_time", "expire_time"))
_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)
_CHANNEL = msgspec.json.Decoder(_Channel)


@dataclass(frozen=True, slots=True)
class KrakenV2Dialect(Dialect):
    """The exchange's side of the current spot protocol."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        try:
            request = _REQUEST.decode(payload)
        except (ValueError, RecursionError):
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind, wish = _KINDS.get(request.method, RequestKind.UNREADABLE), request.params
        if kind is RequestKind.PING:
            return ClientRequest(kind, (), request.req_id, payload)
        if kind is RequestKind.UNREADABLE or wish is None or not wish.channel:
            return ClientRequest(RequestKind.UNREADABLE, (), request.req_id, payload)
        topics = tuple(f"{wish.channel}:{symbol}" for symbol in wish.symbol) or (wish.channel,)
        return ClientRequest(kind, topics, request.req_id, payload)

    def greeting(self) -> list[str]:
        """Return the status that a connection begins with."""
        status = {"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": 1}
        return [_text({"channel": "status", "type": "update", "data": [status]})]

    def shifted(self, payload: bytes, shift_s: int) -> bytes | None:
        """Return the message with its times moved: all are written in ISO 8601."""
        return shifted_iso_times(payload, _TIME_KEYS, shift_s)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return an answer for each symbol, its `req_id` echoed where it has one."""
        echoed: dict[str, object] = {**_TIMES}
        if request.request_id is not None:
            echoed["req_id"] = request.request_id
        method = _METHODS.get(request.kind)
        if request.kind is RequestKind.PING:
            return [_text({"method": "pong", **echoed})]
        if method is None or not request.topics:
            return [_text({"error": refused or "Malformed request", "success": False, **echoed})]
        depth = _depth(request.payload)
        return [
            _text({**_outcome(topic, method, depth, refused), **echoed}) for topic in request.topics
        ]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a private subscription carries the token that was given."""
        try:
            wish = _REQUEST.decode(request.payload).params
        except (ValueError, RecursionError):
            return False
        return wish is not None and wish.token == TOKEN

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the channel and symbol that a recorded message was sent for."""
        try:
            message = _MESSAGE.decode(payload)
        except (ValueError, RecursionError):
            return _channel(payload)
        if message.channel in ("heartbeat", "status"):
            return None
        symbol = message.data[0].symbol if message.data else ""
        own = message.channel in ("executions", "balances")
        return f"{message.channel}:{symbol}" if symbol and not own else message.channel

    def heartbeat(self, time_ms: int) -> str | bytes | None:
        """Return the exchange's sign of life."""
        return '{"channel":"heartbeat"}'

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the protocol's only one."""
        return path == PATH

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the only one: private channels differ by host alone."""
        return path == PATH

    def access_body(
        self, path_and_query: str, websocket_url: str, headers: Mapping[str, str]
    ) -> bytes | None:
        """Return the answer to a request for a token."""
        return token_body(path_and_query)


def _channel(payload: bytes) -> str | None:
    try:
        return _CHANNEL.decode(payload).channel
    except (ValueError, RecursionError):
        return None


def _depth(payload: bytes) -> int:
    try:
        wish = _REQUEST.decode(payload).params
    except (ValueError, RecursionError):
        wish = None
    return DEPTH_DEFAULT if wish is None or wish.depth is None else wish.depth


def _outcome(topic: str, method: str, depth: int, refused: str | None) -> dict[str, object]:
    channel, _, symbol = topic.partition(":")
    about = {"symbol": symbol} if symbol else {}
    if refused is not None:
        return {"error": refused, "method": method, "success": False, **about}
    result: dict[str, object] = {"channel": channel}
    if channel == "book":
        result["depth"] = depth
    return {"method": method, "result": {**result, "snapshot": True, **about}, "success": True}


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
