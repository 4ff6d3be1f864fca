"""What the reference venue's market messages are, and the events they become.

    {"topic":"orderbook.50.BTCUSDT","type":"snapshot","data":{"seq":7,"bids":[["100.5","2"]],
     "asks":[["100.6","1"]],"checksum":2647117606}}
    {"topic":"publicTrade.BTCUSDT","data":[{"T":1700000000000,"p":"100.5","v":"0.1","S":"Buy",
     "i":"t-1"}]}
    {"topic":"allLiquidation.BTCUSDT","data":{"symbol":"BTCUSDT","side":"Sell","price":"100.4",
     "qty":"3","updatedTime":1700000000000}}

1. A snapshot replaces the book; each delta's `seq` is the last one plus one; size 0 deletes.
2. `checksum` is the unsigned CRC32 of the top 25 levels after the message, bid and ask interleaved
   by rank, each `price:size` in the digits sent, joined by `|`. It may be null or absent.
3. A liquidation's `side` is that of the closing *order*: Sell means that a long was liquidated.
   `data` is one liquidation or a list of them.

Exchange times: `ts` of a book, where the message has one; `T` and `updatedTime` of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    LiquidatedSide,
    Liquidation,
    Row,
    Side,
    Trade,
)
from venues.wire import NS_PER_MS, Counter, Crc32, Milliseconds, exact_product

_BUY, _SELL = Side.BUY, Side.SELL


class _BookData(msgspec.Struct, gc=False):
    sequence: Counter = field(name="seq")
    bids: list[Row]
    asks: list[Row]
    checksum: Crc32 | None = None


class _BookMessage(msgspec.Struct, gc=False):
    topic: str
    type: Literal["snapshot", "delta"]
    data: _BookData
    message_time_ms: Milliseconds | None = field(name="ts", default=None)


class _TradeRow(msgspec.Struct, gc=False):
    trade_time_ms: Milliseconds = field(name="T")
    price: str = field(name="p")
    size: str = field(name="v")
    aggressor_side: Literal["Buy", "Sell"] = field(name="S")
    trade_id: str = field(name="i")


class _TradeMessage(msgspec.Struct, gc=False):
    topic: str
    data: list[_TradeRow]


class _LiquidationRow(msgspec.Struct, gc=False):
    symbol: str
    order_side: Literal["Buy", "Sell"] = field(name="side")
    price: str
    size: str = field(name="qty")
    time_ms: Milliseconds = field(name="updatedTime")


class _LiquidationMessage(msgspec.Struct, gc=False):
    data: _LiquidationRow | list[_LiquidationRow]


class _RestBook(msgspec.Struct, gc=False):
    symbol: str = field(name="s", default="")
    b: list[Row] | None = None
    a: list[Row] | None = None
    bids: list[Row] | None = None
    asks: list[Row] | None = None
    seq: Counter | None = None
    u: Counter | None = None
    message_time_ms: Milliseconds | None = field(name="ts", default=None)
    checksum: Crc32 | None = None


class _RestAnswer(msgspec.Struct, gc=False):
    result: _RestBook


_BOOK_MESSAGE = msgspec.json.Decoder(_BookMessage)
_TRADE_MESSAGE = msgspec.json.Decoder(_TradeMessage)
_LIQUIDATION_MESSAGE = msgspec.json.Decoder(_LiquidationMessage)
_REST_ANSWER = msgspec.json.Decoder(_RestAnswer)


def book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the snapshot or delta in a message of an `orderbook` topic (rules 1 and 2)."""
    message = _BOOK_MESSAGE.decode(payload)
    data, time_ms = message.data, message.message_time_ms
    symbol = message.topic.rpartition(".")[2]
    time_ns = None if time_ms is None else time_ms * NS_PER_MS
    sequence = data.sequence
    if message.type == "delta":
        return (
            BookDelta(
                symbol,
                receive_time_ns,
                time_ns,
                data.bids,
                data.asks,
                sequence,
                sequence,
                None,
                data.checksum,
            ),
        )
    return (
        BookSnapshot(
            symbol, receive_time_ns, time_ns, data.bids, data.asks, sequence, data.checksum
        ),
    )


def trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the trades in a message of a `publicTrade` topic."""
    message = _TRADE_MESSAGE.decode(payload)
    symbol = message.topic.rpartition(".")[2]
    return [
        Trade(
            symbol,
            receive_time_ns,
            row.trade_time_ms * NS_PER_MS,
            row.price,
            row.size,
            _BUY if row.aggressor_side == "Buy" else _SELL,
            row.trade_id,
        )
        for row in message.data
    ]


def liquidation_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the liquidations in a message of an `allLiquidation` topic (rule 3)."""
    data = _LIQUIDATION_MESSAGE.decode(payload).data
    return [
        Liquidation(
            row.symbol,
            receive_time_ns,
            row.time_ms * NS_PER_MS,
            row.price,
            row.size,
            LiquidatedSide.LONG if row.order_side == "Sell" else LiquidatedSide.SHORT,
            row.order_side,
            exact_product(row.price, row.size),
        )
        for row in (data if isinstance(data, list) else [data])
    ]


def rest_snapshot_event(body: bytes, symbol: str, receive_time_ns: int) -> BookSnapshot:
    """Return the event of a REST order book.

    Raises:
        msgspec.MsgspecError: it is none.
        ValueError: it lacks a side, a sequence or, with no `symbol` given, the symbol.
    """
    book = _REST_ANSWER.decode(body).result
    bids = book.b if book.b is not None else book.bids
    asks = book.a if book.a is not None else book.asks
    sequence = book.seq if book.seq is not None else book.u
    name = book.symbol or symbol
    if bids is None or asks is None or sequence is None or not name:
        raise ValueError("the REST book lacks a side, its sequence or its symbol")
    time_ms = book.message_time_ms
    return BookSnapshot(
        name,
        receive_time_ns,
        None if time_ms is None else time_ms * NS_PER_MS,
        bids,
        asks,
        sequence,
        book.checksum,
        True,
    )
