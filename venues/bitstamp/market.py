"""What Bitstamp's messages are, and the events they become.

    {"data":{"timestamp":"1641343691","microtimestamp":"1641343691244908",
     "bids":[["1.15979","993.02588113"]],"asks":[["1.16601","1200.00000000"]]},
     "channel":"diff_order_book_bateur","event":"data"}
    {"data":{"id":216000477,"timestamp":"1641343699","amount":0.0792,"amount_str":"0.07920000",
     "price":3805.44,"price_str":"3805.44","type":0,"microtimestamp":"1641343699596000"},
     "channel":"live_trades_ethusd","event":"trade"}
    {"data":{"id":1658864794234880,"id_str":"1658864794234880","order_type":0,
     "microtimestamp":"1693831262313000","amount_str":"0.00000001","amount_traded":"0.00038666",
     "amount_at_create":"0.00038667","price_str":"25862","client_order_id":"test_market_buy"},
     "channel":"private-my_orders_btcusd-314159","event":"order_changed"}
    {"data":{"market":"btcusd-perp","mark_price":"77186.8","index_price":"77177.9",
     "funding_rate":"0.000123","timestamp":"1789457618"},"channel":"funding_rate_btcusd-perp",
     "event":"funding_rate_saved"}
    {"timestamp": "1641343695", "microtimestamp": "1641343695572693", "bids": [["0.14695",
     "4567.41344936"]], "asks": [["0.14720", "1.00000000"]]}

1. A diff's sizes are absolute; a zero, written with the market's decimals, deletes.
2. `microtimestamp` orders a diff against the REST book. It is a time: nothing is numbered.
3. `order_book_` is a whole book of 100 levels.
4. `type` and `order_type` 0 is buy, 1 sell; a trade's is the taker's.
5. A trade's `timestamp` is in seconds at some markets and in ms at others: `microtimestamp` is its
   time.
6. Of an order, `amount_at_create` is the size and `amount_str` what is left of it; what was filled
   is the difference. `amount_traded` is of the one event.

A message does not name the symbol but in its channel.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from venues.wire import NS_PER_US, Counter, DecimalPlaces, decimal_step, exact_number, seconds_ns

DIFF, BOOK, TRADES, FUNDING = "diff_order_book_", "order_book_", "live_trades_", "funding_rate_"
ORDERS = "private-my_orders_"

_BUY, _SELL = Side.BUY, Side.SELL
_TIME_US_MAX = (2**63 - 1) // NS_PER_US
_TIME_DIGITS_MAX = 16
_ORDER_EVENTS = frozenset(
    (
        *("order_created", "order_changed", "order_deleted", "order_replaced"),
        *("stop_active", "stop_inactive"),
    )
)
_AUTHENTICATION_CODE = 4009


class _Content(msgspec.Struct, gc=False):
    """What `data` may hold, of any channel that is read."""

    micros: str = field(name="microtimestamp", default="")
    bids: list[Row] | None = None
    asks: list[Row] | None = None
    id: Counter | None = None
    side: Literal[0, 1] | None = field(name="type", default=None)
    order_side: Literal[0, 1] | None = field(name="order_type", default=None)
    price: str = field(name="price_str", default="")
    size: str = field(name="amount_str", default="")
    created_size: str = field(name="amount_at_create", default="")
    client_order_id: str | None = None
    mark_price: str | None = None
    index_price: str | None = None
    funding_rate: str | None = None
    timestamp: str = ""


class _Message(msgspec.Struct, gc=False):
    data: _Content
    channel: str
    event: str


class _Head(msgspec.Struct, gc=False):
    event: str
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Refusal(msgspec.Struct, gc=False):
    code: int | str | None = None
    message: str = ""


class _Book(msgspec.Struct, gc=False):
    micros: str = field(name="microtimestamp")
    bids: list[Row]
    asks: list[Row]


class _Market(msgspec.Struct, gc=False):
    symbol: str = field(name="market_symbol")
    base_decimals: DecimalPlaces
    counter_decimals: DecimalPlaces


_MESSAGE = msgspec.json.Decoder(_Message)
_HEAD = msgspec.json.Decoder(_Head)
_REFUSAL = msgspec.json.Decoder(_Refusal)
_BOOK = msgspec.json.Decoder(_Book)
_MARKETS = msgspec.json.Decoder(list[_Market])


def message_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the events of a message.

    Raises:
        msgspec.MsgspecError, ValueError, RecursionError: it is no such message.
    """
    try:
        message = _MESSAGE.decode(payload)
    except msgspec.ValidationError:
        return _other_events(payload, receive_time_ns)
    channel, content = message.channel, message.data
    if message.event == "data" and channel.startswith(DIFF):
        return (_delta_event(channel[len(DIFF) :], content, receive_time_ns),)
    if message.event == "data" and channel.startswith(BOOK):
        return (_snapshot_event(channel[len(BOOK) :], content, receive_time_ns),)
    if message.event == "trade" and channel.startswith(TRADES):
        return (_trade_event(channel[len(TRADES) :], content, receive_time_ns),)
    if message.event == "funding_rate_saved" and channel.startswith(FUNDING):
        return (_ticker_event(channel[len(FUNDING) :], content, receive_time_ns),)
    if message.event in _ORDER_EVENTS and channel.startswith(ORDERS):
        symbol = channel[len(ORDERS) :].rpartition("-")[0]
        return (_order_event(symbol, content, receive_time_ns, message.event),)
    return _other_events(payload, receive_time_ns)


def read_notice(payload: bytes, receive_time_ns: int = 0) -> Notice | None:
    """Return what a message says of the connection; None for all else.

    Raises:
        ValueError, RecursionError: the bytes are no JSON object with an event.
    """
    head = _HEAD.decode(payload)
    text = head.channel
    if head.event in ("bts:subscription_succeeded", "bts:unsubscription_succeeded"):
        kind = NoticeKind.ACKNOWLEDGED
    elif head.event == "bts:heartbeat":
        kind = NoticeKind.HEARTBEAT
    elif head.event == "bts:request_reconnect":
        kind, text = NoticeKind.WILL_DISCONNECT, head.event
    elif head.event == "bts:error":
        refusal = _REFUSAL.decode(head.data)
        refused = refusal.code == _AUTHENTICATION_CODE
        kind = NoticeKind.LOGIN_REFUSED if refused else NoticeKind.REJECTED
        text = refusal.message
    else:
        return None
    return Notice("", receive_time_ns, None, kind, text)


def _other_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Read what is of no channel of ours."""
    notice = read_notice(payload, receive_time_ns)
    if notice is not None:
        return (notice,)
    head = _HEAD.decode(payload)
    if head.channel.startswith((DIFF, TRADES, BOOK)):
        # What is wrong with it is said by the decoder that refused it.
        _MESSAGE.decode(payload)
    text = f"{head.event} {head.channel}".rstrip()
    return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, text),)


def _delta_event(symbol: str, content: _Content, receive_time_ns: int) -> Event:
    if content.bids is None or content.asks is None:
        raise ValueError("a diff without levels")
    micros = _microseconds(content.micros)
    # Rules 1 and 2.
    return BookDelta(
        symbol,
        receive_time_ns,
        micros * NS_PER_US,
        content.bids,
        content.asks,
        micros,
        micros,
    )


def _snapshot_event(symbol: str, content: _Content, receive_time_ns: int) -> Event:
    if content.bids is None or content.asks is None:
        raise ValueError("a book without levels")
    micros = _microseconds(content.micros)
    # Rule 3.
    return BookSnapshot(
        symbol, receive_time_ns, micros * NS_PER_US, content.bids, content.asks, micros
    )


def _trade_event(symbol: str, content: _Content, receive_time_ns: int) -> Event:
    if content.id is None or content.side is None or not content.price or not content.size:
        raise ValueError("a trade without its id, side, price or size")
    return Trade(
        symbol,
        receive_time_ns,
        # Rule 5.
        _microseconds(content.micros) * NS_PER_US,
        content.price,
        content.size,
        # Rule 4.
        _SELL if content.side else _BUY,
        str(content.id),
    )


def _ticker_event(symbol: str, content: _Content, receive_time_ns: int) -> Event:
    return Ticker(
        symbol,
        receive_time_ns,
        seconds_ns(content.timestamp),
        None,
        content.mark_price,
        content.index_price,
        content.funding_rate,
    )


def _order_event(symbol: str, content: _Content, receive_time_ns: int, event: str) -> Event:
    if content.id is None or content.order_side is None:
        raise ValueError("an order without its id or side")
    # Rule 6.
    filled = exact_number(content.created_size) - exact_number(content.size)
    return OrderUpdate(
        symbol,
        receive_time_ns,
        _microseconds(content.micros) * NS_PER_US,
        str(content.id),
        content.client_order_id or "",
        _SELL if content.order_side else _BUY,
        content.price,
        content.created_size,
        f"{filled:f}",
        event,
    )


def _microseconds(text: str) -> int:
    """Return the time in us that `text` says.

    Raises:
        ValueError: it is none whose ns fit 64 bits.
    """
    if not text.isdigit() or len(text) > _TIME_DIGITS_MAX or int(text) > _TIME_US_MAX:
        raise ValueError(f"{text[:48]!r} is no time in us")
    return int(text)


def rest_snapshot_event(body: bytes, symbol: str, receive_time_ns: int) -> BookSnapshot:
    """Return the event of a REST order book, which does not name its symbol.

    Raises:
        msgspec.MsgspecError, ValueError: it is none.
    """
    book = _BOOK.decode(body)
    micros = _microseconds(book.micros)
    time_ns = micros * NS_PER_US
    return BookSnapshot(
        symbol, receive_time_ns, time_ns, book.bids, book.asks, micros, None, unjoined=True
    )


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return what `/api/v2/markets/` says of all markets; a perpetual's unit is one coin.

    Raises:
        msgspec.MsgspecError, ValueError: it is no such answer.
    """
    return [
        Instrument(
            market.symbol,
            receive_time_ns,
            None,
            decimal_step(market.counter_decimals),
            decimal_step(market.base_decimals),
        )
        for market in _MARKETS.decode(body)
    ]
