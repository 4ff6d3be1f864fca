"""Gemini's Market Data version 2 as the exchange speaks, for a server that stands in for it.

{"reason":"NoValidTradingPairs","result":"error"}

A subscription is answered by the book alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import msgspec

from venues.event import NO_ROUTES, Routes
from venues.venue import ClientRequest, Dialect, RequestKind

PATH = "/v2/marketdata"

_KINDS = {"subscribe": RequestKind.SUBSCRIBE, "unsubscribe": RequestKind.UNSUBSCRIBE}
_NAME_OF_TYPES = {"l2_updates": "l2", "trade": "l2", "mark_price_updates": "mark_price"}


class _Subscription(msgspec.Struct):
    name: str
    symbols: list[str]


class _Request(msgspec.Struct):
    type: str
    subscriptions: list[_Subscription]


class _Message(msgspec.Struct):
    type: str
    symbol: str


_REQUEST = msgspec.json.Decoder(_Request)
_MESSAGE = msgspec.json.Decoder(_Message)


@dataclass(frozen=True, slots=True)
class V2Dialect(Dialect):
    """The exchange's side of Market Data version 2."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        try:
            request = _REQUEST.decode(payload)
        except (ValueError, RecursionError):
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind = _KINDS.get(request.type, RequestKind.UNREADABLE)
        topics = [f"{one.name}:{symbol}" for one in request.subscriptions for symbol in one.symbols]
        return ClientRequest(kind, tuple(topics), None, payload)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return a refusal; what is accepted is answered by data."""
        if request.kind is RequestKind.UNREADABLE:
            refused = refused or "the request cannot be read"
        if refused is None:
            return []
        return [json.dumps({"reason": refused, "result": "error"}, separators=(",", ":"))]

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the subscription that a recorded message was sent for: trades come with books."""
        try:
            message = _MESSAGE.decode(payload)
        except (ValueError, RecursionError):
            return None
        name = _NAME_OF_TYPES.get(message.type)
        return None if name is None else f"{name}:{message.symbol}"

    def heartbeat(self, time_ms: int) -> str | bytes | None:
        """Return the heartbeat, which the exchange sends every 5 s."""
        return f'{{"type":"heartbeat","timestamp":{time_ms}}}'

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the one endpoint."""
        return path.removesuffix("/") == PATH
