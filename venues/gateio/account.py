"""What Gate.io's messages about one's own account are, and the events they become.

    {"time":1605175506,"channel":"spot.orders","event":"update","result":[{"id":"30784435","text":
     "t-abc","create_time_ms":"1605175506123","update_time_ms":"1605175506123","event":"put",
     "currency_pair":"BTC_USDT","side":"sell","amount":"1","price":"10001","left":"1"}]}
    {"time":1605248616,"channel":"spot.balances","event":"update","result":[{"timestamp_ms":
     "1605248616763","currency":"USDT","total":"1022.3","available":"1022.3"}]}
    {"channel":"futures.orders","event":"update","time":1541505434,"result":[{"contract":"BTC_USD",
     "create_time_ms":1628736847325,"finish_as":"filled","finish_time_ms":1628736848321,"id":4872460,
     "left":0,"price":40000.4,"size":1,"status":"finished","text":"-"}]}
    {"time":1588212926,"channel":"futures.positions","event":"update","result":[{"contract":"BTC_USD",
     "entry_price":40000.36666661111,"mode":"single","size":3,"time_ms":1628736848321}]}
    {"channel":"futures.balances","event":"update","result":[{"balance":9.998739899488,
     "change":-2.074115e-06,"time_ms":1547199246123,"type":"fee","user":"211xxx"}]}

1. What is filled of an order is not said: it is its size less what is `left`.
2. Sizes of futures are signed: the sign is the side. An order's client id is its `text`.
3. A spot order's status is its `event` (put, update, finish); a futures order's is `status`, with
   `finish_as` where it is finished.
4. A futures balance has no available part, and in older messages no currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec
from msgspec import field

from venues.event import Event, OrderUpdate, PositionUpdate, Side, WalletUpdate
from venues.gateio.market import milliseconds_ns, unsigned
from venues.wire import NS_PER_MS, Milliseconds, exact_number, number_text


class _SpotOrder(msgspec.Struct, gc=False):
    order_id: str = field(name="id")
    symbol: str = field(name="currency_pair")
    side: Literal["buy", "sell"]
    size: str = field(name="amount")
    left: str
    event: str
    price: str = ""
    client_order_id: str = field(name="text", default="")
    update_time_ms: Any = None


class _SpotOrderMessage(msgspec.Struct, gc=False):
    result: list[_SpotOrder]


class _SpotBalance(msgspec.Struct, gc=False):
    currency: str
    total: str
    available: str
    time_ms: Any = field(name="timestamp_ms", default=None)


class _SpotBalanceMessage(msgspec.Struct, gc=False):
    result: list[_SpotBalance]


class _FuturesOrder(msgspec.Struct, gc=False):
    order_id: Any = field(name="id")
    symbol: str = field(name="contract")
    size: Any
    left: Any
    price: Any
    status: str
    finish_as: str = ""
    client_order_id: str = field(name="text", default="")
    create_time_ms: Milliseconds | None = None
    finish_time_ms: Milliseconds | None = None
    update_time_ms: Milliseconds | None = field(name="update_time", default=None)


class _FuturesOrderMessage(msgspec.Struct, gc=False):
    result: list[_FuturesOrder]


class _Position(msgspec.Struct, gc=False):
    symbol: str = field(name="contract")
    size: Any
    entry_price: Any
    time_ms: Milliseconds | None = None


class _PositionMessage(msgspec.Struct, gc=False):
    result: list[_Position]


class _FuturesBalance(msgspec.Struct, gc=False):
    balance: Any
    currency: str = ""
    time_ms: Milliseconds | None = None


class _FuturesBalanceMessage(msgspec.Struct, gc=False):
    result: list[_FuturesBalance]


_SPOT_ORDERS = msgspec.json.Decoder(_SpotOrderMessage, float_hook=str)
_SPOT_BALANCES = msgspec.json.Decoder(_SpotBalanceMessage, float_hook=str)
_FUTURES_ORDERS = msgspec.json.Decoder(_FuturesOrderMessage, float_hook=str)
_POSITIONS = msgspec.json.Decoder(_PositionMessage, float_hook=str)
_FUTURES_BALANCES = msgspec.json.Decoder(_FuturesBalanceMessage, float_hook=str)


def _filled(size: str, left: str) -> str:
    filled: Decimal = exact_number(size) - exact_number(left)  # Rule 1.
    return format(filled, "f")


def _time_ns(time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms * NS_PER_MS


def spot_order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the orders in a message of `spot.orders` (rules 1 and 3)."""
    return [
        OrderUpdate(
            row.symbol,
            receive_time_ns,
            None if row.update_time_ms is None else milliseconds_ns(row.update_time_ms),
            row.order_id,
            row.client_order_id,
            Side.BUY if row.side == "buy" else Side.SELL,
            row.price,
            row.size,
            _filled(row.size, row.left),
            row.event,
        )
        for row in _SPOT_ORDERS.decode(payload).result
    ]


def spot_balance_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the balances in a message of `spot.balances`."""
    return [
        WalletUpdate(
            row.currency,
            receive_time_ns,
            None if row.time_ms is None else milliseconds_ns(row.time_ms),
            row.total,
            row.available,
        )
        for row in _SPOT_BALANCES.decode(payload).result
    ]


def futures_order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the orders in a message of `futures.orders` (rules 1 to 3)."""
    events: list[Event] = []
    for row in _FUTURES_ORDERS.decode(payload).result:
        size, sold = unsigned(row.size)
        left, _ = unsigned(row.left)
        time_ms = row.update_time_ms or row.finish_time_ms or row.create_time_ms
        events.append(
            OrderUpdate(
                row.symbol,
                receive_time_ns,
                _time_ns(time_ms),
                number_text(row.order_id),
                row.client_order_id,
                Side.SELL if sold else Side.BUY,
                number_text(row.price),
                size,
                _filled(size, left),
                f"{row.status}: {row.finish_as}" if row.status == "finished" else row.status,
            )
        )
    return events


def position_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the positions in a message of `futures.positions` (rule 2)."""
    events: list[Event] = []
    for row in _POSITIONS.decode(payload).result:
        size, sold = unsigned(row.size)
        flat = not exact_number(size)
        events.append(
            PositionUpdate(
                row.symbol,
                receive_time_ns,
                _time_ns(row.time_ms),
                None if flat else Side.SELL if sold else Side.BUY,
                size,
                number_text(row.entry_price),
            )
        )
    return events


def futures_balance_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the balances in a message of `futures.balances` (rule 4)."""
    return [
        WalletUpdate(
            row.currency, receive_time_ns, _time_ns(row.time_ms), number_text(row.balance), ""
        )
        for row in _FUTURES_BALANCES.decode(payload).result
    ]
