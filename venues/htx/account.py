"""What HTX' messages about one's own spot account are, and the events they become.

    {"action":"push","ch":"orders#*","data":{"orderSize":"2.000000000000000000","orderCreateTime":
     1583853365586,"orderPrice":"77.000000000000000000","type":"sell-limit","orderId":27163533,
     "clientOrderId":"test3","orderStatus":"submitted","symbol":"btcusdt","eventType":"creation"}}
    {"action":"push","ch":"orders#*","data":{"orderSide":"buy","lastActTime":1583853365586,
     "clientOrderId":"test1","orderStatus":"rejected","symbol":"btcusdt","eventType":"trigger",
     "errCode":2002,"errMessage":"invalid.client.order.id (NT)"}}
    {"action":"push","ch":"accounts.update#2","data":{"currency":"btc","accountId":33385,"available":
     "2028.69","changeType":"order.match","accountType":"trade","seqNum":2,"changeTime":1574393385167}}

1. An order's side is `orderSide`, or the first word of its `type`.
2. A conditional order that was never placed has no id, price or size: they are ''. What is filled
   is said (`execAmt`) when it trades or is cancelled: else it is ''.
3. A balance may come without its available part, and that without the balance: then ''.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import field

from venues.event import Event, Notice, NoticeKind, OrderUpdate, Side, WalletUpdate
from venues.wire import NS_PER_MS, Milliseconds, number_text

_SIDES = {"buy": Side.BUY, "sell": Side.SELL}


class _Order(msgspec.Struct, gc=False):
    symbol: str
    status: str = field(name="orderStatus")
    order_side: str = field(name="orderSide", default="")
    type: str = ""
    order_id: Any = field(name="orderId", default="")
    client_order_id: str = field(name="clientOrderId", default="")
    price: str = field(name="orderPrice", default="")
    size: str = field(name="orderSize", default="")
    filled_size: str = field(name="execAmt", default="")
    last_time_ms: Milliseconds | None = field(name="lastActTime", default=None)
    trade_time_ms: Milliseconds | None = field(name="tradeTime", default=None)
    create_time_ms: Milliseconds | None = field(name="orderCreateTime", default=None)


class _OrderMessage(msgspec.Struct, gc=False):
    data: _Order


class _Balance(msgspec.Struct, gc=False):
    currency: str
    balance: str = ""
    available: str = ""
    time_ms: Milliseconds | None = field(name="changeTime", default=None)


class _BalanceMessage(msgspec.Struct, gc=False):
    data: _Balance


_ORDER = msgspec.json.Decoder(_OrderMessage, float_hook=str)
_BALANCE = msgspec.json.Decoder(_BalanceMessage, float_hook=str)


def account_events(content: bytes, channel: str, receive_time_ns: int) -> Sequence[Event]:
    """Return the events of a message about one's own account; what is not read gives a notice."""
    word = channel.partition("#")[0]
    if word == "orders":
        return _order_events(content, receive_time_ns)
    if word == "accounts.update":
        return _balance_events(content, receive_time_ns)
    return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, channel),)


def _order_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    order = _ORDER.decode(content).data
    side = _SIDES.get(order.order_side or order.type.partition("-")[0])  # Rule 1.
    if side is None:
        raise ValueError(f"nothing says the side of an order of type {order.type[:48]!r}")
    time_ms = order.last_time_ms or order.trade_time_ms or order.create_time_ms
    return (
        OrderUpdate(
            order.symbol,
            receive_time_ns,
            None if time_ms is None else time_ms * NS_PER_MS,
            number_text(order.order_id),
            order.client_order_id,
            side,
            order.price,
            order.size,
            order.filled_size,
            order.status,
        ),
    )


def _balance_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    row = _BALANCE.decode(content).data
    time_ns = None if row.time_ms is None else row.time_ms * NS_PER_MS
    return (WalletUpdate(row.currency, receive_time_ns, time_ns, row.balance, row.available),)
