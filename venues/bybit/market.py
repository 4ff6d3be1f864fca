"""What Bybit's v5 market messages are, and the events they become.

    {"topic":"orderbook.50.BTCUSDT","ts":1787612486116,"type":"delta","data":{"s":"BTCUSDT","b":[],
     "a":[["78716.8","0.027559"],["78748.5","0"]],"u":217107085,"seq":113099229629},
     "cts":1787612486108}
    {"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":1672304486865,
     "s":"BTCUSDT","S":"Buy","v":"0.001","p":"16578.50","i":"20f43950-d8dd","BT":false}]}
    {"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1739502303204,"data":[{"T":1739502302929,
     "s":"BTCUSDT","S":"Sell","v":"20000","p":"0.04499"}]}

1. A book message of type snapshot replaces the book, at any time.
2. One whose `u` is 1 does too, whatever its type says: the service was restarted.
3. Any other is a delta, and its `u` is the last one plus one. `seq` is not: it is shared by all
   depths and jumps.
4. A liquidation's `S` is the side of the *position*: Buy means that a long was liquidated. Its `p`
   is the bankruptcy price.
5. Of depth 1 only snapshots are sent.

Exchange times: of a book `cts`, when the matching engine made it, else `ts`; of a trade and a
liquidation `T`; of a ticker `ts`.
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
    Ticker,
    Trade,
)
from venues.wire import NS_PER_MS, Counter, Milliseconds, exact_number, exact_product

RESTART_UPDATE_ID = 1
_TOP_TOPIC = "orderbook.1."
_BUY, _SELL = Side.BUY, Side.SELL


class _BookData(msgspec.Struct, gc=False):
    symbol: str = field(name="s")
    bids: list[Row] = field(name="b")
    asks: list[Row] = field(name="a")
    update_id: Counter = field(name="u")


class _BookMessage(msgspec.Struct, gc=False):
    topic: str
    type: Literal["snapshot", "delta"]
    data: _BookData
    message_time_ms: Milliseconds | None = field(name="ts", default=None)
    matching_time_ms: Milliseconds | None = field(name="cts", default=None)


class _TradeRow(msgspec.Struct, gc=False):
    symbol: str = field(name="s")
    trade_time_ms: Milliseconds = field(name="T")
    aggressor_side: Literal["Buy", "Sell"] = field(name="S")
    price: str = field(name="p")
    size: str = field(name="v")
    trade_id: str = field(name="i")


class _TradeMessage(msgspec.Struct, gc=False):
    data: list[_TradeRow]


class _LiquidationRow(msgspec.Struct, gc=False):
    symbol: str = field(name="s")
    time_ms: Milliseconds = field(name="T")
    position_side: Literal["Buy", "Sell"] = field(name="S")
    price: str = field(name="p")
    size: str = field(name="v")


class _LiquidationMessage(msgspec.Struct, gc=False):
    data: list[_LiquidationRow]


class _TickerData(msgspec.Struct, gc=False):
    symbol: str
    last_price: str = field(name="lastPrice", default="")
    mark_price: str = field(name="markPrice", default="")
    index_price: str = field(name="indexPrice", default="")
    funding_rate: str = field(name="fundingRate", default="")
    open_interest: str = field(name="openInterest", default="")


class _TickerMessage(msgspec.Struct, gc=False):
    data: _TickerData
    message_time_ms: Milliseconds | None = field(name="ts", default=None)


class _RestBook(msgspec.Struct, gc=False):
    symbol: str = field(name="s")
    bids: list[Row] = field(name="b")
    asks: list[Row] = field(name="a")
    update_id: Counter = field(name="u")
    message_time_ms: Milliseconds | None = field(name="ts", default=None)
    matching_time_ms: Milliseconds | None = field(name="cts", default=None)


class _RestAnswer(msgspec.Struct, gc=False):
    result: _RestBook


class _RestHead(msgspec.Struct, gc=False):
    code: int = field(name="retCode")
    message: str = field(name="retMsg", default="")


_BOOK_MESSAGE = msgspec.json.Decoder(_BookMessage)
_TRADE_MESSAGE = msgspec.json.Decoder(_TradeMessage)
_LIQUIDATION_MESSAGE = msgspec.json.Decoder(_LiquidationMessage)
_TICKER_MESSAGE = msgspec.json.Decoder(_TickerMessage)
_REST_HEAD = msgspec.json.Decoder(_RestHead)
_REST_ANSWER = msgspec.json.Decoder(_RestAnswer)


def book_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the snapshot or delta in a message of an `orderbook` topic (rules 1 to 3, 5)."""
    message = _BOOK_MESSAGE.decode(payload)
    data = message.data
    time_ms = message.matching_time_ms or message.message_time_ms
    time_ns = None if time_ms is None else time_ms * NS_PER_MS
    update_id = data.update_id
    if message.type == "snapshot" or update_id == RESTART_UPDATE_ID:
        return (
            BookSnapshot(
                data.symbol,
                receive_time_ns,
                time_ns,
                data.bids,
                data.asks,
                update_id,
                alone=message.topic.startswith(_TOP_TOPIC),  # Rule 5.
            ),
        )
    return (
        BookDelta(
            data.symbol, receive_time_ns, time_ns, data.bids, data.asks, update_id, update_id
        ),
    )


def trade_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the trades in a message of a `publicTrade` topic."""
    return [
        Trade(
            row.symbol,
            receive_time_ns,
            row.trade_time_ms * NS_PER_MS,
            row.price,
            row.size,
            _BUY if row.aggressor_side == "Buy" else _SELL,
            row.trade_id,
        )
        for row in _TRADE_MESSAGE.decode(payload).data
    ]


def linear_liquidation_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the liquidations of contracts whose size is in coins: notional is price times size."""
    return _liquidation_events(payload, receive_time_ns, inverse=False)


def inverse_liquidation_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the liquidations of inverse contracts: one contract is one USD of notional."""
    return _liquidation_events(payload, receive_time_ns, inverse=True)


def _liquidation_events(payload: bytes, receive_time_ns: int, *, inverse: bool) -> Sequence[Event]:
    return [
        Liquidation(
            row.symbol,
            receive_time_ns,
            row.time_ms * NS_PER_MS,
            row.price,
            row.size,
            # Rule 4.
            LiquidatedSide.LONG if row.position_side == "Buy" else LiquidatedSide.SHORT,
            row.position_side,
            exact_number(row.size) if inverse else exact_product(row.price, row.size),
        )
        for row in _LIQUIDATION_MESSAGE.decode(payload).data
    ]


def ticker_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the ticker in a message; a delta carries the changed fields alone."""
    message = _TICKER_MESSAGE.decode(payload)
    data, time_ms = message.data, message.message_time_ms
    return (
        Ticker(
            data.symbol,
            receive_time_ns,
            None if time_ms is None else time_ms * NS_PER_MS,
            data.last_price or None,
            data.mark_price or None,
            data.index_price or None,
            data.funding_rate or None,
            data.open_interest or None,
        ),
    )


def rest_refusal(body: bytes) -> str | None:
    """Return what a REST answer says where it is a refusal; None where it brings something.

    Raises:
        msgspec.MsgspecError: it is no REST answer.
    """
    head = _REST_HEAD.decode(body)
    return None if head.code == 0 else f"refused: {head.message} (retCode {head.code})"


def rest_snapshot_event(body: bytes, receive_time_ns: int) -> BookSnapshot:
    """Return the event of a REST order book.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    book = _REST_ANSWER.decode(body).result
    time_ms = book.matching_time_ms or book.message_time_ms
    return BookSnapshot(
        book.symbol,
        receive_time_ns,
        None if time_ms is None else time_ms * NS_PER_MS,
        book.bids,
        book.asks,
        book.update_id,
        None,
        True,
    )
