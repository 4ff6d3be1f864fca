"""What the private messages of Kraken Futures are, and the events they become.

    {"feed":"open_orders_snapshot","orders":[{"instrument":"PI_XBTUSD","last_update_time":
     1612275024153,"qty":1000,"filled":0,"limit_price":34900,"order_id":"723ba95f-…","direction":1}]}
    {"feed":"open_orders","order":{…},"is_cancel":false,"reason":"new_placed_order_by_user"}
    {"feed":"open_orders","order_id":"660c6b23-…","is_cancel":true,"reason":"cancelled_by_user"}
    {"feed":"open_positions","positions":[{"instrument":"PI_XBTUSD","balance":1.0,
     "entry_price":40012.5}],"timestamp":1700000000000}
    {"feed":"balances_snapshot","holding":{"XBT":0.1285407184},"futures":{"F-XBT:USD":{
     "balance":0.0,"available":0.0}},"flex_futures":{"currencies":{"USD":{"quantity":5.0,
     "available":5.0}}},"timestamp":1640995200000,"seq":0}

1. `direction` 0 buys, 1 sells. `qty` is what is left to fill: the size of an order is that and
   `filled` together. The status is the `reason`; of the orders in a snapshot it is `open`.
2. A cancellation may name the order alone.
3. A position's `balance` has a sign: below zero it is short. A closed position is no longer in the
   list, and so is told by nothing.
4. There are three kinds of wallet. A coin that is only held is called by its name, one of the
   multi-collateral wallet `flex/COIN`, a single-collateral wallet by its own name.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Any, Literal

import msgspec
from msgspec import field

from venues.event import Event, OrderUpdate, PositionUpdate, Side, WalletUpdate
from venues.wire import NS_PER_MS, Milliseconds, exact_number, number_text

_EXACT = Context(prec=240)


class _Order(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument")
    order_id: str
    direction: Literal[0, 1]
    left: Any = field(name="qty")
    filled: Any
    price: Any = field(name="limit_price", default=None)
    client_order_id: str | None = field(name="cli_ord_id", default=None)
    update_time_ms: Milliseconds | None = field(name="last_update_time", default=None)


class _OrderMessage(msgspec.Struct, gc=False):
    order: _Order | None = None
    order_id: str = ""
    client_order_id: str | None = field(name="cli_ord_id", default=None)
    reason: str = ""


class _OrderSnapshot(msgspec.Struct, gc=False):
    orders: list[_Order]


class _Position(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument")
    balance: Any
    entry_price: Any = None


class _PositionMessage(msgspec.Struct, gc=False):
    positions: list[_Position]
    time_ms: Milliseconds | None = field(name="timestamp", default=None)


class _Wallet(msgspec.Struct, gc=False):
    balance: Any = None
    quantity: Any = None
    available: Any = None


class _MultiCollateral(msgspec.Struct, gc=False):
    currencies: dict[str, _Wallet] = {}


class _BalanceMessage(msgspec.Struct, gc=False):
    holding: dict[str, Any] = {}
    futures: dict[str, _Wallet] = {}
    flex_futures: _MultiCollateral | None = None
    time_ms: Milliseconds | None = field(name="timestamp", default=None)


_ORDER_MESSAGE = msgspec.json.Decoder(_OrderMessage, float_hook=str)
_ORDER_SNAPSHOT = msgspec.json.Decoder(_OrderSnapshot, float_hook=str)
_POSITION_MESSAGE = msgspec.json.Decoder(_PositionMessage, float_hook=str)
_BALANCE_MESSAGE = msgspec.json.Decoder(_BalanceMessage, float_hook=str)


def order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the change of one order (rules 1 and 2)."""
    message = _ORDER_MESSAGE.decode(payload)
    if message.order is not None:
        return (_order_update(message.order, receive_time_ns, message.reason),)
    if not message.order_id:
        raise ValueError("a message on orders without an order")
    client_order_id = message.client_order_id or ""
    return (
        OrderUpdate(
            "",
            receive_time_ns,
            None,
            message.order_id,
            client_order_id,
            None,
            "",
            "",
            "",
            message.reason,
        ),
    )


def order_snapshot_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the orders that are open."""
    orders = _ORDER_SNAPSHOT.decode(payload).orders
    return [_order_update(order, receive_time_ns, "open") for order in orders]


def _order_update(order: _Order, receive_time_ns: int, status: str) -> OrderUpdate:
    filled = number_text(order.filled)
    size = _EXACT.add(exact_number(number_text(order.left)), exact_number(filled))
    return OrderUpdate(
        order.symbol,
        receive_time_ns,
        _time_ns(order.update_time_ms),
        order.order_id,
        order.client_order_id or "",
        Side.SELL if order.direction else Side.BUY,
        "" if order.price is None else number_text(order.price),
        f"{size:f}",
        filled,
        status,
    )


def position_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the positions that are open (rule 3)."""
    message = _POSITION_MESSAGE.decode(payload)
    time_ns = _time_ns(message.time_ms)
    return [_position_update(one, receive_time_ns, time_ns) for one in message.positions]


def _position_update(
    position: _Position, receive_time_ns: int, time_ns: int | None
) -> PositionUpdate:
    balance = number_text(position.balance)
    size = balance.removeprefix("-")
    side = Side.SELL if size != balance else Side.BUY
    entry_price = "" if position.entry_price is None else number_text(position.entry_price)
    return PositionUpdate(
        position.symbol,
        receive_time_ns,
        time_ns,
        None if exact_number(size) == Decimal(0) else side,
        size,
        entry_price,
    )


def wallet_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the balances of all wallets in a message (rule 4)."""
    message = _BALANCE_MESSAGE.decode(payload)
    time_ns = _time_ns(message.time_ms)
    rows = [(coin, token, None) for coin, token in message.holding.items()]
    rows += [(name, one.balance, one.available) for name, one in message.futures.items()]
    if message.flex_futures is not None:
        currencies = message.flex_futures.currencies.items()
        rows += [(f"flex/{coin}", one.quantity, one.available) for coin, one in currencies]
    return [
        WalletUpdate(name, receive_time_ns, time_ns, _text(balance), _text(available))
        for name, balance, available in rows
    ]


def _time_ns(time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms * NS_PER_MS


def _text(token: object) -> str:
    return "" if token is None else number_text(token)
