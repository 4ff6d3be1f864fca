"""What Deribit's market messages are, and the events they become.

    {"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{
     "type":"snapshot","timestamp":1626993723632,"instrument_name":"BTC-PERPETUAL",
     "change_id":13169025645,"bids":[["new",42500.0,1000.0]],"asks":[["new",42501.0,800.0]]}}}
    {…"data":{"type":"change","timestamp":1626993724337,"prev_change_id":33195894355,
     "instrument_name":"BTC-24SEP21-8000-P","change_id":33195894358,"bids":[],
     "asks":[["delete",0.001,0.0]]}}}
    {…"channel":"book.BTC-PERPETUAL.none.10.100ms","data":{"instrument_name":"BTC-PERPETUAL",
     "timestamp":1769246173071,"change_id":136725664747,"bids":[[89532.5,254900.0]],"asks":[]}}}
    {…"channel":"trades.BTC-PERPETUAL.100ms","data":[{"timestamp":1765531356452,"price":92294.5,
     "amount":10.0,"direction":"sell","instrument_name":"BTC-PERPETUAL","trade_seq":271252854,
     "contracts":1.0,"trade_id":"403691824","liquidation":"T",…}]}}
    {…"channel":"ticker.BTC-PERPETUAL.100ms","data":{"timestamp":1765541474086,"index_price":92263.55,
     "instrument_name":"BTC-PERPETUAL","last_price":92283.5,"open_interest":1132329370.0,
     "mark_price":92281.78,"current_funding":0.0,"funding_8h":0.00001742,…}}}
    {…"channel":"quote.BTC-PERPETUAL","data":{"timestamp":1765541767174,"instrument_name":
     "BTC-PERPETUAL","best_ask_price":92288.5,"best_bid_price":92288.0,…}}}

1. The first message of a book is a snapshot, and one without a type is one, too. A grouped book
   (two words more in the channel's name) is whole each time.
2. A change names the `change_id` of the message before it: where it is another than ours, one is
   missing. A delete carries the size 0.
3. `trade_seq` counts the trades of an instrument one by one.
4. A trade with `liquidation` closed a position by force: the maker's (M), the taker's (T), or one
   of each (MT). `direction` is the taker's: a taker who is made to buy was short, and the maker of
   the same trade sells.
5. `amount` is in USD for the inverse contracts (BTC-PERPETUAL, BTC-27MAR26), and in coins for
   options, for spot and for the linear ones, whose names hold an underscore (BTC_USDC-PERPETUAL).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec
from msgspec import field

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
from venues.wire import (
    NS_PER_MS,
    Counter,
    Milliseconds,
    exact_number,
    exact_product,
    number_text,
)

_BUY, _SELL = Side.BUY, Side.SELL
_SHORT, _LONG = LiquidatedSide.SHORT, LiquidatedSide.LONG
_GROUPED_PARTS = 5

_Change = tuple[str, Any, Any]


class _BookData(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument_name")
    time_ms: Milliseconds = field(name="timestamp")
    change_id: Counter
    bids: list[_Change]
    asks: list[_Change]
    type: Literal["snapshot", "change"] = "snapshot"
    previous_id: Counter | None = field(name="prev_change_id", default=None)


class _BookParams(msgspec.Struct, gc=False):
    data: _BookData


class _BookMessage(msgspec.Struct, gc=False):
    params: _BookParams


class _PlainBook(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument_name")
    change_id: Counter
    bids: list[tuple[Any, Any]]
    asks: list[tuple[Any, Any]]
    time_ms: Milliseconds | None = field(name="timestamp", default=None)


class _PlainBookParams(msgspec.Struct, gc=False):
    data: _PlainBook


class _PlainBookMessage(msgspec.Struct, gc=False):
    params: _PlainBookParams


class _RestAnswer(msgspec.Struct, gc=False):
    result: _PlainBook


class _TradeRow(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument_name")
    time_ms: Milliseconds = field(name="timestamp")
    price: Any
    size: Any = field(name="amount")
    direction: Literal["buy", "sell"]
    trade_id: str
    number: Counter = field(name="trade_seq")
    liquidation: Literal["M", "T", "MT", "none"] | None = None


class _TradeParams(msgspec.Struct, gc=False):
    data: list[_TradeRow]


class _TradeMessage(msgspec.Struct, gc=False):
    params: _TradeParams


class _TickerData(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument_name")
    time_ms: Milliseconds = field(name="timestamp")
    last_price: Any = None
    mark_price: Any = None
    index_price: Any = None
    funding_rate: Any = field(name="current_funding", default=None)
    open_interest: Any = None


class _TickerParams(msgspec.Struct, gc=False):
    data: _TickerData


class _TickerMessage(msgspec.Struct, gc=False):
    params: _TickerParams


class _QuoteData(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument_name")
    time_ms: Milliseconds = field(name="timestamp")
    bid_price: Any = field(name="best_bid_price", default=None)
    bid_size: Any = field(name="best_bid_amount", default=None)
    ask_price: Any = field(name="best_ask_price", default=None)
    ask_size: Any = field(name="best_ask_amount", default=None)


class _QuoteParams(msgspec.Struct, gc=False):
    data: _QuoteData


class _QuoteMessage(msgspec.Struct, gc=False):
    params: _QuoteParams


_BOOK_MESSAGE = msgspec.json.Decoder(_BookMessage, float_hook=str)
_PLAIN_BOOK_MESSAGE = msgspec.json.Decoder(_PlainBookMessage, float_hook=str)
_REST_ANSWER = msgspec.json.Decoder(_RestAnswer, float_hook=str)
_TRADE_MESSAGE = msgspec.json.Decoder(_TradeMessage, float_hook=str)
_TICKER_MESSAGE = msgspec.json.Decoder(_TickerMessage, float_hook=str)
_QUOTE_MESSAGE = msgspec.json.Decoder(_QuoteMessage, float_hook=str)


def _book_events(payload: bytes, receive_time_ns: int, channel: str) -> Sequence[Event]:
    if channel.count(".") + 1 >= _GROUPED_PARTS:
        book = _PLAIN_BOOK_MESSAGE.decode(payload).params.data
        return [_whole_book(book, receive_time_ns, unjoined=False)]
    data = _BOOK_MESSAGE.decode(payload).params.data
    bids, asks = _rows(data.bids), _rows(data.asks)
    time_ns, change_id = data.time_ms * NS_PER_MS, data.change_id
    if data.type == "snapshot":  # Rule 1.
        return [BookSnapshot(data.symbol, receive_time_ns, time_ns, bids, asks, change_id)]
    if data.previous_id is None:
        raise ValueError("a change of a book names no predecessor")
    # Rule 2.
    return [
        BookDelta(
            data.symbol, receive_time_ns, time_ns, bids, asks, None, change_id, data.previous_id
        )
    ]


def _rows(changes: list[_Change]) -> list[Row]:
    # Nearly all are fractions, which come as texts: a call for each would cost more than the rest.
    return [
        (
            price if type(price) is str else number_text(price),
            "0" if action == "delete" else size if type(size) is str else number_text(size),
        )
        for action, price, size in changes
    ]


def _whole_book(book: _PlainBook, receive_time_ns: int, *, unjoined: bool) -> Event:
    return BookSnapshot(
        book.symbol,
        receive_time_ns,
        None if book.time_ms is None else book.time_ms * NS_PER_MS,
        [(number_text(price), number_text(size)) for price, size in book.bids],
        [(number_text(price), number_text(size)) for price, size in book.asks],
        book.change_id,
        None,
        unjoined,
        alone=not unjoined,
    )


def rest_snapshot_event(body: bytes, receive_time_ns: int) -> Event:
    """Return the event of a REST order book.

    Raises:
        msgspec.MsgspecError, ValueError: it is none.
    """
    return _whole_book(_REST_ANSWER.decode(body).result, receive_time_ns, unjoined=True)


def _trade_events(payload: bytes, receive_time_ns: int, channel: str) -> Sequence[Event]:
    events: list[Event] = []
    for row in _TRADE_MESSAGE.decode(payload).params.data:
        price, size, time_ns = (
            number_text(row.price),
            number_text(row.size),
            row.time_ms * NS_PER_MS,
        )
        side = _BUY if row.direction == "buy" else _SELL
        # Rule 3.
        trade_id, number = row.trade_id, row.number
        events.append(
            Trade(row.symbol, receive_time_ns, time_ns, price, size, side, trade_id, number)
        )
        if row.liquidation is not None and row.liquidation != "none":
            notional = _notional(row.symbol, price, size)
            events.extend(
                Liquidation(
                    row.symbol,
                    receive_time_ns,
                    time_ns,
                    price,
                    size,
                    liquidated,
                    raw,
                    notional,
                    number,
                )
                for liquidated, raw in _liquidated(row.direction, row.liquidation)
            )
    return events


def _liquidated(direction: str, who: str) -> list[tuple[LiquidatedSide, str]]:
    """Return whose positions a trade closed, and by which word each is known (rule 4)."""
    taker, maker = (_SHORT, _LONG) if direction == "buy" else (_LONG, _SHORT)
    sides = [(taker, f"{direction} T")] if "T" in who else []
    return [*sides, (maker, f"{direction} M")] if "M" in who else sides


def inverse(symbol: str) -> bool:
    """Return whether sizes of `symbol` are in USD (rule 5)."""
    return "_" not in symbol and not symbol.endswith(("-C", "-P"))


def _notional(symbol: str, price: str, size: str) -> Decimal:
    return exact_number(size) if inverse(symbol) else exact_product(price, size)


def _text_or_none(token: object) -> str | None:
    return None if token is None else number_text(token)


def _ticker_events(payload: bytes, receive_time_ns: int, channel: str) -> Sequence[Event]:
    data = _TICKER_MESSAGE.decode(payload).params.data
    return [
        Ticker(
            data.symbol,
            receive_time_ns,
            data.time_ms * NS_PER_MS,
            _text_or_none(data.last_price),
            _text_or_none(data.mark_price),
            _text_or_none(data.index_price),
            _text_or_none(data.funding_rate),
            _text_or_none(data.open_interest),
        )
    ]


def _quote_events(payload: bytes, receive_time_ns: int, channel: str) -> Sequence[Event]:
    data = _QUOTE_MESSAGE.decode(payload).params.data
    bid_price, bid_size = _side(data.bid_price, data.bid_size)
    ask_price, ask_size = _side(data.ask_price, data.ask_size)
    time_ns = data.time_ms * NS_PER_MS
    return [Quote(data.symbol, receive_time_ns, time_ns, bid_price, bid_size, ask_price, ask_size)]


def _side(price: object, size: object) -> tuple[str, str]:
    """Return a side's texts; a side of size 0 is empty, and its price then means nothing."""
    if price is None or size is None or size in (0, "0.0", "0"):
        return "", ""
    return number_text(price), number_text(size)


MarketReader = Callable[[bytes, int, str], Sequence[Event]]

MARKET_READERS: Mapping[str, MarketReader] = {
    "book": _book_events,
    "trades": _trade_events,
    "ticker": _ticker_events,
    "incremental_ticker": _ticker_events,
    "quote": _quote_events,
}
"""By the first word of the channel: payload, receive time and channel to events."""
