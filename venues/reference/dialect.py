"""The reference venue as the exchange speaks, for the fake exchange.

{"success":true,"op":"subscribe","ret_msg":""}      {"op":"pong"}      {"success":true,"ret_msg":""}
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import msgspec

from venues.bybit.dialect import (
    SNAPSHOT_PATH,
    TIME_KEYS,
    order_book_body,
    read_topic,
    stated_levels,
)
from venues.event import NO_ROUTES, Routes, Row
from venues.op_args import login_signed, read_op_request
from venues.stated_book import BookOf
from venues.time_shift import shifted_epochs
from venues.venue import ClientRequest, Credentials, Dialect, RequestKind

PATH = "/realtime"

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,39}")


def signed_text(time_ms: str) -> str:
    """Return the text that a login signs."""
    return f"{time_ms}GET{PATH}"


@dataclass(frozen=True, slots=True)
class ReferenceDialect(Dialect):
    """The exchange's side of the reference protocol."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Understand a client's message; kind UNREADABLE where it cannot be. Never raises."""
        return read_op_request(payload)

    def connect_topics(self, path: str) -> tuple[str, ...]:
        """Return nothing: a path subscribes to nothing."""
        return ()

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return the message that answers `request`. That to a login names no operation."""
        if request.kind is RequestKind.PING:
            return ['{"op":"pong"}']
        if request.kind is RequestKind.UNREADABLE:
            refused = refused or "the request cannot be read"
        body: dict[str, object] = {"success": refused is None}
        if request.kind in (RequestKind.SUBSCRIBE, RequestKind.UNSUBSCRIBE):
            body["op"] = request.kind.value
        elif request.kind is not RequestKind.LOGIN:
            body["op"] = ""
        body["ret_msg"] = refused or ""
        if request.request_id is not None:
            body["req_id"] = request.request_id
        return [json.dumps(body, separators=(",", ":"), ensure_ascii=False)]

    def shifted(self, payload: bytes, shift_s: int) -> bytes | None:
        """Return the message with its times moved: epoch times in ms."""
        return shifted_epochs(payload, TIME_KEYS, shift_s)

    def book_message(self, topic: str, book_of: BookOf) -> bytes | None:
        """Return the snapshot as it is sent after a subscription, without a checksum."""
        stated = stated_levels(topic, book_of)
        if stated is None:
            return None
        book = stated[1]
        state = {"seq": book.sequence, "bids": book.bids, "asks": book.asks}
        return msgspec.json.encode({"topic": topic, "type": "snapshot", "data": state})

    def login_valid(self, request: ClientRequest, credentials: Credentials) -> bool:
        """Return whether a LOGIN request was signed with these keys."""
        return login_signed(request.payload, credentials, signed_text)

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return the topic that a recorded message was sent for."""
        return read_topic(payload)

    def serves_path(self, path: str) -> bool:
        """Return whether `path` is the one endpoint."""
        return path == PATH

    def private_path(self, path: str) -> bool:
        """Return whether `path` is the one endpoint, where a login opens the private topics."""
        return path == PATH

    def snapshot_symbol(self, path_and_query: str) -> str | None:
        """Return the symbol that a request for an order book asks about."""
        parts = urlsplit(path_and_query)
        if parts.path != SNAPSHOT_PATH:
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
        """Return the answer of the REST order book."""
        return order_book_body(symbol, bids, asks, sequence, time_ms)
