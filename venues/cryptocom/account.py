"""What Crypto.com says of one's own account, and the events that it becomes.

    {"id":1,"method":"subscribe","code":0,"result":{"instrument_name":"BTCUSD-PERP","subscription":
     "user.order.BTCUSD-PERP","channel":"user.order","data":[{"order_id":"1","client_oid":"2","side":
     "SELL","instrument_name":"BTCUSD-PERP","limit_price":"50000.0","quantity":"0.0001",
     "cumulative_quantity":"0","status":"ACTIVE","update_time":1610905028081}]}}
    {"id":1,"method":"subscribe","code":0,"result":{"subscription":"user.positions","channel":
     "user.positions","data":[{"instrument_name":"BTCUSD-PERP","quantity":"-0.0984",
     "update_timestamp_ms":1613552240770}]}}
    {"id":1,"method":"subscribe","code":0,"result":{"subscription":"user.balance","channel":
     "user.balance","data":[{"position_balances":[{"instrument_name":"USD","quantity":"102.0",
     "max_withdrawal_balance":"100.0"}]}]}}

A position's size is negative where it is short; its entry price is not told.

Source: Crypto.com Exchange API v1, "Websocket Subscriptions" of user data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.event import Event, OrderUpdate, PositionUpdate, Side, WalletUpdate
from venues.signed_size import side_and_size
from venues.wire import NS_PER_MS, Milliseconds


class _Order(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument_name")
    order_id: str
    side: Literal["BUY", "SELL"]
    size: str = field(name="quantity")
    status: str
    client_order_id: str = field(name="client_oid", default="")
    price: str = field(name="limit_price", default="")
    filled_size: str = field(name="cumulative_quantity", default="0")
    update_time_ms: Milliseconds | None = field(name="update_time", default=None)


class _Position(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument_name")
    signed_size: str = field(name="quantity")
    update_time_ms: Milliseconds | None = field(name="update_timestamp_ms", default=None)


class _Coin(msgspec.Struct, gc=False):
    coin: str = field(name="instrument_name")
    balance: str = field(name="quantity")
    available: str = field(name="max_withdrawal_balance", default="")


class _Balance(msgspec.Struct, gc=False):
    coins: list[_Coin] = field(name="position_balances", default=[])


class _Result(msgspec.Struct, gc=False, tag_field="channel"):
    subscription: str = ""


class OrderResult(_Result, gc=False, tag="user.order"):
    """Changes of orders."""

    data: list[_Order] = []


class PositionResult(_Result, gc=False, tag="user.positions"):
    """Changes of positions."""

    data: list[_Position] = []


class BalanceResult(_Result, gc=False, tag="user.balance"):
    """Changes of balances."""

    data: list[_Balance] = []


def _time_ns(time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms * NS_PER_MS


def order_events(result: OrderResult, receive_time_ns: int) -> Sequence[Event]:
    """Return the updates of orders."""
    return [
        OrderUpdate(
            order.symbol,
            receive_time_ns,
            _time_ns(order.update_time_ms),
            order.order_id,
            order.client_order_id,
            Side(order.side),
            order.price,
            order.size,
            order.filled_size,
            order.status,
        )
        for order in result.data
    ]


def position_events(result: PositionResult, receive_time_ns: int) -> Sequence[Event]:
    """Return the updates of positions."""
    return [_position(position, receive_time_ns) for position in result.data]


def _position(position: _Position, receive_time_ns: int) -> PositionUpdate:
    side, size = side_and_size(position.signed_size)
    time_ns = _time_ns(position.update_time_ms)
    return PositionUpdate(position.symbol, receive_time_ns, time_ns, side, size, "")


def balance_events(result: BalanceResult, receive_time_ns: int) -> Sequence[Event]:
    """Return the updates of coins."""
    return [
        WalletUpdate(coin.coin, receive_time_ns, None, coin.balance, coin.available)
        for each in result.data
        for coin in each.coins
    ]
