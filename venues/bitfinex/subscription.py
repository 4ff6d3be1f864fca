"""Bitfinex' words for a channel of a symbol, in requests and in their answers.

    {"event":"subscribe","channel":"book","symbol":"tBTCUSD","prec":"P0","freq":"F0","len":"100"}
    {"event":"subscribed","channel":"book","chanId":232957,"symbol":"tBTCUSD","prec":"P0",
     "freq":"F0","len":"100","pair":"BTCUSD"}
    {"event":"subscribe","channel":"status","key":"liq:global"}
    {"event":"conf","flags":229376}          {"event":"conf","status":"OK","flags":229376}
    {"event":"info","code":20051,"msg":"Stopping. Please try to reconnect"}
    {"event":"error","msg":"symbol: invalid","code":10300,"channel":"ticker","symbol":"tX"}
    {"event":"ping","cid":7}                 {"event":"pong","cid":7,"ts":1511545528111}

A topic is `book/tBTCUSD/P0/F0/100`, `trades/tBTCUSD`, `ticker/tBTCUSD`, `status/liq:global` or
`status/deriv:tBTCF0:USTF0`: the same whether it is read from a request or from its answer.
"""

from __future__ import annotations

import msgspec
from msgspec import field

from venues.channel import Channel
from venues.event import Subscribed
from venues.wire import Counter

LIQUIDATIONS_KEY = "liq:global"
DERIVATIVE_KEY = "deriv:"
BOOK_PRECISION = "P0"


class EventMessage(msgspec.Struct, gc=False):
    """Any message with an `event`, a client's or the exchange's."""

    event: str
    channel: str = ""
    symbol: str = ""
    key: str = ""
    channel_id: Counter | None = field(name="chanId", default=None)
    precision: str = field(name="prec", default=BOOK_PRECISION)
    frequency: str = field(name="freq", default="F0")
    length: str | int = field(name="len", default="25")
    code: int | None = None
    message: str = field(name="msg", default="")
    status: str = ""
    flags: int = 0
    request_id: int | str | None = field(name="cid", default=None)
    version: int | None = None


EVENT_MESSAGE = msgspec.json.Decoder(EventMessage)


def topic_of(message: EventMessage) -> str:
    """Return the topic that a request or its answer is about."""
    if message.channel == "book":
        book = (message.symbol, message.precision, message.frequency, str(message.length))
        return "/".join(("book", *book))
    return f"{message.channel}/{message.key or message.symbol}"


def subscribed_event(message: EventMessage, receive_time_ns: int) -> Subscribed | None:
    """Return what a `subscribed` answer says; None where it names no channel id."""
    if message.channel_id is None:
        return None
    channel, symbol = _meaning(message)
    depth = None
    if channel is Channel.BOOK and str(message.length).isdecimal():
        depth = int(str(message.length)[:6])
    return Subscribed(
        symbol,
        receive_time_ns,
        None,
        channel,
        depth,
        str(message.channel_id),
        topic_of(message),
    )


def _meaning(message: EventMessage) -> tuple[Channel | None, str]:
    """Return what will come, and of which symbol; no channel where it is not read here."""
    word, symbol = message.channel, message.symbol
    if word == "status":
        if message.key == LIQUIDATIONS_KEY:
            return Channel.LIQUIDATIONS, ""
        if message.key.startswith(DERIVATIVE_KEY):
            return Channel.TICKERS, message.key.removeprefix(DERIVATIVE_KEY)
        return None, symbol
    if not symbol.startswith("t"):
        # Funding (fUSD): rows of other columns.
        return None, symbol
    if word == "book":
        return (Channel.BOOK if message.precision == BOOK_PRECISION else None), symbol
    if word == "trades":
        return Channel.TRADES, symbol
    return (Channel.TICKERS if word == "ticker" else None), symbol
