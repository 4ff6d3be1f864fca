"""Binance as the exchange speaks, for a server that stands in for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from msgspec import UNSET, Raw, UnsetType

from venues.binance.access import (
    KEY_HEADER,
    LISTEN_KEY,
    SUBSCRIBE_METHOD,
    AccountAccess,
    given_listen_key,
    signed_text,
)
from venues.binance.account import ACCOUNT_EVENTS
from venues.binance.instrument import instruments_body
from venues.event import NO_ROUTES, Routes, Row
from venues.op_args import same_text, signature
from venues.time_shift import shifted_epochs
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import decoded_or_none, leading_text

_KINDS = {
    "SUBSCRIBE": RequestKind.SUBSCRIBE,
    "UNSUBSCRIBE": RequestKind.UNSUBSCRIBE,
    "LIST_SUBSCRIPTIONS": RequestKind.LIST,
    SUBSCRIBE_METHOD: RequestKind.SUBSCRIBE,
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
ACCOUNT_TOPIC = "account"
"""Of all events of one's own account, which come without being named."""

_LISTEN_KEY_CHARACTERS_MIN = 20
_SYMBOL = re.compile(r"\w{1,40}")
_TIME_KEYS = frozenset(("E", "T", "O", "C", "serverTime"))
"""`t` is the number of a trade, and `O` and `C` are times of a day's statistics."""


class _Request(msgspec.Struct):
    method: str
    params: list[str] | dict[str, str | int] = []
    id: int | str | None = None


class _Order(msgspec.Struct):
    s: str


class _Named(msgspec.Struct):
    stream: str | None = None
    data: Raw | UnsetType = UNSET
    event: Raw | UnsetType = UNSET
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
    access: AccountAccess

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        try:
            request = _REQUEST.decode(payload)
        except (ValueError, RecursionError):
            return ClientRequest(RequestKind.UNREADABLE, payload=payload)
        kind = _KINDS.get(request.method, RequestKind.UNREADABLE)
        if request.method == SUBSCRIBE_METHOD:
            return ClientRequest(kind, (ACCOUNT_TOPIC,), request.id, payload)
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
                if prefix == self.access.path and _is_listen_key(names):
                    return (ACCOUNT_TOPIC,)
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
        elif request.topics == (ACCOUNT_TOPIC,):
            body = {"status": 200, "result": {"subscriptionId": 0}}
        else:
            body = {"result": None}
        body["id"] = request.request_id
        return [json.dumps(body, separators=(",", ":"), ensure_ascii=False)]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a subscription to spot's account was signed with these keys."""
        asked = decoded_or_none(_REQUEST, request.payload)
        if asked is None or not isinstance(asked.params, dict):
            return False
        named, signed = (str(asked.params.get(name, "")) for name in ("apiKey", "signature"))
        expected = signature(credentials.secret, signed_text(asked.params))
        return same_text(named, credentials.key) and same_text(signed, expected)

    def handshake_valid(
        self, path_and_query: str, headers: Mapping[str, str], credentials: Credentials
    ) -> bool:
        """Return whether the address ends in the listen key that these keys were given."""
        named = urlsplit(path_and_query).path.rpartition("/")[2]
        return same_text(named, given_listen_key(credentials.key))

    def access_body(
        self, path_and_query: str, websocket_url: str, headers: Mapping[str, str]
    ) -> bytes | None:
        """Return the listen key that goes with an API key, asked for or made to last longer."""
        path = urlsplit(path_and_query).path
        if not self.access.listen_key_path or path != self.access.listen_key_path:
            return None
        return msgspec.json.encode(
            {"listenKey": given_listen_key(headers.get(KEY_HEADER.lower(), ""))}
        )

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the stream that a recorded message was sent for, wrapped or bare.

        A bare message does not say its stream's speed: the name is the one without it.
        """
        stream = leading_text(payload, b'{"stream":"')
        if stream is not None:
            return _subscribed(stream)
        message = decoded_or_none(_NAMED, payload)
        if message is None:
            return None
        if message.event is not UNSET:
            return self.topic(bytes(message.event))
        if message.stream is not None:
            return _subscribed(message.stream)
        if message.e in ACCOUNT_EVENTS:
            return ACCOUNT_TOPIC
        if message.e is None:
            return f"{message.s.lower()}@bookTicker" if message.u is not None else None
        symbol = message.o.s if isinstance(message.o, _Order) else message.s
        kind = _STREAM_OF_EVENT.get(message.e)
        return f"{symbol.lower()}@{kind}" if kind is not None else None

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is one of `…/stream`, `…/ws` and `…/ws/<streams>`."""
        if path in (*self._combined_paths(), *self._raw_paths(), self.access.path):
            return True
        return any(path.startswith(f"{prefix}/") for prefix in self._raw_paths())

    def private_path(self, path: str) -> bool:
        """Return whether `path` is that of the account: as it is, or with a listen key behind."""
        return path == self.access.path or path.startswith(f"{self.access.path}/")

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
        raw = tuple(path.removesuffix("stream") + "ws" for path in self._combined_paths())
        return (*raw, self.access.path) if self.access.listen_key_path else raw


def _names_stream(name: str) -> bool:
    """Return whether a part of the path can be a stream; clients put a number of theirs there."""
    return "@" in name or name.startswith("!")


def _is_listen_key(name: str) -> bool:
    long_enough = name.isalnum() and len(name) >= _LISTEN_KEY_CHARACTERS_MIN
    return name == LISTEN_KEY or long_enough


def _subscribed(stream: str) -> str | None:
    if _is_listen_key(stream):
        return ACCOUNT_TOPIC
    # The exchange's own announcements go to everyone.
    return None if stream.startswith("!server") else stream


def _unwrapped(payload: bytes) -> bytes:
    try:
        data = _NAMED.decode(payload).data
    except (ValueError, RecursionError):
        return payload
    return payload if data is UNSET else bytes(data)
