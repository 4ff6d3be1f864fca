"""Frames and events made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from book.finding import FindingKind
from venues.event import (
    BookDelta,
    BookSnapshot,
    LiquidatedSide,
    Liquidation,
    Quote,
    Row,
    Side,
    Trade,
)
from venues.frame import Frame, FrameKind

SECOND_NS = 1_000_000_000


def frame(number: int = 0, connection_id: int = 1, time_ns: int | None = None) -> Frame:
    """A frame that only says where and when it is."""
    now_ns = number if time_ns is None else time_ns
    return Frame(number, connection_id, "test", FrameKind.TEXT, now_ns, None, b"")


def snapshot(
    bids: Sequence[Row],
    asks: Sequence[Row],
    sequence: int | None,
    *,
    checksum: int | None = None,
    unjoined: bool = False,
    symbol: str = "S",
) -> BookSnapshot:
    return BookSnapshot(symbol, 0, None, list(bids), list(asks), sequence, checksum, unjoined)


def delta(
    bids: Sequence[Row],
    asks: Sequence[Row],
    sequence: int | None,
    *,
    first: int | None = None,
    previous: int | None = None,
    checksum: int | None = None,
    symbol: str = "S",
) -> BookDelta:
    first = sequence if first is None else first
    return BookDelta(symbol, 0, None, list(bids), list(asks), first, sequence, previous, checksum)


def trade(
    price: str,
    size: str,
    *,
    bought: bool = True,
    time_ns: int = 0,
    number: int | None = None,
) -> Trade:
    side = Side.BUY if bought else Side.SELL
    return Trade("S", time_ns, None, price, size, side, "", number)


def liquidation(notional: str, side: LiquidatedSide, time_ns: int) -> Liquidation:
    return Liquidation("S", time_ns, None, notional, "1", side, "", Decimal(notional))


def quote(bid: tuple[str, str], ask: tuple[str, str], sequence: int) -> Quote:
    return Quote("S", 0, None, *bid, *ask, sequence)


class Reports(list[FindingKind]):
    """Takes findings as a book reports them, and keeps their kinds."""

    def __call__(
        self,
        kind: FindingKind,
        symbol: str,
        text: str,
        *,
        expected: object = None,
        received: object = None,
        missing: int | None = None,
    ) -> None:
        self.append(kind)
