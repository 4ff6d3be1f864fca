"""Bybit v5 as the exchange speaks, for a server that stands in for it.

{"success":true,"ret_msg":"subscribe","conn_id":"…","req_id":"…","op":"subscribe"}    spot
{"success":true,"ret_msg":"","conn_id":"…","req_id":"…","op":"subscribe"}             others
{"success":true,"ret_msg":"pong","conn_id":"…","req_id":"…","op":"ping"}              public
{"req_id":"…","op":"pong","args":["1675418560633"],"conn_id":"…"}                     private
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import msgspec

from venues.bybit.instrument import instruments_body
from venues.event import NO_ROUTES, Routes, Row
from venues.op_args import login_signed, read_op_request
from venues.stated_book import BookOf, StatedBook
from venues.time_shift import shifted_epochs
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind
from venues.wire import leading_text

PRIVATE_PATH = "/v5/private"
TIME_KEYS = frozenset(
    (
        "ts",
        "cts",
        "time",
        "T",
        "creationTime",
        "createdTime",
        "updatedTime",
        "execTime",
        "nextFundingTime",
        "deliveryTime",
    )
)
SNAPSHOT_PATH = "/v5/market/orderbook"

_CONNECTION = "tickreel"
"""The `conn_id` of every answer: a dialect has no state, and clients only show it."""

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9-]{0,39}")


class _Topic(msgspec.Struct):
    topic: str | None = None


_TOPIC = msgspec.json.Decoder(_Topic)


def signed_text(expires_ms: str) -> str:
    """Return the text that a login signs."""
    return f"GET/realtime{expires_ms}"


def read_topic(payload: bytes) -> str | None:
    """Return the topic that a message names; None where it names none."""
    topic = leading_text(payload, b'{"topic":"')
    if topic is not None:
        return topic
    try:
        return _TOPIC.decode(payload).topic
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class BybitDialect(Dialect):
    """The exchange's side of one category."""

    category: str

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        return read_op_request(payload)

    def connect_topics(self, path: str) -> tuple[str, ...]:
        """Return nothing: a path subscribes to nothing."""
        return ()

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the message that answers `request`, its `req_id` echoed where it has one."""
        if request.kind is RequestKind.PING and request.private:
            pong: dict[str, object] = {"op": "pong", "args": [], "conn_id": _CONNECTION}
            return [_text(_identified(request, pong))]
        body = _identified(
            request,
            {
                "success": refused is None and request.kind is not RequestKind.UNREADABLE,
                "ret_msg": self._message(request) if refused is None else refused,
                "conn_id": _CONNECTION,
            },
        )
        return [_text({**body, "op": _OPERATIONS[request.kind]})]

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a LOGIN request was signed with these keys."""
        return login_signed(request.payload, credentials, signed_text)

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic that a recorded message was sent for."""
        return read_topic(payload)

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the category's public one or the private one."""
        return path in (f"/v5/public/{self.category}", PRIVATE_PATH)

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the private one."""
        return path == PRIVATE_PATH

    def snapshot_symbol(self, path_and_query: str) -> str | None:
        """Return the symbol that a request for an order book of this category asks about."""
        parts = urlsplit(path_and_query)
        query = parse_qs(parts.query)
        if parts.path != SNAPSHOT_PATH or query.get("category", [""])[-1] != self.category:
            return None
        symbol = query.get("symbol", [""])[-1].upper()
        return symbol if _SYMBOL.fullmatch(symbol) else None

    def snapshot_body(
        self,
        symbol: str,
        bids: Sequence[Row],
        asks: Sequence[Row],
        sequence: int,
        time_ms: int | None = None,
    ) -> bytes:
        """Return the answer of the REST order book."""
        return order_book_body(symbol, bids, asks, sequence, time_ms)

    def book_message(self, topic: str, book_of: BookOf) -> bytes | None:
        """Return the snapshot as it is sent after a subscription; `seq` is its `u` here."""
        stated = stated_levels(topic, book_of)
        if stated is None:
            return None
        symbol, book = stated
        numbers = {"u": book.sequence, "seq": book.sequence}
        state = {"s": symbol, "b": book.bids, "a": book.asks, **numbers}
        head = {"topic": topic, "type": "snapshot", "ts": book.time_ms, "data": state}
        return msgspec.json.encode({**head, "cts": book.time_ms})

    def instruments_body(self, path_and_query: str, recorded: Sequence[bytes]) -> bytes | None:
        """Return the recorded instruments of the category, and none of any other."""
        return instruments_body(self.category, path_and_query, recorded)

    def shifted(self, payload: bytes, shift_s: int) -> bytes | None:
        """Return the message with its times moved: epoch times in ms, numbers or texts."""
        return shifted_epochs(payload, TIME_KEYS, shift_s)

    def _message(self, request: ClientRequest) -> str:
        if request.kind is RequestKind.PING:
            return "pong"
        if request.kind is RequestKind.UNREADABLE:
            return "the request cannot be read"
        subscribes = request.kind in (RequestKind.SUBSCRIBE, RequestKind.UNSUBSCRIBE)
        return request.kind.value if subscribes and self.category == "spot" else ""


_OPERATIONS = {
    RequestKind.SUBSCRIBE: "subscribe",
    RequestKind.UNSUBSCRIBE: "unsubscribe",
    RequestKind.PING: "ping",
    RequestKind.LOGIN: "auth",
    RequestKind.LIST: "",
    RequestKind.UNREADABLE: "",
}


_BOOK_TOPIC = re.compile(r"orderbook\.(\d{1,4})\.([A-Z0-9][A-Z0-9_-]{0,39})")


def stated_levels(topic: str, book_of: BookOf) -> tuple[str, StatedBook] | None:
    """Return the symbol of a book's topic and its book, cut to the topic's depth."""
    named = _BOOK_TOPIC.fullmatch(topic)
    book = None if named is None else book_of(named[2])
    if named is None or book is None:
        return None
    depth = int(named[1])
    return named[2], book._replace(bids=book.bids[:depth], asks=book.asks[:depth])


def order_book_body(
    symbol: str,
    bids: Sequence[Row],
    asks: Sequence[Row],
    sequence: int,
    time_ms: int | None,
) -> bytes:
    """Return a REST order book as Bybit and the reference venue send it."""
    times: dict[str, object] = {} if time_ms is None else {"ts": time_ms}
    book = {"s": symbol, "b": bids, "a": asks, **times, "seq": sequence, "u": sequence}
    return msgspec.json.encode({"retCode": 0, "retMsg": "OK", "result": book})


def _identified(request: ClientRequest, body: dict[str, object]) -> dict[str, object]:
    return body if request.request_id is None else {**body, "req_id": request.request_id}


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
