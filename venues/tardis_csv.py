"""Rows of Tardis' downloadable CSV files, as frames: what others have already made of a feed.

No exchange sends these, and there is nothing to connect to. A file that `tickreel import` reads
becomes frames of this venue, so that the engine plays it, and no claim is made that the rows do not
bear out: nothing in them numbers or hashes anything, and a book is never called proven.

A payload is the table's name on a line, then the rows of one message, as they are in the file:

    incremental_book_L2
    bybit,BTCUSDT,1795337141258719,1795337141258719,true,bid,65123.40,0.675
    bybit,BTCUSDT,1795337141258719,1795337141258719,true,ask,65123.50,1.2

Columns (https://docs.tardis.dev/downloadable-csv-files), after `exchange,symbol,timestamp,
local_timestamp` in microseconds; without an exchange's time, `timestamp` repeats the local one:

1. incremental_book_L2: is_snapshot, side (bid, ask), price, amount. Amounts are absolute, 0
   removes. Where a run of snapshot rows begins, what was there before is gone.
2. trades: id, side, price, amount. The side is the aggressor's; `unknown` cannot be placed.
3. liquidations: id, side, price, amount. `buy`: a short was closed.
4. quotes, book_ticker: ask_amount, ask_price, bid_price, bid_amount; an empty side is empty.
5. derivative_ticker: funding_timestamp, funding_rate, predicted_funding_rate, open_interest,
   last_price, index_price, mark_price; what is not known is empty.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from venues.channel import Channel
from venues.errors import UnknownSymbolError
from venues.event import (
    NO_ROUTES,
    BookDelta,
    BookSnapshot,
    Event,
    LiquidatedSide,
    Liquidation,
    Notice,
    Quote,
    Routes,
    Row,
    Side,
    Ticker,
    Trade,
)
from venues.frame import Frame
from venues.traits import Continuity, SnapshotSource, VenueTraits
from venues.venue import ClientRequest, ConnectionPlan, Dialect, RequestKind, StreamRequest, Venue

NAME = "tardis-csv"
HEAD = "exchange,symbol,timestamp,local_timestamp"
COLUMNS: Mapping[str, str] = {
    "incremental_book_L2": "is_snapshot,side,price,amount",
    "trades": "id,side,price,amount",
    "liquidations": "id,side,price,amount",
    "quotes": "ask_amount,ask_price,bid_price,bid_amount",
    "book_ticker": "ask_amount,ask_price,bid_price,bid_amount",
    "derivative_ticker": "funding_timestamp,funding_rate,predicted_funding_rate,open_interest,"
    "last_price,index_price,mark_price",
}
_TIME_US_MAX = 2**63 // 1_000
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_CLOSED = {"buy": LiquidatedSide.SHORT, "sell": LiquidatedSide.LONG}
_FLAGS = {"true": True, "false": False}

_Rows = list[list[str]]
_Place = tuple[str, int, int | None]
"""Symbol, receive time and exchange time of an event."""


def _place(row: list[str], frame: Frame) -> _Place:
    _, symbol, given, local, *_ = row
    given_us = int(given)
    if not 0 <= given_us < _TIME_US_MAX:
        raise ValueError(f"no time in microseconds: {given[:40]}")
    return symbol, frame.receive_time_ns, None if given == local else given_us * 1_000


def _known(names: Mapping[str, object], name: str) -> None:
    if name not in names:
        raise ValueError(f"{name[:40]!r} is none of {', '.join(names)}")


def _book(rows: _Rows, frame: Frame) -> list[Event]:
    """Step 1."""
    levels: dict[str, list[Row]] = {"bid": [], "ask": []}
    flags: set[str] = set()
    symbols: set[str] = set()
    for _, symbol, _, _, flag, side, price, size in rows:
        _known(levels, side)
        _known(_FLAGS, flag)
        levels[side].append((price, size))
        flags.add(flag)
        symbols.add(symbol)
    if len(flags) > 1 or len(symbols) > 1:
        raise ValueError("rows of one message are of two kinds or two symbols")
    kind = BookSnapshot if flags == {"true"} else BookDelta
    return [kind(*_place(rows[0], frame), levels["bid"], levels["ask"])]


def _trades(rows: _Rows, frame: Frame) -> list[Event]:
    """Step 2."""
    events: list[Event] = []
    for row in rows:
        *_, trade_id, side, price, size = row
        _known(_SIDES, side)
        events.append(Trade(*_place(row, frame), price, size, _SIDES[side], trade_id))
    return events


def _liquidations(rows: _Rows, frame: Frame) -> list[Event]:
    """Step 3. What a contract is worth is not in the file."""
    events: list[Event] = []
    for row in rows:
        *_, side, price, size = row
        _known(_CLOSED, side)
        events.append(Liquidation(*_place(row, frame), price, size, _CLOSED[side], side, None))
    return events


def _quotes(rows: _Rows, frame: Frame) -> list[Event]:
    """Step 4."""
    events: list[Event] = []
    for row in rows:
        *_, ask_size, ask_price, bid_price, bid_size = row
        events.append(Quote(*_place(row, frame), bid_price, bid_size, ask_price, ask_size))
    return events


def _tickers(rows: _Rows, frame: Frame) -> list[Event]:
    """Step 5."""
    events: list[Event] = []
    for row in rows:
        funding, _, interest, last, index, mark = (text or None for text in row[5:])
        events.append(Ticker(*_place(row, frame), last, mark, index, funding, interest))
    return events


_READ: Mapping[str, Callable[[_Rows, Frame], list[Event]]] = {
    "incremental_book_L2": _book,
    "trades": _trades,
    "liquidations": _liquidations,
    "quotes": _quotes,
    "book_ticker": _quotes,
    "derivative_ticker": _tickers,
}


class TardisDialect(Dialect):
    """Nobody speaks it: no path is served, and no message of a client is understood."""

    def read_request(self, payload: bytes) -> ClientRequest:
        """Return an unreadable request."""
        return ClientRequest(RequestKind.UNREADABLE)

    def answer(self, request: ClientRequest, refused: str | None) -> list[str | bytes]:
        """Return nothing."""
        return []

    def topic(self, payload: bytes, routes: Routes = NO_ROUTES) -> str | None:
        """Return table and symbol, such as `trades.BTCUSDT`."""
        table, _, rows = payload.decode("utf-8", "replace").partition("\n")
        symbol = rows.split(",", 2)[1:2]
        return f"{table}.{symbol[0]}" if table in COLUMNS and symbol else None

    def serves_path(self, path: str) -> bool:
        """Return that it is not served."""
        return False


_DIALECT = TardisDialect()
_TRAITS = VenueTraits(
    channels=frozenset(
        {
            *(Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS),
            *(Channel.QUOTES, Channel.TICKERS),
        }
    ),
    default_channels=(Channel.BOOK, Channel.TRADES),
    continuity=Continuity.NONE,
    snapshot_source=SnapshotSource.IN_BAND,
    stale_limits_s={},
    may_cross=True,
    detection_limits=(
        "The files number and hash nothing: a missing row, or a message that Tardis did not "
        "receive, cannot be seen.",
    ),
)


@dataclass(frozen=True, slots=True)
class TardisCsv(Venue):
    """The rows of files; see the module."""

    name: str = NAME
    dialect: Dialect = _DIALECT
    traits: VenueTraits = _TRAITS

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Refuse: there is nothing to connect to."""
        symbol = next(iter(request.symbols), "")
        raise UnknownSymbolError(self.name, symbol, "files are imported, and not captured")

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of the rows.

        Raises:
            UNDECODABLE: they are not what the table's columns say.
        """
        table, _, text = frame.payload.decode("utf-8").partition("\n")
        _known(COLUMNS, table)
        width = HEAD.count(",") + COLUMNS[table].count(",") + 2
        try:
            rows = list(csv.reader(text.splitlines(), strict=True))
        except csv.Error as error:
            raise ValueError(str(error)) from error
        if not rows or any(len(row) != width for row in rows):
            raise ValueError(f"a row of {table} has {width} columns")
        return _READ[table](rows, frame)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return None: there are no notices in files."""
        return None


VENUES = (TardisCsv(),)
