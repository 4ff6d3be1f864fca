"""What KuCoin's messages about one's own account are, and the events they become.

    {"type":"message","topic":"/spotMarket/tradeOrders","subject":"orderChange","channelType":
     "private","data":{"symbol":"KCS-USDT","orderType":"limit","side":"buy","orderId":"5efa…","type":
     "open","orderTime":1593487481683297800,"size":"0.1","filledSize":"0","price":"0.937",
     "clientOid":"1593487481000906","remainSize":"0.1","status":"open","ts":1593487481683297800}}
    {"type":"message","topic":"/account/balance","subject":"account.balance","channelType":"private",
     "data":{"total":"88","available":"88","currency":"KCS","hold":"0","time":"1545743136994"}}

An order's time is `ts` in ns, a balance's `time` in ms. `status` is open, match or done; what
became of the order is said by `type`, which is kept where the two differ (`done: canceled`). The
orders come by `/spotMarket/tradeOrders` or its second version, in the same words. A market order
bought by funds has neither size nor price: both are then ''.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import field

from venues.event import Event, OrderUpdate, Side, WalletUpdate
from venues.wire import NS_PER_MS, Milliseconds, Nanoseconds


class _Order(msgspec.Struct, gc=False):
    symbol: str
    side: Literal["buy", "sell"]
    order_id: str = field(name="orderId")
    type: str
    status: str
    client_order_id: str = field(name="clientOid", default="")
    price: str = ""
    size: str = ""
    filled_size: str = field(name="filledSize", default="")
    time_ns: Nanoseconds | None = field(name="ts", default=None)


class _OrderMessage(msgspec.Struct, gc=False):
    data: _Order


class _Balance(msgspec.Struct, gc=False):
    currency: str
    total: str
    available: str
    time_ms: Milliseconds | None = field(name="time", default=None)


class _BalanceMessage(msgspec.Struct, gc=False):
    data: _Balance


# Not strict: times come as texts or as numbers.
_ORDER_MESSAGE = msgspec.json.Decoder(_OrderMessage, strict=False)
_BALANCE_MESSAGE = msgspec.json.Decoder(_BalanceMessage, strict=False)


def order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the order in a message of `/spotMarket/tradeOrders`, either version."""
    order = _ORDER_MESSAGE.decode(payload).data
    status = order.status if order.type == order.status else f"{order.status}: {order.type}"
    return (
        OrderUpdate(
            order.symbol,
            receive_time_ns,
            order.time_ns,
            order.order_id,
            order.client_order_id,
            Side.BUY if order.side == "buy" else Side.SELL,
            order.price,
            order.size,
            order.filled_size,
            status,
        ),
    )


def balance_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the balance in a message of `/account/balance`."""
    row = _BALANCE_MESSAGE.decode(payload).data
    time_ns = None if row.time_ms is None else row.time_ms * NS_PER_MS
    return (WalletUpdate(row.currency, receive_time_ns, time_ns, row.total, row.available),)
