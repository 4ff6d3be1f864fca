"""What Coinbase Exchange's messages are, and the events they become.

    {"type":"snapshot","product_id":"BAND-GBP","asks":[["14.8024","12.77"]],
     "bids":[["14.7550","0.14"]]}
    {"type":"l2update","product_id":"SKL-BTC","changes":[["sell","0.00001306","660.5"]],
     "time":"2021-04-17T16:43:37.075687Z"}
    {"type":"match","trade_id":280232,"maker_order_id":"2a0d…","taker_order_id":"3c82…",
     "side":"sell","size":"985","price":"0.00001305","product_id":"SKL-BTC","sequence":177100030,
     "time":"2021-04-17T16:43:37.089723Z"}
    {"type":"ticker","sequence":177100030,"product_id":"SKL-BTC","price":"0.00001305",
     "best_bid":"0.00001303","best_ask":"0.00001305","side":"buy",
     "time":"2021-04-17T16:43:37.089723Z","trade_id":280232,"last_size":"985"}
    {"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD",
     "time":"2014-11-07T08:19:28.464459Z"}
    {"type":"done","time":"2014-11-07T08:19:27.028459Z","product_id":"BTC-USD","sequence":10,
     "price":"200.2","order_id":"d50e…","reason":"filled","side":"sell","remaining_size":"0",
     "user_id":"5844…","profile_id":"9092…"}

1. A snapshot replaces the book; a change's size is absolute, zero deletes. Neither has a number.
2. `trade_id` is the last one of the product plus one.
3. A match's side is the maker's: the ticker of the same trade has the other one.
4. `last_match` is the trade before the subscription.
5. A message about an order is told of our own only where it carries `user_id` or `profile_id`. It
   has no more of the order than changed: what it doesn't tell is ''.

Exchange times: `time`; a snapshot of 2021 has none, one of today may.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    Instrument,
    Notice,
    NoticeKind,
    OrderUpdate,
    Row,
    Side,
    Ticker,
    Trade,
)
from venues.wire import Counter, iso_time_ns

_BUY, _SELL = Side.BUY, Side.SELL
_SideWord = Literal["buy", "sell"]
_ORDER_TYPES = frozenset(("received", "open", "done", "change", "activate"))


class _Product(msgspec.Struct, gc=False, tag_field="type"):
    product_id: str


class _Snapshot(_Product, gc=False, tag="snapshot"):
    bids: list[Row]
    asks: list[Row]
    time: str | None = None


class _Update(_Product, gc=False, tag="l2update"):
    changes: list[tuple[_SideWord, str, str]]
    time: str


class _Match(_Product, gc=False, tag="match"):
    trade_id: Counter
    maker_side: _SideWord = field(name="side")
    size: str
    price: str
    time: str
    user_id: str = ""
    profile_id: str = ""


class _LastMatch(_Match, gc=False, tag="last_match"):
    pass


class _TickerMessage(_Product, gc=False, tag="ticker"):
    price: str
    time: str | None = None


_Market = _Snapshot | _Update | _Match | _LastMatch | _TickerMessage


class _Head(msgspec.Struct, gc=False):
    type: str
    product_id: str = ""
    message: str = ""
    reason: str = ""
    time: str | None = None


class _Order(msgspec.Struct, gc=False):
    type: str
    product_id: str
    order_id: str
    side: _SideWord
    time: str
    client_order_id: str = field(name="client_oid", default="")
    price: str = ""
    size: str = ""
    new_size: str = ""
    reason: str = ""
    user_id: str = ""
    profile_id: str = ""


class _Instrument(msgspec.Struct, gc=False):
    id: str
    base_increment: str
    quote_increment: str


_MARKET = msgspec.json.Decoder(_Market)
_HEAD = msgspec.json.Decoder(_Head)
_ORDER = msgspec.json.Decoder(_Order)
_INSTRUMENT = msgspec.json.Decoder(_Instrument)
_MARKET_TYPES = frozenset(("snapshot", "l2update", "match", "last_match", "ticker"))


def message_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the events of a message.

    Raises:
        msgspec.MsgspecError, ValueError, RecursionError: it is no such message.
    """
    try:
        message = _MARKET.decode(payload)
    except msgspec.ValidationError:
        return _other_events(payload, receive_time_ns)
    return (_READERS[type(message)](message, receive_time_ns),)


def read_notice(payload: bytes, receive_time_ns: int = 0) -> Notice | None:
    """Return what a message says of the connection; None for market data.

    Raises:
        msgspec.MsgspecError, RecursionError: it is no JSON object with a type.
    """
    return _notice(_HEAD.decode(payload), receive_time_ns, None)


def _update_event(message: _Update, receive_time_ns: int) -> Event:
    # Rule 1.
    bids = [(price, size) for side, price, size in message.changes if side == "buy"]
    asks = [(price, size) for side, price, size in message.changes if side == "sell"]
    return BookDelta(message.product_id, receive_time_ns, iso_time_ns(message.time), bids, asks)


def _snapshot_event(message: _Snapshot, receive_time_ns: int) -> Event:
    time_ns = _time_ns(message.time)
    return BookSnapshot(message.product_id, receive_time_ns, time_ns, message.bids, message.asks)


def _trade_event(message: _Match, receive_time_ns: int) -> Event:
    if message.user_id or message.profile_id:
        # A fill of our own: the trade is told to everyone on the public channel.
        time_ns = _time_ns(message.time)
        return Notice(
            message.product_id, receive_time_ns, time_ns, NoticeKind.INFORMATION, "fill of an order"
        )
    return Trade(
        message.product_id,
        receive_time_ns,
        iso_time_ns(message.time),
        message.price,
        message.size,
        # Rule 3.
        _BUY if message.maker_side == "sell" else _SELL,
        str(message.trade_id),
        # Rule 2.
        message.trade_id,
        # Rule 4.
        history=type(message) is _LastMatch,
    )


def _ticker_event(message: _TickerMessage, receive_time_ns: int) -> Event:
    return Ticker(message.product_id, receive_time_ns, _time_ns(message.time), message.price)


_READERS: dict[type, Callable[..., Event]] = {
    _Update: _update_event,
    _Snapshot: _snapshot_event,
    _Match: _trade_event,
    _LastMatch: _trade_event,
    _TickerMessage: _ticker_event,
}


def _other_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    head = _HEAD.decode(payload)
    if head.type in _MARKET_TYPES:
        # What is wrong with it is said by the decoder that refused it.
        _MARKET.decode(payload)
    time_ns = _time_ns(head.time)
    notice = _notice(head, receive_time_ns, time_ns)
    if notice is not None:
        return (notice,)
    if head.type in _ORDER_TYPES:
        order = _ORDER.decode(payload)
        if order.user_id or order.profile_id:
            return (_order_event(order, receive_time_ns),)
    text = head.type
    return (Notice(head.product_id, receive_time_ns, time_ns, NoticeKind.INFORMATION, text),)


def _order_event(order: _Order, receive_time_ns: int) -> Event:
    """Return what is told of one of our orders (rule 5)."""
    return OrderUpdate(
        order.product_id,
        receive_time_ns,
        iso_time_ns(order.time),
        order.order_id,
        order.client_order_id,
        _BUY if order.side == "buy" else _SELL,
        order.price,
        order.new_size or order.size,
        "",
        order.reason if order.type == "done" and order.reason else order.type,
    )


def _notice(head: _Head, receive_time_ns: int, time_ns: int | None) -> Notice | None:
    text = f"{head.message}: {head.reason}" if head.reason else head.message
    if head.type == "subscriptions":
        kind = NoticeKind.ACKNOWLEDGED
    elif head.type == "heartbeat":
        kind, text = NoticeKind.HEARTBEAT, ""
    elif head.type == "error":
        refused = "authenticat" in text.lower()
        kind = NoticeKind.LOGIN_REFUSED if refused else NoticeKind.REJECTED
    else:
        return None
    return Notice(head.product_id, receive_time_ns, time_ns, kind, text)


def _time_ns(text: str | None) -> int | None:
    return None if text is None else iso_time_ns(text)


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return what `/products/BTC-USD` says of the product.

    Raises:
        msgspec.MsgspecError: it is no such answer.
    """
    one = _INSTRUMENT.decode(body)
    return (Instrument(one.id, receive_time_ns, None, one.quote_increment, one.base_increment),)
