"""What Deribit's messages about one's own account are, and the events they become.

    {…"channel":"user.orders.any.any.raw","data":{"order_id":"ETH-1","label":"mine","direction":
     "buy","price":2973.55,"amount":0.001,"filled_amount":0.0,"order_state":"open",
     "instrument_name":"ETH_USDC-PERPETUAL","last_update_timestamp":1767978363493,…}}}
    {…"channel":"user.changes.any.any.raw","data":{"instrument_name":"BTC-PERPETUAL","trades":[…],
     "positions":[{"instrument_name":"BTC-PERPETUAL","direction":"sell","size":-20.0,
     "average_price":87000.0,…}],"orders":[…]}}}
    {…"channel":"user.portfolio.any","data":{"currency":"USDT","balance":55.00055,
     "available_funds":53.868247,…}}}
    {"jsonrpc":"2.0","id":3,"result":{"order":{…},"trades":[]},…}        the answer to an order
    {"jsonrpc":"2.0","id":11,"result":{"order_id":"…",…},…}              and to a cancellation

A market order has the words `market_price` for a price, and none here. Of `user.changes` only the
positions are taken: its orders come by `user.orders`, which is asked for where orders are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import field

from venues.event import Event, OrderUpdate, PositionUpdate, Side, WalletUpdate
from venues.wire import NS_PER_MS, Milliseconds, number_text

_MARKET_PRICE = "market_price"
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}


class _Order(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument_name")
    order_id: str
    direction: Literal["buy", "sell"]
    price: Any
    size: Any = field(name="amount")
    status: str = field(name="order_state")
    label: str = ""
    filled_size: Any = field(name="filled_amount", default=None)
    time_ms: Milliseconds | None = field(name="last_update_timestamp", default=None)


class _Orders(msgspec.Struct, gc=False):
    data: _Order | list[_Order]


class _OrdersMessage(msgspec.Struct, gc=False):
    params: _Orders


class _Position(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument_name")
    direction: Literal["buy", "sell", "zero"]
    size: Any
    entry_price: Any = field(name="average_price", default=None)


class _Changes(msgspec.Struct, gc=False):
    positions: list[_Position] = []


class _ChangesParams(msgspec.Struct, gc=False):
    data: _Changes


class _ChangesMessage(msgspec.Struct, gc=False):
    params: _ChangesParams


class _Portfolio(msgspec.Struct, gc=False):
    currency: str
    balance: Any
    available: Any = field(name="available_funds")


class _PortfolioParams(msgspec.Struct, gc=False):
    data: _Portfolio


class _PortfolioMessage(msgspec.Struct, gc=False):
    params: _PortfolioParams


class _OrderAnswer(msgspec.Struct, gc=False):
    order: _Order | None = None
    order_id: str | None = None


_ORDERS = msgspec.json.Decoder(_OrdersMessage, float_hook=str)
_CHANGES = msgspec.json.Decoder(_ChangesMessage, float_hook=str)
_PORTFOLIO = msgspec.json.Decoder(_PortfolioMessage, float_hook=str)
_ORDER_ANSWER = msgspec.json.Decoder(_OrderAnswer, float_hook=str)
_ORDER = msgspec.json.Decoder(_Order, float_hook=str)


def _text(token: object) -> str:
    return "" if token is None else number_text(token)


def _order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    data = _ORDERS.decode(payload).params.data
    orders = data if isinstance(data, list) else [data]
    return [_order_update(order, receive_time_ns) for order in orders]


def _order_update(order: _Order, receive_time_ns: int) -> Event:
    return OrderUpdate(
        order.symbol,
        receive_time_ns,
        None if order.time_ms is None else order.time_ms * NS_PER_MS,
        order.order_id,
        order.label,
        _SIDES[order.direction],
        "" if order.price == _MARKET_PRICE else _text(order.price),
        number_text(order.size),
        _text(order.filled_size),
        order.status,
    )


def order_answer_event(result: msgspec.Raw, receive_time_ns: int) -> Event | None:
    """Return the order in the answer to a request about one; None where there is none.

    Raises:
        msgspec.MsgspecError, ValueError: what looks like an order is none.
    """
    if not bytes(result).startswith(b"{"):
        return None
    answer = _ORDER_ANSWER.decode(result)
    if answer.order is not None:
        return _order_update(answer.order, receive_time_ns)
    if answer.order_id is not None:
        return _order_update(_ORDER.decode(result), receive_time_ns)
    return None


def _position_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        PositionUpdate(
            row.symbol,
            receive_time_ns,
            None,
            _SIDES.get(row.direction),
            number_text(row.size).removeprefix("-"),
            _text(row.entry_price),
        )
        for row in _CHANGES.decode(payload).params.data.positions
    ]


def _wallet_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    data = _PORTFOLIO.decode(payload).params.data
    balance, available = number_text(data.balance), number_text(data.available)
    return [WalletUpdate(data.currency, receive_time_ns, None, balance, available)]


ACCOUNT_READERS: Mapping[str, Callable[[bytes, int], Sequence[Event]]] = {
    "user.orders": _order_events,
    "user.changes": _position_events,
    "user.portfolio": _wallet_events,
}
"""By the first two words of the channel: payload and receive time to events."""
