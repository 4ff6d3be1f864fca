"""What the messages of Kraken's spot protocol v2 are, and the events they become.

    {"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":78858.8,
     "qty":0.00000000},{"price":78857.0,"qty":0.34775324}],"asks":[],"checksum":2416540570,
     "timestamp":"2026-08-24T22:21:58.343688Z"}]}
    {"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":105944.20,
     "qty":0.00027625,"ord_type":"limit","trade_id":10218208,
     "timestamp":"2023-10-06T17:35:55.440295Z"}]}
    {"channel":"ticker","type":"snapshot","data":[{"symbol":"BTC/USD","bid":105944.20,"bid_qty":2.5,
     "ask":105944.30,"ask_qty":3.2,"last":105899.40,"timestamp":"2022-12-25T09:30:59.123456Z"}]}
    {"channel":"executions","type":"update","data":[{"order_id":"OK4GJX-KSTLS-7DZZO5",
     "symbol":"BTC/USD","order_qty":0.005,"cum_qty":0,"side":"sell","limit_price":26500.0,
     "order_status":"pending_new","timestamp":"2023-09-22T10:33:05.709950Z"}],"sequence":8}
    {"channel":"balances","type":"snapshot","data":[{"asset":"BTC","balance":1.2,"wallets":[{
     "type":"spot","id":"main","balance":1.2}]}],"sequence":1}

1. A book of type snapshot is the whole book, with a checksum of its own.
2. One of type update has changes, each with the new absolute size; 0 deletes. A price may come
   twice in one message: the rows are applied in order.
3. Of levels that fall out of the subscribed depth no delete is sent: the book is cut by us after
   every change (trait `depth_keeper`). No book message says the depth; the answer to the
   subscription does.
4. `checksum` is the CRC32 of the ten best asks and then the ten best bids after the message, price
   and size without the point and without leading zeros (trait `checksum`). Prices and sizes are
   JSON numbers whose trailing zeros count: they are kept as the tokens that were sent.
5. There are no sequence numbers. Ids of trades rise but leave some out (trades that one order made
   at one time come as one), so that they prove nothing.
6. Trades of a message of type snapshot are the past.

A wallet other than the main one is called `type/id/asset`. A ticker is a quote as well: it is asked
for on every change of the best bid and offer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import field

from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    OrderUpdate,
    Quote,
    Row,
    Side,
    Ticker,
    Trade,
    WalletUpdate,
)
from venues.wire import Crc32, iso_time_ns, number_text

_BUY, _SELL = Side.BUY, Side.SELL


class _Level(msgspec.Struct, gc=False):
    price: Any
    size: Any = field(name="qty")


class _Book(msgspec.Struct, gc=False):
    symbol: str
    bids: list[_Level]
    asks: list[_Level]
    checksum: Crc32 | None = None
    timestamp: str = ""


class _BookMessage(msgspec.Struct, gc=False):
    type: Literal["snapshot", "update"]
    data: list[_Book]


class _Trade(msgspec.Struct, gc=False):
    symbol: str
    side: Literal["buy", "sell"]
    price: Any
    size: Any = field(name="qty")
    trade_id: int
    timestamp: str


class _TradeMessage(msgspec.Struct, gc=False):
    type: Literal["snapshot", "update"]
    data: list[_Trade]


class _Ticker(msgspec.Struct, gc=False):
    symbol: str
    last: Any = None
    bid: Any = None
    bid_size: Any = field(name="bid_qty", default=None)
    ask: Any = None
    ask_size: Any = field(name="ask_qty", default=None)
    timestamp: str = ""


class _TickerMessage(msgspec.Struct, gc=False):
    data: list[_Ticker]


class _Execution(msgspec.Struct, gc=False):
    order_id: str
    symbol: str = ""
    client_order_id: str = field(name="cl_ord_id", default="")
    side: Literal["buy", "sell"] | None = None
    price: Any = field(name="limit_price", default="")
    size: Any = field(name="order_qty", default="")
    filled_size: Any = field(name="cum_qty", default="")
    status: str = field(name="order_status", default="")
    timestamp: str = ""


class _ExecutionMessage(msgspec.Struct, gc=False):
    data: list[_Execution]


class _Wallet(msgspec.Struct, gc=False):
    balance: Any
    type: str = ""
    id: str = ""


class _Balance(msgspec.Struct, gc=False):
    asset: str
    balance: Any
    wallets: list[_Wallet] = []
    wallet_type: str = ""
    wallet_id: str = ""
    timestamp: str = ""


class _BalanceMessage(msgspec.Struct, gc=False):
    data: list[_Balance]


_BOOK_MESSAGE = msgspec.json.Decoder(_BookMessage, float_hook=str)
_TRADE_MESSAGE = msgspec.json.Decoder(_TradeMessage, float_hook=str)
_TICKER_MESSAGE = msgspec.json.Decoder(_TickerMessage, float_hook=str)
_EXECUTION_MESSAGE = msgspec.json.Decoder(_ExecutionMessage, float_hook=str)
_BALANCE_MESSAGE = msgspec.json.Decoder(_BalanceMessage, float_hook=str)


def book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the snapshots (rule 1) or the changes (rule 2) in a book message."""
    message = _BOOK_MESSAGE.decode(payload)
    event = _snapshot if message.type == "snapshot" else _delta
    return [event(book, receive_time_ns) for book in message.data]


def _snapshot(book: _Book, receive_time_ns: int) -> Event:
    return BookSnapshot(
        book.symbol,
        receive_time_ns,
        _time_ns(book.timestamp),
        _rows(book.bids),
        _rows(book.asks),
        None,
        book.checksum,
    )


def _delta(book: _Book, receive_time_ns: int) -> Event:
    return BookDelta(
        book.symbol,
        receive_time_ns,
        _time_ns(book.timestamp),
        _rows(book.bids),
        _rows(book.asks),
        None,
        None,
        None,
        book.checksum,
    )


def _rows(levels: list[_Level]) -> list[Row]:
    # Rule 4. Most tokens are fractions, and so are texts already.
    return [
        (
            level.price if type(level.price) is str else number_text(level.price),
            level.size if type(level.size) is str else number_text(level.size),
        )
        for level in levels
    ]


def _time_ns(text: str) -> int | None:
    return iso_time_ns(text) if text else None


def trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the trades in a message; those of a snapshot are history (rule 6)."""
    message = _TRADE_MESSAGE.decode(payload)
    history = message.type == "snapshot"
    return [
        Trade(
            trade.symbol,
            receive_time_ns,
            iso_time_ns(trade.timestamp),
            number_text(trade.price),
            number_text(trade.size),
            _BUY if trade.side == "buy" else _SELL,
            str(trade.trade_id),
            None,  # rule 5
            False,
            False,
            history,
        )
        for trade in message.data
    ]


def ticker_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the ticker and the quote that a ticker message is."""
    events: list[Event] = []
    for ticker in _TICKER_MESSAGE.decode(payload).data:
        time_ns = _time_ns(ticker.timestamp)
        last = _said(ticker.last)
        events.append(Ticker(ticker.symbol, receive_time_ns, time_ns, last or None))
        bid, bid_size, ask, ask_size = map(
            _said, (ticker.bid, ticker.bid_size, ticker.ask, ticker.ask_size)
        )
        if bid or ask:
            events.append(
                Quote(ticker.symbol, receive_time_ns, time_ns, bid, bid_size, ask, ask_size)
            )
    return events


def order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the changes of our own orders; what an order's later messages leave out is ''."""
    return [
        OrderUpdate(
            report.symbol,
            receive_time_ns,
            _time_ns(report.timestamp),
            report.order_id,
            report.client_order_id,
            None if report.side is None else (_BUY if report.side == "buy" else _SELL),
            number_text(report.price),
            number_text(report.size),
            number_text(report.filled_size),
            report.status,
        )
        for report in _EXECUTION_MESSAGE.decode(payload).data
    ]


def wallet_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the balances of a snapshot, wallet by wallet, or of the one that changed."""
    events: list[Event] = []
    for row in _BALANCE_MESSAGE.decode(payload).data:
        time_ns = _time_ns(row.timestamp)
        for wallet in row.wallets or (_Wallet(row.balance, row.wallet_type, row.wallet_id),):
            name = _wallet_name(row.asset, wallet)
            balance = number_text(wallet.balance)
            events.append(WalletUpdate(name, receive_time_ns, time_ns, balance, ""))
    return events


def _wallet_name(asset: str, wallet: _Wallet) -> str:
    main = (wallet.type, wallet.id) in (("spot", "main"), ("", ""))
    return asset if main else f"{wallet.type}/{wallet.id}/{asset}"


def _said(token: object) -> str:
    return "" if token is None else number_text(token)
