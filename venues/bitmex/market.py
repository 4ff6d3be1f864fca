"""What BitMEX' market messages are, and the events they become.

Each message is a change of a table:

    {"table":"orderBookL2","action":"partial","keys":["symbol","id","side"],"types":{…},
     "filter":{"symbol":"XBTUSD"},"data":[{"symbol":"XBTUSD","id":8700000000,"side":"Sell",
     "size":600000,"price":1000000}]}
    {"table":"orderBookL2","action":"insert","data":[{"symbol":"XBTUSD","id":62400580205,
     "side":"Sell","size":33000,"price":98459.9,"timestamp":"2024-11-24T08:26:22.356Z",
     "transactTime":"2024-11-24T08:26:22.275Z"}]}
    {"table":"orderBookL2","action":"update","data":[{"symbol":"BCHUSD","id":40199991243,
     "side":"Buy","size":2104}]}
    {"table":"orderBookL2","action":"delete","data":[{"symbol":"BCHUSD","id":40199991245,
     "side":"Buy"}]}
    {"table":"trade","action":"insert","data":[{"timestamp":"2024-11-24T08:15:38.704Z",
     "symbol":"XBTUSD","side":"Sell","size":100,"price":98570.9,"trdMatchID":"00000000-006d-…"}]}
    {"table":"quote","action":"insert","data":[{"timestamp":"2024-11-22T22:44:25.085Z",
     "symbol":"BCHUSDT","bidSize":103000,"bidPrice":487.55,"askPrice":488.25,"askSize":50000}]}
    {"table":"liquidation","action":"insert","data":[{"orderID":"550e8400-…","symbol":"XBTUSD",
     "side":"Buy","price":95000.0,"leavesQty":1000}]}
    {"table":"instrument","action":"update","data":[{"symbol":"DOTUSDT","fairPrice":1.2669,
     "markPrice":1.2669,"timestamp":"2026-05-27T12:56:40.500Z"}]}

1. A partial states the table as it is; whatever came before it is of no use.
2. A level is named by its symbol, id and side. Until 2023 updates and deletes name no price, and
   an update of price alone leaves the size as it is: what a row does not say is unchanged.
3. There is no number and no checksum: an update or a delete of an id that nobody holds is the only
   sign of a loss.
4. Trades: a partial repeats the last one before the subscription. `side` is the aggressor's.
5. A liquidation is an order that closes a position: an insert tells of a new one, whose `side` is
   the order's: Sell closes a long. A partial lists those of before; updates and deletes tell how
   far it went.

Exchange times: of a book `transactTime`, when the matching engine made it, else `timestamp`, none
before 2022; of a liquidation none.
"""

from __future__ import annotations

import re
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
from venues.wire import Counter, exact_number, iso_time_ns, number_text

Action = Literal["partial", "insert", "update", "delete"]
OrderSide = Literal["Buy", "Sell"]

_BUY, _SELL = Side.BUY, Side.SELL
_USD_CONTRACT = re.compile(r"XBT(?:USD|[FGHJKMNQUVXZ][0-9]{2})")
"""Contracts of one USD each, by the exchange's own specification: the perpetual and the futures."""


class Filter(msgspec.Struct, gc=False):
    """What a partial was filtered by."""

    symbol: str = ""


class _BookRow(msgspec.Struct, gc=False):
    symbol: str
    level_id: Counter = field(name="id")
    side: OrderSide
    size: Any = None
    price: Any = None
    time: str | None = field(name="timestamp", default=None)
    matching_time: str | None = field(name="transactTime", default=None)


class _BookMessage(msgspec.Struct, gc=False):
    action: Action
    data: list[_BookRow]
    filter: Filter | None = None


class _TopRow(msgspec.Struct, gc=False):
    symbol: str
    bids: list[tuple[Any, Any]]
    asks: list[tuple[Any, Any]]
    time: str | None = field(name="timestamp", default=None)


class _TopMessage(msgspec.Struct, gc=False):
    action: Action
    data: list[_TopRow]


class _TradeRow(msgspec.Struct, gc=False):
    symbol: str
    side: OrderSide
    size: Any
    price: Any
    time: str = field(name="timestamp")
    trade_id: str = field(name="trdMatchID")


class _TradeMessage(msgspec.Struct, gc=False):
    action: Action
    data: list[_TradeRow]


class _QuoteRow(msgspec.Struct, gc=False):
    symbol: str
    time: str = field(name="timestamp")
    bid_price: Any = field(name="bidPrice", default=None)
    bid_size: Any = field(name="bidSize", default=None)
    ask_price: Any = field(name="askPrice", default=None)
    ask_size: Any = field(name="askSize", default=None)


class _QuoteMessage(msgspec.Struct, gc=False):
    data: list[_QuoteRow]


class _LiquidationRow(msgspec.Struct, gc=False):
    symbol: str
    side: OrderSide | None = None
    price: Any = None
    size: Any = field(name="leavesQty", default=None)


class _LiquidationMessage(msgspec.Struct, gc=False):
    action: Action
    data: list[_LiquidationRow]


class _InstrumentRow(msgspec.Struct, gc=False):
    symbol: str
    time: str | None = field(name="timestamp", default=None)
    last_price: Any = field(name="lastPrice", default=None)
    mark_price: Any = field(name="markPrice", default=None)
    index_price: Any = field(name="indicativeSettlePrice", default=None)
    funding_rate: Any = field(name="fundingRate", default=None)
    open_interest: Any = field(name="openInterest", default=None)


class _InstrumentMessage(msgspec.Struct, gc=False):
    data: list[_InstrumentRow]


_BOOK_MESSAGE = msgspec.json.Decoder(_BookMessage, float_hook=str)
_TOP_MESSAGE = msgspec.json.Decoder(_TopMessage, float_hook=str)
_TRADE_MESSAGE = msgspec.json.Decoder(_TradeMessage, float_hook=str)
_QUOTE_MESSAGE = msgspec.json.Decoder(_QuoteMessage, float_hook=str)
_LIQUIDATION_MESSAGE = msgspec.json.Decoder(_LiquidationMessage, float_hook=str)
_INSTRUMENT_MESSAGE = msgspec.json.Decoder(_InstrumentMessage, float_hook=str)


def _time_ns(text: str | None) -> int | None:
    return None if text is None else iso_time_ns(text)


def _text(token: object) -> str:
    """Return the digits of a number, '' where the row does not say it."""
    return "" if token is None else number_text(token)


def _text_or_none(token: object) -> str | None:
    return None if token is None else number_text(token)


def _book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    message = _BOOK_MESSAGE.decode(payload)
    rows = message.data
    if message.action == "partial":
        symbol = message.filter.symbol if message.filter is not None else ""
        if not rows:
            return [BookSnapshot(symbol, receive_time_ns, None, [], [])] if symbol else []
    symbol = rows[0].symbol if rows else ""
    if all(row.symbol == symbol for row in rows):
        return [_book_event(rows, message.action, receive_time_ns)] if rows else []
    by_symbol: dict[str, list[_BookRow]] = {}
    for row in rows:
        by_symbol.setdefault(row.symbol, []).append(row)
    return [_book_event(each, message.action, receive_time_ns) for each in by_symbol.values()]


def _book_event(rows: list[_BookRow], action: Action, receive_time_ns: int) -> Event:
    bids: list[Row] = []
    asks: list[Row] = []
    bid_ids: list[str] = []
    ask_ids: list[str] = []
    whole, delete = action in ("partial", "insert"), action == "delete"
    for row in rows:
        price, size = row.price, row.size
        # Rule 2. Nearly all prices are fractions, which come as texts, and all sizes integers.
        if type(price) is not str:
            price = _text(price)
        size = "0" if delete else str(size) if type(size) is int else _text(size)
        if whole and not (price and size):
            raise ValueError(f"a row of a book's {action} is without its price or size")
        if row.side == "Buy":
            bids.append((price, size))
            bid_ids.append(str(row.level_id))
        else:
            asks.append((price, size))
            ask_ids.append(str(row.level_id))
    last = rows[-1]
    symbol, time_ns, ids = (
        last.symbol,
        _time_ns(last.matching_time or last.time),
        (bid_ids, ask_ids),
    )
    if action == "partial":  # Rule 1.
        return BookSnapshot(symbol, receive_time_ns, time_ns, bids, asks, None, None, False, ids)
    return BookDelta(
        symbol, receive_time_ns, time_ns, bids, asks, None, None, None, None, None, ids
    )


def _top_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        BookSnapshot(
            row.symbol,
            receive_time_ns,
            _time_ns(row.time),
            [(number_text(price), number_text(size)) for price, size in row.bids],
            [(number_text(price), number_text(size)) for price, size in row.asks],
            alone=True,
        )
        for row in _TOP_MESSAGE.decode(payload).data
    ]


def _trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    message = _TRADE_MESSAGE.decode(payload)
    history = message.action == "partial"  # Rule 4.
    return [
        Trade(
            row.symbol,
            receive_time_ns,
            iso_time_ns(row.time),
            number_text(row.price),
            number_text(row.size),
            _BUY if row.side == "Buy" else _SELL,
            row.trade_id,
            None,
            False,
            False,
            history,
        )
        for row in message.data
    ]


def _quote_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        Quote(
            row.symbol,
            receive_time_ns,
            iso_time_ns(row.time),
            _text(row.bid_price),
            _text(row.bid_size),
            _text(row.ask_price),
            _text(row.ask_size),
        )
        for row in _QUOTE_MESSAGE.decode(payload).data
    ]


def _liquidation_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    message = _LIQUIDATION_MESSAGE.decode(payload)
    if message.action != "insert":
        return []
    return [_liquidation(row, receive_time_ns) for row in message.data]


def _liquidation(row: _LiquidationRow, receive_time_ns: int) -> Event:
    if row.side is None:
        raise ValueError("a new liquidation is without its side")
    size = number_text(row.size)
    return Liquidation(
        row.symbol,
        receive_time_ns,
        None,
        number_text(row.price),
        size,
        # Rule 5.
        LiquidatedSide.LONG if row.side == "Sell" else LiquidatedSide.SHORT,
        row.side,
        _notional(row.symbol, size),
    )


def _notional(symbol: str, size: str) -> Decimal | None:
    return exact_number(size) if _USD_CONTRACT.fullmatch(symbol) else None


def _ticker_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        Ticker(
            row.symbol,
            receive_time_ns,
            _time_ns(row.time),
            _text_or_none(row.last_price),
            _text_or_none(row.mark_price),
            _text_or_none(row.index_price),
            _text_or_none(row.funding_rate),
            _text_or_none(row.open_interest),
        )
        for row in _INSTRUMENT_MESSAGE.decode(payload).data
        if _tells(row)
    ]


def _tells(row: _InstrumentRow) -> bool:
    said = (row.last_price, row.mark_price, row.index_price, row.funding_rate, row.open_interest)
    return any(token is not None for token in said)


MARKET_READERS: Mapping[str, Callable[[bytes, int], Sequence[Event]]] = {
    "orderBookL2": _book_events,
    "orderBookL2_25": _book_events,
    "orderBook10": _top_events,
    "trade": _trade_events,
    "quote": _quote_events,
    "liquidation": _liquidation_events,
    "instrument": _ticker_events,
    "funding": _ticker_events,
}
"""By table: payload and receive time to events."""
