"""What Bitget's v3 messages on one's own account are, and the events they become.

    {"data":[{"category":"usdt-futures","symbol":"BTCUSDT","orderId":"456","clientOid":"a1",
     "price":"62500.10","qty":"0.010","side":"sell","cumExecQty":"0.004",
     "orderStatus":"partially_filled","updatedTime":"1784462400000"}],
     "arg":{"instType":"UTA","topic":"order"},"action":"snapshot","ts":1784462400000}
    {"data":[{"symbol":"BTCUSDT","posSide":"long","size":"0.020","avgPrice":"61000.5",
     "updatedTime":"1736378720620"}],"arg":{"instType":"UTA","topic":"position"},
     "action":"snapshot","ts":1730711666652}
    {"data":[{"coin":[{"coin":"USDT","balance":"9","available":"8","locked":"1","equity":"9.5"}]}],
     "arg":{"instType":"UTA","topic":"account"},"action":"update","ts":1720000000002}

1. An order's `category` says in which market it is; a position without one is named by its symbol.
2. A position's size is never below zero: `posSide` tells the side. 0 is flat.
3. Balances have the message's time.

Source: Bitget, API, "UTA / WebSocket / Private": Order, Position, Account Channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.bitget.spelling import market_symbol
from venues.event import Event, OrderUpdate, PositionUpdate, Side, WalletUpdate
from venues.op_arg_objects import Reader, text_time_ns
from venues.wire import NS_PER_MS, Milliseconds, exact_number

_SIDES = {"buy": Side.BUY, "sell": Side.SELL, "long": Side.BUY, "short": Side.SELL}


class _Order(msgspec.Struct, gc=False):
    symbol: str
    order_id: str = field(name="orderId")
    side: Literal["buy", "sell"]
    size: str = field(name="qty")
    filled_size: str = field(name="cumExecQty")
    status: str = field(name="orderStatus")
    category: str = ""
    price: str = ""
    client_order_id: str = field(name="clientOid", default="")
    update_time: str = field(name="updatedTime", default="")


class _Orders(msgspec.Struct, gc=False):
    data: list[_Order]


class _Position(msgspec.Struct, gc=False):
    symbol: str
    side: Literal["long", "short"] = field(name="posSide")
    size: str
    category: str = ""
    entry_price: str = field(name="avgPrice", default="")
    update_time: str = field(name="updatedTime", default="")


class _Positions(msgspec.Struct, gc=False):
    data: list[_Position]


class _Coin(msgspec.Struct, gc=False):
    coin: str
    balance: str = ""
    available: str = ""


class _Account(msgspec.Struct, gc=False):
    coins: list[_Coin] = field(name="coin")


class _Accounts(msgspec.Struct, gc=False):
    data: list[_Account]
    time_ms: Milliseconds = field(name="ts")


_ORDERS = msgspec.json.Decoder(_Orders)
_POSITIONS = msgspec.json.Decoder(_Positions)
_ACCOUNTS = msgspec.json.Decoder(_Accounts, strict=False)


def _order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        OrderUpdate(
            market_symbol(row.category, row.symbol),  # Rule 1.
            receive_time_ns,
            text_time_ns(row.update_time),
            row.order_id,
            row.client_order_id,
            _SIDES[row.side],
            row.price,
            row.size,
            row.filled_size,
            row.status,
        )
        for row in _ORDERS.decode(payload).data
    ]


def _position_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        PositionUpdate(
            market_symbol(row.category, row.symbol),
            receive_time_ns,
            text_time_ns(row.update_time),
            _SIDES[row.side] if exact_number(row.size) else None,  # Rule 2.
            row.size,
            row.entry_price,
        )
        for row in _POSITIONS.decode(payload).data
    ]


def _account_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    message = _ACCOUNTS.decode(payload)
    time_ns = message.time_ms * NS_PER_MS  # Rule 3.
    return [
        WalletUpdate(row.coin, receive_time_ns, time_ns, row.balance, row.available)
        for account in message.data
        for row in account.coins
    ]


ACCOUNT_READERS: Mapping[bytes, Reader] = {
    b"order": _order_events,
    b"position": _position_events,
    b"account": _account_events,
}
"""By topic."""
