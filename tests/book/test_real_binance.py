"""The recordings that Binance really sent, against a plain reading of the same frames."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from book.engine import Engine
from tests.book.feed_frames import BINANCE_FILES, binance_frames
from tests.book.plain_book import PlainBook
from tests.real_data import needs_real_data
from venues.frame import Frame, FrameKind

pytestmark = needs_real_data

LEVEL_UPDATES = {"binance-usdm": 443_521}
"""As counted by others over the same file."""


class PlainReading:
    """The exchange's own steps, by the standard library, without a doubt about anything."""

    def __init__(self, frames: list[Frame]) -> None:
        self.book = PlainBook()
        self.deltas = self.quotes = self.trades = self.level_updates = 0
        self.worth = self.size = self.net = Decimal(0)
        early: list[dict[str, Any]] = []
        last: int | None = None
        for frame in frames:
            if frame.kind is FrameKind.HTTP:
                snapshot = json.loads(frame.payload.partition(b"\n")[2])
                last = snapshot["lastUpdateId"]
                self.book.replace(_rows(snapshot["bids"]), _rows(snapshot["asks"]))
                for data in early:
                    self._delta(data, last)
                continue
            message = json.loads(frame.payload)
            data = message["data"]
            if "@depth" in message["stream"]:
                self.deltas += 1
                self.level_updates += len(data["b"]) + len(data["a"])
                if last is None:
                    early.append(data)
                else:
                    self._delta(data, last)
            elif "@bookTicker" in message["stream"]:
                self.quotes += 1
            else:
                self._trade(data)

    def _delta(self, data: dict[str, Any], snapshot: int) -> None:
        if data["u"] > snapshot:
            self.book.apply(_rows(data["b"]), _rows(data["a"]))

    def _trade(self, data: dict[str, Any]) -> None:
        if data.get("X", "MARKET") != "MARKET":
            return
        self.trades += 1
        size = Decimal(data["q"])
        self.net += -size if data["m"] else size


def _rows(rows: list[list[str]]) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in rows]


@pytest.mark.parametrize("venue", BINANCE_FILES)
def test_the_engine_ends_where_a_plain_reading_ends(venue: str) -> None:
    frames = binance_frames(venue)
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    plain = PlainReading(frames)
    (market,) = engine.markets.values()
    book, counters = market.book, market.counters
    assert engine.frames == len(frames)
    assert book.proven
    book._check()
    assert (list(book.bids), list(book.asks)) == plain.book.rows()
    best_bid, best_ask = book.best_bid, book.best_ask
    assert best_bid is not None
    assert best_ask is not None
    assert best_bid.price == max(plain.book.bids.levels)
    assert best_ask.price == min(plain.book.asks.levels)
    assert (counters.deltas, counters.level_updates) == (plain.deltas, plain.level_updates)
    assert counters.level_updates == LEVEL_UPDATES.get(venue, counters.level_updates)
    assert (counters.quotes, counters.trades) == (plain.quotes, plain.trades)
    assert market.tape.cvd() == plain.net


@pytest.mark.parametrize("venue", BINANCE_FILES)
def test_nothing_is_found_and_every_quote_proves_the_book(venue: str) -> None:
    engine = Engine()
    for frame in binance_frames(venue):
        engine.apply(frame)
    (market,) = engine.markets.values()
    counters = market.counters
    assert engine.findings.counts.total() == 0
    assert engine.undecodable == 0
    assert (counters.gaps, counters.crossed, counters.bridges_failed) == (0, 0, 0)
    assert (counters.duplicates, counters.late, counters.trade_gaps) == (0, 0, 0)
    assert counters.bridges == 1
    assert counters.quote_checks == counters.quote_matches > 500
    # The one window is the time until the snapshot came.
    assert market.coverage.windows_count == 1
    share = market.coverage.share
    assert share is not None
    assert 0.99 < share < 1
    assert engine.take_snapshot_requests() == []
