"""A feed in the reference protocol, frame by frame, with the right numbers and checksums."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.book.exchange_history import checksum
from tests.book.made_events import SECOND_NS
from tests.book.plain_book import PlainBook
from venues.channel import Channel, Subscription
from venues.event import Row
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import (
    ClockReading,
    Closed,
    HttpResponse,
    Lost,
    Marker,
    Opened,
    http_payload,
    marker_payload,
)

VENUE = "reference"
KEY = (VENUE, "BTCUSDT")
_KINDS = {
    Opened: FrameKind.OPENED,
    Closed: FrameKind.CLOSED,
    Lost: FrameKind.LOST,
    ClockReading: FrameKind.CLOCK,
}


@dataclass
class ReferenceFeed:
    """What one exchange sends of one symbol. Every frame comes `step_ns` after the last one."""

    symbol: str = "BTCUSDT"
    step_ns: int = SECOND_NS // 100
    connection_id: int = 1
    frame_number: int = -1
    time_ns: int = 1_700_000_000 * SECOND_NS
    sequence: int = 1
    truth: PlainBook = field(default_factory=PlainBook)

    def __post_init__(self) -> None:
        self.truth.replace([("99", "1.0"), ("98.5", "2")], [("101", "1.5"), ("102", "3")])

    def frame(self, kind: FrameKind, payload: bytes, venue: str = VENUE) -> Frame:
        self.frame_number += 1
        self.time_ns += self.step_ns
        connection_id = 0 if venue == RECORDER else self.connection_id
        return Frame(self.frame_number, connection_id, venue, kind, self.time_ns, None, payload)

    def text(self, payload: bytes | str, venue: str = VENUE) -> Frame:
        data = payload.encode() if isinstance(payload, str) else payload
        return self.frame(FrameKind.TEXT, data, venue)

    def marker(self, marker: Marker, venue: str = VENUE) -> Frame:
        return self.frame(_KINDS[type(marker)], marker_payload(marker), venue)

    def opened(self, *channels: Channel) -> Frame:
        subscriptions = [Subscription(channel, self.symbol) for channel in channels]
        return self.marker(Opened(VENUE, "ws://127.0.0.1/realtime", subscriptions))

    def closed(self, *, stopped: bool = False) -> Frame:
        return self.marker(Closed(1000 if stopped else 1006, "gone", stopped, stopped))

    def lost(self, frames: int | None, venue: str = VENUE) -> Frame:
        return self.marker(Lost(frames, None, 0, 1, "backpressure"), venue)

    def clock(self, step_ns: int = 0) -> Frame:
        return self.marker(ClockReading(self.time_ns, 0, step_ns), RECORDER)

    def book(self, kind: str, bids: Sequence[Row], asks: Sequence[Row], right: bool) -> Frame:
        data: dict[str, Any] = {
            "seq": self.sequence,
            "bids": bids,
            "asks": asks,
            "checksum": checksum(self.truth.rows()) ^ (0 if right else 1),
        }
        topic = f"orderbook.50.{self.symbol}"
        return self.json({"topic": topic, "type": kind, "data": data})

    def json(self, message: object) -> Frame:
        return self.text(json.dumps(message, separators=(",", ":")))

    def snapshot(self) -> Frame:
        return self.book("snapshot", *self.truth.rows(), right=True)

    def delta(
        self, bids: Sequence[Row] = (), asks: Sequence[Row] = (), *, right: bool = True
    ) -> Frame:
        self.sequence += 1
        self.truth.apply(bids, asks)
        return self.book("delta", bids, asks, right)

    def rest_body(self) -> bytes:
        bids, asks = self.truth.rows()
        result = {"s": self.symbol, "b": bids, "a": asks, "seq": self.sequence}
        return json.dumps({"retCode": 0, "result": result}).encode()

    def rest(self, status: int | None = 200, *, body: bytes | None = None) -> Frame:
        error = "" if status is not None else "timed out"
        head = HttpResponse("GET", "http://x", status, "book snapshot", self.symbol, error)
        answer = self.rest_body() if body is None else body
        return self.frame(FrameKind.HTTP, http_payload(head, answer))

    def trade(self, price: str = "100", size: str = "1", side: str = "Buy") -> Frame:
        row = {"T": self.time_ns // 1_000_000, "p": price, "v": size, "S": side, "i": "t"}
        return self.json({"topic": f"publicTrade.{self.symbol}", "data": [row]})

    def liquidation(self, price: str = "100", size: str = "1", side: str = "Sell") -> Frame:
        time_ms = self.time_ns // 1_000_000
        row: dict[str, object] = {"symbol": self.symbol, "side": side, "updatedTime": time_ms}
        row |= {"price": price, "qty": size}
        return self.json({"topic": f"allLiquidation.{self.symbol}", "data": row})
