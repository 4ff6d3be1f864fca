"""What Binance's messages about one's own account mean.

    {"e":"executionReport","E":1709654401000,"s":"ETHUSDT","c":"x-1","S":"BUY","q":"1.00000000",
     "p":"2500.00000000","X":"FILLED","i":12345678,"z":"1.00000000","T":1709654401000,"C":""}
    {"e":"outboundAccountPosition","E":1564034571105,"u":1564034571073,
     "B":[{"a":"ETH","f":"10000.000000","l":"0.000000"}]}
    {"e":"ORDER_TRADE_UPDATE","T":1568879465651,"E":1568879465651,"o":{"s":"BTCUSDT","c":"TEST",
     "S":"BUY","q":"0.001","p":"7100.50","X":"PARTIALLY_FILLED","i":8886774,"z":"0.001"}}
    {"e":"ACCOUNT_UPDATE","E":1564745798939,"T":1564745798938,"a":{"m":"ORDER",
     "B":[{"a":"USDT","wb":"122624.12345678","cw":"100.12345678","bc":"50.12345678"}],
     "P":[{"s":"BTCUSDT","pa":"-10","ep":"10000.0","ps":"BOTH"}]}}

1. An order's state is as of the event, not a change. `z` is what is filled of it, over all trades.
2. Where an order was canceled, `c` is the id of the request that did it, and `C` the order's own.
3. A balance at spot is what is free and what is locked. At the futures it is the wallet's, without
   the profits that are not realised; what of it is available is not said.
4. A position's amount is negative where it is short; in hedge mode a symbol has two, named by `ps`.
5. Only what changed is sent: no snapshot begins a connection.

All other events (a deposit as a difference, a list of orders, a margin call, a setting) are passed
over with a notice. Exchange times: of an order and of a futures account `T`, of a spot balance `u`,
when it changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.event import Event, OrderUpdate, PositionUpdate, Side, WalletUpdate
from venues.signed_size import side_and_size
from venues.wire import NS_PER_MS, Milliseconds, exact_sum


class _Order(msgspec.Struct, gc=False):
    symbol: str = field(name="s")
    request_client_order_id: str = field(name="c")
    side: Literal["BUY", "SELL"] = field(name="S")
    size: str = field(name="q")
    price: str = field(name="p")
    status: str = field(name="X")
    order_id: int = field(name="i")
    filled_size: str = field(name="z")
    client_order_id: str = field(name="C", default="")


class _ExecutionReport(_Order, gc=False, kw_only=True):
    time_ms: Milliseconds = field(name="T")


class _OrderTradeUpdate(msgspec.Struct, gc=False):
    time_ms: Milliseconds = field(name="T")
    order: _Order = field(name="o")


class _Balance(msgspec.Struct, gc=False):
    coin: str = field(name="a")
    free: str = field(name="f")
    locked: str = field(name="l")


class _AccountPosition(msgspec.Struct, gc=False):
    time_ms: Milliseconds = field(name="u")
    balances: list[_Balance] = field(name="B")


class _WalletBalance(msgspec.Struct, gc=False):
    coin: str = field(name="a")
    balance: str = field(name="wb")


class _Position(msgspec.Struct, gc=False):
    symbol: str = field(name="s")
    amount: str = field(name="pa")
    entry_price: str = field(name="ep")
    side: Literal["BOTH", "LONG", "SHORT"] = field(name="ps", default="BOTH")


class _Account(msgspec.Struct, gc=False):
    balances: list[_WalletBalance] = field(name="B", default_factory=list)
    positions: list[_Position] = field(name="P", default_factory=list)


class _AccountUpdate(msgspec.Struct, gc=False):
    time_ms: Milliseconds = field(name="T")
    account: _Account = field(name="a")


_EXECUTION_REPORT = msgspec.json.Decoder(_ExecutionReport)
_ORDER_TRADE_UPDATE = msgspec.json.Decoder(_OrderTradeUpdate)
_ACCOUNT_POSITION = msgspec.json.Decoder(_AccountPosition)
_ACCOUNT_UPDATE = msgspec.json.Decoder(_AccountUpdate)


def _spot_order(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    report = _EXECUTION_REPORT.decode(payload)
    return (_order(report, receive_time_ns, report.time_ms),)


def _futures_order(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    update = _ORDER_TRADE_UPDATE.decode(payload)
    return (_order(update.order, receive_time_ns, update.time_ms),)


def _order(order: _Order, receive_time_ns: int, time_ms: int) -> OrderUpdate:
    return OrderUpdate(
        order.symbol,
        receive_time_ns,
        time_ms * NS_PER_MS,
        str(order.order_id),
        order.client_order_id or order.request_client_order_id,  # 2
        Side.BUY if order.side == "BUY" else Side.SELL,
        order.price,
        order.size,
        order.filled_size,
        order.status,
    )


def _spot_balances(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    update = _ACCOUNT_POSITION.decode(payload)
    time_ns = update.time_ms * NS_PER_MS
    return [
        WalletUpdate(
            row.coin, receive_time_ns, time_ns, exact_sum(row.free, row.locked), row.free
        )  # 3
        for row in update.balances
    ]


def _futures_account(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    update = _ACCOUNT_UPDATE.decode(payload)
    time_ns = update.time_ms * NS_PER_MS
    wallets = [
        WalletUpdate(row.coin, receive_time_ns, time_ns, row.balance, "")  # 3
        for row in update.account.balances
    ]
    return [
        *wallets,
        *(_position(row, receive_time_ns, time_ns) for row in update.account.positions),
    ]


def _position(row: _Position, receive_time_ns: int, time_ns: int) -> PositionUpdate:
    side, size = side_and_size(row.amount)  # 4
    if side is not None and row.side != "BOTH":
        side = Side.BUY if row.side == "LONG" else Side.SELL
    return PositionUpdate(row.symbol, receive_time_ns, time_ns, side, size, row.entry_price)


ACCOUNT_READERS: Mapping[str, Callable[[bytes, int], Sequence[Event]]] = {
    "executionReport": _spot_order,
    "outboundAccountPosition": _spot_balances,
    "ORDER_TRADE_UPDATE": _futures_order,
    "ACCOUNT_UPDATE": _futures_account,
}
"""By the event's name: payload and receive time to events."""

ACCOUNT_EVENTS = frozenset(
    (
        *ACCOUNT_READERS,
        *("balanceUpdate", "listStatus", "externalLockUpdate", "TRADE_LITE", "MARGIN_CALL"),
        *("ACCOUNT_CONFIG_UPDATE", "STRATEGY_UPDATE", "GRID_UPDATE", "ALGO_UPDATE"),
        "CONDITIONAL_ORDER_TRIGGER_REJECT",
    )
)
"""The names of all events that are sent of one's own account."""
