"""What the market messages of Kraken Futures are, and the events they become.

    {"feed":"book_snapshot","product_id":"PI_XBTUSD","timestamp":1612269825817,"seq":326072249,
     "tickSize":null,"bids":[{"price":34892.5,"qty":6385}],"asks":[{"price":34911.5,"qty":20598}]}
    {"feed":"book","product_id":"PI_XBTUSD","side":"sell","seq":326094134,"price":34981,"qty":0,
     "timestamp":1612269953629}
    {"feed":"trade","product_id":"PI_XBTUSD","uid":"05af78ac-a774-478c-a50c-8b9c234e071e",
     "side":"sell","type":"fill","seq":653355,"time":1612266317519,"qty":15000,"price":34969.5}
    {"time":1676393235406,"product_id":"PI_XBTUSD","funding_rate":-6.2604214e-11,
     "relative_funding_rate":-1.380384722222e-6,"feed":"ticker","bid":21978.5,"ask":21987.0,
     "bid_size":2536.0,"ask_size":13948.0,"index":21984.54,"last":21983.5,
     "openInterest":30072580.0,"markPrice":21979.68641534714}

1. A book_snapshot is the whole book. Subscribing brings one, and the deltas follow it.
2. A delta changes one level: `qty` is the new absolute size, 0 deletes.
3. `seq` is the last one of this product plus one, from the snapshot's on. There is no checksum.
4. Trades have a `seq` of their own, contiguous for each product. A trade_snapshot repeats the last
   hundred, newest first: they are history, and given oldest first.
5. A trade's `side` is the taker's. One of type liquidation is both a trade and a liquidation: a
   taker who sells had a long position closed. Assignments, terminations and blocks were made
   outside the book.
6. The funding rate is the relative one, a share of the position for each hour; `funding_rate` is
   an amount of the settlement currency and is left aside.
7. A contract of PI_ and FI_ is 1 USD; one of PF_, FF_, PV_ and FV_ is 1 coin.

Exchange times are in ms. A ticker is a quote as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from venues.event import (
    BookDelta,
    BookSnapshot,
    ContractKind,
    Event,
    Instrument,
    LiquidatedSide,
    Liquidation,
    Quote,
    Side,
    Ticker,
    Trade,
)
from venues.wire import (
    NS_PER_MS,
    Counter,
    Milliseconds,
    decimal_step,
    exact_number,
    exact_product,
    number_text,
)

_BUY, _SELL = Side.BUY, Side.SELL
_LIQUIDATION = "liquidation"
_OF_THE_BOOK = ("fill", _LIQUIDATION)
_INVERSE = ("PI_", "FI_")
_LINEAR = ("PF_", "FF_", "PV_", "FV_")
_SizeDecimals = Annotated[int, Meta(ge=-40, le=40)]
_KINDS = {
    "futures_inverse": ContractKind.INVERSE,
    "flexible_futures": ContractKind.LINEAR,
    "futures_vanilla": ContractKind.LINEAR,
}


class _Delta(msgspec.Struct, gc=False):
    symbol: str = field(name="product_id")
    side: Literal["buy", "sell"]
    sequence: Counter = field(name="seq")
    price: Any
    size: Any = field(name="qty")
    time_ms: Milliseconds = field(name="timestamp")


class _Level(msgspec.Struct, gc=False):
    price: Any
    size: Any = field(name="qty")


class _Snapshot(msgspec.Struct, gc=False):
    symbol: str = field(name="product_id")
    sequence: Counter = field(name="seq")
    bids: list[_Level]
    asks: list[_Level]
    time_ms: Milliseconds = field(name="timestamp")


class _Trade(msgspec.Struct, gc=False):
    symbol: str = field(name="product_id")
    side: Literal["buy", "sell"]
    type: str
    number: Counter = field(name="seq")
    time_ms: Milliseconds = field(name="time")
    size: Any = field(name="qty")
    price: Any
    trade_id: str = field(name="uid", default="")


class _TradeSnapshot(msgspec.Struct, gc=False):
    trades: list[_Trade]


class _Ticker(msgspec.Struct, gc=False):
    symbol: str = field(name="product_id")
    time_ms: Milliseconds = field(name="time")
    bid: Any = None
    bid_size: Any = None
    ask: Any = None
    ask_size: Any = None
    last: Any = None
    mark_price: Any = field(name="markPrice", default=None)
    index_price: Any = field(name="index", default=None)
    funding_rate: Any = field(name="relative_funding_rate", default=None)
    open_interest: Any = field(name="openInterest", default=None)


class _Instrument(msgspec.Struct, gc=False):
    symbol: str
    type: str = ""
    tick_size: Any = field(name="tickSize", default=None)
    contract_size: Any = field(name="contractSize", default=None)
    size_decimals: _SizeDecimals | None = field(name="contractValueTradePrecision", default=None)


class _InstrumentsAnswer(msgspec.Struct, gc=False):
    instruments: list[_Instrument]


_DELTA = msgspec.json.Decoder(_Delta, float_hook=str)
_SNAPSHOT = msgspec.json.Decoder(_Snapshot, float_hook=str)
_TRADE = msgspec.json.Decoder(_Trade, float_hook=str)
_TRADE_SNAPSHOT = msgspec.json.Decoder(_TradeSnapshot, float_hook=str)
_TICKER = msgspec.json.Decoder(_Ticker, float_hook=str)
_INSTRUMENTS_ANSWER = msgspec.json.Decoder(_InstrumentsAnswer, float_hook=str)


def delta_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the change of one level (rules 2 and 3)."""
    delta = _DELTA.decode(payload)
    row = [(number_text(delta.price), number_text(delta.size))]
    bought = delta.side == "buy"
    sequence = delta.sequence
    return (
        BookDelta(
            delta.symbol,
            receive_time_ns,
            delta.time_ms * NS_PER_MS,
            row if bought else [],
            [] if bought else row,
            sequence,
            sequence,
        ),
    )


def snapshot_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return a whole book (rule 1)."""
    book = _SNAPSHOT.decode(payload)
    bids, asks = (
        [(number_text(level.price), number_text(level.size)) for level in levels]
        for levels in (book.bids, book.asks)
    )
    time_ns = book.time_ms * NS_PER_MS
    return (BookSnapshot(book.symbol, receive_time_ns, time_ns, bids, asks, book.sequence),)


def trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return a trade and, where it is one, the liquidation that it is (rules 4 and 5)."""
    trade = _TRADE.decode(payload)
    event = _trade(trade, receive_time_ns, history=False)
    if trade.type != _LIQUIDATION:
        return (event,)
    return (event, _liquidation(trade, receive_time_ns))


def trade_snapshot_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the past trades of a snapshot, oldest first (rule 4)."""
    trades = _TRADE_SNAPSHOT.decode(payload).trades
    return [_trade(trade, receive_time_ns, history=True) for trade in reversed(trades)]


def _trade(trade: _Trade, receive_time_ns: int, *, history: bool) -> Trade:
    return Trade(
        trade.symbol,
        receive_time_ns,
        trade.time_ms * NS_PER_MS,
        number_text(trade.price),
        number_text(trade.size),
        _BUY if trade.side == "buy" else _SELL,
        trade.trade_id,
        trade.number,
        False,
        trade.type not in _OF_THE_BOOK,
        history,
    )


def _liquidation(trade: _Trade, receive_time_ns: int) -> Liquidation:
    price, size = number_text(trade.price), number_text(trade.size)
    return Liquidation(
        trade.symbol,
        receive_time_ns,
        trade.time_ms * NS_PER_MS,
        price,
        size,
        LiquidatedSide.LONG if trade.side == "sell" else LiquidatedSide.SHORT,
        trade.side,
        _notional(trade.symbol, price, size),
        trade.number,
    )


def _notional(symbol: str, price_text: str, size_text: str) -> Decimal | None:
    # Rule 7.
    if symbol.startswith(_INVERSE):
        return exact_number(size_text)
    return exact_product(price_text, size_text) if symbol.startswith(_LINEAR) else None


def ticker_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the ticker (rule 6) and the quote that a ticker message is."""
    ticker = _TICKER.decode(payload)
    time_ns = ticker.time_ms * NS_PER_MS
    statistics = Ticker(
        ticker.symbol,
        receive_time_ns,
        time_ns,
        _optional(ticker.last),
        _optional(ticker.mark_price),
        _optional(ticker.index_price),
        _optional(ticker.funding_rate),
        _optional(ticker.open_interest),
    )
    bid_size, ask_size = _optional(ticker.bid_size), _optional(ticker.ask_size)
    if not bid_size and not ask_size:
        return (statistics,)
    quote = Quote(
        ticker.symbol,
        receive_time_ns,
        time_ns,
        _optional(ticker.bid) or "",
        bid_size or "",
        _optional(ticker.ask) or "",
        ask_size or "",
    )
    return (statistics, quote)


def _optional(token: object) -> str | None:
    # Nearly all are fractions, which come as texts.
    return token if type(token) is str or token is None else number_text(token)


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the sizes of all contracts of a kind that is known.

    Raises:
        msgspec.MsgspecError, ValueError: it is no such answer.
    """
    return [
        Instrument(
            one.symbol,
            receive_time_ns,
            None,
            None if one.tick_size is None else number_text(one.tick_size),
            None if one.size_decimals is None else _lot_text(one.size_decimals),
            _KINDS[one.type],
            None if one.contract_size is None else number_text(one.contract_size),
        )
        for one in _INSTRUMENTS_ANSWER.decode(body).instruments
        if one.type in _KINDS
    ]


def _lot_text(decimals: int) -> str:
    # Below 0 it counts the zeros before the point: -1 is a lot of ten contracts.
    return decimal_step(decimals) if decimals >= 0 else "1" + "0" * -decimals
