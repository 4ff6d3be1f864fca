"""What Upbit's messages are, and the events they become.

They come in binary frames, and each in two spellings, by the `format` that was asked for:

    {"ty":"orderbook","cd":"KRW-BTC","tms":1790134773006,"tas":0.48514983,"tbs":2.2403413,
     "obu":[{"ap":116606000,"bp":116534000,"as":0.06288509,"bs":7.9276E-4}],"st":"SNAPSHOT","lv":0}
    {"type":"orderbook","code":"KRW-BTC","timestamp":1790134742106,"total_ask_size":2.51469375,
     "total_bid_size":1.63815297,"orderbook_units":[{"ask_price":1.16539E8,"bid_price":1.16538E8,
     "ask_size":0.02054761,"bid_size":0.08120946}],"stream_type":"SNAPSHOT","level":0}
    {"ty":"trade","cd":"KRW-BTC","tms":1790134743100,"tp":116538000,"tv":0.0012,"ab":"ASK",
     "ttms":1790134743066,"sid":17901347430660000,"st":"REALTIME"}
    {"ty":"myOrder","cd":"KRW-BTC","uid":"ac2d…","ab":"BID","s":"trade","p":116538000,"v":0.1,
     "rv":0.4,"ev":0.1,"id":"mine-1","tms":1710751597500}
    {"ty":"myAsset","ast":[{"cu":"KRW","b":1386929.37,"l":10329.67}],"tms":1710146517267}
    {"status":"UP"}
    {"error":{"name":"WRONG_FORMAT","message":"Format 이 맞지 않습니다."}}

1. Every order book message is the whole book, as deep as was asked for. Nothing is numbered.
2. A side with fewer orders than that is filled up with zeros, which are left out.
3. Prices and sizes are JSON numbers, some with an exponent: their digits are kept as they are.
4. `ab` is the taker's side: ASK sold. A trade of stream type SNAPSHOT was before the subscription.
5. `sid` tells trades apart, and comes out of order now and then: it counts nothing.
6. Of an order of state `trade`, price and volume are the fill's: its price is left out, and its
   size is what was filled and what is left of it.
7. `b` is what can be spent, `l` what orders hold: the balance is both.

Exchange times: of a trade `ttms`, of all else `tms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import field

from venues.event import (
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
    WalletUpdate,
)
from venues.wire import NS_PER_MS, Counter, Milliseconds, exact_sum, number_text

_BUY, _SELL = Side.BUY, Side.SELL
_SideWord = Literal["ASK", "BID"]
_ZEROS = frozenset(("0", "0.0", "0E0", "0.00000000"))
_LOGIN_ERRORS = frozenset(("INVALID_AUTH",))


_SHORT_NAMES = {
    "type": "ty",
    "code": "cd",
    "timestamp": "tms",
    "orderbook_units": "obu",
    "ask_price": "ap",
    "bid_price": "bp",
    "ask_size": "as",
    "bid_size": "bs",
    "trade_price": "tp",
    "trade_volume": "tv",
    "ask_bid": "ab",
    "trade_timestamp": "ttms",
    "sequential_id": "sid",
    "stream_type": "st",
    "uuid": "uid",
    "state": "s",
    "price": "p",
    "remaining_volume": "rv",
    "executed_volume": "ev",
    "identifier": "id",
    "assets": "ast",
    "currency": "cu",
    "balance": "b",
    "locked": "l",
}
"""The names of the one spelling by those of the other."""


class _Unit(msgspec.Struct, gc=False):
    ask_price: Any = field(name="ap")
    bid_price: Any = field(name="bp")
    ask_size: Any = field(name="as")
    bid_size: Any = field(name="bs")


class _Named(msgspec.Struct, gc=False, tag_field="ty"):
    time_ms: Milliseconds = field(name="tms")


class _Book(_Named, gc=False, tag="orderbook"):
    symbol: str = field(name="cd")
    units: list[_Unit] = field(name="obu")


class _TradeMessage(_Named, gc=False, tag="trade"):
    symbol: str = field(name="cd")
    price: Any = field(name="tp")
    size: Any = field(name="tv")
    taker_side: _SideWord = field(name="ab")
    trade_time_ms: Milliseconds = field(name="ttms")
    trade_id: Counter = field(name="sid")
    stream: str = field(name="st", default="REALTIME")


class _TickerMessage(_Named, gc=False, tag="ticker"):
    symbol: str = field(name="cd")
    price: Any = field(name="tp")


class _Order(_Named, gc=False, tag="myOrder"):
    symbol: str = field(name="cd")
    order_id: str = field(name="uid")
    side: _SideWord = field(name="ab")
    state: str = field(name="s")
    remaining: Any = field(name="rv")
    executed: Any = field(name="ev")
    price: Any = field(name="p", default=None)
    client_order_id: str | None = field(name="id", default=None)


class _Asset(msgspec.Struct, gc=False):
    coin: str = field(name="cu")
    free: Any = field(name="b")
    locked: Any = field(name="l")


class _Assets(_Named, gc=False, tag="myAsset"):
    assets: list[_Asset] = field(name="ast")


_Message = _Book | _TradeMessage | _TickerMessage | _Order | _Assets


class _Refusal(msgspec.Struct, gc=False):
    name: str = ""
    message: str = ""


class _Head(msgspec.Struct, gc=False):
    short_type: str = field(name="ty", default="")
    long_type: str = field(name="type", default="")
    status: str = ""
    error: _Refusal | None = None


class _Instrument(msgspec.Struct, gc=False):
    market: str
    tick_size: str


_MESSAGE = msgspec.json.Decoder(_Message, float_hook=str)
_ANY = msgspec.json.Decoder(float_hook=str)
_HEAD = msgspec.json.Decoder(_Head)
_INSTRUMENTS = msgspec.json.Decoder(list[_Instrument])
_TYPES = frozenset(("orderbook", "trade", "ticker", "myOrder", "myAsset"))


def message_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the events of a message.

    Raises:
        msgspec.MsgspecError, ValueError, RecursionError: it is no such message.
    """
    try:
        message = _MESSAGE.decode(payload)
    except msgspec.ValidationError:
        return _other_events(payload, receive_time_ns)
    return _events(message, receive_time_ns)


def read_notice(payload: bytes, receive_time_ns: int = 0) -> Notice | None:
    """Return what a message says of the connection; None for all else.

    Raises:
        msgspec.MsgspecError, RecursionError: the bytes are no JSON object.
    """
    return _notice(_HEAD.decode(payload), receive_time_ns)


def _notice(head: _Head, receive_time_ns: int) -> Notice | None:
    if head.status:
        return Notice("", receive_time_ns, None, NoticeKind.HEARTBEAT, head.status)
    if head.error is None:
        return None
    refused = head.error.name in _LOGIN_ERRORS
    kind = NoticeKind.LOGIN_REFUSED if refused else NoticeKind.REJECTED
    text = f"{head.error.name}: {head.error.message}"
    return Notice("", receive_time_ns, None, kind, text)


def _other_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    head = _HEAD.decode(payload)
    notice = _notice(head, receive_time_ns)
    if notice is not None:
        return (notice,)
    if head.long_type in _TYPES:
        message = msgspec.convert(_short(_ANY.decode(payload)), _Message)
        return _events(message, receive_time_ns)
    text = head.short_type or head.long_type
    if not text or text in _TYPES:
        # What is wrong with it is said by the decoder that refused it.
        _MESSAGE.decode(payload)
    return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, text),)


def _short(value: Any) -> Any:  # noqa: ANN401  any JSON at all
    """Return a message of the long spelling in the short one."""
    if isinstance(value, list):
        return [_short(item) for item in value]
    if isinstance(value, dict):
        return {_SHORT_NAMES.get(name, name): _short(item) for name, item in value.items()}
    return value


def _events(message: _Message, receive_time_ns: int) -> Sequence[Event]:
    if isinstance(message, _Book):
        return (_book_event(message, receive_time_ns),)
    if isinstance(message, _TradeMessage):
        return (_trade_event(message, receive_time_ns),)
    time_ns = message.time_ms * NS_PER_MS
    if isinstance(message, _Assets):
        return [_wallet_event(asset, receive_time_ns, time_ns) for asset in message.assets]
    if isinstance(message, _Order):
        return (_order_event(message, receive_time_ns),)
    price = number_text(message.price)
    return (Ticker(message.symbol, receive_time_ns, time_ns, price),)


def _book_event(message: _Book, receive_time_ns: int) -> Event:
    text = number_text
    bids: list[Row] = []
    asks: list[Row] = []
    for unit in message.units:
        bid, ask = (text(unit.bid_price), text(unit.bid_size)), text(unit.ask_price)
        # Rule 2.
        if bid[0] not in _ZEROS:
            bids.append(bid)
        if ask not in _ZEROS:
            asks.append((ask, text(unit.ask_size)))
    # Rule 1.
    return BookSnapshot(message.symbol, receive_time_ns, message.time_ms * NS_PER_MS, bids, asks)


def _trade_event(message: _TradeMessage, receive_time_ns: int) -> Event:
    return Trade(
        message.symbol,
        receive_time_ns,
        message.trade_time_ms * NS_PER_MS,
        number_text(message.price),
        number_text(message.size),
        # Rule 4.
        _SELL if message.taker_side == "ASK" else _BUY,
        str(message.trade_id),
        history=message.stream == "SNAPSHOT",
    )


def _order_event(message: _Order, receive_time_ns: int) -> Event:
    executed, remaining = number_text(message.executed), number_text(message.remaining)
    # Rule 6.
    told = message.price is not None and message.state != "trade"
    return OrderUpdate(
        message.symbol,
        receive_time_ns,
        message.time_ms * NS_PER_MS,
        message.order_id,
        message.client_order_id or "",
        _SELL if message.side == "ASK" else _BUY,
        number_text(message.price) if told else "",
        exact_sum(executed, remaining),
        executed,
        message.state,
    )


def _wallet_event(asset: _Asset, receive_time_ns: int, time_ns: int) -> Event:
    free, locked = number_text(asset.free), number_text(asset.locked)
    # Rule 7.
    return WalletUpdate(asset.coin, receive_time_ns, time_ns, exact_sum(free, locked), free)


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return what `/v1/orderbook/instruments` says: price steps, as they are at today's prices.

    Raises:
        msgspec.MsgspecError: it is no such answer.
    """
    return [
        Instrument(one.market, receive_time_ns, None, one.tick_size, None)
        for one in _INSTRUMENTS.decode(body)
    ]
