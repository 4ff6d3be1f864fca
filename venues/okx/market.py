"""What OKX's v5 market messages are, and the events they become.

    {"arg":{"channel":"books","instId":"BTC-USDT"},"action":"snapshot","data":[{"asks":[["8476.98",
     "415","0","13"]],"bids":[["8476.97","256","0","12"]],"ts":"1597026383085",
     "checksum":-855196043,"prevSeqId":-1,"seqId":123456}]}
    {"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[],"bids":[],
     "ts":"1597026443085","checksum":0,"prevSeqId":123456,"seqId":123456}]}
    {"arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"data":[{"asks":[["8476.98","415","0","13"]],
     "bids":[["8476.97","256","0","12"]],"ts":"1597026383085","seqId":123456}]}
    {"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474",
     "px":"42219.9","sz":"0.12060306","side":"buy","ts":"1630048897897","count":"3"}]}
    {"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkLoss":"0",
     "bkPx":"0.007831","ccy":"","posSide":"short","side":"buy","sz":"13","ts":"1692266434010"}],
     "instFamily":"IOST-USDT","instId":"IOST-USDT-SWAP","instType":"SWAP","uly":"IOST-USDT"}]}

A book's row is price, size, a number that is always 0, and how many orders there are.

1. A `books` message of action snapshot replaces the book; one of action update changes it.
2. An update's `prevSeqId` is the `seqId` of the message before it. Ids grow by any number.
3. An update without any row, whose `prevSeqId` is its own `seqId`, is sent after about a minute
   without a change, as a sign of life.
4. After maintenance `seqId` may fall; the chain goes on if `prevSeqId` is still the last `seqId`.
5. `checksum` is a signed CRC32 of the 25 best levels. Since 23 June 2026 it is always 0, which is
   no checksum. Before `seqId` came (recordings of 2022) it is all there is to check by.
6. A trade's `side` is the taker's. The first message after subscribing repeats the last trade.
7. A liquidation's `side` is that of the closing order: sell closed a long. `bkPx` is the bankruptcy
   price. It comes for all instruments of the type, and first some that happened before.
8. Sizes of derivatives count contracts, so a liquidation's notional takes the contract's size.

Source: OKX, API v5, "WebSocket / Public Channel / Order book channel" and its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

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
from venues.op_arg_objects import Reader, SignedCrc32
from venues.wire import NS_PER_MS, Counter, Milliseconds, exact_number

_BUY, _SELL = Side.BUY, Side.SELL
_SentRow = tuple[str, str, str, str]
_Predecessor = Annotated[int, Meta(ge=-1, le=2**63 - 1)]


class _Instrument(msgspec.Struct, gc=False):
    symbol: str = field(name="instId")


class _Book(msgspec.Struct, gc=False):
    asks: list[_SentRow]
    bids: list[_SentRow]
    time_ms: Milliseconds = field(name="ts")
    checksum: SignedCrc32 = 0
    sequence: Counter | None = field(name="seqId", default=None)
    previous_sequence: _Predecessor | None = field(name="prevSeqId", default=None)


class _BookMessage(msgspec.Struct, gc=False):
    arg: _Instrument
    action: Literal["snapshot", "update"]
    data: list[_Book]


class _WholeBookMessage(msgspec.Struct, gc=False):
    arg: _Instrument
    data: list[_Book]


class _TradeRow(msgspec.Struct, gc=False):
    symbol: str = field(name="instId")
    trade_id: str = field(name="tradeId")
    price: str = field(name="px")
    size: str = field(name="sz")
    side: Literal["buy", "sell"]
    time_ms: Milliseconds = field(name="ts")


class _TradeMessage(msgspec.Struct, gc=False):
    data: list[_TradeRow]


class _LiquidationDetail(msgspec.Struct, gc=False):
    side: Literal["buy", "sell"]
    price: str = field(name="bkPx")
    size: str = field(name="sz")
    time_ms: Milliseconds = field(name="ts")


class _LiquidationRow(msgspec.Struct, gc=False):
    symbol: str = field(name="instId")
    details: list[_LiquidationDetail]


class _LiquidationMessage(msgspec.Struct, gc=False):
    data: list[_LiquidationRow]


class _TickerRow(msgspec.Struct, gc=False):
    symbol: str = field(name="instId")
    time_ms: Milliseconds = field(name="ts")
    last_price: str = field(name="last", default="")
    mark_price: str = field(name="markPx", default="")
    index_price: str = field(name="idxPx", default="")
    funding_rate: str = field(name="fundingRate", default="")
    open_interest: str = field(name="oi", default="")


class _TickerMessage(msgspec.Struct, gc=False):
    data: list[_TickerRow]


class _RestAnswer(msgspec.Struct, gc=False):
    data: list[_Book]


# OKX writes times, and nothing else that is read as a number here, in quotes: hence not strict.
_BOOK_MESSAGE = msgspec.json.Decoder(_BookMessage, strict=False)
_WHOLE_BOOK_MESSAGE = msgspec.json.Decoder(_WholeBookMessage, strict=False)
_TRADE_MESSAGE = msgspec.json.Decoder(_TradeMessage, strict=False)
_LIQUIDATION_MESSAGE = msgspec.json.Decoder(_LiquidationMessage, strict=False)
_TICKER_MESSAGE = msgspec.json.Decoder(_TickerMessage, strict=False)
_REST_ANSWER = msgspec.json.Decoder(_RestAnswer, strict=False)


def _rows(sent: list[_SentRow]) -> list[Row]:
    return [row[:2] for row in sent]


def book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the snapshots or deltas in a message of the channel `books` (rules 1 to 5)."""
    message = _BOOK_MESSAGE.decode(payload)
    symbol = message.arg.symbol
    if message.action == "snapshot":
        return [_snapshot(symbol, receive_time_ns, book) for book in message.data]
    return [_delta(symbol, receive_time_ns, book) for book in message.data]


def _delta(symbol: str, receive_time_ns: int, book: _Book) -> BookDelta:
    sequence, previous = book.sequence, book.previous_sequence
    return BookDelta(
        symbol,
        receive_time_ns,
        book.time_ms * NS_PER_MS,
        [row[:2] for row in book.bids],
        [row[:2] for row in book.asks],
        sequence,
        sequence,
        None if previous == -1 else previous,
        book.checksum or None,  # Rule 5.
    )


def _snapshot(
    symbol: str, receive_time_ns: int, book: _Book, *, alone: bool = False
) -> BookSnapshot:
    return BookSnapshot(
        symbol,
        receive_time_ns,
        book.time_ms * NS_PER_MS,
        _rows(book.bids),
        _rows(book.asks),
        book.sequence,
        book.checksum or None,
        alone=alone,
    )


def whole_book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the snapshots in a message of `books5`, which sends nothing else."""
    message = _WHOLE_BOOK_MESSAGE.decode(payload)
    symbol = message.arg.symbol
    return [_snapshot(symbol, receive_time_ns, book, alone=True) for book in message.data]


def quote_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the quotes in a message of the channel `bbo-tbt`."""
    message = _WHOLE_BOOK_MESSAGE.decode(payload)
    return [_quote(message.arg.symbol, receive_time_ns, book) for book in message.data]


def _quote(symbol: str, receive_time_ns: int, book: _Book) -> Quote:
    bid = book.bids[0] if book.bids else ("", "")
    ask = book.asks[0] if book.asks else ("", "")
    time_ns = book.time_ms * NS_PER_MS
    return Quote(symbol, receive_time_ns, time_ns, bid[0], bid[1], ask[0], ask[1])


def trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the trades in a message (rule 6)."""
    return [
        Trade(
            row.symbol,
            receive_time_ns,
            row.time_ms * NS_PER_MS,
            row.price,
            row.size,
            _BUY if row.side == "buy" else _SELL,
            row.trade_id,
        )
        for row in _TRADE_MESSAGE.decode(payload).data
    ]


def liquidation_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the liquidations in a message (rules 7 and 8).

    Raises:
        ValueError: a price or a size is no number.
    """
    return [
        _liquidation(row.symbol, receive_time_ns, detail)
        for row in _LIQUIDATION_MESSAGE.decode(payload).data
        for detail in row.details
    ]


def _liquidation(symbol: str, receive_time_ns: int, detail: _LiquidationDetail) -> Liquidation:
    exact_number(detail.price)
    exact_number(detail.size)
    return Liquidation(
        symbol,
        receive_time_ns,
        detail.time_ms * NS_PER_MS,
        detail.price,
        detail.size,
        LiquidatedSide.LONG if detail.side == "sell" else LiquidatedSide.SHORT,  # Rule 7.
        detail.side,
        None,  # Rule 8.
    )


def ticker_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the tickers in a message of one of the channels that carry a part of them."""
    return [
        Ticker(
            row.symbol,
            receive_time_ns,
            row.time_ms * NS_PER_MS,
            row.last_price or None,
            row.mark_price or None,
            row.index_price or None,
            row.funding_rate or None,
            row.open_interest or None,
        )
        for row in _TICKER_MESSAGE.decode(payload).data
    ]


def rest_snapshot_events(body: bytes, symbol: str, receive_time_ns: int) -> Sequence[Event]:
    """Return the book in an answer of `/api/v5/market/books`, which does not say whose it is.

    Raises:
        msgspec.MsgspecError: it is no such answer.
    """
    return [
        BookSnapshot(
            symbol,
            receive_time_ns,
            book.time_ms * NS_PER_MS,
            _rows(book.bids),
            _rows(book.asks),
            book.sequence,
            None,
            True,
        )
        for book in _REST_ANSWER.decode(body).data
    ]


MARKET_READERS: Mapping[str, Reader] = {
    "books": book_events,
    "books-l2-tbt": book_events,
    "books50-l2-tbt": book_events,
    "books5": whole_book_events,
    "bbo-tbt": quote_events,
    "trades": trade_events,
    "trades-all": trade_events,
    "liquidation-orders": liquidation_events,
    "tickers": ticker_events,
    "mark-price": ticker_events,
    "index-tickers": ticker_events,
    "funding-rate": ticker_events,
    "open-interest": ticker_events,
}
"""By channel."""
