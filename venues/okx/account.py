"""What OKX's v5 messages on one's own account are, and the events they become.

    {"arg":{"channel":"orders","instType":"SWAP","uid":"…"},"data":[{"instId":"BTC-USDT-SWAP",
     "ordId":"2497956918703120384","clOrdId":"a1","side":"buy","px":"","sz":"0.03",
     "accFillSz":"0.03","state":"filled","uTime":"1746947317402"}]}
    {"arg":{"channel":"positions","instType":"ANY","uid":"…"},"data":[{"instId":"BTC-USDT-SWAP",
     "posSide":"net","pos":"-3","avgPx":"103698.9","uTime":"1746947317402"}]}
    {"arg":{"channel":"account","uid":"…"},"data":[{"uTime":"1751531646836","details":[{"ccy":"USDT",
     "cashBal":"100.5","availBal":"100.5","uTime":"1751526647084"}]}]}

1. A market order has no price: `px` is ''. In `orders-algo`, `ordPx` -1 says the same.
2. `pos` is signed where `posSide` is net: below zero, the position is short. 0 is flat.
3. Orders of the channel `orders-algo` wait for a trigger: they are known by their `algoId`, and
   what they become once triggered is another order, in `orders`.
4. Orders of the channel `sprd-orders` are of a spread: its name is their symbol.

Source: OKX, API v5, "Order Book Trading / Trade / WS / Order channel" and its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.event import Event, OrderUpdate, PositionUpdate, Side, WalletUpdate
from venues.op_arg_objects import Reader, text_time_ns
from venues.wire import exact_number

_SIDES = {"buy": Side.BUY, "sell": Side.SELL, "long": Side.BUY, "short": Side.SELL}
_OrderSide = Literal["buy", "sell"]
_NO_PRICE = "-1"


class _Order(msgspec.Struct, gc=False):
    symbol: str = field(name="instId")
    order_id: str = field(name="ordId")
    side: _OrderSide
    size: str = field(name="sz")
    filled_size: str = field(name="accFillSz")
    state: str
    update_time: str = field(name="uTime")
    price: str = field(name="px", default="")
    client_order_id: str = field(name="clOrdId", default="")


class _Orders(msgspec.Struct, gc=False):
    data: list[_Order]


class _SpreadOrder(msgspec.Struct, gc=False):
    symbol: str = field(name="sprdId")
    order_id: str = field(name="ordId")
    side: _OrderSide
    size: str = field(name="sz")
    filled_size: str = field(name="accFillSz")
    state: str
    update_time: str = field(name="uTime")
    price: str = field(name="px", default="")
    client_order_id: str = field(name="clOrdId", default="")


class _SpreadOrders(msgspec.Struct, gc=False):
    data: list[_SpreadOrder]


class _AlgoOrder(msgspec.Struct, gc=False):
    symbol: str = field(name="instId")
    order_id: str = field(name="algoId")
    side: _OrderSide
    size: str = field(name="sz")
    state: str
    update_time: str = field(name="uTime", default="")
    filled_size: str = field(name="actualSz", default="")
    price: str = field(name="ordPx", default="")
    client_order_id: str = field(name="algoClOrdId", default="")


class _AlgoOrders(msgspec.Struct, gc=False):
    data: list[_AlgoOrder]


class _Position(msgspec.Struct, gc=False):
    symbol: str = field(name="instId")
    side: Literal["long", "short", "net"] = field(name="posSide")
    size: str = field(name="pos")
    entry_price: str = field(name="avgPx", default="")
    update_time: str = field(name="uTime", default="")


class _Positions(msgspec.Struct, gc=False):
    data: list[_Position]


class _Balance(msgspec.Struct, gc=False):
    coin: str = field(name="ccy")
    balance: str = field(name="cashBal")
    available: str = field(name="availBal", default="")
    update_time: str = field(name="uTime", default="")


class _Account(msgspec.Struct, gc=False):
    details: list[_Balance]


class _Accounts(msgspec.Struct, gc=False):
    data: list[_Account]


_ORDERS = msgspec.json.Decoder(_Orders)
_SPREAD_ORDERS = msgspec.json.Decoder(_SpreadOrders)
_ALGO_ORDERS = msgspec.json.Decoder(_AlgoOrders)
_POSITIONS = msgspec.json.Decoder(_Positions)
_ACCOUNTS = msgspec.json.Decoder(_Accounts)


def _order(row: _Order | _SpreadOrder | _AlgoOrder, receive_time_ns: int) -> OrderUpdate:
    return OrderUpdate(
        row.symbol,
        receive_time_ns,
        text_time_ns(row.update_time),
        row.order_id,
        row.client_order_id,
        _SIDES[row.side],
        "" if row.price == _NO_PRICE else row.price,  # Rule 1.
        row.size,
        row.filled_size,
        row.state,
    )


def _order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [_order(row, receive_time_ns) for row in _ORDERS.decode(payload).data]


def _algo_order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    # Rule 3.
    return [_order(row, receive_time_ns) for row in _ALGO_ORDERS.decode(payload).data]


def _spread_order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    # Rule 4.
    return [_order(row, receive_time_ns) for row in _SPREAD_ORDERS.decode(payload).data]


def _position_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [_position(row, receive_time_ns) for row in _POSITIONS.decode(payload).data]


def _position(row: _Position, receive_time_ns: int) -> PositionUpdate:
    size = row.size.removeprefix("-") or "0"
    side = _SIDES.get(row.side)
    if side is None:  # Rule 2.
        side = Side.SELL if row.size.startswith("-") else Side.BUY
    return PositionUpdate(
        row.symbol,
        receive_time_ns,
        text_time_ns(row.update_time),
        side if exact_number(size) else None,
        size,
        row.entry_price,
    )


def _account_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        WalletUpdate(
            row.coin,
            receive_time_ns,
            text_time_ns(row.update_time),
            row.balance,
            row.available,
        )
        for account in _ACCOUNTS.decode(payload).data
        for row in account.details
    ]


ACCOUNT_READERS: Mapping[str, Reader] = {
    "orders": _order_events,
    "orders-algo": _algo_order_events,
    "sprd-orders": _spread_order_events,
    "positions": _position_events,
    "account": _account_events,
}
"""By channel."""
