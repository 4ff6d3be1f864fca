"""What Bitget's v3 market messages are, and the events they become.

    {"data":[{"a":[["99756.7","23.9774"]],"b":[["99756.6","0.0128"]],"checksum":0,"pseq":0,
     "seq":1304314508780744705,"ts":"1746698732562"}],"arg":{"instType":"usdt-futures",
     "symbol":"BTCUSDT","topic":"books"},"action":"snapshot","ts":1746698732563}
    {"data":[{"p":"100000","S":"buy","T":"1736348770627","v":"0.00118","i":"1260903622036942849"}],
     "arg":{"instType":"spot","symbol":"BTCUSDT","topic":"publicTrade"},"action":"snapshot",
     "ts":1736371104297}
    {"data":[{"symbol":"BTCUSDT","side":"buy","price":"89000","amount":"37.722858",
     "ts":"1736371332162"}],"arg":{"instType":"usdt-futures","topic":"liquidation"},
     "action":"update","ts":1736371332162}

1. A `books` message of action snapshot replaces the book; one of action update changes it. The
   topics `books5` and `books50` send snapshots alone, and so does `books1`, which is a quote.
2. An update's `pseq` is the `seq` of the message before it. After a restart of the service numbers
   begin anew, with a `pseq` of 0: what was lost around it cannot be told.
3. `checksum` is a signed CRC32 of the 25 best levels. It is 0, which is none, wherever it was seen.
4. Trades of action snapshot are of the time before the subscription. `S` is the taker's side.
5. A liquidation's `side` is that of the *position*: buy means that a long was liquidated. It comes
   for all instruments of a type, once a second at most, and of each only the largest a side.
6. Sizes count coins, in contracts as well: a liquidation's notional is price times size.

Source: Bitget, API, "UTA / WebSocket / Public": Depth, Public Trade, Tickers, Liquidation Channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.bitget.spelling import market_symbol
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    LiquidatedSide,
    Liquidation,
    Quote,
    Row,
    Side,
    Ticker,
    Trade,
)
from venues.op_arg_objects import Arg, Reader, SignedCrc32
from venues.wire import NS_PER_MS, Counter, Milliseconds, exact_product

_BUY, _SELL = Side.BUY, Side.SELL
_Action = Literal["snapshot", "update"]


class _Book(msgspec.Struct, gc=False):
    asks: list[Row] = field(name="a")
    bids: list[Row] = field(name="b")
    time_ms: Milliseconds = field(name="ts")
    sequence: Counter | None = field(name="seq", default=None)
    previous_sequence: Counter | None = field(name="pseq", default=None)
    checksum: SignedCrc32 = 0


class _BookMessage(msgspec.Struct, gc=False):
    arg: Arg
    action: _Action
    data: list[_Book]


class _TradeRow(msgspec.Struct, gc=False):
    price: str = field(name="p")
    size: str = field(name="v")
    side: Literal["buy", "sell"] = field(name="S")
    time_ms: Milliseconds = field(name="T")
    trade_id: str = field(name="i")


class _TradeMessage(msgspec.Struct, gc=False):
    arg: Arg
    action: _Action
    data: list[_TradeRow]


class _LiquidationRow(msgspec.Struct, gc=False):
    symbol: str
    position_side: Literal["buy", "sell"] = field(name="side")
    price: str
    size: str = field(name="amount")
    time_ms: Milliseconds = field(name="ts")


class _LiquidationMessage(msgspec.Struct, gc=False):
    arg: Arg
    data: list[_LiquidationRow]


class _TickerRow(msgspec.Struct, gc=False):
    last_price: str = field(name="lastPrice", default="")
    mark_price: str = field(name="markPrice", default="")
    index_price: str = field(name="indexPrice", default="")
    funding_rate: str = field(name="fundingRate", default="")
    open_interest: str = field(name="openInterest", default="")


class _TickerMessage(msgspec.Struct, gc=False):
    arg: Arg
    data: list[_TickerRow]
    time_ms: Milliseconds = field(name="ts")


# Bitget writes times, and now and then sequences, in quotes: hence not strict.
_BOOK_MESSAGE = msgspec.json.Decoder(_BookMessage, strict=False)
_TRADE_MESSAGE = msgspec.json.Decoder(_TradeMessage, strict=False)
_LIQUIDATION_MESSAGE = msgspec.json.Decoder(_LiquidationMessage, strict=False)
_TICKER_MESSAGE = msgspec.json.Decoder(_TickerMessage, strict=False)


def _symbol(arg: Arg) -> str:
    return market_symbol(arg.instrument_type, arg.symbol)


def book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the snapshots or deltas in a message of a topic of books (rules 1 to 3)."""
    message = _BOOK_MESSAGE.decode(payload)
    symbol = _symbol(message.arg)
    if message.action == "snapshot":
        return [_snapshot(symbol, receive_time_ns, book) for book in message.data]
    return [_delta(symbol, receive_time_ns, book) for book in message.data]


def whole_book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the snapshots in a message of a topic that sends nothing else (rule 1)."""
    message = _BOOK_MESSAGE.decode(payload)
    symbol = _symbol(message.arg)
    return [_snapshot(symbol, receive_time_ns, book, alone=True) for book in message.data]


def _snapshot(
    symbol: str, receive_time_ns: int, book: _Book, *, alone: bool = False
) -> BookSnapshot:
    return BookSnapshot(
        symbol,
        receive_time_ns,
        book.time_ms * NS_PER_MS,
        book.bids,
        book.asks,
        book.sequence,
        book.checksum or None,  # Rule 3.
        alone=alone,
    )


def _delta(symbol: str, receive_time_ns: int, book: _Book) -> BookDelta:
    return BookDelta(
        symbol,
        receive_time_ns,
        book.time_ms * NS_PER_MS,
        book.bids,
        book.asks,
        book.sequence,
        book.sequence,
        book.previous_sequence,  # Rule 2.
        book.checksum or None,
    )


def quote_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the quotes in a message of the topic `books1`."""
    message = _BOOK_MESSAGE.decode(payload)
    symbol = _symbol(message.arg)
    return [_quote(symbol, receive_time_ns, book) for book in message.data]


def _quote(symbol: str, receive_time_ns: int, book: _Book) -> Quote:
    bid = book.bids[0] if book.bids else ("", "")
    ask = book.asks[0] if book.asks else ("", "")
    return Quote(symbol, receive_time_ns, book.time_ms * NS_PER_MS, *bid, *ask)


def trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the trades in a message (rule 4)."""
    message = _TRADE_MESSAGE.decode(payload)
    symbol = _symbol(message.arg)
    history = message.action == "snapshot"
    return [
        Trade(
            symbol,
            receive_time_ns,
            row.time_ms * NS_PER_MS,
            row.price,
            row.size,
            _BUY if row.side == "buy" else _SELL,
            row.trade_id,
            None,
            False,
            False,
            history,
        )
        for row in message.data
    ]


def liquidation_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the liquidations in a message (rules 5 and 6)."""
    message = _LIQUIDATION_MESSAGE.decode(payload)
    return [
        Liquidation(
            market_symbol(message.arg.instrument_type, row.symbol),
            receive_time_ns,
            row.time_ms * NS_PER_MS,
            row.price,
            row.size,
            # Rule 5.
            LiquidatedSide.LONG if row.position_side == "buy" else LiquidatedSide.SHORT,
            row.position_side,
            exact_product(row.price, row.size),  # Rule 6.
        )
        for row in message.data
    ]


def ticker_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the tickers in a message; one that is no snapshot carries what changed."""
    message = _TICKER_MESSAGE.decode(payload)
    symbol, time_ns = _symbol(message.arg), message.time_ms * NS_PER_MS
    return [
        Ticker(
            symbol,
            receive_time_ns,
            time_ns,
            row.last_price or None,
            row.mark_price or None,
            row.index_price or None,
            row.funding_rate or None,
            row.open_interest or None,
        )
        for row in message.data
    ]


MARKET_READERS: Mapping[bytes, Reader] = {
    b"books": book_events,
    b"books5": whole_book_events,
    b"books15": whole_book_events,
    b"books50": whole_book_events,
    b"books1": quote_events,
    b"publicTrade": trade_events,
    b"liquidation": liquidation_events,
    b"ticker": ticker_events,
}
"""By topic."""
