"""What Hyperliquid's messages are, and the events they become.

    {"channel":"l2Book","data":{"coin":"BTC","time":1703875200000,"levels":[[{"px":"98450.50",
     "sz":"2.5","n":3}],[{"px":"98451.00","sz":"1.5","n":2}]]}}
    {"channel":"bbo","data":{"coin":"BTC","time":1703875200000,"bbo":[{"px":"98450.50","sz":"2.5",
     "n":3},null]}}
    {"channel":"trades","data":[{"coin":"AVAX","side":"B","px":"18.435","sz":"93.53",
     "time":1703875200000,"tid":118906512037719,"hash":"0x01","users":["0x02","0x03"]}]}
    {"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"funding":"0.0000125",
     "openInterest":"688.11","oraclePx":"14.32","markPx":"14.3161"}}}

1. A book message states the whole book of 20 levels a side; what it does not name is not there.
2. `side` is the aggressor's: B buys, A (ask) sells.

Source: Hyperliquid docs, "Websocket: Subscriptions" (its `WsBook`, `WsTrade`, `WsBbo`,
`WsActiveAssetCtx`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import msgspec
from msgspec import field

from venues.event import (
    BookSnapshot,
    ContractKind,
    Event,
    Instrument,
    Quote,
    Row,
    Ticker,
    Trade,
)
from venues.hyperliquid import account
from venues.wire import NS_PER_MS, Counter, Milliseconds


class _Level(msgspec.Struct, gc=False):
    price: str = field(name="px")
    size: str = field(name="sz")


class Book(msgspec.Struct, gc=False):
    """The whole book of a coin; the REST answer has the same shape."""

    coin: str
    time_ms: Milliseconds = field(name="time")
    levels: tuple[list[_Level], list[_Level]]


class _Best(msgspec.Struct, gc=False):
    coin: str
    time_ms: Milliseconds = field(name="time")
    best: tuple[_Level | None, _Level | None] = field(name="bbo")


class _TradeRow(msgspec.Struct, gc=False):
    coin: str
    side: account.WireSide
    price: str = field(name="px")
    size: str = field(name="sz")
    time_ms: Milliseconds = field(name="time")
    trade_id: Counter = field(name="tid")


class _Context(msgspec.Struct, gc=False):
    funding_rate: str | None = field(name="funding", default=None)
    open_interest: str | None = field(name="openInterest", default=None)
    oracle_price: str | None = field(name="oraclePx", default=None)
    mark_price: str | None = field(name="markPx", default=None)


class _AssetContext(msgspec.Struct, gc=False):
    coin: str
    context: _Context = field(name="ctx")


class BookMessage(msgspec.Struct, gc=False, tag_field="channel", tag="l2Book"):
    """A push of the book."""

    data: Book


class BestMessage(msgspec.Struct, gc=False, tag_field="channel", tag="bbo"):
    """A push of the best bid and offer."""

    data: _Best


class TradesMessage(msgspec.Struct, gc=False, tag_field="channel", tag="trades"):
    """A push of trades."""

    data: list[_TradeRow]


class ContextMessage(msgspec.Struct, gc=False, tag_field="channel", tag="activeAssetCtx"):
    """A push of mark and oracle price, funding and open interest."""

    data: _AssetContext


Message = (
    BookMessage
    | BestMessage
    | TradesMessage
    | ContextMessage
    | account.OrdersMessage
    | account.AccountMessage
    | account.UserMessage
)
MESSAGE = msgspec.json.Decoder(Message)
CHANNELS = frozenset(
    ("l2Book", "bbo", "trades", "activeAssetCtx", "orderUpdates", "clearinghouseState", "user")
)


class _Asset(msgspec.Struct, gc=False):
    name: str
    size_decimals: int = field(name="szDecimals")


class _Universe(msgspec.Struct, gc=False):
    universe: list[_Asset]


_UNIVERSE = msgspec.json.Decoder(_Universe)
_REST_BOOK = msgspec.json.Decoder(Book)
_SIZE_DECIMALS_MAX = 30


def _rows(levels: list[_Level]) -> list[Row]:
    return [(level.price, level.size) for level in levels]


def book_event(book: Book, receive_time_ns: int) -> BookSnapshot:
    """Return the book that a message states (rule 1)."""
    bids, asks = book.levels
    return BookSnapshot(
        book.coin, receive_time_ns, book.time_ms * NS_PER_MS, _rows(bids), _rows(asks)
    )


def rest_book_event(body: bytes, receive_time_ns: int) -> BookSnapshot:
    """Return the book of an `l2Book` answer: nothing joins it to what the socket brings.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    event = book_event(_REST_BOOK.decode(body), receive_time_ns)
    return msgspec.structs.replace(event, unjoined=True)


def _best_events(message: BestMessage, receive_time_ns: int) -> Sequence[Event]:
    data = message.data
    bid, ask = data.best
    return (
        Quote(
            data.coin,
            receive_time_ns,
            data.time_ms * NS_PER_MS,
            bid.price if bid else "",
            bid.size if bid else "",
            ask.price if ask else "",
            ask.size if ask else "",
        ),
    )


def _trade_events(message: TradesMessage, receive_time_ns: int) -> Sequence[Event]:
    return [
        Trade(
            row.coin,
            receive_time_ns,
            row.time_ms * NS_PER_MS,
            row.price,
            row.size,
            account.SIDES[row.side],  # Rule 2.
            str(row.trade_id),
        )
        for row in message.data
    ]


def _context_events(message: ContextMessage, receive_time_ns: int) -> Sequence[Event]:
    context = message.data.context
    return (
        Ticker(
            message.data.coin,
            receive_time_ns,
            None,
            None,
            context.mark_price,
            context.oracle_price,
            context.funding_rate,
            context.open_interest,
        ),
    )


def _book_events(message: BookMessage, receive_time_ns: int) -> Sequence[Event]:
    return (book_event(message.data, receive_time_ns),)


READERS: Mapping[type, Callable[..., Sequence[Event]]] = {
    BookMessage: _book_events,
    BestMessage: _best_events,
    TradesMessage: _trade_events,
    ContextMessage: _context_events,
    account.OrdersMessage: account.order_events,
    account.AccountMessage: account.account_events,
    account.UserMessage: account.user_events,
}


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the perpetuals that a `meta` answer names.

    Prices have five significant digits, so that there is no one price step.

    Raises:
        msgspec.MsgspecError, ValueError: it is no such answer.
    """
    return [
        Instrument(
            asset.name, receive_time_ns, None, None, _step(asset.size_decimals), ContractKind.COIN
        )
        for asset in _UNIVERSE.decode(body).universe
    ]


def _step(decimals: int) -> str:
    if not 0 <= decimals <= _SIZE_DECIMALS_MAX:
        raise ValueError(f"{decimals} is no number of decimals")
    return f"{Decimal(1).scaleb(-decimals):f}"
