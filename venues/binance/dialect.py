"""Binance as the exchange speaks, for a server that stands in for it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from msgspec import UNSET, Raw, UnsetType

from venues.binance.instrument import instruments_body
from venues.event import NO_ROUTES, Routes, Row
from venues.time_shift import shifted_epochs
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import leading_text

_KINDS = {
    "SUBSCRIBE": RequestKind.SUBSCRIBE,
    "UNSUBSCRIBE": RequestKind.UNSUBSCRIBE,
    "LIST_SUBSCRIPTIONS": RequestKind.LIST,
}
_STREAM_OF_EVENT = {
    "depthUpdate": "depth",
    "trade": "trade",
    "aggTrade": "aggTrade",
    "bookTicker": "bookTicker",
    "forceOrder": "forceOrder",
    "markPriceUpdate": "markPrice",
    "24hrTicker": "ticker",
}
_SYMBOL = re.compile(r"\w{1,40}")
_TIME_KEYS = frozenset(("E", "T", "O", "C", "serverTime"))
"""`t` is the number of a trade, and `O` and `C` are times of a day's statistics."""


class _Request(msgspec.Struct):
    method: str
    params: list[str] = []
    id: int | str | None = None


class _Order(msgspec.Struct):
    s: str


class _Named(msgspec.Struct):
    stream: str | None = None
    data: Raw | UnsetType = UNSET
    e: str | None = None
    s: str = ""
    u: int | None = None
    o: _Order | UnsetType | str = UNSET


_REQUEST = msgspec.json.Decoder(_Request)
_NAMED = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, slots=True)
class BinanceDialect(Dialect):
    """The exchange's side of one Binance venue, with its own paths."""

    venue: str
    stream_paths: tuple[str, ...]
    snapshot_path: str

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        try:
            request = _REQUEST.decode(payload)
        except (ValueError, RecursionError):
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind = _KINDS.get(request.method, RequestKind.UNREADABLE)
        return ClientRequest(kind, tuple(request.params), request.id, payload)

    def connect_topics(self, path: str) -> tuple[str, ...]:
        """Return the streams in `…/stream?streams=a/b` or `…/ws/a/b`."""
        parts = urlsplit(path)
        if parts.path in self._combined_paths():
            names = "/".join(parse_qs(parts.query).get("streams", []))
            return tuple(name for name in names.split("/") if name)
        for prefix in self._raw_paths():
            if parts.path.startswith(f"{prefix}/"):
                names = unquote(parts.path[len(prefix) + 1 :])
                return tuple(name for name in names.split("/") if _names_stream(name))
        return ()

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the message that answers `request`."""
        if request.kind is RequestKind.UNREADABLE:
            refused = refused or "Invalid request: it cannot be read"
        if refused is not None:
            code = 2 if request.kind is not RequestKind.UNREADABLE else 3
            body: dict[str, object] = {"error": {"code": code, "msg": refused}}
        elif request.kind is RequestKind.LIST:
            body = {"result": list(request.topics)}
        else:
            body = {"result": None}
        body["id"] = request.request_id
        return [json.dumps(body, separators=(",", ":"), ensure_ascii=False)]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return False: there is no login."""
        return False

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the stream that a recorded message was sent for, wrapped or bare.

        A bare message does not say its stream's speed: the name is the one without it.
        """
        stream = leading_text(payload, b'{"stream":"')
        if stream is not None:
            return _subscribed(stream)
        try:
            message = _NAMED.decode(payload)
        except (ValueError, RecursionError):
            return None
        if message.stream is not None:
            return _subscribed(message.stream)
        if message.e is None:
            return f"{message.s.lower()}@bookTicker" if message.u is not None else None
        symbol = message.o.s if isinstance(message.o, _Order) else message.s
        kind = _STREAM_OF_EVENT.get(message.e)
        return f"{symbol.lower()}@{kind}" if kind is not None else None

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is one of `…/stream`, `…/ws` and `…/ws/<streams>`."""
        if path in self._combined_paths() or path in self._raw_paths():
            return True
        return any(path.startswith(f"{prefix}/") for prefix in self._raw_paths())

    def private_path(self, path: str) -> bool:
        """Return False: private streams are not offered."""
        return False

    def wire_payload(self, payload: bytes, path: str) -> bytes:
        """Return the message wrapped at `…/stream` and bare at `…/ws`, its own bytes untouched."""
        wrapped = payload.startswith(b'{"stream":')
        combined = urlsplit(path).path in self._combined_paths()
        if wrapped is combined:
            return payload
        if wrapped:
            return _unwrapped(payload)
        topic = self.topic(payload)
        if topic is None:
            return payload
        return b'{"stream":"' + topic.encode() + b'","data":' + payload + b"}"

    def snapshot_symbol(self, path_and_query: str) -> str | None:
        """Return the symbol that a request for a depth snapshot asks about."""
        parts = urlsplit(path_and_query)
        if parts.path != self.snapshot_path:
            return None
        symbol = parse_qs(parts.query).get("symbol", [""])[-1].upper()
        return symbol if _SYMBOL.fullmatch(symbol) else None

    def snapshot_body(
        self,
        symbol: str,
        bids: Sequence[Row],
        asks: Sequence[Row],
        sequence: int,
        time_ms: int | None = None,
    ) -> bytes:
        """Return a depth answer. Spot's has no time, COIN-M's the symbol too."""
        body: dict[str, object] = {"lastUpdateId": sequence}
        if not self.snapshot_path.startswith("/api/"):
            if time_ms is not None:
                body |= {"E": time_ms, "T": time_ms}
            if self.snapshot_path.startswith("/dapi/"):
                body |= {"symbol": symbol, "pair": symbol.partition("_")[0]}
        body |= {"bids": bids, "asks": asks}
        return msgspec.json.encode(body)

    def instruments_body(self, path_and_query: str, recorded: Sequence[bytes]) -> bytes | None:
        """Return the recorded instruments of this API, and none of any other."""
        return instruments_body(self.snapshot_path, path_and_query, recorded)

    def shifted(self, payload: bytes, shift_s: int) -> bytes | None:
        """Return the message with its times moved: epoch times in ms, or in µs."""
        return shifted_epochs(payload, _TIME_KEYS, shift_s)

    def _combined_paths(self) -> tuple[str, ...]:
        # The futures served streams without a part's name until 2026-04-23: old clients still ask.
        return ("/stream", *self.stream_paths)

    def _raw_paths(self) -> tuple[str, ...]:
        return tuple(path.removesuffix("stream") + "ws" for path in self._combined_paths())


def _names_stream(name: str) -> bool:
    """Return whether a part of the path can be a stream; clients put a number of theirs there."""
    return "@" in name or name.startswith("!")


def _subscribed(stream: str) -> str | None:
    # The exchange's own announcements go to everyone.
    return None if stream.startswith("!server") else stream


def _unwrapped(payload: bytes) -> bytes:
    try:
        data = _NAMED.decode(payload).data
    except (ValueError, RecursionError):
        return payload
    return payload if data is UNSET else bytes(data)
