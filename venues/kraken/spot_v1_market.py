"""What the messages of Kraken's spot protocol v1 are, and the events they become.

    [992,{"as":[["354.80000000","1.40000000","1618678133.020508"]],
     "bs":[["354.15000000","5.00000000","1618678133.365913"]]},"book-1000","XMR/USD"]
    [992,{"b":[["354.12000000","0.00000000","1618678133.366461"]],"c":"1822697057"},"book-1000",
     "XMR/USD"]
    [1920,{"a":[["0.042990","364630.28272081","1618678145.920470"]]},
     {"b":[["0.042990","0.00000000","1618678145.920708"]],"c":"4105471083"},"book-1000","SC/EUR"]
    [993,[["354.11000000","0.89594024","1618678142.557535","s","l",""]],"trade","XMR/USD"]
    [0,["5698.40000","5700.00000","1542057299.545897","1.01234567","0.98765432"],"spread","XBT/USD"]
    [[{"OGTT3Y-C6I3P-XRI6HR":{"status":"open","vol":"10.00345345",…}}],"openOrders",{"sequence":1}]

1. `as` and `bs` state the whole book. Such a message has no checksum.
2. `a` and `b` are changes, each with the new absolute size; 0 deletes. Where both sides change
   there are two objects in one message, and they are one change.
3. Of levels that fall out of the subscribed depth no delete is sent: the book is cut by us after
   every change (trait `depth_keeper`). The name of the channel says the depth.
4. `c`, in the last object, is the CRC32 of the ten best asks and then the ten best bids after it,
   price and size without the point and without leading zeros (trait `checksum`).
5. A row with a fourth element `r` is sent again because it came back into the depth: its time is
   that of its last change, and says nothing about the message's.

Exchange times: of a change the latest of its rows (5); a book as a whole has none; of a trade and
a quote their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from venues.channel import Channel
from venues.errors import DecodeError
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    Notice,
    NoticeKind,
    OrderUpdate,
    Quote,
    Row,
    Side,
    Subscribed,
    Ticker,
    Trade,
)
from venues.kraken.spot_request import DEPTH_MAX
from venues.wire import seconds_ns

VENUE = "kraken-v1"
DEPTH_DEFAULT = 10
_BUY, _SELL = Side.BUY, Side.SELL
_CRC32_MAX = 2**32 - 1


_Level = Annotated[tuple[str, ...], Meta(min_length=3)]
"""Price, size, time, and for a republished one an `r`."""

_FRESH = 3
"""How many elements a level has that was not republished."""


class _BookPart(msgspec.Struct, gc=False):
    all_asks: list[_Level] | None = field(name="as", default=None)
    all_bids: list[_Level] | None = field(name="bs", default=None)
    asks: list[_Level] = field(name="a", default_factory=list)
    bids: list[_Level] = field(name="b", default_factory=list)
    checksum: str = field(name="c", default="")


class _BookMessage(msgspec.Struct, array_like=True, gc=False):
    channel_id: int
    part: _BookPart
    second: _BookPart | str
    third: str
    fourth: str = ""


class _TradeRow(msgspec.Struct, array_like=True, gc=False):
    price: str
    size: str
    time: str
    side: Literal["b", "s"]


class _TradeMessage(msgspec.Struct, array_like=True, gc=False):
    channel_id: int
    trades: list[_TradeRow]
    name: str
    pair: str


class _Spread(msgspec.Struct, array_like=True, gc=False):
    bid_price: str
    ask_price: str
    time: str
    bid_size: str
    ask_size: str


class _SpreadMessage(msgspec.Struct, array_like=True, gc=False):
    channel_id: int
    spread: _Spread
    name: str
    pair: str


class _TickerBody(msgspec.Struct, gc=False):
    last: tuple[str, str] = field(name="c")


class _TickerMessage(msgspec.Struct, array_like=True, gc=False):
    channel_id: int
    ticker: _TickerBody
    name: str
    pair: str


class _OrderDescription(msgspec.Struct, gc=False):
    pair: str
    side: Literal["buy", "sell"] = field(name="type")
    price: str = ""


class _Order(msgspec.Struct, gc=False):
    description: _OrderDescription | None = field(name="descr", default=None)
    size: str = field(name="vol", default="")
    filled_size: str = field(name="vol_exec", default="")
    status: str = ""
    client_order_id: str | None = field(name="cl_ord_id", default=None)
    updated: str | None = field(name="lastupdated", default=None)


class _OrdersMessage(msgspec.Struct, array_like=True, gc=False):
    orders: list[dict[str, _Order]]
    name: str


class _AnyMessage(msgspec.Struct, array_like=True, gc=False):
    first: Any
    second: Any
    third: Any
    fourth: Any = None
    fifth: Any = None


_BOOK_MESSAGE = msgspec.json.Decoder(_BookMessage)
_TRADE_MESSAGE = msgspec.json.Decoder(_TradeMessage)
_SPREAD_MESSAGE = msgspec.json.Decoder(_SpreadMessage)
_TICKER_MESSAGE = msgspec.json.Decoder(_TickerMessage)
_ORDERS_MESSAGE = msgspec.json.Decoder(_OrdersMessage)
_ANY_MESSAGE = msgspec.json.Decoder(_AnyMessage)


def channel_and_pair(payload: bytes) -> tuple[str, str]:
    """Return the names at the end of a message that is an array; the pair '' of a private one.

    Raises:
        UNDECODABLE: it has none.
    """
    parts = payload.rsplit(b'"', 4)
    if len(parts) == 5 and parts[2] == b"," and parts[4] == b"]":
        return parts[1].decode(), parts[3].decode()
    message = _ANY_MESSAGE.decode(payload)
    if isinstance(message.second, str):
        return message.second, ""
    last = message.fourth if message.fifth is None else message.fifth
    name = message.third if message.fifth is None else message.fourth
    if not isinstance(name, str) or not isinstance(last, str):
        raise DecodeError(VENUE, "an array without the names of a channel and a pair", payload)
    return name, last


def book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the snapshot (rule 1) or the change (rule 2) in a book message."""
    message = _BOOK_MESSAGE.decode(payload)
    part, second = message.part, message.second
    if type(second) is str:
        return _part_events(part, receive_time_ns, second, message.third)
    assert isinstance(second, _BookPart)
    if not message.fourth:
        raise ValueError("a book message without a pair")
    merged = _BookPart(
        part.all_asks if second.all_asks is None else second.all_asks,
        part.all_bids if second.all_bids is None else second.all_bids,
        part.asks + second.asks,
        part.bids + second.bids,
        second.checksum or part.checksum,
    )
    return _part_events(merged, receive_time_ns, message.third, message.fourth)


def _part_events(part: _BookPart, receive_time_ns: int, name: str, pair: str) -> Sequence[Event]:
    asks, bids = part.all_asks, part.all_bids
    if asks is not None or bids is not None:
        return (
            subscribed(name, pair, receive_time_ns),
            BookSnapshot(pair, receive_time_ns, None, _rows(bids or []), _rows(asks or [])),
        )
    return (
        BookDelta(
            pair,
            receive_time_ns,
            _time_ns(part),
            _rows(part.bids),
            _rows(part.asks),
            None,
            None,
            None,
            _checksum(part.checksum),
        ),
    )


def _rows(levels: list[_Level]) -> list[Row]:
    return [(level[0], level[1]) for level in levels]


def _time_ns(part: _BookPart) -> int | None:
    # Rule 5. All times have ten digits and six decimals: the greatest text is the latest time.
    levels = part.asks + part.bids if part.asks and part.bids else part.asks or part.bids
    times = [level[2] for level in levels if len(level) == _FRESH]
    return seconds_ns(max(times)) if times else None


def _checksum(text: str) -> int | None:
    if not text:
        return None
    checksum = int(text) if len(text) <= 10 and text.isdecimal() else -1
    if not 0 <= checksum <= _CRC32_MAX:
        raise ValueError(f"{text[:48]!r} is no checksum")
    return checksum


def trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the trades in a message."""
    message = _TRADE_MESSAGE.decode(payload)
    return [
        Trade(
            message.pair,
            receive_time_ns,
            seconds_ns(row.time),
            row.price,
            row.size,
            _BUY if row.side == "b" else _SELL,
            "",
        )
        for row in message.trades
    ]


def quote_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the best bid and offer in a message of the `spread` channel."""
    message = _SPREAD_MESSAGE.decode(payload)
    spread = message.spread
    return (
        Quote(
            message.pair,
            receive_time_ns,
            seconds_ns(spread.time),
            spread.bid_price,
            spread.bid_size,
            spread.ask_price,
            spread.ask_size,
        ),
    )


def ticker_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the ticker in a message."""
    message = _TICKER_MESSAGE.decode(payload)
    return (Ticker(message.pair, receive_time_ns, None, message.ticker.last[0]),)


def order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the changes of our own orders; what an order's later messages leave out is ''."""
    return [
        _order_update(order_id, order, receive_time_ns)
        for orders in _ORDERS_MESSAGE.decode(payload).orders
        for order_id, order in orders.items()
    ]


def _order_update(order_id: str, order: _Order, receive_time_ns: int) -> OrderUpdate:
    said = order.description
    return OrderUpdate(
        "" if said is None else said.pair,
        receive_time_ns,
        seconds_ns(order.updated) if order.updated else None,
        order_id,
        order.client_order_id or "",
        None if said is None else (_BUY if said.side == "buy" else _SELL),
        "" if said is None else said.price,
        order.size,
        order.filled_size,
        order.status,
    )


def subscribed(name: str, pair: str, receive_time_ns: int) -> Subscribed:
    """Return what the name of a channel says: its kind and, of a book, its depth (rule 3)."""
    kind, _, depth = name.partition("-")
    return Subscribed(
        pair,
        receive_time_ns,
        None,
        _CHANNELS.get(kind),
        _depth(depth) if kind == "book" else None,
        "",
        f"{name}:{pair}" if pair else name,
    )


def _depth(text: str) -> int:
    if not text:
        return DEPTH_DEFAULT
    depth = int(text) if len(text) <= 6 and text.isdecimal() else 0
    if not 1 <= depth <= DEPTH_MAX:
        raise ValueError(f"{text[:48]!r} is no depth")
    return depth


_CHANNELS = {
    "book": Channel.BOOK,
    "trade": Channel.TRADES,
    "spread": Channel.QUOTES,
    "ticker": Channel.TICKERS,
    "openOrders": Channel.ORDER,
}


def passed_over(payload: bytes, name: str, receive_time_ns: int) -> Sequence[Event]:
    """Return the notice of a channel that is not read.

    Raises:
        ValueError, msgspec.MsgspecError: it is no message of a channel.
    """
    first = _ANY_MESSAGE.decode(payload).first
    if type(first) is not int and type(first) is not list:
        raise ValueError("an array that is no message of a channel")
    return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, name),)
