"""Export as CSV in the column layout of Tardis' downloadable files.

One gzipped file a venue, table, day (UTC, of the receive time) and symbol, named as theirs are:
`bybit-linear_trades_2026-11-22_BTCUSDT.csv.gz`. Columns, after `exchange,symbol,timestamp,
local_timestamp` (microseconds since 1970; where the exchange gave no time, `timestamp` is the local
one):

| table | columns | from |
|---|---|---|
| incremental_book_L2 | is_snapshot, side, price, amount | books; amount is absolute, 0 removes |
| trades | id, side, price, amount | trades; side is the aggressor's, buy or sell |
| liquidations | id, side, price, amount | forced closes; buy where a short was closed |
| quotes | ask_amount, ask_price, bid_price, bid_amount | the best of the books, where it changed |
| book_ticker | the same | the exchange's own channel of quotes |
| derivative_ticker | those of `TABLES` | tickers; what is not known is empty |

Prices and amounts are the exchange's own digits, which theirs are not always. `exchange` is our
name of the venue, unless another is given: tickreel does not decide which of theirs it is. Times
are cut to microseconds, so frames that came within one share their times; their rows stay in order.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

from replay.event_rows import (
    BookRow,
    EventRow,
    LiquidationRow,
    QuoteRow,
    TickerRow,
    TradeRow,
    event_rows,
)
from replay.frame_source import FrameSource
from venues.event import LiquidatedSide, Side

HEAD = "exchange,symbol,timestamp,local_timestamp"
FILES_OPEN_MAX = 256
_LEVEL = 6
_NS_PER_US = 1_000


@dataclass(frozen=True, slots=True)
class Table:
    """One of Tardis' tables: its columns, the rows it is made of, and how."""

    columns: str
    kind: type[EventRow]
    cells: Callable[[Any], tuple[str, ...] | None]


def _book(row: BookRow) -> tuple[str, ...]:
    snapshot = "true" if row.is_snapshot else "false"
    return snapshot, "bid" if row.is_bid else "ask", row.price, row.size


def _trade(row: TradeRow) -> tuple[str, ...]:
    side = "buy" if row.aggressor_side is Side.BUY else "sell"
    return row.trade_id, side, row.price, row.size


def _liquidation(row: LiquidationRow) -> tuple[str, ...]:
    side = "buy" if row.liquidated_side is LiquidatedSide.SHORT else "sell"
    return "", side, row.price, row.size


def _quote(row: QuoteRow) -> tuple[str, ...] | None:
    return (row.ask_size, row.ask_price, row.bid_price, row.bid_size) if row.from_book else None


def _book_ticker(row: QuoteRow) -> tuple[str, ...] | None:
    return None if row.from_book else (row.ask_size, row.ask_price, row.bid_price, row.bid_size)


def _ticker(row: TickerRow) -> tuple[str, ...]:
    said = row.open_interest, row.last_price, row.index_price, row.mark_price
    return "", row.funding_rate or "", "", *(text or "" for text in said)


_TOP = "ask_amount,ask_price,bid_price,bid_amount"
TABLES = {
    "incremental_book_L2": Table("is_snapshot,side,price,amount", BookRow, _book),
    "trades": Table("id,side,price,amount", TradeRow, _trade),
    "liquidations": Table("id,side,price,amount", LiquidationRow, _liquidation),
    "quotes": Table(_TOP, QuoteRow, _quote),
    "book_ticker": Table(_TOP, QuoteRow, _book_ticker),
    "derivative_ticker": Table(
        "funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,"
        "index_price,mark_price",
        TickerRow,
        _ticker,
    ),
}
FILE_NAMES = re.compile(rf"[^/]+_({'|'.join(TABLES)})_\d{{4}}-\d\d-\d\d_[^/]*\.csv\.gz")


def export_tardis(
    source: FrameSource,
    folder: Path,
    tables: Collection[str] = tuple(TABLES),
    *,
    exchange: str | None = None,
    keep: Callable[[EventRow], bool] | None = None,
    **chosen: Any,  # noqa: ANN401 - the arguments of a source's frames
) -> dict[str, int]:
    """Write the tables into an empty folder; return how many rows each file has.

    Raises:
        ReplayError: the source cannot be read.
        OSError: the disk refused.
    """
    wanted = {name: TABLES[name] for name in tables}
    files = _Files(folder)
    try:
        rows = event_rows(source, *{table.kind for table in wanted.values()}, **chosen)
        for row in rows:
            if keep is not None and not keep(row):
                continue
            for name, table in wanted.items():
                if type(row) is table.kind and (cells := table.cells(row)) is not None:
                    files.write(exchange or row.venue, name, table.columns, row, cells)
    finally:
        files.close()
    return dict(sorted(files.rows.items()))


_Key = tuple[str, str, str, int]
"""Exchange, table, symbol and day of a file."""


class _Files:
    """The files being written; the oldest is closed when there are too many, and appended to."""

    def __init__(self, folder: Path) -> None:
        self.rows: dict[str, int] = {}
        self._folder = folder
        self._names: dict[_Key, str] = {}
        self._open: dict[_Key, tuple[str, io.TextIOWrapper]] = {}

    def write(
        self, exchange: str, table: str, columns: str, row: EventRow, cells: tuple[str, ...]
    ) -> None:
        symbol = row.symbol.upper()
        day = row.receive_time_ns // 86_400_000_000_000
        key = (exchange, table, symbol, day)
        if key not in self._open:
            self._open[key] = self._opened(key, columns)
        name, file = self._open[key]
        local_us = row.receive_time_ns // _NS_PER_US
        given_ns = row.exchange_time_ns
        given_us = local_us if given_ns is None else given_ns // _NS_PER_US
        file.write(",".join(map(_cell, (exchange, symbol, str(given_us), str(local_us), *cells))))
        file.write("\n")
        self.rows[name] += 1

    def _opened(self, key: _Key, columns: str) -> tuple[str, io.TextIOWrapper]:
        if len(self._open) >= FILES_OPEN_MAX:
            oldest = next(iter(self._open))
            self._open.pop(oldest)[1].close()
        exchange, table, symbol, day = key
        date = datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()
        new = key not in self._names
        if new:
            stem = f"{_plain(exchange)}_{table}_{date}_{_plain(symbol)}"
            self._names[key] = free_name(stem, ".csv.gz", self.rows)
            self.rows[self._names[key]] = 0
        name = self._names[key]
        # No name and no time in the gzip header: the same rows give the same bytes.
        raw = (self._folder / name).open("ab")
        packed = gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=raw, mtime=0)
        packed.myfileobj = raw  # type: ignore[assignment] # closed with it
        text = io.TextIOWrapper(packed, encoding="utf-8", newline="\n", write_through=False)
        if new:
            text.write(f"{HEAD},{columns}\n")
        return name, text

    def close(self) -> None:
        for _, file in self._open.values():
            file.close()
        self._open.clear()


def _plain(name: str) -> str:
    """Return a name that can be part of a file's: symbols come from the wire."""
    return "".join(each if each.isalnum() or each in "-_.@" else "-" for each in name)[:100]


def free_name(stem: str, suffix: str, taken: Collection[str]) -> str:
    """Return a name that no other file has: two symbols may be one where signs are left out."""
    names = (f"{stem}{more}{suffix}" for more in chain([""], (f"-{n}" for n in count(2))))
    return next(name for name in names if name not in taken)


def _cell(text: str) -> str:
    if any(each in text for each in ',"\n\r'):
        return '"' + text.replace('"', '""').replace("\n", " ").replace("\r", " ") + '"'
    return text
