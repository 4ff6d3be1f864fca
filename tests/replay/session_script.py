"""A recording written by hand, frame by frame, in the reference venue's protocol.

The exchange's side is kept in plain dicts, so that every message is right unless a test spoils it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from venues.channel import Channel, Subscription
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import (
    ClockReading,
    Closed,
    HttpResponse,
    Lost,
    Opened,
    http_payload,
    marker_payload,
)

START_NS = 1_763_800_000_000_000_000
SECOND_NS = 10**9
MS_NS = 10**6


class SessionScript:
    """Frames so far, and the exchange's book."""

    def __init__(self, symbol: str = "BTCUSDT", venue: str = "reference") -> None:
        self.frames: list[Frame] = []
        self.symbol = symbol
        self.venue = venue
        self.now_ns = START_NS
        self.connection_id = 0
        self.sequence = 0
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}

    def wait(self, duration_ns: int) -> None:
        self.now_ns += duration_ns

    def opened(self, *, channels: tuple[Channel, ...] = (Channel.BOOK, Channel.TRADES)) -> None:
        self.connection_id += 1
        subscriptions = [Subscription(channel, self.symbol) for channel in channels]
        marker = Opened("reference", "ws://127.0.0.1:1/realtime", subscriptions)
        self._add(FrameKind.OPENED, marker_payload(marker))

    def closed(self, *, by_us: bool = True) -> None:
        marker = Closed(1000 if by_us else None, "done" if by_us else "cut", by_us, by_us)
        self._add(FrameKind.CLOSED, marker_payload(marker))

    def lost(self, frames: int | None, cause: str = "backpressure") -> None:
        marker = Lost(frames, None, self.now_ns - 5, self.now_ns, cause)
        self._add(FrameKind.LOST, marker_payload(marker))

    def clock(self, step_ns: int = 0) -> None:
        marker = ClockReading(self.now_ns, 1, step_ns)
        payload = marker_payload(marker)
        self._append(Frame(0, 0, RECORDER, FrameKind.CLOCK, self.now_ns, None, payload))

    def http(self, status: int | None, body: bytes) -> None:
        head = HttpResponse("GET", "", status, "book snapshot", self.symbol, "no answer")
        self._add(FrameKind.HTTP, http_payload(head, body))

    def snapshot(self, bids: Mapping[str, str], asks: Mapping[str, str]) -> None:
        self.bids, self.asks = dict(bids), dict(asks)
        self.sequence += 1
        self._book("snapshot", list(bids.items()), list(asks.items()))

    def delta(self, price: str, size: str, *, bid: bool = True, spoil: bool = False) -> None:
        side = self.bids if bid else self.asks
        side[price] = size
        if Decimal(size) == 0:
            del side[price]
        self.sequence += 1
        rows = [(price, size)]
        self._book("delta", rows if bid else [], [] if bid else rows, int(spoil))

    def trade(self, price: str, size: str, *, exchange_ms: int | None = None) -> None:
        row = {
            "T": self.now_ns // MS_NS if exchange_ms is None else exchange_ms,
            "p": price,
            "v": size,
            "S": "Buy",
            "i": f"t{len(self.frames)}",
        }
        self.text({"topic": f"publicTrade.{self.symbol}", "data": [row]})

    def text(self, message: Any) -> None:
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        self._add(FrameKind.TEXT, payload)

    def _book(
        self, kind: str, bids: list[tuple[str, str]], asks: list[tuple[str, str]], wrong: int = 0
    ) -> None:
        state = {
            "seq": self.sequence,
            "bids": bids,
            "asks": asks,
            "checksum": self._checksum() ^ wrong,
        }
        topic = f"orderbook.50.{self.symbol}"
        self.text({"topic": topic, "type": kind, "ts": self.now_ns // MS_NS, "data": state})

    def _checksum(self) -> int:
        bids = sorted(self.bids.items(), key=lambda row: -Decimal(row[0]))[:25]
        asks = sorted(self.asks.items(), key=lambda row: Decimal(row[0]))[:25]
        ranks = [row for rank in zip_longest(bids, asks) for row in rank if row is not None]
        return zlib.crc32("|".join(f"{price}:{size}" for price, size in ranks).encode())

    def _add(self, kind: FrameKind, payload: bytes) -> None:
        frame = Frame(0, self.connection_id, self.venue, kind, self.now_ns, None, payload)
        self._append(frame)

    def _append(self, frame: Frame) -> None:
        values = (len(self.frames), frame.connection_id, frame.venue, frame.kind)
        times = (frame.receive_time_ns, frame.monotonic_time_ns)
        self.frames.append(Frame(*values, *times, frame.payload))
        self.now_ns += 50 * MS_NS


def clean_session(deltas: int = 40) -> SessionScript:
    """Return a session in which nothing went wrong."""
    script = SessionScript()
    script.opened()
    script.snapshot({"100.0": "1", "99.5": "2.50"}, {"100.5": "3", "101.0": "1"})
    for number in range(deltas):
        script.delta("99.5", f"{number + 1}.0")
        script.trade("100.5", "0.1")
    return script
