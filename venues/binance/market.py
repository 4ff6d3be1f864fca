"""What Binance's messages are, and the events they become.

A stream's message is an object that names itself in `e`; only the spot bookTicker does not. At
`/stream` it is wrapped as `{"stream": …, "data": …}`, at `/ws` it comes bare. Field names are one
letter, upper and lower case being different ones: the attributes here say what they mean.

    {"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,
     "u":5123107837557,"pu":5123107831937,"b":[["58710.20","0.014"]],"a":[]}
    {"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30",
     "q":"0.006","X":"MARKET","m":false}
    {"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000",
     "A":"1.54698000"}
    {"e":"forceOrder","E":1568014460893,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC",
     "q":"0.014","p":"9910","ap":"9910","X":"FILLED","l":"0.014","z":"0.014","T":1568014460893}}

Exchange times: of a trade and a liquidation `T`, when it was matched; of all others `E`, when the
message was made, as spot gives no other. A spot bookTicker has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import field

from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    Quote,
    Row,
    Side,
    Ticker,
    Trade,
)
from venues.wire import NS_PER_MS, Counter, Milliseconds, exact_number, exact_product

Notional = Callable[[str, str, str], Decimal]
"""A contract rule: symbol, price and size to the notional in quote currency."""

_BUY, _SELL = Side.BUY, Side.SELL


class DepthUpdate(msgspec.Struct, gc=False, tag_field="e", tag="depthUpdate"):
    """A book delta over the update ids first..last; futures also name the last id before them."""

    symbol: str = field(name="s")
    event_time_ms: Milliseconds = field(name="E")
    first_update_id: Counter = field(name="U")
    last_update_id: Counter = field(name="u")
    bids: list[Row] = field(name="b")
    asks: list[Row] = field(name="a")
    previous_update_id: Counter | None = field(name="pu", default=None)


class TradeMessage(msgspec.Struct, gc=False, tag_field="e", tag="trade"):
    """One trade. `order_type` other than MARKET is no trade of the open market (futures)."""

    symbol: str = field(name="s")
    trade_time_ms: Milliseconds = field(name="T")
    trade_number: Counter = field(name="t")
    price: str = field(name="p")
    size: str = field(name="q")
    buyer_is_maker: bool = field(name="m")
    order_type: str = field(name="X", default="MARKET")


class AggregateTrade(msgspec.Struct, gc=False, tag_field="e", tag="aggTrade"):
    """The trades of one taker order at one price, summed up; `aggregate_number` counts these."""

    symbol: str = field(name="s")
    trade_time_ms: Milliseconds = field(name="T")
    aggregate_number: Counter = field(name="a")
    price: str = field(name="p")
    size: str = field(name="q")
    buyer_is_maker: bool = field(name="m")


class UntaggedQuote(msgspec.Struct, gc=False):
    """A spot bookTicker: it alone does not name itself."""

    symbol: str = field(name="s")
    update_id: Counter = field(name="u")
    bid_price: str = field(name="b")
    bid_size: str = field(name="B")
    ask_price: str = field(name="a")
    ask_size: str = field(name="A")
    event_time_ms: Milliseconds | None = field(name="E", default=None)


class QuoteMessage(UntaggedQuote, gc=False, tag_field="e", tag="bookTicker"):
    """A bookTicker of the futures; `update_id` is an id of the depth stream's numbering."""


class ForcedOrder(msgspec.Struct, gc=False):
    """The order that closes a liquidated position: its side is not the position's."""

    symbol: str = field(name="s")
    order_side: Literal["BUY", "SELL"] = field(name="S")
    average_price: str = field(name="ap")
    filled_size: str = field(name="z")
    trade_time_ms: Milliseconds = field(name="T")


class ForceOrder(msgspec.Struct, gc=False, tag_field="e", tag="forceOrder"):
    """A liquidation order's state."""

    order: ForcedOrder = field(name="o")


class MarkPrice(msgspec.Struct, gc=False, tag_field="e", tag="markPriceUpdate"):
    """Mark price, index price and funding rate; delivery contracts send an empty funding rate."""

    symbol: str = field(name="s")
    event_time_ms: Milliseconds = field(name="E")
    mark_price: str = field(name="p")
    index_price: str = field(name="i", default="")
    funding_rate: str = field(name="r", default="")


class DayTicker(msgspec.Struct, gc=False, tag_field="e", tag="24hrTicker"):
    """Statistics of the last 24 h, of which the last price is taken."""

    symbol: str = field(name="s")
    event_time_ms: Milliseconds = field(name="E")
    last_price: str = field(name="c")


class ServerShutdown(msgspec.Struct, gc=False, tag_field="e", tag="serverShutdown"):
    """The exchange will cut the connection: reconnect at once."""

    event_time_ms: Milliseconds | None = field(name="E", default=None)


Message = (
    QuoteMessage
    | DepthUpdate
    | TradeMessage
    | AggregateTrade
    | ForceOrder
    | MarkPrice
    | DayTicker
    | ServerShutdown
)


class WrappedMessage(msgspec.Struct, gc=False):
    """A message as `/stream` sends it. The stream's name adds nothing: the data name themselves."""

    data: Message


class WrappedQuote(msgspec.Struct, gc=False):
    """A spot bookTicker as `/stream` sends it."""

    data: UntaggedQuote


class DepthSnapshot(msgspec.Struct, gc=False):
    """The REST answer that states a book; futures add times, COIN-M the symbol too."""

    last_update_id: Counter = field(name="lastUpdateId")
    bids: list[Row]
    asks: list[Row]
    event_time_ms: Milliseconds | None = field(name="E", default=None)
    symbol: str = ""


WRAPPED_MESSAGE = msgspec.json.Decoder(WrappedMessage)
WRAPPED_QUOTE = msgspec.json.Decoder(WrappedQuote)
MESSAGE = msgspec.json.Decoder(Message)
UNTAGGED_QUOTE = msgspec.json.Decoder(UntaggedQuote)
DEPTH_SNAPSHOT = msgspec.json.Decoder(DepthSnapshot)

EVENT_NAMES = frozenset(
    str(kind.__struct_config__.tag)
    for kind in (
        QuoteMessage,
        DepthUpdate,
        TradeMessage,
        AggregateTrade,
        ForceOrder,
        MarkPrice,
        DayTicker,
        ServerShutdown,
    )
)


def message_events(
    message: UntaggedQuote | Message, receive_time_ns: int, notional: Notional
) -> Sequence[Event]:
    """Return the events of a message, the frequent kinds first and without a further call."""
    if isinstance(message, UntaggedQuote):
        time_ms = message.event_time_ms
        return (
            Quote(
                message.symbol,
                receive_time_ns,
                None if time_ms is None else time_ms * NS_PER_MS,
                message.bid_price,
                message.bid_size,
                message.ask_price,
                message.ask_size,
                message.update_id,
            ),
        )
    if isinstance(message, TradeMessage):
        number = message.trade_number
        return (
            Trade(
                message.symbol,
                receive_time_ns,
                message.trade_time_ms * NS_PER_MS,
                message.price,
                message.size,
                _SELL if message.buyer_is_maker else _BUY,
                str(number),
                number,
                False,
                message.order_type != "MARKET",
            ),
        )
    if isinstance(message, DepthUpdate):
        return (
            BookDelta(
                message.symbol,
                receive_time_ns,
                message.event_time_ms * NS_PER_MS,
                message.bids,
                message.asks,
                message.first_update_id,
                message.last_update_id,
                message.previous_update_id,
            ),
        )
    return _rare_events(message, receive_time_ns, notional)


def _rare_events(
    message: AggregateTrade | ForceOrder | MarkPrice | DayTicker | ServerShutdown,
    receive_time_ns: int,
    notional: Notional,
) -> Sequence[Event]:
    if isinstance(message, AggregateTrade):
        return (_aggregate_trade(message, receive_time_ns),)
    if isinstance(message, ForceOrder):
        return (_liquidation(message.order, receive_time_ns, notional),)
    if isinstance(message, ServerShutdown):
        time_ms = message.event_time_ms
        time_ns = None if time_ms is None else time_ms * NS_PER_MS
        kind = NoticeKind.WILL_DISCONNECT
        return (Notice("", receive_time_ns, time_ns, kind, "serverShutdown"),)
    time_ns = message.event_time_ms * NS_PER_MS
    if isinstance(message, DayTicker):
        return (Ticker(message.symbol, receive_time_ns, time_ns, message.last_price),)
    return (
        Ticker(
            message.symbol,
            receive_time_ns,
            time_ns,
            None,
            message.mark_price,
            message.index_price or None,
            message.funding_rate or None,
        ),
    )


def _aggregate_trade(trade: AggregateTrade, receive_time_ns: int) -> Trade:
    return Trade(
        trade.symbol,
        receive_time_ns,
        trade.trade_time_ms * NS_PER_MS,
        trade.price,
        trade.size,
        _SELL if trade.buyer_is_maker else _BUY,
        str(trade.aggregate_number),
        None,
        True,
    )


def _liquidation(order: ForcedOrder, receive_time_ns: int, notional: Notional) -> Liquidation:
    sells = order.order_side == "SELL"
    return Liquidation(
        order.symbol,
        receive_time_ns,
        order.trade_time_ms * NS_PER_MS,
        order.average_price,
        order.filled_size,
        LiquidatedSide.LONG if sells else LiquidatedSide.SHORT,
        order.order_side,
        notional(order.symbol, order.average_price, order.filled_size),
    )


def snapshot_event(body: bytes, symbol: str, receive_time_ns: int) -> BookSnapshot | None:
    """Return the event of a REST depth body; None where nobody says whose it is.

    The body's own word (COIN-M) counts before `symbol`, which is that of the request.

    Raises:
        msgspec.MsgspecError: it is no depth body.
    """
    depth = DEPTH_SNAPSHOT.decode(body)
    time_ms = depth.event_time_ms
    name = depth.symbol or symbol
    if not name:
        return None
    return BookSnapshot(
        name,
        receive_time_ns,
        None if time_ms is None else time_ms * NS_PER_MS,
        depth.bids,
        depth.asks,
        depth.last_update_id,
        None,
        True,
    )


def linear_notional(symbol: str, price_text: str, size_text: str) -> Decimal:
    """Return price times size: the contract rule of USD-M (and of spot, which has none)."""
    return exact_product(price_text, size_text)


def coin_notional(symbol: str, price_text: str, size_text: str) -> Decimal:
    """Return contracts times contract size: 100 USD for BTC, 10 USD for every other coin."""
    return exact_number(size_text) * (100 if symbol.startswith("BTCUSD") else 10)
