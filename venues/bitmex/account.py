"""What BitMEX' messages about one's own account are, and the events they become.

    {"table":"order","action":"insert","data":[{"orderID":"…","clOrdID":"…","symbol":"XBTUSD",
     "side":"Buy","orderQty":100,"price":98000,"ordStatus":"New","cumQty":0,
     "timestamp":"2024-11-25T10:30:00.123Z",…}]}
    {"table":"position","action":"update","data":[{"account":1,"symbol":"XBTUSD","currency":"XBt",
     "currentQty":1000,"avgEntryPrice":98039.5,"timestamp":"…",…}]}
    {"table":"margin","action":"update","data":[{"account":1,"currency":"XBt",
     "walletBalance":100005180,"availableMargin":99994411,"timestamp":"…",…}]}
    {"table":"wallet","action":"partial","data":[{"account":1,"currency":"XBt",
     "amount":100005180,"timestamp":"…",…}]}

An update repeats the keys of its row and what changed, and nothing else: an order's side and price
are said once. Rows that change nothing of what is told here (the mark price of a position, the
margin that an order needs) are left out. Balances are in the currency's smallest unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import field

from venues.event import Event, OrderUpdate, PositionUpdate, Side, WalletUpdate
from venues.wire import iso_time_ns, number_text

_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}


class _OrderRow(msgspec.Struct, gc=False):
    order_id: str = field(name="orderID")
    symbol: str = ""
    client_order_id: str = field(name="clOrdID", default="")
    side: Literal["Buy", "Sell", ""] | None = None
    price: Any = None
    size: Any = field(name="orderQty", default=None)
    filled_size: Any = field(name="cumQty", default=None)
    status: str = field(name="ordStatus", default="")
    time: str | None = field(name="timestamp", default=None)


class _Orders(msgspec.Struct, gc=False):
    data: list[_OrderRow]


class _PositionRow(msgspec.Struct, gc=False):
    symbol: str
    size: Any = field(name="currentQty", default=None)
    entry_price: Any = field(name="avgEntryPrice", default=None)
    time: str | None = field(name="timestamp", default=None)


class _Positions(msgspec.Struct, gc=False):
    data: list[_PositionRow]


class _MarginRow(msgspec.Struct, gc=False):
    currency: str
    balance: Any = field(name="walletBalance", default=None)
    available: Any = field(name="availableMargin", default=None)
    amount: Any = None
    time: str | None = field(name="timestamp", default=None)


class _Margins(msgspec.Struct, gc=False):
    data: list[_MarginRow]


_ORDERS = msgspec.json.Decoder(_Orders, float_hook=str)
_POSITIONS = msgspec.json.Decoder(_Positions, float_hook=str)
_MARGINS = msgspec.json.Decoder(_Margins, float_hook=str)


def _time_ns(text: str | None) -> int | None:
    return None if text is None else iso_time_ns(text)


def _text(token: object) -> str:
    return "" if token is None else number_text(token)


def _order_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        OrderUpdate(
            row.symbol,
            receive_time_ns,
            _time_ns(row.time),
            row.order_id,
            row.client_order_id,
            _SIDES.get(row.side or ""),
            _text(row.price),
            _text(row.size),
            _text(row.filled_size),
            row.status,
        )
        for row in _ORDERS.decode(payload).data
    ]


def _position_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        _position(row, number_text(row.size), receive_time_ns)
        for row in _POSITIONS.decode(payload).data
        if row.size is not None
    ]


def _position(row: _PositionRow, size: str, receive_time_ns: int) -> Event:
    side = Side.SELL if size.startswith("-") else Side.BUY
    return PositionUpdate(
        row.symbol,
        receive_time_ns,
        _time_ns(row.time),
        None if row.size == 0 else side,
        size.removeprefix("-"),
        _text(row.entry_price),
    )


def _margin_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        WalletUpdate(
            row.currency,
            receive_time_ns,
            _time_ns(row.time),
            _text(row.balance),
            _text(row.available),
        )
        for row in _MARGINS.decode(payload).data
        if row.balance is not None or row.available is not None
    ]


def _wallet_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        WalletUpdate(row.currency, receive_time_ns, _time_ns(row.time), number_text(row.amount), "")
        for row in _MARGINS.decode(payload).data
        if row.amount is not None
    ]


ACCOUNT_READERS: Mapping[str, Callable[[bytes, int], Sequence[Event]]] = {
    "order": _order_events,
    "position": _position_events,
    "margin": _margin_events,
    "wallet": _wallet_events,
}
"""By table: payload and receive time to events."""
