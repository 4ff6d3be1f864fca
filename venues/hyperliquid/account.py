"""What Hyperliquid says of one's own account, and the events that it becomes.

    {"channel":"orderUpdates","data":[{"order":{"coin":"BTC","side":"A","limitPx":"66653.0",
     "sz":"0.001","oid":1,"origSz":"0.003","cloid":"0x04"},"status":"open",
     "statusTimestamp":1703875200000}]}
    {"channel":"clearinghouseState","data":{"user":"0x05","clearinghouseState":{"assetPositions":[
     {"position":{"coin":"ETH","szi":"-0.03","entryPx":"2986.3"}}],"marginSummary":{"accountValue":
     "13109.48"},"withdrawable":"13104.51","time":1703875200000}}}
    {"channel":"user","data":{"fills":[{"coin":"BTC","px":"66653.0","sz":"0.001","side":"A",
     "time":1781528065899,"crossed":false,"tid":7,"liquidation":{"markPx":"66607.0"}}]}}

1. Of an order `sz` is what is left of `origSz`.
2. A fill of one's own that names a `liquidation` was a forced close: by oneself where one crossed
   the spread (`crossed`), else by the other side.

Source: Hyperliquid docs, "Websocket: Subscriptions" (its `WsOrder`, `WsUserEvent`) and "Info
endpoint: Perpetuals" (`clearinghouseState`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.event import (
    Event,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Side,
    WalletUpdate,
)
from venues.signed_size import side_and_size
from venues.wire import NS_PER_MS, Counter, Milliseconds, exact_product

SIDES = {"B": Side.BUY, "A": Side.SELL}
WireSide = Literal["A", "B"]
_COLLATERAL = "USDC"


class _Order(msgspec.Struct, gc=False):
    coin: str
    side: WireSide
    price: str = field(name="limitPx")
    size_left: str = field(name="sz")
    order_id: Counter = field(name="oid")
    size: str = field(name="origSz")
    client_order_id: str | None = field(name="cloid", default=None)


class _OrderState(msgspec.Struct, gc=False):
    order: _Order
    status: str
    time_ms: Milliseconds = field(name="statusTimestamp")


class _Position(msgspec.Struct, gc=False):
    coin: str
    signed_size: str = field(name="szi")
    entry_price: str | None = field(name="entryPx", default=None)


class _AssetPosition(msgspec.Struct, gc=False):
    position: _Position


class _Margin(msgspec.Struct, gc=False):
    account_value: str = field(name="accountValue")


class _AccountState(msgspec.Struct, gc=False):
    positions: list[_AssetPosition] = field(name="assetPositions")
    margin: _Margin = field(name="marginSummary")
    withdrawable: str
    time_ms: Milliseconds | None = field(name="time", default=None)


class _Account(msgspec.Struct, gc=False):
    state: _AccountState = field(name="clearinghouseState")


class _LiquidationOfFill(msgspec.Struct, gc=False):
    method: str = ""


class _Fill(msgspec.Struct, gc=False):
    coin: str
    price: str = field(name="px")
    size: str = field(name="sz")
    side: WireSide
    time_ms: Milliseconds = field(name="time")
    crossed: bool
    liquidation: _LiquidationOfFill | None = None


class _UserEvents(msgspec.Struct, gc=False):
    fills: list[_Fill] = []


class OrdersMessage(msgspec.Struct, gc=False, tag_field="channel", tag="orderUpdates"):
    """A push of one's own orders."""

    data: list[_OrderState]


class AccountMessage(msgspec.Struct, gc=False, tag_field="channel", tag="clearinghouseState"):
    """A push of one's own positions and collateral."""

    data: _Account


class UserMessage(msgspec.Struct, gc=False, tag_field="channel", tag="user"):
    """A push of what happened to one's own account."""

    data: _UserEvents


def order_events(message: OrdersMessage, receive_time_ns: int) -> Sequence[Event]:
    """Return the updates of orders in a message."""
    return [_order_event(state, receive_time_ns) for state in message.data]


def _order_event(state: _OrderState, receive_time_ns: int) -> OrderUpdate:
    order = state.order
    # Rule 1.
    left, whole = exact_product(order.size_left, "1"), exact_product(order.size, "1")
    return OrderUpdate(
        order.coin,
        receive_time_ns,
        state.time_ms * NS_PER_MS,
        str(order.order_id),
        order.client_order_id or "",
        SIDES[order.side],
        order.price,
        order.size,
        f"{whole - left:f}",
        state.status,
    )


def account_events(message: AccountMessage, receive_time_ns: int) -> Sequence[Event]:
    """Return the positions and the collateral in a message."""
    state = message.data.state
    time_ns = None if state.time_ms is None else state.time_ms * NS_PER_MS
    events: list[Event] = []
    for each in state.positions:
        position = each.position
        side, size = side_and_size(position.signed_size)
        events.append(
            PositionUpdate(
                position.coin,
                receive_time_ns,
                time_ns,
                side,
                size,
                position.entry_price or "",
            )
        )
    value, free = state.margin.account_value, state.withdrawable
    return [*events, WalletUpdate(_COLLATERAL, receive_time_ns, time_ns, value, free)]


def user_events(message: UserMessage, receive_time_ns: int) -> Sequence[Event]:
    """Return the liquidations among the fills; of all else, that it came in a message."""
    events: list[Event] = [
        _liquidation(fill, receive_time_ns)
        for fill in message.data.fills
        if fill.liquidation is not None
    ]
    return events or [Notice("", receive_time_ns, None, NoticeKind.INFORMATION, "user")]


def _liquidation(fill: _Fill, receive_time_ns: int) -> Liquidation:
    sold = fill.side == "A"
    closes_long = sold if fill.crossed else not sold  # Rule 2.
    return Liquidation(
        fill.coin,
        receive_time_ns,
        fill.time_ms * NS_PER_MS,
        fill.price,
        fill.size,
        LiquidatedSide.LONG if closes_long else LiquidatedSide.SHORT,
        fill.side,
        exact_product(fill.price, fill.size),
    )
