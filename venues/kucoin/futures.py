"""What KuCoin's messages of futures are, and the events they become.

    {"subject":"level2","topic":"/contractMarket/level2:XBTUSDTM","type":"message","data":{"sequence":
     18,"change":"5000.0,sell,83","timestamp":1551770400000}}
    {"type":"message","topic":"/contractMarket/execution:XBTUSDTM","subject":"match","data":{"symbol":
     "XBTUSDTM","sequence":31443494,"side":"buy","size":35,"price":23083,"tradeId":"63f9…",
     "ts":1677279296134648800}}
    {"subject":"tickerV2","topic":"/contractMarket/tickerV2:XBTUSDTM","data":{"symbol":"XBTUSDTM",
     "bestBidSize":795,"bestBidPrice":3200,"bestAskPrice":3600,"bestAskSize":284,"ts":1553846081210005000}}
    {"topic":"/contract/instrument:XBTUSDTM","subject":"mark.index.price","data":{"granularity":1000,
     "indexPrice":4000.23,"markPrice":4010.52,"timestamp":1551770400000}}
    {"topic":"/contractAccount/wallet","type":"message","subject":"walletBalance.change","data":{
     "currency":"USDT","walletBalance":"81.072921258","availableBalance":"26.144281178",
     "timestamp":"1731916996764"}}

1. A book message is one change, `price,side,size`; its `sequence` is the last one plus one. The
   REST book is whole, and joins as that of spot does: at its `sequence` + 1.
2. A price of 0 changes no level; a size of 0 removes it. Sizes count contracts.
3. A trade's `side` is the taker's.
4. A position's size is signed. What a message leaves out has not changed: such a position is told
   of with what it names alone.
5. A wallet's balance is without the profits that are not realised. The older message that says
   what is available alone is passed over.
6. A contract is `multiplier` coins; of an inverse one, one of its quote currency.

Exchange times: `ts` in ns, `timestamp` and `currentTimestamp` in ms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import field

from venues.event import (
    BookDelta,
    BookSnapshot,
    ContractKind,
    Event,
    Instrument,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Quote,
    Row,
    Side,
    Ticker,
    Trade,
    WalletUpdate,
)
from venues.wire import NS_PER_MS, Counter, Milliseconds, Nanoseconds, exact_number, number_text

_Word = Literal["buy", "sell"]
_NO_ROWS: list[Row] = []


class _Change(msgspec.Struct, gc=False):
    sequence: Counter
    change: str
    time_ms: Milliseconds | None = field(name="timestamp", default=None)


class _BookMessage(msgspec.Struct, gc=False):
    topic: str
    data: _Change


class _TradeRow(msgspec.Struct, gc=False):
    symbol: str
    side: _Word
    size: Any
    price: Any
    time_ns: Nanoseconds = field(name="ts")
    trade_id: str = field(name="tradeId")


class _TradeMessage(msgspec.Struct, gc=False):
    data: _TradeRow


class _QuoteRow(msgspec.Struct, gc=False):
    symbol: str
    bid: Any = field(name="bestBidPrice", default=None)
    bid_size: Any = field(name="bestBidSize", default=None)
    ask: Any = field(name="bestAskPrice", default=None)
    ask_size: Any = field(name="bestAskSize", default=None)
    time_ns: Nanoseconds | None = field(name="ts", default=None)


class _QuoteMessage(msgspec.Struct, gc=False):
    data: _QuoteRow


class _InstrumentState(msgspec.Struct, gc=False):
    mark: Any = field(name="markPrice", default=None)
    index: Any = field(name="indexPrice", default=None)
    funding_rate: Any = field(name="fundingRate", default=None)
    time_ms: Milliseconds | None = field(name="timestamp", default=None)


class _InstrumentMessage(msgspec.Struct, gc=False):
    topic: str
    data: _InstrumentState


class _Order(msgspec.Struct, gc=False):
    symbol: str
    side: _Word
    order_id: str = field(name="orderId")
    type: str
    status: str
    client_order_id: str = field(name="clientOid", default="")
    price: str = ""
    size: str = ""
    filled_size: str = field(name="filledSize", default="")
    time_ns: Nanoseconds | None = field(name="ts", default=None)


class _OrderMessage(msgspec.Struct, gc=False):
    data: _Order


class _Position(msgspec.Struct, gc=False):
    size: Any = field(name="currentQty", default=None)
    entry_price: Any = field(name="avgEntryPrice", default=None)
    time_ms: Milliseconds | None = field(name="currentTimestamp", default=None)


class _PositionMessage(msgspec.Struct, gc=False):
    topic: str
    data: _Position


class _Wallet(msgspec.Struct, gc=False):
    currency: str = ""
    balance: str | None = field(name="walletBalance", default=None)
    available: Any = field(name="availableBalance", default=None)
    time_ms: Milliseconds | None = field(name="timestamp", default=None)


class _WalletMessage(msgspec.Struct, gc=False):
    topic: str
    data: _Wallet


class _RestBook(msgspec.Struct, gc=False):
    sequence: Counter
    bids: list[tuple[Any, Any]]
    asks: list[tuple[Any, Any]]
    time_ns: Nanoseconds | None = field(name="ts", default=None)


class _RestBookAnswer(msgspec.Struct, gc=False):
    data: _RestBook


class _Contract(msgspec.Struct, gc=False):
    symbol: str
    multiplier: Any = None
    tick_size: Any = field(name="tickSize", default=None)
    lot_size: Any = field(name="lotSize", default=None)
    inverse: bool = field(name="isInverse", default=False)


class _ContractAnswer(msgspec.Struct, gc=False):
    data: _Contract


_BOOK = msgspec.json.Decoder(_BookMessage)
_TRADE = msgspec.json.Decoder(_TradeMessage, float_hook=str)
_QUOTE = msgspec.json.Decoder(_QuoteMessage, float_hook=str)
_INSTRUMENT = msgspec.json.Decoder(_InstrumentMessage, float_hook=str)
_ORDER = msgspec.json.Decoder(_OrderMessage)
_POSITION = msgspec.json.Decoder(_PositionMessage, float_hook=str)
# Not strict: its time comes as a text.
_WALLET = msgspec.json.Decoder(_WalletMessage, float_hook=str, strict=False)
_REST_BOOK = msgspec.json.Decoder(_RestBookAnswer, float_hook=str)
_CONTRACT = msgspec.json.Decoder(_ContractAnswer, float_hook=str)


def _time_ns(time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms * NS_PER_MS


def _optional(token: object) -> str | None:
    return None if token is None else number_text(token)


def _named(topic: str) -> str:
    return topic.rpartition(":")[2]


def _side(word: str) -> Side:
    return Side.BUY if word == "buy" else Side.SELL


def book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the delta in a message of `/contractMarket/level2` (rules 1 and 2)."""
    message = _BOOK.decode(payload)
    data = message.data
    words = data.change.split(",")
    if len(words) != 3 or words[1] not in ("buy", "sell"):
        raise ValueError(f"{data.change[:48]!r} is no change of a level")
    price, side, size = words
    rows: list[Row] = _NO_ROWS if price == "0" else [(price, size)]  # Rule 2.
    bids, asks = (rows, _NO_ROWS) if side == "buy" else (_NO_ROWS, rows)
    number = data.sequence  # Rule 1.
    time_ns = _time_ns(data.time_ms)
    return (BookDelta(_named(message.topic), receive_time_ns, time_ns, bids, asks, number, number),)


def _trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    row = _TRADE.decode(payload).data
    price, size = number_text(row.price), number_text(row.size)
    side = _side(row.side)  # Rule 3.
    return (Trade(row.symbol, receive_time_ns, row.time_ns, price, size, side, row.trade_id),)


def _quote_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    row = _QUOTE.decode(payload).data
    return (
        Quote(
            row.symbol,
            receive_time_ns,
            row.time_ns,
            _optional(row.bid) or "",
            _optional(row.bid_size) or "",
            _optional(row.ask) or "",
            _optional(row.ask_size) or "",
        ),
    )


def _instrument_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    message = _INSTRUMENT.decode(payload)
    state = message.data
    return (
        Ticker(
            _named(message.topic),
            receive_time_ns,
            _time_ns(state.time_ms),
            None,
            _optional(state.mark),
            _optional(state.index),
            _optional(state.funding_rate),
        ),
    )


def _order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    order = _ORDER.decode(payload).data
    status = order.status if order.type == order.status else f"{order.status}: {order.type}"
    return (
        OrderUpdate(
            order.symbol,
            receive_time_ns,
            order.time_ns,
            order.order_id,
            order.client_order_id,
            _side(order.side),
            order.price,
            order.size,
            order.filled_size,
            status,
        ),
    )


def _position_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the position where the message says its size, else a notice (rule 4)."""
    message = _POSITION.decode(payload)
    position = message.data
    if position.size is None:
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, message.topic),)
    text = number_text(position.size)
    size = text.removeprefix("-")
    side = (Side.BUY if size == text else Side.SELL) if exact_number(size) else None
    return (
        PositionUpdate(
            _named(message.topic),
            receive_time_ns,
            _time_ns(position.time_ms),
            side,
            size,
            _optional(position.entry_price) or "",
        ),
    )


def _wallet_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the balance where the message says it, else a notice (rule 5)."""
    message = _WALLET.decode(payload)
    wallet = message.data
    if wallet.balance is None:
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, message.topic),)
    return (
        WalletUpdate(
            wallet.currency,
            receive_time_ns,
            _time_ns(wallet.time_ms),
            wallet.balance,
            _optional(wallet.available) or "",
        ),
    )


def snapshot_event(body: bytes, symbol: str, receive_time_ns: int) -> BookSnapshot:
    """Return the event of a REST book of a contract (rule 1).

    Raises:
        msgspec.MsgspecError, ValueError: it is none.
    """
    book = _REST_BOOK.decode(body).data
    bids, asks = (
        [(number_text(price), number_text(size)) for price, size in rows]
        for rows in (book.bids, book.asks)
    )
    return BookSnapshot(
        symbol, receive_time_ns, book.time_ns, bids, asks, book.sequence, None, True
    )


def contract_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instrument that a contract is (rule 6).

    Raises:
        msgspec.MsgspecError, ValueError: the answer is none.
    """
    row = _CONTRACT.decode(body).data
    return (
        Instrument(
            row.symbol,
            receive_time_ns,
            None,
            _optional(row.tick_size),
            _optional(row.lot_size),
            ContractKind.INVERSE if row.inverse else ContractKind.LINEAR,
            "1" if row.inverse else _optional(row.multiplier),
        ),
    )


READERS: Mapping[str, Callable[[bytes, int], Sequence[Event]]] = {
    "/contractMarket/level2": book_events,
    "/contractMarket/execution": _trade_events,
    "/contractMarket/tickerV2": _quote_events,
    "/contract/instrument": _instrument_events,
    "/contractMarket/tradeOrders": _order_events,
    "/contract/position": _position_events,
    "/contractAccount/wallet": _wallet_events,
}
"""By the topic, without whose it is."""
