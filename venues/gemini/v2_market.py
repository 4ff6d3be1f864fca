"""What the messages of Gemini's Market Data version 2 are, and the events they become.

    {"type":"l2_updates","symbol":"ALCXUSD","changes":[["buy","302.75","0.00001"],
     ["sell","303.10","8.36"]],"trades":[{"type":"trade","symbol":"ALCXUSD",
     "event_id":45465785975,"timestamp":1624493651491,"price":"302.53","quantity":"0.992143",
     "side":"buy"}],"auction_events":[]}
    {"type":"l2_updates","symbol":"ETHEUR","changes":[["buy","1647.74","1.844"],
     ["sell","1657.29","0"]]}
    {"type":"trade","symbol":"ANKRUSD","event_id":45465818387,"timestamp":1624493670759,
     "price":"0.07946","quantity":"1020.482111","side":"buy"}
    {"type":"heartbeat","timestamp":1624493666869}
    {"changes":[{"mark_price":"77233.302","spot_index":"77188.41867",
     "timestamp":1789456071687541147}],"symbol":"BTCGUSDPERP","type":"mark_price_updates"}
    {"reason":"NoValidTradingPairs","result":"error"}

1. `l2_updates` with `trades` is the first of a symbol: the whole book, and trades of the past.
2. Any other changes it: sizes are absolute, zero deletes. Neither has a number or a time.
3. A trade's side is the taker's. `event_id` counts all that happens at the exchange.
4. The trades of the past come newest first, in quiet markets in no order at all: they are told in
   that of their ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType, field

from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    Notice,
    NoticeKind,
    Side,
    Ticker,
    Trade,
)
from venues.wire import NS_PER_MS, Counter, Milliseconds, Nanoseconds

_BUY, _SELL = Side.BUY, Side.SELL
_SideWord = Literal["buy", "sell"]
_event_id = attrgetter("event_id")


class _TradeRow(msgspec.Struct, gc=False):
    symbol: str
    event_id: Counter
    time_ms: Milliseconds = field(name="timestamp")
    price: str
    size: str = field(name="quantity")
    side: _SideWord


class _Book(msgspec.Struct, gc=False, tag_field="type", tag="l2_updates"):
    symbol: str
    changes: list[tuple[_SideWord, str, str]]
    trades: list[_TradeRow] | UnsetType = UNSET


class _TradeMessage(_TradeRow, gc=False, tag_field="type", tag="trade"):
    pass


class _MarkPrice(msgspec.Struct, gc=False):
    time_ns: Nanoseconds = field(name="timestamp")
    mark_price: str | None = None
    spot_index: str | None = None


class _MarkPrices(msgspec.Struct, gc=False, tag_field="type", tag="mark_price_updates"):
    symbol: str
    changes: list[_MarkPrice]


_Market = _Book | _TradeMessage | _MarkPrices


class _Head(msgspec.Struct, gc=False):
    type: str = ""
    result: str = ""
    reason: str = ""
    timestamp: Milliseconds | None = None


_MARKET = msgspec.json.Decoder(_Market)
_HEAD = msgspec.json.Decoder(_Head)
_MARKET_TYPES = frozenset(("l2_updates", "trade", "mark_price_updates"))


def message_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the events of a message.

    Raises:
        msgspec.MsgspecError, RecursionError: it is no such message.
    """
    try:
        message = _MARKET.decode(payload)
    except msgspec.ValidationError:
        return _other_events(payload, receive_time_ns)
    if type(message) is _Book:
        return _book_events(message, receive_time_ns)
    if type(message) is _TradeMessage:
        return (_trade_event(message, receive_time_ns),)
    return [
        Ticker(message.symbol, receive_time_ns, one.time_ns, None, one.mark_price, one.spot_index)
        for one in getattr(message, "changes", ())
    ]


def read_notice(payload: bytes, receive_time_ns: int = 0) -> Notice | None:
    """Return what a message says of the connection; None for all else.

    Raises:
        msgspec.MsgspecError, RecursionError: the bytes are no JSON object.
    """
    return _notice(_HEAD.decode(payload), receive_time_ns)


def _notice(head: _Head, receive_time_ns: int) -> Notice | None:
    time_ns = None if head.timestamp is None else head.timestamp * NS_PER_MS
    if head.type == "heartbeat":
        return Notice("", receive_time_ns, time_ns, NoticeKind.HEARTBEAT)
    if head.result == "error":
        return Notice("", receive_time_ns, time_ns, NoticeKind.REJECTED, head.reason)
    return None


def _other_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    head = _HEAD.decode(payload)
    notice = _notice(head, receive_time_ns)
    if notice is None:
        if not head.type or head.type in _MARKET_TYPES:
            # What is wrong with it is said by the decoder that refused it.
            _MARKET.decode(payload)
        notice = Notice("", receive_time_ns, None, NoticeKind.INFORMATION, head.type)
    return (notice,)


def _book_events(message: _Book, receive_time_ns: int) -> Sequence[Event]:
    symbol, changes, trades = message.symbol, message.changes, message.trades
    bids = [(price, size) for side, price, size in changes if side == "buy"]
    asks = [(price, size) for side, price, size in changes if side == "sell"]
    if trades is UNSET:
        # Rule 2.
        return (BookDelta(symbol, receive_time_ns, None, bids, asks),)
    # Rules 1 and 4.
    book = BookSnapshot(symbol, receive_time_ns, None, bids, asks)
    past = [
        _trade_event(row, receive_time_ns, history=True) for row in sorted(trades, key=_event_id)
    ]
    return [book, *past]


def _trade_event(row: _TradeRow, receive_time_ns: int, *, history: bool = False) -> Trade:
    return Trade(
        row.symbol,
        receive_time_ns,
        row.time_ms * NS_PER_MS,
        row.price,
        row.size,
        # Rule 3.
        _BUY if row.side == "buy" else _SELL,
        str(row.event_id),
        history=history,
    )
