"""What KuCoin's public messages are, and the events they become.

    {"type":"message","topic":"/market/level2:BTC-USDT","subject":"trade.l2update","data":{"changes":
     {"asks":[["18906","0.00331","14103845"],["18907.3","0.58751503","14103844"]],"bids":[["18891.9",
     "0.15688","14103847"]]},"sequenceEnd":14103847,"sequenceStart":14103844,"symbol":"BTC-USDT",
     "time":1663747970273}}
    {"type":"message","topic":"/market/match:BTC-USDT","subject":"trade.l3match","data":{"sequence":
     "1545896669145","type":"match","symbol":"BTC-USDT","side":"buy","price":"0.082","size":"0.0102",
     "tradeId":"5c24c5da03aa673885cd67aa","takerOrderId":"…","makerOrderId":"…",
     "time":"1545913818099033203"}}
    {"type":"message","topic":"/market/ticker:FET-BTC","subject":"trade.ticker","data":{"bestAsk":
     "0.000018679","bestAskSize":"258.4609","bestBid":"0.000018622","bestBidSize":"68.5961","price":
     "0.000018628","sequence":"38509148","size":"8.943","time":1677321643926}}

In 2021 the keys came in another order (`data` first), numbers of states were texts in some places
and numbers in others, and book messages had no time. All of that is read.

Book procedure of the exchange, of which the engine does steps 2 to 4 by the traits in `venue`:

1. Subscribe to `/market/level2` and keep its messages.
2. Fetch a snapshot by REST, with number L; drop messages with `sequenceEnd` <= L.
3. The first one kept has `sequenceStart` <= L + 1 <= `sequenceEnd`; of it, rows numbered L or less
   are in the snapshot already.
4. Each next one has `sequenceStart` <= the last `sequenceEnd` + 1; a greater one is a gap.
5. A row with the price 0 changes no level: it only takes its number.
6. A size is absolute; zero removes the level. Rows are numbered one by one over both sides, and are
   not sent in that order.
7. A ticker's `sequence` is the number of the book state whose top it shows.

Exchange times: of a book and a ticker `time` in ms, of a trade `time` in ns.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Literal

import msgspec
from msgspec import field

from venues.event import BookDelta, BookSnapshot, Event, Instrument, Quote, Row, Side, Ticker, Trade
from venues.wire import NS_PER_MS, Counter, Milliseconds, Nanoseconds, number_text

NumberedRow = tuple[str, str, Counter]
"""Price, size and the number of the change."""

_BUY, _SELL = Side.BUY, Side.SELL
_ADVANCES_ONLY = "0"
_number_of = itemgetter(2)


class _Changes(msgspec.Struct, gc=False):
    asks: list[NumberedRow]
    bids: list[NumberedRow]


class _BookData(msgspec.Struct, gc=False):
    symbol: str
    changes: _Changes
    first_sequence: Counter = field(name="sequenceStart")
    last_sequence: Counter = field(name="sequenceEnd")
    time_ms: Milliseconds | None = field(name="time", default=None)


class _BookMessage(msgspec.Struct, gc=False):
    subject: Literal["trade.l2update"]
    data: _BookData


class _TradeData(msgspec.Struct, gc=False):
    symbol: str
    side: Literal["buy", "sell"]
    price: str
    size: str
    time_ns: Nanoseconds = field(name="time")
    trade_id: str = field(name="tradeId")


class _TradeMessage(msgspec.Struct, gc=False):
    subject: Literal["trade.l3match"]
    data: _TradeData


class _QuoteData(msgspec.Struct, gc=False):
    sequence: Counter | None = None
    bid: str | None = field(name="bestBid", default=None)
    bid_size: str | None = field(name="bestBidSize", default=None)
    ask: str | None = field(name="bestAsk", default=None)
    ask_size: str | None = field(name="bestAskSize", default=None)
    time_ms: Milliseconds | None = field(name="time", default=None)


class _QuoteMessage(msgspec.Struct, gc=False):
    subject: str
    topic: str
    data: _QuoteData


class _SnapshotRow(msgspec.Struct, gc=False):
    symbol: str
    last_price: Any = field(name="lastTradedPrice", default=None)
    time_ms: Milliseconds | None = field(name="datetime", default=None)


class _SnapshotData(msgspec.Struct, gc=False):
    data: _SnapshotRow


class _SnapshotMessage(msgspec.Struct, gc=False):
    data: _SnapshotData


class _IndicatorData(msgspec.Struct, gc=False):
    symbol: str
    value: Any
    time_ms: Milliseconds | None = field(name="timestamp", default=None)


class _IndicatorMessage(msgspec.Struct, gc=False):
    topic: str
    data: _IndicatorData


class _RestBook(msgspec.Struct, gc=False):
    sequence: Counter
    bids: list[Row]
    asks: list[Row]
    time_ms: Milliseconds | None = field(name="time", default=None)


class _RestBookAnswer(msgspec.Struct, gc=False):
    data: _RestBook


class _RestSymbol(msgspec.Struct, gc=False):
    symbol: str
    tick_size: str | None = field(name="priceIncrement", default=None)
    lot_size: str | None = field(name="baseIncrement", default=None)


class _RestSymbolAnswer(msgspec.Struct, gc=False):
    data: _RestSymbol


class _RestHead(msgspec.Struct, gc=False):
    code: str
    message: str = field(name="msg", default="")


# Not strict: the numbers of states and times come as texts or as numbers.
_BOOK_MESSAGE = msgspec.json.Decoder(_BookMessage, strict=False)
_TRADE_MESSAGE = msgspec.json.Decoder(_TradeMessage, strict=False)
_QUOTE_MESSAGE = msgspec.json.Decoder(_QuoteMessage, strict=False)
_SNAPSHOT_MESSAGE = msgspec.json.Decoder(_SnapshotMessage, float_hook=str)
_INDICATOR_MESSAGE = msgspec.json.Decoder(_IndicatorMessage, float_hook=str)
_REST_BOOK = msgspec.json.Decoder(_RestBookAnswer, strict=False)
_REST_SYMBOL = msgspec.json.Decoder(_RestSymbolAnswer)
_REST_HEAD = msgspec.json.Decoder(_RestHead)


def _time_ns(time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms * NS_PER_MS


def _numbered(rows: list[NumberedRow]) -> tuple[list[Row], list[int]]:
    if len(rows) > 1:
        rows.sort(key=_number_of)  # Rule 6: should a price be repeated, its last change must win.
    levels: list[Row] = []
    numbers: list[int] = []
    for price, size, number in rows:
        if price != _ADVANCES_ONLY:  # Rule 5.
            levels.append((price, size))
            numbers.append(number)
    return levels, numbers


def book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the delta in a message of `/market/level2` (rules 3 to 6); it may hold no rows."""
    data = _BOOK_MESSAGE.decode(payload).data
    bids, bid_numbers = _numbered(data.changes.bids)
    asks, ask_numbers = _numbered(data.changes.asks)
    time_ms = data.time_ms
    return (
        BookDelta(
            data.symbol,
            receive_time_ns,
            None if time_ms is None else time_ms * NS_PER_MS,
            bids,
            asks,
            data.first_sequence,
            data.last_sequence,
            None,
            None,
            (bid_numbers, ask_numbers),
        ),
    )


def trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the trade in a message of `/market/match`. `side` is the taker's."""
    row = _TRADE_MESSAGE.decode(payload).data
    side = _BUY if row.side == "buy" else _SELL
    return (
        Trade(row.symbol, receive_time_ns, row.time_ns, row.price, row.size, side, row.trade_id),
    )


def quote_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the quote in a message of `/market/ticker` (rule 7).

    Of the topic for all symbols the subject is the symbol.
    """
    message = _QUOTE_MESSAGE.decode(payload)
    data = message.data
    named = message.topic.rpartition(":")[2]
    return (
        Quote(
            message.subject if named == "all" else named,
            receive_time_ns,
            _time_ns(data.time_ms),
            data.bid or "",
            data.bid_size or "",
            data.ask or "",
            data.ask_size or "",
            data.sequence,
        ),
    )


def ticker_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the ticker in a message of `/market/snapshot`."""
    row = _SNAPSHOT_MESSAGE.decode(payload).data.data
    price = None if row.last_price is None else number_text(row.last_price)
    return (Ticker(row.symbol, receive_time_ns, _time_ns(row.time_ms), price),)


def indicator_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the index or mark price in a message of `/indicator`."""
    message = _INDICATOR_MESSAGE.decode(payload)
    data = message.data
    value = number_text(data.value)
    mark = message.topic.startswith("/indicator/markPrice")
    return (
        Ticker(
            data.symbol,
            receive_time_ns,
            _time_ns(data.time_ms),
            None,
            value if mark else None,
            None if mark else value,
        ),
    )


def rest_refusal(body: bytes) -> str | None:
    """Return what a REST answer says where it is a refusal; None where it brings something.

    Raises:
        msgspec.MsgspecError: it is no REST answer.
    """
    head = _REST_HEAD.decode(body)
    return None if head.code == "200000" else f"refused: {head.message} (code {head.code})"


def rest_snapshot_event(body: bytes, symbol: str, receive_time_ns: int) -> BookSnapshot:
    """Return the event of a REST order book, whole (v3 `level2`) or of 100 levels a side.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    book = _REST_BOOK.decode(body).data
    time_ns = _time_ns(book.time_ms)
    return BookSnapshot(
        symbol, receive_time_ns, time_ns, book.bids, book.asks, book.sequence, None, True
    )


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instrument in an answer of `/api/v2/symbols/SYMBOL`.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    row = _REST_SYMBOL.decode(body).data
    return (Instrument(row.symbol, receive_time_ns, None, row.tick_size, row.lot_size),)
