"""What Coinbase Advanced Trade's messages are, and the events they become.

    {"channel":"l2_data","client_id":"","timestamp":"2026-04-07T14:30:01.456789Z","sequence_num":1,
     "events":[{"type":"update","product_id":"BTC-USD","updates":[{"side":"bid",
     "event_time":"2026-04-07T14:30:01.456789Z","price_level":"68900.00",
     "new_quantity":"2.00000000"}]}]}
    {"channel":"market_trades","client_id":"","timestamp":"2026-04-07T14:30:02.789012Z",
     "sequence_num":5,"events":[{"type":"update","trades":[{"trade_id":"995098700",
     "product_id":"BTC-USD","price":"68900.50","size":"0.00150000","side":"BUY",
     "time":"2026-04-07T14:30:02.789012Z"}]}]}
    {"channel":"heartbeats","client_id":"","timestamp":"2026-04-07T14:30:10.000000Z",
     "sequence_num":0,"events":[{"current_time":"2026-04-07 14:30:10 +00:00",
     "heartbeat_counter":42}]}
    {"channel":"subscriptions","client_id":"","timestamp":"2026-04-07T14:30:00.000000Z",
     "sequence_num":0,"events":[{"subscriptions":{"level2":["BTC-USD"]}}]}
    {"type":"error","message":"authentication failure"}

1. `sequence_num` counts all messages of the connection, whatever their channel. A book message has
   no other number.
2. An event of type snapshot replaces the book; an update's quantity is absolute, zero deletes.
3. The first trades of a subscription come as a snapshot: the past.
4. A trade's side is the maker's, so the aggressor is on the other one. No frame at hand proves it:
   it is so at Coinbase Exchange, whose trades these are, and other readers of this feed say so.
5. Trades may come newest first; they are told oldest first.
6. An order's size is what was filled and what is left of it. What is left is told in the currency
   that the order was placed in: a market order may have been placed in the quote's, and cannot be
   added up.
7. The size of a perpetual position has a minus where it is short; a future's has none. `0` is flat.

Exchange times: of a trade its own, of all else the message's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.event import (
    BookDelta,
    BookSnapshot,
    ContractKind,
    Event,
    FrameSequence,
    Instrument,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Row,
    Side,
    Ticker,
    Trade,
)
from venues.signed_size import side_and_size
from venues.wire import Counter, exact_number, iso_time_ns

_BUY, _SELL = Side.BUY, Side.SELL
_POSITION_SIDES = {"long": Side.BUY, "short": Side.SELL}


class _Level(msgspec.Struct, gc=False):
    side: Literal["bid", "offer"]
    price: str = field(name="price_level")
    size: str = field(name="new_quantity")


class _BookEvent(msgspec.Struct, gc=False):
    type: Literal["snapshot", "update"]
    product_id: str
    updates: list[_Level]


class _TradeRow(msgspec.Struct, gc=False):
    trade_id: str
    product_id: str
    price: str
    size: str
    maker_side: Literal["BUY", "SELL"] = field(name="side")
    time: str


class _TradeEvent(msgspec.Struct, gc=False):
    type: Literal["snapshot", "update"]
    trades: list[_TradeRow]


class _TickerRow(msgspec.Struct, gc=False):
    product_id: str
    price: str


class _TickerEvent(msgspec.Struct, gc=False):
    tickers: list[_TickerRow]


class _OrderRow(msgspec.Struct, gc=False):
    order_id: str
    product_id: str
    order_side: Literal["BUY", "SELL"]
    status: str
    filled: str = field(name="cumulative_quantity")
    leaves: str = field(name="leaves_quantity")
    client_order_id: str = ""
    limit_price: str = ""
    order_type: str = ""


class _PerpetualRow(msgspec.Struct, gc=False):
    product_id: str
    side: str = field(name="position_side")
    size: str = field(name="net_size")
    entry_price: str = field(name="entry_vwap", default="")


class _FutureRow(msgspec.Struct, gc=False):
    product_id: str
    side: str
    size: str = field(name="number_of_contracts")
    entry_price: str = ""


class _Positions(msgspec.Struct, gc=False):
    perpetuals: list[_PerpetualRow] = field(name="perpetual_futures_positions", default=[])
    futures: list[_FutureRow] = field(name="expiring_futures_positions", default=[])


class _UserEvent(msgspec.Struct, gc=False):
    orders: list[_OrderRow] = []
    positions: _Positions | None = None


class _Numbered(msgspec.Struct, gc=False, tag_field="channel"):
    timestamp: str
    sequence_num: Counter


class _BookMessage(_Numbered, gc=False, tag="l2_data"):
    events: list[_BookEvent]


class _TradeMessage(_Numbered, gc=False, tag="market_trades"):
    events: list[_TradeEvent]


class _TickerMessage(_Numbered, gc=False, tag="ticker"):
    events: list[_TickerEvent]


class _UserMessage(_Numbered, gc=False, tag="user"):
    events: list[_UserEvent]


_Market = _BookMessage | _TradeMessage | _TickerMessage | _UserMessage


class _Head(msgspec.Struct, gc=False):
    channel: str = ""
    sequence_num: Counter | None = None
    timestamp: str | None = None
    type: str = ""
    message: str = ""


class _Future(msgspec.Struct, gc=False):
    contract_size: str = ""


class _Product(msgspec.Struct, gc=False):
    product_id: str
    base_increment: str
    quote_increment: str
    price_increment: str = ""
    future: _Future | None = field(name="future_product_details", default=None)


_MARKET = msgspec.json.Decoder(_Market)
_HEAD = msgspec.json.Decoder(_Head)
_PRODUCT = msgspec.json.Decoder(_Product)
_MARKET_CHANNELS = frozenset(("l2_data", "market_trades", "ticker", "user"))


def message_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the events of a message, its number first.

    Raises:
        msgspec.MsgspecError, ValueError, RecursionError: it is no such message.
    """
    try:
        message = _MARKET.decode(payload)
    except msgspec.ValidationError:
        return _other_events(payload, receive_time_ns)
    # Rule 1. The number is of the connection, not of a moment: it goes without a time.
    number = FrameSequence("", receive_time_ns, None, message.sequence_num)
    if isinstance(message, _TradeMessage):
        return [number, *_trade_events(message, receive_time_ns)]
    time_ns = iso_time_ns(message.timestamp)
    return [number, *_READERS[type(message)](message, receive_time_ns, time_ns)]


def read_notice(payload: bytes, receive_time_ns: int = 0) -> Notice | None:
    """Return what a message says of the connection; None for market data.

    Raises:
        msgspec.MsgspecError, RecursionError: it is no JSON object of the protocol.
    """
    return _notice(_HEAD.decode(payload), receive_time_ns, None)


def _other_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Read what is of no channel of ours, with its number where it has one."""
    head = _HEAD.decode(payload)
    time_ns = None if head.timestamp is None else iso_time_ns(head.timestamp)
    notice = _notice(head, receive_time_ns, time_ns)
    if notice is None:
        if not head.channel or head.channel in _MARKET_CHANNELS:
            # What is wrong with it is said by the decoder that refused it.
            _MARKET.decode(payload)
        notice = Notice("", receive_time_ns, time_ns, NoticeKind.INFORMATION, head.channel)
    if head.sequence_num is None:
        return (notice,)
    return (FrameSequence("", receive_time_ns, None, head.sequence_num), notice)


def _notice(head: _Head, receive_time_ns: int, time_ns: int | None) -> Notice | None:
    if head.channel == "heartbeats":
        kind = NoticeKind.HEARTBEAT
    elif head.channel == "subscriptions":
        kind = NoticeKind.ACKNOWLEDGED
    elif head.type == "error" and "authentication" in head.message:
        kind = NoticeKind.LOGIN_REFUSED
    elif head.type == "error":
        kind = NoticeKind.REJECTED
    else:
        return None
    return Notice("", receive_time_ns, time_ns, kind, head.message)


def _book_events(message: _BookMessage, receive_time_ns: int, time_ns: int) -> Iterator[Event]:
    for event in message.events:
        bids: list[Row] = []
        asks: list[Row] = []
        for level in event.updates:
            (bids if level.side == "bid" else asks).append((level.price, level.size))
        # Rule 2.
        kind = BookDelta if event.type == "update" else BookSnapshot
        yield kind(event.product_id, receive_time_ns, time_ns, bids, asks)


def _trade_events(message: _TradeMessage, receive_time_ns: int) -> list[Trade]:
    return [
        Trade(
            row.product_id,
            receive_time_ns,
            iso_time_ns(row.time),
            row.price,
            row.size,
            # Rule 4.
            _BUY if row.maker_side == "SELL" else _SELL,
            row.trade_id,
            None,
            # Rule 3.
            history=event.type == "snapshot",
        )
        for event in message.events
        for row in _oldest_first(event.trades)
    ]


def _oldest_first(rows: list[_TradeRow]) -> list[_TradeRow]:
    """Return trades in the order in which they happened (rule 5)."""
    if len(rows) > 1 and rows[0].time > rows[-1].time:
        rows.reverse()
    return rows


def _ticker_events(message: _TickerMessage, receive_time_ns: int, time_ns: int) -> Iterator[Event]:
    for event in message.events:
        for row in event.tickers:
            yield Ticker(row.product_id, receive_time_ns, time_ns, row.price)


def _user_events(message: _UserMessage, receive_time_ns: int, time_ns: int) -> Iterator[Event]:
    for event in message.events:
        for row in event.orders:
            yield OrderUpdate(
                row.product_id,
                receive_time_ns,
                time_ns,
                row.order_id,
                row.client_order_id,
                _BUY if row.order_side == "BUY" else _SELL,
                row.limit_price,
                _order_size(row),
                row.filled,
                row.status,
            )
        positions = event.positions or _Positions()
        held: list[_PerpetualRow | _FutureRow] = [*positions.perpetuals, *positions.futures]
        for one in held:
            signed_side, size = side_and_size(one.size)
            side = _POSITION_SIDES.get(one.side.rpartition("_")[2].lower(), signed_side)
            yield PositionUpdate(
                one.product_id,
                receive_time_ns,
                time_ns,
                side if signed_side is not None else None,  # Rule 7.
                size,
                one.entry_price,
            )


def _order_size(row: _OrderRow) -> str:
    """Return the size of an order, '' where it cannot be known (rule 6).

    Raises:
        ValueError: it is told in something else than plain numbers.
    """
    filled, leaves = exact_number(row.filled), exact_number(row.leaves)
    if leaves and row.order_type.lower() == "market":
        return ""
    return row.leaves if filled == 0 else f"{filled + leaves:f}"


_READERS: dict[type, Callable[..., Iterator[Event]]] = {
    _BookMessage: _book_events,
    _TickerMessage: _ticker_events,
    _UserMessage: _user_events,
}


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return what `/api/v3/brokerage/market/products/BTC-USD` says of the product.

    Raises:
        msgspec.MsgspecError: it is no such answer.
    """
    product = _PRODUCT.decode(body)
    contract_size = product.future.contract_size if product.future is not None else ""
    return (
        Instrument(
            product.product_id,
            receive_time_ns,
            None,
            product.price_increment or product.quote_increment,
            product.base_increment,
            ContractKind.LINEAR if contract_size else ContractKind.COIN,
            contract_size or None,
        ),
    )
