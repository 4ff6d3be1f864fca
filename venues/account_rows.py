"""Private updates in the shape that Bybit sends and the reference venue took over.

    {"topic":"order","creationTime":ms,"data":[{"orderId","orderLinkId","symbol","side","price",
     "qty","cumExecQty","orderStatus","category"}]}
    {"topic":"position","creationTime":ms,"data":[{"symbol","side","size","entryPrice"}]}
    {"topic":"wallet","creationTime":ms,"data":[{"coin":[{"coin","walletBalance",
     "availableToWithdraw"}]}]}

One account trades in several categories and its updates come by one topic: rows of another
category than the venue's own are left out, or two recordings would hold each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.event import Event, OrderUpdate, PositionUpdate, Side, WalletUpdate
from venues.wire import NS_PER_MS, Milliseconds

_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}


class _OrderRow(msgspec.Struct, gc=False):
    symbol: str
    order_id: str = field(name="orderId")
    side: Literal["Buy", "Sell"]
    price: str
    size: str = field(name="qty")
    filled_size: str = field(name="cumExecQty")
    status: str = field(name="orderStatus")
    client_order_id: str = field(name="orderLinkId", default="")
    category: str = ""


class _PositionRow(msgspec.Struct, gc=False):
    symbol: str
    side: Literal["Buy", "Sell", "None", ""]
    size: str
    entry_price: str = field(name="entryPrice")
    category: str = ""


class _Coin(msgspec.Struct, gc=False):
    coin: str
    balance: str = field(name="walletBalance")
    available: str = field(name="availableToWithdraw", default="")


class _WalletRow(msgspec.Struct, gc=False):
    coin: list[_Coin]


class _Orders(msgspec.Struct, gc=False):
    data: list[_OrderRow]
    creation_time_ms: Milliseconds | None = field(name="creationTime", default=None)


class _Positions(msgspec.Struct, gc=False):
    data: list[_PositionRow]
    creation_time_ms: Milliseconds | None = field(name="creationTime", default=None)


class _Wallets(msgspec.Struct, gc=False):
    data: list[_WalletRow]
    creation_time_ms: Milliseconds | None = field(name="creationTime", default=None)


_ORDERS = msgspec.json.Decoder(_Orders)
_POSITIONS = msgspec.json.Decoder(_Positions)
_WALLETS = msgspec.json.Decoder(_Wallets)

AccountReader = Callable[[bytes, int, str], Sequence[Event]]
"""Payload, receive time and the category to keep ('' for all), to events."""


def _time_ns(time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms * NS_PER_MS


def _other(row_category: str, category: str) -> bool:
    return bool(row_category and category and row_category != category)


def _order_events(payload: bytes, receive_time_ns: int, category: str) -> Sequence[Event]:
    message = _ORDERS.decode(payload)
    time_ns = _time_ns(message.creation_time_ms)
    return [
        OrderUpdate(
            row.symbol,
            receive_time_ns,
            time_ns,
            row.order_id,
            row.client_order_id,
            _SIDES[row.side],
            row.price,
            row.size,
            row.filled_size,
            row.status,
        )
        for row in message.data
        if not _other(row.category, category)
    ]


def _position_events(payload: bytes, receive_time_ns: int, category: str) -> Sequence[Event]:
    message = _POSITIONS.decode(payload)
    time_ns = _time_ns(message.creation_time_ms)
    return [
        PositionUpdate(
            row.symbol, receive_time_ns, time_ns, _SIDES.get(row.side), row.size, row.entry_price
        )
        for row in message.data
        if not _other(row.category, category)
    ]


def _wallet_events(payload: bytes, receive_time_ns: int, category: str) -> Sequence[Event]:
    message = _WALLETS.decode(payload)
    time_ns = _time_ns(message.creation_time_ms)
    return [
        WalletUpdate(coin.coin, receive_time_ns, time_ns, coin.balance, coin.available)
        for row in message.data
        for coin in row.coin
    ]


ACCOUNT_READERS: Mapping[str, AccountReader] = {
    "order": _order_events,
    "position": _position_events,
    "wallet": _wallet_events,
}
