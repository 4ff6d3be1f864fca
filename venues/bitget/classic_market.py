"""What Bitget's v2 and v1 market messages are, and the events they become.

    {"action":"snapshot","arg":{"instType":"sp","channel":"books","instId":"CULTUSDT"},"data":[{
     "asks":[["0.00003530","145214"]],"bids":[["0.00003471","200000"]],"checksum":2121042389,
     "ts":"1649290077450"}]}
    {"action":"update","arg":{"instType":"sp","channel":"trade","instId":"HOTUSDT"},"data":[[
     "1649290077777","0.005613","890.8","buy"]]}                                             v1
    {"action":"update","arg":{"instType":"SPOT","channel":"trade","instId":"OPUSDT"},"data":[{
     "ts":"1730332800983","price":"1.717","size":"56.16","side":"buy",
     "tradeId":"1235670816495050754"}],"ts":1730332800989}                                   v2

1. A `books` message of action snapshot replaces the book; one of action update changes it. The
   channels `books5` and `books15` send snapshots alone, and so does `books1`, which is a quote.
2. v1 numbers nothing. v2 has a `seq` that grows by any number and names no predecessor: a missing
   message cannot be told by it, so it is left aside.
3. `checksum` is a signed CRC32 of the 25 best levels of each side, in the digits that were sent.
   0 is none.
4. Trades of action snapshot are of the time before the subscription, the latest first.

Source: Bitget, API, "Websocket / Public Channels" of spot and mix v1, and of v2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.bitget.spelling import market_symbol
from venues.event import BookDelta, BookSnapshot, Event, Quote, Row, Side, Ticker, Trade
from venues.op_arg_objects import Arg, Reader, SignedCrc32
from venues.wire import NS_PER_MS, Milliseconds

_BUY, _SELL = Side.BUY, Side.SELL
_Action = Literal["snapshot", "update"]
_SentSide = Literal["buy", "sell"]


class _Book(msgspec.Struct, gc=False):
    asks: list[Row]
    bids: list[Row]
    time_ms: Milliseconds = field(name="ts")
    checksum: SignedCrc32 = 0


class _BookMessage(msgspec.Struct, gc=False):
    arg: Arg
    action: _Action
    data: list[_Book]


class _TradeRow(msgspec.Struct, gc=False):
    time_ms: Milliseconds = field(name="ts")
    price: str
    size: str
    side: _SentSide
    trade_id: str = field(name="tradeId", default="")


class _TradeMessage(msgspec.Struct, gc=False):
    arg: Arg
    action: _Action
    data: list[tuple[Milliseconds, str, str, _SentSide] | _TradeRow]


class _TickerRow(msgspec.Struct, gc=False):
    """v1 says `last`, `holding`, `capitalRate` and `systemTime` for what v2 spells out."""

    last_price: str = field(name="lastPr", default="")
    last_price_v1: str = field(name="last", default="")
    mark_price: str = field(name="markPrice", default="")
    index_price: str = field(name="indexPrice", default="")
    funding_rate: str = field(name="fundingRate", default="")
    funding_rate_v1: str = field(name="capitalRate", default="")
    open_interest: str = field(name="holdingAmount", default="")
    open_interest_v1: str = field(name="holding", default="")
    time_ms: Milliseconds | None = field(name="ts", default=None)
    time_ms_v1: Milliseconds | None = field(name="systemTime", default=None)


class _TickerMessage(msgspec.Struct, gc=False):
    arg: Arg
    data: list[_TickerRow]


# Most times are in quotes: hence not strict.
_BOOK_MESSAGE = msgspec.json.Decoder(_BookMessage, strict=False)
_TRADE_MESSAGE = msgspec.json.Decoder(_TradeMessage, strict=False)
_TICKER_MESSAGE = msgspec.json.Decoder(_TickerMessage, strict=False)


def _symbol(arg: Arg) -> str:
    return market_symbol(arg.instrument_type, arg.instrument_id)


def book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the snapshots or deltas in a message of a channel of books (rules 1 to 3)."""
    message = _BOOK_MESSAGE.decode(payload)
    symbol = _symbol(message.arg)
    if message.action == "snapshot":
        return [_snapshot(symbol, receive_time_ns, book) for book in message.data]
    return [_delta(symbol, receive_time_ns, book) for book in message.data]


def whole_book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the snapshots in a message of a channel that sends nothing else (rule 1)."""
    message = _BOOK_MESSAGE.decode(payload)
    symbol = _symbol(message.arg)
    return [_snapshot(symbol, receive_time_ns, book, alone=True) for book in message.data]


def _snapshot(
    symbol: str, receive_time_ns: int, book: _Book, *, alone: bool = False
) -> BookSnapshot:
    time_ns, checksum = book.time_ms * NS_PER_MS, book.checksum or None
    return BookSnapshot(
        symbol, receive_time_ns, time_ns, book.bids, book.asks, None, checksum, alone=alone
    )


def _delta(symbol: str, receive_time_ns: int, book: _Book) -> BookDelta:
    return BookDelta(
        symbol,
        receive_time_ns,
        book.time_ms * NS_PER_MS,
        book.bids,
        book.asks,
        None,  # Rule 2.
        None,
        None,
        book.checksum or None,
    )


def quote_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the quotes in a message of the channel `books1`."""
    message = _BOOK_MESSAGE.decode(payload)
    symbol = _symbol(message.arg)
    return [_quote(symbol, receive_time_ns, book) for book in message.data]


def _quote(symbol: str, receive_time_ns: int, book: _Book) -> Quote:
    bid = book.bids[0] if book.bids else ("", "")
    ask = book.asks[0] if book.asks else ("", "")
    return Quote(symbol, receive_time_ns, book.time_ms * NS_PER_MS, *bid, *ask)


def trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the trades in a message (rule 4). v1 has no trade ids: they are ''."""
    message = _TRADE_MESSAGE.decode(payload)
    symbol, history = _symbol(message.arg), message.action == "snapshot"
    return [_trade(symbol, receive_time_ns, row, history) for row in message.data]


def _trade(
    symbol: str,
    receive_time_ns: int,
    row: tuple[int, str, str, _SentSide] | _TradeRow,
    history: bool,
) -> Trade:
    if isinstance(row, tuple):
        time_ms, price, size, side = row
        trade_id = ""
    else:
        time_ms, price, size, side = row.time_ms, row.price, row.size, row.side
        trade_id = row.trade_id
    return Trade(
        symbol,
        receive_time_ns,
        time_ms * NS_PER_MS,
        price,
        size,
        _BUY if side == "buy" else _SELL,
        trade_id,
        None,
        False,
        False,
        history,
    )


def ticker_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the tickers in a message."""
    message = _TICKER_MESSAGE.decode(payload)
    symbol = _symbol(message.arg)
    return [_ticker(symbol, receive_time_ns, row) for row in message.data]


def _ticker(symbol: str, receive_time_ns: int, row: _TickerRow) -> Ticker:
    time_ms = row.time_ms if row.time_ms is not None else row.time_ms_v1
    return Ticker(
        symbol,
        receive_time_ns,
        None if time_ms is None else time_ms * NS_PER_MS,
        row.last_price or row.last_price_v1 or None,
        row.mark_price or None,
        row.index_price or None,
        row.funding_rate or row.funding_rate_v1 or None,
        row.open_interest or row.open_interest_v1 or None,
    )


CLASSIC_READERS: Mapping[bytes, Reader] = {
    b"books": book_events,
    b"books5": whole_book_events,
    b"books15": whole_book_events,
    b"books1": quote_events,
    b"trade": trade_events,
    b"ticker": ticker_events,
}
"""By channel."""
