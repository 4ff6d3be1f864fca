"""What HTX' market messages are, spot and swaps, and the events they become.

    {"ch":"market.btcusdt.mbp.150","ts":1573199608679,"tick":{"seqNum":100020146795,"prevSeqNum":
     100020146794,"bids":[],"asks":[[645.14,26.75597395914065]]}}
    {"id":"r-1","status":"ok","ts":1790134138994,"rep":"market.batjpy.mbp.150","data":{"seqNum":
     200333109135,"bids":[[14.46,13.39]],"asks":[[14.64,2.53]]}}
    {"ch":"market.BTC-USDT.depth.size_150.high_freq","tick":{"asks":[[10866.01,137]],"bids":[],"ch":
     "market.BTC-USDT.depth.size_150.high_freq","event":"update","id":45961927810,"mrid":45961927810,
     "ts":1581552001187,"version":25630954},"ts":1581552001189}
    {"ch":"market.ATOM-USD.depth.step0","ts":1645289384843,"tick":{"mrid":74377472700,"id":1645289384,
     "bids":[[26.5766,50]],"asks":[[26.6,1]],"ts":1645289384842,"version":1645289384}}
    {"ch":"market.btcusdt.trade.detail","ts":1630994963175,"tick":{"id":137005445109,"ts":
     1630994963173,"data":[{"id":137005445109359290000000000,"ts":1630994963173,"tradeId":
     102523573486,"amount":0.006754,"price":52648.62,"direction":"buy"}]}}

Numbers are JSON numbers, with an exponent where they are small or large (`9.121e-07`,
`1.3640078E7`); all their digits are kept. Ids of trades have up to 27 digits.

Book procedure of the exchange, of which the engine does steps 2 and 3 by the traits of each venue:

1. Spot: subscribe to `mbp` and keep its messages; ask for the book on the same connection (`req`).
2. Drop messages with `seqNum` up to that of the book; the first one kept follows it
   (`prevSeqNum` is the book's number).
3. Each next one names its predecessor, `prevSeqNum`; numbers are not contiguous. One side may be
   missing, and both may be empty.
4. Swaps: the first message of `high_freq` is the book (`event` snapshot); each next one has the
   last `version` plus one.
5. `depth.step0` is a whole book each time; there is no number by which a lost one could be seen.
6. A size is absolute; zero removes the level. Levels that leave the window are removed so, too.
7. A trade's `direction` is the taker's side. Its `amount` is coins at spot, contracts at swaps.

Exchange times: of books and quotes that of `tick`, where it has one, else `ts`; of trades theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import field

from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    Notice,
    NoticeKind,
    Quote,
    Row,
    Side,
    Ticker,
    Trade,
)
from venues.wire import NS_PER_MS, Counter, Milliseconds, number_text

Levels = list[tuple[Any, Any]]

_BUY, _SELL = Side.BUY, Side.SELL
_NO_LEVEL = (None, None)
_WHOLE_EACH_TIME = ".depth.step0"
_CHANNEL_END = 96
"""Where the channel of a message has been named."""


class _Chain(msgspec.Struct, gc=False):
    sequence: Counter = field(name="seqNum")
    previous_sequence: Counter = field(name="prevSeqNum")
    bids: Levels = []
    asks: Levels = []


class _ChainMessage(msgspec.Struct, gc=False):
    channel: str = field(name="ch")
    tick: _Chain
    time_ms: Milliseconds | None = field(name="ts", default=None)


class _Requested(msgspec.Struct, gc=False):
    sequence: Counter = field(name="seqNum")
    bids: Levels = []
    asks: Levels = []


class _RequestedMessage(msgspec.Struct, gc=False):
    channel: str = field(name="rep")
    data: _Requested
    time_ms: Milliseconds | None = field(name="ts", default=None)


class _Depth(msgspec.Struct, gc=False):
    version: Counter
    bids: Levels = []
    asks: Levels = []
    event: Literal["snapshot", "update"] = "snapshot"
    time_ms: Milliseconds | None = field(name="ts", default=None)


class _DepthMessage(msgspec.Struct, gc=False):
    channel: str = field(name="ch")
    tick: _Depth
    time_ms: Milliseconds | None = field(name="ts", default=None)


class _TradeRow(msgspec.Struct, gc=False):
    # Raw, as its 27 digits would take longer to read than all else.
    id: msgspec.Raw
    size: Any = field(name="amount")
    price: Any
    direction: Literal["buy", "sell"]
    time_ms: Milliseconds = field(name="ts")
    trade_id: Any = field(name="tradeId", default=None)


class _Trades(msgspec.Struct, gc=False):
    rows: list[_TradeRow] = field(name="data")


class _TradeMessage(msgspec.Struct, gc=False):
    channel: str = field(name="ch")
    tick: _Trades


class _SpotQuote(msgspec.Struct, gc=False):
    bid: Any
    bid_size: Any = field(name="bidSize")
    ask: Any
    ask_size: Any = field(name="askSize")
    time_ms: Milliseconds | None = field(name="quoteTime", default=None)


class _SpotQuoteMessage(msgspec.Struct, gc=False):
    channel: str = field(name="ch")
    tick: _SpotQuote


class _SwapQuote(msgspec.Struct, gc=False):
    bid: tuple[Any, Any] | None = None
    ask: tuple[Any, Any] | None = None
    time_ms: Milliseconds | None = field(name="ts", default=None)


class _SwapQuoteMessage(msgspec.Struct, gc=False):
    channel: str = field(name="ch")
    tick: _SwapQuote


class _Statistics(msgspec.Struct, gc=False):
    close: Any = None


class _StatisticsMessage(msgspec.Struct, gc=False):
    channel: str = field(name="ch")
    tick: _Statistics
    time_ms: Milliseconds | None = field(name="ts", default=None)


class _Channel(msgspec.Struct, gc=False):
    channel: str = field(name="ch")


_CHAIN = msgspec.json.Decoder(_ChainMessage, float_hook=str)
_REQUESTED = msgspec.json.Decoder(_RequestedMessage, float_hook=str)
_DEPTH = msgspec.json.Decoder(_DepthMessage, float_hook=str)
_TRADES = msgspec.json.Decoder(_TradeMessage, float_hook=str)
_ID = msgspec.json.Decoder(float_hook=str)
_SPOT_QUOTE = msgspec.json.Decoder(_SpotQuoteMessage, float_hook=str)
_SWAP_QUOTE = msgspec.json.Decoder(_SwapQuoteMessage, float_hook=str)
_STATISTICS = msgspec.json.Decoder(_StatisticsMessage, float_hook=str)
_CHANNEL = msgspec.json.Decoder(_Channel)


@lru_cache(maxsize=4096)
def channel_symbol(channel: str) -> str:
    """Return whose channel `market.SYMBOL.…` is. Feeds repeat a few channels over and over.

    Raises:
        ValueError: it is no such channel.
    """
    words = channel.split(".", 2)
    if len(words) != 3 or words[0] != "market" or not words[1]:
        raise ValueError(f"{channel[:48]!r} is no channel of a market")
    return words[1]


def _rows(levels: Levels) -> list[Row]:
    return [
        (
            price if type(price) is str else number_text(price),
            size if type(size) is str else number_text(size),
        )
        for price, size in levels
    ]


def _time_ns(time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms * NS_PER_MS


def market_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the events of an unpacked message that begins with its channel.

    A channel that is not read gives a notice: candles, books of merged prices, books of the best
    levels alone (whose messages would cut off the books that are kept).
    """
    head = content[:_CHANNEL_END]
    if b'.trade.detail"' in head:
        return trade_events(content, receive_time_ns)
    if b'.bbo"' in head:
        return quote_events(content, receive_time_ns)
    if b".mbp." in head and b".mbp.refresh" not in head:
        return chain_events(content, receive_time_ns)
    if b'.high_freq"' in head or b'.depth.step0"' in head:
        return depth_events(content, receive_time_ns)
    if b'.detail"' in head:
        return statistics_events(content, receive_time_ns)
    channel = _CHANNEL.decode(content).channel
    return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, channel),)


def chain_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the delta in a message of `mbp` (rules 2, 3 and 6)."""
    message = _CHAIN.decode(content)
    tick = message.tick
    previous = tick.previous_sequence
    return (
        BookDelta(
            channel_symbol(message.channel),
            receive_time_ns,
            _time_ns(message.time_ms),
            _rows(tick.bids),
            _rows(tick.asks),
            previous,
            tick.sequence,
            previous,
        ),
    )


def requested_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the book in the answer to `req` (rule 1), behind the notice that it is an answer."""
    message = _REQUESTED.decode(content)
    book = message.data
    return (
        Notice("", receive_time_ns, None, NoticeKind.ACKNOWLEDGED, message.channel),
        BookSnapshot(
            channel_symbol(message.channel),
            receive_time_ns,
            _time_ns(message.time_ms),
            _rows(book.bids),
            _rows(book.asks),
            book.sequence,
            None,
            True,
        ),
    )


def depth_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the book or delta in a message of `depth` (rules 4 to 6)."""
    message = _DEPTH.decode(content)
    tick = message.tick
    symbol = channel_symbol(message.channel)
    time_ns = _time_ns(message.time_ms if tick.time_ms is None else tick.time_ms)
    bids, asks, version = _rows(tick.bids), _rows(tick.asks), tick.version
    if tick.event == "snapshot":
        alone = message.channel.endswith(_WHOLE_EACH_TIME)  # Rule 5.
        return (BookSnapshot(symbol, receive_time_ns, time_ns, bids, asks, version, alone=alone),)
    return (BookDelta(symbol, receive_time_ns, time_ns, bids, asks, version, version),)


def trade_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the trades in a message of `trade.detail` (rule 7)."""
    message = _TRADES.decode(content)
    symbol = channel_symbol(message.channel)
    return [
        Trade(
            symbol,
            receive_time_ns,
            row.time_ms * NS_PER_MS,
            row.price if type(row.price) is str else number_text(row.price),
            row.size if type(row.size) is str else number_text(row.size),
            _BUY if row.direction == "buy" else _SELL,
            number_text(_ID.decode(row.id) if row.trade_id is None else row.trade_id),
        )
        for row in message.tick.rows
    ]


def quote_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the quote in a message of `bbo`, of spot or of a swap."""
    if b'"bidSize"' not in content:
        return _swap_quote_events(content, receive_time_ns)
    message = _SPOT_QUOTE.decode(content)
    tick = message.tick
    time_ms = tick.time_ms
    return (
        Quote(
            channel_symbol(message.channel),
            receive_time_ns,
            None if time_ms is None else time_ms * NS_PER_MS,
            *_side(tick.bid, tick.bid_size),
            *_side(tick.ask, tick.ask_size),
        ),
    )


def _swap_quote_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    message = _SWAP_QUOTE.decode(content)
    tick = message.tick
    return (
        Quote(
            channel_symbol(message.channel),
            receive_time_ns,
            _time_ns(tick.time_ms),
            *_side(*(tick.bid or _NO_LEVEL)),
            *_side(*(tick.ask or _NO_LEVEL)),
        ),
    )


def _side(price: object, size: object) -> tuple[str, str]:
    if type(price) is str and type(size) is str:
        return price, size
    return ("", "") if price is None else (number_text(price), number_text(size))


def statistics_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the ticker in a message of `detail`: of it, the last price."""
    message = _STATISTICS.decode(content)
    close = message.tick.close
    return (
        Ticker(
            channel_symbol(message.channel),
            receive_time_ns,
            _time_ns(message.time_ms),
            None if close is None else number_text(close),
        ),
    )
