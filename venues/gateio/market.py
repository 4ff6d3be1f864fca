"""What Gate.io's public messages are, and the events they become.

    {"time":1619093562,"channel":"spot.order_book_update","event":"update","result":{"t":
     1619093562998,"e":"depthUpdate","E":1619093562,"s":"DIS_USDT","U":1750488,"u":1750488,
     "b":[["121.5","0.148"],["73.5","0"]],"a":[]}}
    {"time":1678469222,"time_ms":1678469222982,"channel":"futures.order_book_update","event":"update",
     "result":{"t":1678469222617,"s":"BTC_USD","U":4010424331,"u":4010424361,
     "b":[{"p":"19860.7","s":5984},{"p":"19859.1","s":0}],"a":[{"p":"19900.5","s":0}]}}
    {"time":1619093543,"channel":"spot.trades","event":"update","result":{"id":816995772,
     "create_time":1619093543,"create_time_ms":"1619093543708.2642","side":"sell",
     "currency_pair":"DIS_USDT","amount":"0.2010000000","price":"121.5800000000"}}
    {"channel":"futures.trades","event":"update","time":1541503698,"result":[{"size":-108,"id":
     27753479,"create_time":1545136464,"create_time_ms":1545136464123,"price":"96.4",
     "contract":"BTC_USD"}]}
    {"channel":"futures.public_liquidates","event":"update","time":1541505434,"time_ms":1541505434123,
     "result":[{"price":"215.1","size":"-124.5","time":1541486601,"contract":"BTC_USDT"}]}

Book procedure of the exchange, of which the engine does steps 2 and 3 by the traits in `venue`:

1. Subscribe to `order_book_update` and keep its messages.
2. Fetch a snapshot by REST, with `id`. Drop messages with `u` <= id; the first one kept has
   `U` <= id + 1 <= `u`.
3. Each next one has `U` = the last `u` + 1.
4. A size is absolute; zero removes the level.
5. A message with `full` replaces the book. Books of the second version (`obu`) begin so, and go on
   as in step 3.
6. Sizes of futures are counted in contracts. They are whole numbers, cut off, unless the handshake
   asks for decimals (`X-Gate-Size-Decimal`): then they are texts.
7. The sign of a futures trade is the taker's side; that of a public liquidation is the side of the
   *order* that closes the position (minus: a long was liquidated), and its price is that order's.

Exchange times: of books and quotes `t`, of trades `create_time_ms`, of tickers the message's own.
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
    LiquidatedSide,
    Liquidation,
    Quote,
    Row,
    Side,
    Ticker,
    Trade,
)
from venues.wire import NS_PER_MS, NS_PER_S, Counter, Milliseconds, Seconds, number_text

_BUY, _SELL = Side.BUY, Side.SELL


class Level(msgspec.Struct, gc=False):
    """A level of a futures book."""

    price: str = field(name="p")
    size: Any = field(name="s")


class _SpotBook(msgspec.Struct, gc=False):
    symbol: str = field(name="s")
    last_sequence: Counter = field(name="u")
    first_sequence: Counter | None = field(name="U", default=None)
    bids: list[Row] = field(name="b", default_factory=list)
    asks: list[Row] = field(name="a", default_factory=list)
    time_ms: Milliseconds | None = field(name="t", default=None)
    full: bool = False


class _FuturesBook(msgspec.Struct, gc=False):
    symbol: str = field(name="s")
    last_sequence: Counter = field(name="u")
    first_sequence: Counter | None = field(name="U", default=None)
    bids: list[Level] = field(name="b", default_factory=list)
    asks: list[Level] = field(name="a", default_factory=list)
    time_ms: Milliseconds | None = field(name="t", default=None)
    full: bool = False


class _SecondBook(msgspec.Struct, gc=False):
    """A book of the second version: its stream is named `ob.SYMBOL.DEPTH`."""

    stream: str = field(name="s")
    last_sequence: Counter = field(name="u")
    first_sequence: Counter | None = field(name="U", default=None)
    bids: list[tuple[Any, Any]] = field(name="b", default_factory=list)
    asks: list[tuple[Any, Any]] = field(name="a", default_factory=list)
    time_ms: Milliseconds | None = field(name="t", default=None)
    full: bool = False


class _SpotBookMessage(msgspec.Struct, gc=False):
    result: _SpotBook


class _FuturesBookMessage(msgspec.Struct, gc=False):
    result: _FuturesBook


class _SecondBookMessage(msgspec.Struct, gc=False):
    result: _SecondBook


class _SpotTrade(msgspec.Struct, gc=False):
    trade_id: int = field(name="id")
    time_ms: Any = field(name="create_time_ms")
    side: Literal["buy", "sell"]
    symbol: str = field(name="currency_pair")
    size: str = field(name="amount")
    price: str


class _SpotTradeMessage(msgspec.Struct, gc=False):
    result: _SpotTrade


class _FuturesTrade(msgspec.Struct, gc=False):
    trade_id: int = field(name="id")
    time_ms: Milliseconds = field(name="create_time_ms")
    symbol: str = field(name="contract")
    size: Any
    price: Any
    internal: bool = field(name="is_internal", default=False)


class _FuturesTradeMessage(msgspec.Struct, gc=False):
    result: list[_FuturesTrade]


class _Liquidation(msgspec.Struct, gc=False):
    symbol: str = field(name="contract")
    size: Any
    price: Any
    time_ms: Milliseconds | None = None
    time_s: Seconds | None = field(name="time", default=None)


class _LiquidationMessage(msgspec.Struct, gc=False):
    result: list[_Liquidation]


class _Quote(msgspec.Struct, gc=False):
    symbol: str = field(name="s")
    bid: str = field(name="b")
    bid_size: Any = field(name="B")
    ask: str = field(name="a")
    ask_size: Any = field(name="A")
    sequence: Counter | None = field(name="u", default=None)
    time_ms: Milliseconds | None = field(name="t", default=None)


class _QuoteMessage(msgspec.Struct, gc=False):
    result: _Quote


class _SpotTicker(msgspec.Struct, gc=False):
    symbol: str = field(name="currency_pair")
    last: str | None = None


class _FuturesTicker(msgspec.Struct, gc=False):
    symbol: str = field(name="contract")
    last: str | None = None
    mark: str | None = field(name="mark_price", default=None)
    index: str | None = field(name="index_price", default=None)
    funding_rate: str | None = None
    open_interest: Any = field(name="total_size", default=None)


class _SpotTickerMessage(msgspec.Struct, gc=False):
    result: _SpotTicker
    time_s: Seconds | None = field(name="time", default=None)
    time_ms: Milliseconds | None = None


class _FuturesTickerMessage(msgspec.Struct, gc=False):
    result: list[_FuturesTicker]
    time_s: Seconds | None = field(name="time", default=None)
    time_ms: Milliseconds | None = None


_SPOT_BOOK = msgspec.json.Decoder(_SpotBookMessage)
_FUTURES_BOOK = msgspec.json.Decoder(_FuturesBookMessage, float_hook=str)
_SECOND_BOOK = msgspec.json.Decoder(_SecondBookMessage, float_hook=str)
_SPOT_TRADE = msgspec.json.Decoder(_SpotTradeMessage, float_hook=str)
_FUTURES_TRADE = msgspec.json.Decoder(_FuturesTradeMessage, float_hook=str)
_LIQUIDATIONS = msgspec.json.Decoder(_LiquidationMessage, float_hook=str)
_QUOTE = msgspec.json.Decoder(_QuoteMessage, float_hook=str)
_SPOT_TICKER = msgspec.json.Decoder(_SpotTickerMessage)
_FUTURES_TICKER = msgspec.json.Decoder(_FuturesTickerMessage, float_hook=str)


def level_rows(levels: list[Level]) -> list[Row]:
    """Return the rows of a futures book (rule 6)."""
    return [
        (level.price, level.size if type(level.size) is str else number_text(level.size))
        for level in levels
    ]


def _book_event(
    symbol: str,
    receive_time_ns: int,
    book: _SpotBook | _FuturesBook | _SecondBook,
    bids: list[Row],
    asks: list[Row],
) -> Sequence[Event]:
    time_ms = book.time_ms
    time_ns = None if time_ms is None else time_ms * NS_PER_MS
    last = book.last_sequence
    if book.full:  # Rule 5.
        return (BookSnapshot(symbol, receive_time_ns, time_ns, bids, asks, last),)
    return (BookDelta(symbol, receive_time_ns, time_ns, bids, asks, book.first_sequence, last),)


def spot_book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the delta in a message of `spot.order_book_update` (rules 1 to 5)."""
    book = _SPOT_BOOK.decode(payload).result
    return _book_event(book.symbol, receive_time_ns, book, book.bids, book.asks)


def futures_book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the delta in a message of `futures.order_book_update` (rules 1 to 6)."""
    book = _FUTURES_BOOK.decode(payload).result
    bids, asks = level_rows(book.bids), level_rows(book.asks)
    return _book_event(book.symbol, receive_time_ns, book, bids, asks)


def second_book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the snapshot or delta in a message of an `obu` channel (rule 5).

    Raises:
        ValueError: the stream's name names no symbol.
    """
    book = _SECOND_BOOK.decode(payload).result
    words = book.stream.split(".")
    if len(words) != 3 or not words[1]:
        raise ValueError(f"{book.stream[:48]!r} names no symbol")
    bids = [(number_text(price), number_text(size)) for price, size in book.bids]
    asks = [(number_text(price), number_text(size)) for price, size in book.asks]
    return _book_event(words[1], receive_time_ns, book, bids, asks)


def milliseconds_ns(token: object) -> int:
    """Return the time in ns that a decimal number of milliseconds says, exactly.

    Raises:
        ValueError: it is none, or has more than 6 decimals.
    """
    whole, _, places = number_text(token).partition(".")
    if len(whole) > 13 or len(places) > 6 or not (whole + places).isdigit():
        raise ValueError(f"{token!r:.48} is not a time in milliseconds")
    return int(whole) * NS_PER_MS + int(places.ljust(6, "0"))


def spot_trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the trade in a message of `spot.trades`. `side` is the taker's."""
    row = _SPOT_TRADE.decode(payload).result
    return (
        Trade(
            row.symbol,
            receive_time_ns,
            milliseconds_ns(row.time_ms),
            row.price,
            row.size,
            _BUY if row.side == "buy" else _SELL,
            str(row.trade_id),
        ),
    )


def unsigned(token: object) -> tuple[str, bool]:
    """Return the digits of a signed size, and whether it was below zero."""
    text = number_text(token)
    return (text[1:], True) if text.startswith("-") else (text, False)


def futures_trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the trades in a message of `futures.trades` (rules 6 and 7).

    One between the exchange and itself (insurance fund, deleveraging) is none of the open market.
    """
    events: list[Event] = []
    for row in _FUTURES_TRADE.decode(payload).result:
        size, sold = unsigned(row.size)
        events.append(
            Trade(
                row.symbol,
                receive_time_ns,
                row.time_ms * NS_PER_MS,
                number_text(row.price),
                size,
                _SELL if sold else _BUY,
                str(row.trade_id),
                None,
                False,
                row.internal,
            )
        )
    return events


def liquidation_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the liquidations in a message of `futures.public_liquidates` (rule 7).

    `raw_side` is the sign, which is all that the exchange says.
    """
    events: list[Event] = []
    for row in _LIQUIDATIONS.decode(payload).result:
        size, sold = unsigned(row.size)
        events.append(
            Liquidation(
                row.symbol,
                receive_time_ns,
                _time_ns(row.time_ms, row.time_s),
                number_text(row.price),
                size,
                LiquidatedSide.LONG if sold else LiquidatedSide.SHORT,
                "-" if sold else "+",
                None,
            )
        )
    return events


def quote_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the quote in a message of `book_ticker`; an empty side has texts ''."""
    row = _QUOTE.decode(payload).result
    return (
        Quote(
            row.symbol,
            receive_time_ns,
            _time_ns(row.time_ms, None),
            row.bid,
            number_text(row.bid_size) if row.bid else "",
            row.ask,
            number_text(row.ask_size) if row.ask else "",
            row.sequence,
        ),
    )


def spot_ticker_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the ticker in a message of `spot.tickers`."""
    message = _SPOT_TICKER.decode(payload)
    row, time_ns = message.result, _time_ns(message.time_ms, message.time_s)
    return (Ticker(row.symbol, receive_time_ns, time_ns, row.last),)


def futures_ticker_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the tickers in a message of `futures.tickers`."""
    message = _FUTURES_TICKER.decode(payload)
    time_ns = _time_ns(message.time_ms, message.time_s)
    return [
        Ticker(
            row.symbol,
            receive_time_ns,
            time_ns,
            row.last or None,
            row.mark or None,
            row.index or None,
            row.funding_rate or None,
            None if row.open_interest is None else number_text(row.open_interest),
        )
        for row in message.result
    ]


def _time_ns(time_ms: int | None, time_s: int | None) -> int | None:
    if time_ms is not None:
        return time_ms * NS_PER_MS
    return None if time_s is None else time_s * NS_PER_S
