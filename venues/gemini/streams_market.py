"""What the messages of ws.gemini.com are, and the events they become.

    {"e":"depthUpdate","E":1789456740173524809,"s":"avaxgusdperp","U":1764527605191349,
     "u":1764527605191349,"b":[["7.487000","140.40000"]],"a":[["7.503000","142.60000"]]}
    {"e":"depthUpdate","E":1789456742362015387,"s":"ethgusdperp","U":1764527605192686,
     "u":1764527605192712,"b":[["2482.5500","1.047"]],"a":[]}
    {"E":1789456742187316000,"s":"btcusd","t":2840140956529623,"p":"77303.50","q":"0.25","m":true}
    {"u":1764527605192164,"E":1789456742187316000,"s":"btcusd","b":"77303.50","B":"0.25",
     "a":"77303.60","A":"1.00"}
    {"e":"markPrice","E":1789456746446652397,"s":"btcgusdperp","p":"77303.727","i":"7725880.833"}
    {"id":1,"status":200}
    {"id":4,"status":400,"error":{"code":-1013,"msg":"Invalid stream name: nosuch@depth@100ms"}}
    {"e":"orderUpdate","E":1700000000000000000,"s":"btcusd","i":12345,"c":"client-1","S":"BUY",
     "o":"LIMIT","X":"PARTIALLY_FILLED","p":"1000.00","q":"0.25","z":"0.20","Z":"0.05",
     "T":1700000000000000001}
    {"e":"balanceUpdate","E":1700000000000000000,"u":1700000000000000001,
     "B":[{"a":"USD","f":"100.00","c":"100.00"}]}

1. A depth message with `U` equal to `u` is the whole book: the first of a subscription. Of any
   other `U` is below `u`. (The specification says of the first that it is the first, and no more;
   that its ids are equal was seen of every one, of 13 symbols, twice.)
2. Of any other, `U` is the last one's `u` (5,489 of 5,489 were), as ids are shared by all symbols.
   The specification lets it be lower, which was never seen: that would be told as a gap.
3. Sizes are absolute, zero deletes.
4. `m` true: the buyer was the maker, so the aggressor sold.
5. A trade, a quote and a partial book have no `e`: they are known by `t`, `u` and `lastUpdateId`.
6. Symbols are told in lower case by streams, in upper case by events of accounts: read in lower.
7. Of an order, `z` is what is left; `Z` is what the last fill filled, and in other messages than
   fills what all of them did. What is empty or zero may be left out.
8. The index in `markPrice` has a scale of its own for each symbol, told nowhere: it is left out.

Exchange times: `E`, in ns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

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
    PositionUpdate,
    Quote,
    Row,
    Side,
    Ticker,
    Trade,
    WalletUpdate,
)
from venues.wire import Counter, Nanoseconds, exact_number, number_text

PING_ID = "ping"
"""The request id of our heartbeats, by which their answers are known."""

_OK = 200
_BUY, _SELL = Side.BUY, Side.SELL
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_FILLS = frozenset(("FILLED", "PARTIALLY_FILLED"))


class _Message(msgspec.Struct, gc=False):
    """A message of a public stream, of any of them: the kind shows in what is there."""

    symbol: str = field(name="s")
    time_ns: Nanoseconds = field(name="E")
    event: str | None = field(name="e", default=None)
    first_id: Counter | None = field(name="U", default=None)
    last_id: Counter | None = field(name="u", default=None)
    bids: list[Row] | str = field(name="b", default="")
    asks: list[Row] | str = field(name="a", default="")
    bid_size: str = field(name="B", default="")
    ask_size: str = field(name="A", default="")
    trade_id: Counter | None = field(name="t", default=None)
    price: str = field(name="p", default="")
    size: str = field(name="q", default="")
    buyer_made: bool | None = field(name="m", default=None)


class _Order(msgspec.Struct, gc=False):
    symbol: str = field(name="s")
    time_ns: Nanoseconds = field(name="E")
    order_id: int | str = field(name="i")
    status: str = field(name="X")
    client_order_id: str = field(name="c", default="")
    side: str = field(name="S", default="")
    price: str = field(name="p", default="")
    size: str = field(name="q", default="")
    leaves: str = field(name="z", default="0")
    executed: str = field(name="Z", default="0")


class _Balance(msgspec.Struct, gc=False):
    coin: str = field(name="a")
    free: str = field(name="f")
    balance: str = field(name="c")


class _Balances(msgspec.Struct, gc=False):
    time_ns: Nanoseconds = field(name="E")
    balances: list[_Balance] = field(name="B")


class _Named(msgspec.Struct, gc=False):
    name: str = field(name="t")
    value: str = field(name="v")


class _Position(msgspec.Struct, gc=False):
    symbol: str = field(name="s")
    values: list[_Named] = field(name="a")


class _Positions(msgspec.Struct, gc=False):
    time_ns: Nanoseconds = field(name="E")
    positions: list[_Position] = field(name="P")


class _Refusal(msgspec.Struct, gc=False):
    code: int | str = ""
    msg: str = ""


class _Head(msgspec.Struct, gc=False):
    event: str | None = field(name="e", default=None)
    id: int | str | None = None
    status: int | None = None
    error: _Refusal | None = None
    book_id: int | None = field(name="lastUpdateId", default=None)
    symbol: str = ""


class _Details(msgspec.Struct, gc=False):
    symbol: str
    lot_size: Any = field(name="tick_size")
    tick_size: Any = field(name="quote_increment")


_MESSAGE = msgspec.json.Decoder(_Message)
_HEAD = msgspec.json.Decoder(_Head)
_ORDER = msgspec.json.Decoder(_Order)
_BALANCES = msgspec.json.Decoder(_Balances)
_POSITIONS = msgspec.json.Decoder(_Positions)
_DETAILS = msgspec.json.Decoder(_Details, float_hook=str)


def message_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the events of a message.

    Raises:
        msgspec.MsgspecError, ValueError, RecursionError: it is no such message.
    """
    try:
        message = _MESSAGE.decode(payload)
    except msgspec.ValidationError:
        return _other_events(payload, receive_time_ns)
    if message.event == "depthUpdate":
        return (_book_event(message, receive_time_ns),)
    if message.trade_id is not None and message.event in (None, "trade"):
        return (_trade_event(message, receive_time_ns),)
    if message.event is None and message.last_id is not None:
        return (_quote_event(message, receive_time_ns),)
    if message.event == "markPrice":
        # Rule 8.
        symbol = message.symbol.lower()
        return (Ticker(symbol, receive_time_ns, message.time_ns, None, message.price or None),)
    return _other_events(payload, receive_time_ns)


def read_notice(payload: bytes, receive_time_ns: int = 0) -> Notice | None:
    """Return what a message says of the connection; None for all else.

    Raises:
        msgspec.MsgspecError, RecursionError: the bytes are no JSON object.
    """
    return _notice(_HEAD.decode(payload), receive_time_ns)


def _notice(head: _Head, receive_time_ns: int) -> Notice | None:
    if head.status is None:
        return None
    text = f"request {head.id}"
    if head.status != _OK:
        kind = NoticeKind.REJECTED
        if head.error is not None:
            text = f"{head.error.msg} (code {head.error.code})"
    elif head.id == PING_ID:
        kind, text = NoticeKind.HEARTBEAT, ""
    else:
        kind = NoticeKind.ACKNOWLEDGED
    return Notice("", receive_time_ns, None, kind, text)


def _other_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    head = _HEAD.decode(payload)
    notice = _notice(head, receive_time_ns)
    if notice is not None:
        return (notice,)
    reader = _ACCOUNT_READERS.get(head.event or "")
    if reader is not None:
        return reader(payload, receive_time_ns)
    partial = head.book_id is not None and head.symbol
    if head.event in (None, "depthUpdate", "trade", "markPrice") and not partial:
        # What is wrong with it is said by the decoder that refused it.
        _MESSAGE.decode(payload)
        raise ValueError("it is no message of a stream")
    text = head.event or "partial depth"
    return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, text),)


def _book_event(message: _Message, receive_time_ns: int) -> Event:
    bids, asks, first, last = message.bids, message.asks, message.first_id, message.last_id
    if isinstance(bids, str) or isinstance(asks, str) or first is None or last is None:
        raise ValueError("a depth update without levels or ids")
    symbol = message.symbol.lower()
    if first == last:
        # Rule 1.
        return BookSnapshot(symbol, receive_time_ns, message.time_ns, bids, asks, last)
    # Rule 2.
    return BookDelta(symbol, receive_time_ns, message.time_ns, bids, asks, last, last, first)


def _trade_event(message: _Message, receive_time_ns: int) -> Event:
    if message.buyer_made is None or not message.price or not message.size:
        raise ValueError("a trade without its side, price or size")
    return Trade(
        message.symbol.lower(),
        receive_time_ns,
        message.time_ns,
        message.price,
        message.size,
        # Rule 4.
        _SELL if message.buyer_made else _BUY,
        str(message.trade_id),
    )


def _quote_event(message: _Message, receive_time_ns: int) -> Event:
    bid, ask = message.bids, message.asks
    if not isinstance(bid, str) or not isinstance(ask, str):
        raise ValueError("a quote with levels")  # noqa: TRY004  it is of the wire
    return Quote(
        message.symbol.lower(),
        receive_time_ns,
        message.time_ns,
        bid,
        message.bid_size if bid else "",
        ask,
        message.ask_size if ask else "",
    )


def _order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    order = _ORDER.decode(payload)
    filled = order.executed
    if order.status in _FILLS and order.size:
        # Rule 7.
        filled = f"{exact_number(order.size) - exact_number(order.leaves):f}"
    return (
        OrderUpdate(
            order.symbol.lower(),
            receive_time_ns,
            order.time_ns,
            str(order.order_id),
            order.client_order_id,
            _SIDES.get(order.side),
            order.price,
            order.size,
            filled,
            order.status,
        ),
    )


def _wallet_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    message = _BALANCES.decode(payload)
    return [
        WalletUpdate(one.coin, receive_time_ns, message.time_ns, one.balance, one.free)
        for one in message.balances
    ]


def _position_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    message = _POSITIONS.decode(payload)
    return [
        _position(row.symbol.lower(), receive_time_ns, message.time_ns, named.value)
        for row in message.positions
        for named in row.values
        if named.name == "position"
    ]


def _position(symbol: str, receive_time_ns: int, time_ns: int, signed: str) -> Event:
    size = signed.removeprefix("-")
    side = None if exact_number(size) == 0 else _BUY if size == signed else _SELL
    return PositionUpdate(symbol, receive_time_ns, time_ns, side, size, "")


_ACCOUNT_READERS: dict[str, Callable[[bytes, int], Sequence[Event]]] = {
    "orderUpdate": _order_events,
    "balanceUpdate": _wallet_events,
    "positionReport": _position_events,
}


def instrument_events(body: bytes, receive_time_ns: int, symbol: str) -> Sequence[Event]:
    """Return what `/v1/symbols/details/btcusd` says; `symbol` is the venue's own spelling.

    What it calls `tick_size` is the step of sizes. Steps come as numbers such as 1E-8.

    Raises:
        msgspec.MsgspecError, ValueError: it is no such answer.
    """
    details = _DETAILS.decode(body)
    tick_size, lot_size = _plain(details.tick_size), _plain(details.lot_size)
    return (Instrument(symbol or details.symbol, receive_time_ns, None, tick_size, lot_size),)


def _plain(token: object) -> str:
    return f"{Decimal(exact_number(number_text(token))):f}"
