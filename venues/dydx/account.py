"""What dYdX says of one's own subaccount, and the events that it becomes.

    {"type":"subscribed","message_id":1,"channel":"v4_subaccounts","id":"dydx1abc/0","contents":{
     "subaccount":{"freeCollateral":"100000.25","openPerpetualPositions":{"BTC-USD":{"market":
     "BTC-USD","side":"LONG","size":"0.5","entryPrice":"43000.0"}},"assetPositions":{"USDC":{
     "symbol":"USDC","size":"100000.0"}}}}}
    {"type":"channel_data","message_id":6,"channel":"v4_subaccounts","id":"dydx1abc/0","contents":{
     "orders":[{"id":"order-001","clientId":"12345678","clobPairId":"0","side":"BUY","size":"0.5",
     "price":"43000.0","status":"FILLED","totalFilled":"0.5","updatedAt":"2024-01-01T00:00:00.000Z"
     }]}}

1. The first message states the subaccount, each later one what changed in it.
2. An order names its market as `ticker`; where it names only its `clobPairId`, its symbol is ''.
3. The size of a short position is negative.

Source: dYdX docs, "Indexer: Websocket API", Subaccounts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import field

from venues.event import Event, OrderUpdate, PositionUpdate, Side, WalletUpdate
from venues.signed_size import side_and_size
from venues.wire import iso_time_ns


class _Position(msgspec.Struct, gc=False):
    market: str
    signed_size: str = field(name="size")
    entry_price: str = field(name="entryPrice", default="")


class _Asset(msgspec.Struct, gc=False):
    symbol: str
    size: str


class _Order(msgspec.Struct, gc=False):
    order_id: str = field(name="id")
    side: Literal["BUY", "SELL"]
    size: str
    price: str
    status: str
    client_id: str = field(name="clientId", default="")
    ticker: str = ""
    filled: str = field(name="totalFilled", default="0")
    updated_at: str | None = field(name="updatedAt", default=None)


class _Subaccount(msgspec.Struct, gc=False):
    free_collateral: str = field(name="freeCollateral", default="")
    positions: dict[str, _Position] = field(name="openPerpetualPositions", default={})
    assets: dict[str, _Asset] = field(name="assetPositions", default={})


class SubaccountContents(msgspec.Struct, gc=False):
    """What is stated or has changed (rule 1)."""

    subaccount: _Subaccount | None = None
    orders: list[_Order] | None = None
    positions: list[_Position] | None = field(name="perpetualPositions", default=None)
    assets: list[_Asset] | None = field(name="assetPositions", default=None)


def subaccount_events(contents: SubaccountContents, receive_time_ns: int) -> Iterable[Event]:
    """Yield the updates of orders, positions and coins, in this order.

    Raises:
        ValueError: a time is none.
    """
    for order in contents.orders or ():
        yield _order(order, receive_time_ns)
    stated = contents.subaccount
    positions = contents.positions or ()
    assets = contents.assets or ()
    free = ""
    if stated is not None:
        positions, assets = [*stated.positions.values()], [*stated.assets.values()]
        free = stated.free_collateral
    for position in positions:
        yield _position(position, receive_time_ns)
    for asset in assets:
        yield WalletUpdate(asset.symbol, receive_time_ns, None, asset.size, free)


def _order(order: _Order, receive_time_ns: int) -> OrderUpdate:
    return OrderUpdate(
        order.ticker,  # Rule 2.
        receive_time_ns,
        None if order.updated_at is None else iso_time_ns(order.updated_at),
        order.order_id,
        order.client_id,
        Side(order.side),
        order.price,
        order.size,
        order.filled,
        order.status,
    )


def _position(position: _Position, receive_time_ns: int) -> PositionUpdate:
    side, size = side_and_size(position.signed_size)  # Rule 3.
    return PositionUpdate(position.market, receive_time_ns, None, side, size, position.entry_price)
