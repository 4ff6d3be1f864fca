"""The oracle: an order book as two plain dicts from Decimal to the texts, with nothing clever."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from venues.event import Row


class PlainSide:
    """One side. Every look at it sorts everything anew."""

    def __init__(self, *, bids: bool) -> None:
        self._bids = bids
        self.levels: dict[Decimal, Row] = {}

    def replace(self, rows: Iterable[Row]) -> None:
        self.levels = {}
        self.apply(rows)

    def apply(self, rows: Iterable[Row]) -> None:
        for price, size in rows:
            if Decimal(size) == 0:
                self.levels.pop(Decimal(price), None)
            else:
                # The text of a price that is held stays where its own text comes again, and is
                # replaced by another text of it: the exchange's latest word.
                self.levels[Decimal(price)] = (price, size)

    def trim(self, depth: int) -> None:
        self.replace(self.rows()[:depth])

    def rows(self) -> list[Row]:
        return [self.levels[price] for price in sorted(self.levels, reverse=self._bids)]


class PlainBook:
    """Both sides."""

    def __init__(self) -> None:
        self.bids = PlainSide(bids=True)
        self.asks = PlainSide(bids=False)

    def replace(self, bids: Iterable[Row], asks: Iterable[Row]) -> None:
        self.bids.replace(bids)
        self.asks.replace(asks)

    def apply(self, bids: Iterable[Row], asks: Iterable[Row]) -> None:
        self.bids.apply(bids)
        self.asks.apply(asks)

    def rows(self) -> tuple[list[Row], list[Row]]:
        return self.bids.rows(), self.asks.rows()
