"""Books of a feed rebuilt by hand from REST snapshots and id ranges, without the project's code."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.feed_recordings import FEEDS

Sides = tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]
RawRows = list[list[str]]


def received(name: str) -> Iterator[Any]:
    """Yield the JSON of each message that a recorded feed received."""
    with gzip.open(FEEDS / f"{name}.gz", "rt") as file:
        for line in file:
            if line[:1].isdigit():
                yield json.loads(line.partition(": ")[2], parse_float=str)


def fetched(name: str) -> Iterator[tuple[str, Any]]:
    """Yield the URL and the JSON of each HTTP answer."""
    with gzip.open(FEEDS / f"{name}.gz", "rt") as file:
        for line in file:
            if line.startswith("https://"):
                url, _, rest = line.partition(" -> ")
                yield url, json.loads(rest.partition(": ")[2], parse_float=str)


@dataclass
class BridgedBook:
    """A book that begins at a snapshot and follows id ranges, `joined` once one follows it."""

    sequence: int
    sides: Sides = field(default_factory=lambda: ({}, {}))
    joined: bool = False

    def change(self, bids: RawRows, asks: RawRows) -> None:
        """Set or delete levels."""
        for side, rows in zip(self.sides, (bids, asks), strict=True):
            for price, size in rows:
                if Decimal(size):
                    side[Decimal(price)] = Decimal(size)
                else:
                    side.pop(Decimal(price), None)

    def follow(self, first: int, last: int, bids: RawRows, asks: RawRows) -> None:
        """Apply a delta as the exchange's procedure says."""
        if last <= self.sequence and not self.joined:
            return
        assert first <= self.sequence + 1 <= last
        self.joined, self.sequence = True, last
        self.change(bids, asks)

    def rows(self) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        """Return all bids and asks, best first."""
        bids, asks = self.sides
        return sorted(bids.items(), reverse=True), sorted(asks.items())
