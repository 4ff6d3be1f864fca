"""Export as hftbacktest's npz: one file a venue and symbol, one array `data` of its event records.

1. A trade is `TRADE_EVENT`, with the side of the aggressor.
2. A book is told by its changes alone (`DEPTH_EVENT`, size absolute, 0 removes). Of a snapshot,
   what differs from the book before: that leaves the same book, and clears nothing by range.
3. Both clocks have to run forwards: events are in order of the exchange's time for the exchange
   (`EXCH_EVENT`) and of the receive time for the one who listens (`LOCAL_EVENT`). One event has
   both flags where the two orders agree, and else stands twice, once for each.
4. hftbacktest takes no event that came before it was sent. Where the clocks say so, all receive
   times of the file are moved by the least that mends it, and `HftbacktestFile.moved_ns` says so.
5. Its numbers are floats; an exchange time that was not given is taken as the receive time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replay.event_rows import BookRow, EventRow, TradeRow, event_rows
from replay.event_table import MissingLibraryError
from replay.export_tardis import free_name
from replay.frame_source import FrameSource
from venues.event import Side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEPTH_EVENT, TRADE_EVENT = 1, 2
EXCH_EVENT, LOCAL_EVENT, BUY_EVENT, SELL_EVENT = 1 << 31, 1 << 30, 1 << 29, 1 << 28
FILE_NAMES = re.compile(r"[^/]+_[^/]+\.npz")
_FIELDS = ("ev", "exch_ts", "local_ts", "px", "qty", "order_id", "ival", "fval")
_FORMATS = ("<u8", "<i8", "<i8", "<f8", "<f8", "<u8", "<i8", "<f8")

_Event = tuple[int, int, int, float, float]
"""Flags, exchange time, receive time, price, size."""


@dataclass(frozen=True, slots=True)
class HftbacktestFile:
    """A file that was written: its events, and by how much receive times were moved."""

    name: str
    events: int
    moved_ns: int


def export_hftbacktest(
    source: FrameSource,
    folder: Path,
    *,
    keep: Callable[[EventRow], bool] | None = None,
    **chosen: Any,  # noqa: ANN401 - the arguments of a source's frames
) -> list[HftbacktestFile]:
    """Write a file for each venue and symbol into an empty folder. All events are held in memory.

    Raises:
        MissingLibraryError: numpy is not installed.
        ReplayError: the source cannot be read.
        OSError: the disk refused.
    """
    try:
        import numpy as np
    except ImportError:
        raise MissingLibraryError("numpy") from None
    feeds: dict[tuple[str, str], _Feed] = {}
    for row in event_rows(source, BookRow, TradeRow, **chosen):
        if keep is None or keep(row):
            feeds.setdefault((row.venue, row.symbol), _Feed()).add(row)
    files: list[HftbacktestFile] = []
    for (venue, symbol), feed in sorted(feeds.items()):
        events, moved_ns = _ordered(feed.finish())
        name = free_name(f"{venue}_{_plain(symbol)}", ".npz", [file.name for file in files])
        np.savez_compressed(folder / name, data=events)
        files.append(HftbacktestFile(name, len(events), moved_ns))
    return files


class _Feed:
    """The events of one market, snapshots turned into changes."""

    def __init__(self) -> None:
        self.events: list[_Event] = []
        self._held: dict[bool, dict[float, float]] = {True: {}, False: {}}
        self._snapshot: list[BookRow] = []

    def add(self, row: EventRow) -> None:
        if isinstance(row, BookRow) and row.is_snapshot:
            if self._snapshot and self._snapshot[0].frame_number != row.frame_number:
                self._take_snapshot()
            self._snapshot.append(row)
            return
        self._take_snapshot()
        if isinstance(row, BookRow):
            self._change(row, float(row.price), float(row.size))
        elif isinstance(row, TradeRow):
            side = BUY_EVENT if row.aggressor_side is Side.BUY else SELL_EVENT
            self._add(TRADE_EVENT | side, row, float(row.price), float(row.size))

    def finish(self) -> list[_Event]:
        self._take_snapshot()
        return self.events

    def _take_snapshot(self) -> None:
        rows, self._snapshot = self._snapshot, []
        if not rows:
            return
        for is_bid in (True, False):
            wanted = {float(r.price): float(r.size) for r in rows if r.is_bid is is_bid}
            held = self._held[is_bid]
            for price in [price for price in held if price not in wanted]:
                self._change(rows[0]._replace(is_bid=is_bid), price, 0.0)
            for price, size in wanted.items():
                if held.get(price) != size:
                    self._change(rows[0]._replace(is_bid=is_bid), price, size)

    def _change(self, row: BookRow, price: float, size: float) -> None:
        held = self._held[row.is_bid]
        if size:
            held[price] = size
        else:
            held.pop(price, None)
        self._add(DEPTH_EVENT | (BUY_EVENT if row.is_bid else SELL_EVENT), row, price, size)

    def _add(self, flags: int, row: BookRow | TradeRow, price: float, size: float) -> None:
        local_ns, given_ns = row.receive_time_ns, row.exchange_time_ns
        exchange_ns = local_ns if given_ns is None else given_ns
        self.events.append((flags, exchange_ns, local_ns, price, size))


def _ordered(events: list[_Event]) -> tuple[NDArray[np.void], int]:
    """Return the array in the order that hftbacktest wants, and how far times were moved."""
    import numpy as np

    moved_ns = max((exchange - local for _, exchange, local, _, _ in events), default=0)
    moved_ns = max(moved_ns, 0)
    at_exchange = sorted(range(len(events)), key=lambda at: events[at][1])
    at_local = sorted(range(len(events)), key=lambda at: events[at][2])
    rows: list[tuple[int, int, int, float, float, int, int, float]] = []

    def put(at: int, flags: int) -> None:
        event, exchange_ns, local_ns, price, size = events[at]
        rows.append((event | flags, exchange_ns, local_ns + moved_ns, price, size, 0, 0, 0.0))

    one = other = 0
    while one < len(events) and other < len(events):
        left, right = at_exchange[one], at_local[other]
        if left == right:
            put(left, EXCH_EVENT | LOCAL_EVENT)
            one, other = one + 1, other + 1
        elif events[left][1] <= events[right][1]:
            put(left, EXCH_EVENT)
            one += 1
        else:
            put(right, LOCAL_EVENT)
            other += 1
    for at in at_exchange[one:]:
        put(at, EXCH_EVENT)
    for at in at_local[other:]:
        put(at, LOCAL_EVENT)
    layout: Any = {"names": _FIELDS, "formats": _FORMATS}
    return np.array(rows, dtype=np.dtype(layout, align=True)), moved_ns


def _plain(name: str) -> str:
    return "".join(each if each.isalnum() or each in "-_." else "-" for each in name)[:100]
