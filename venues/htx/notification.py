"""What HTX' notifications of swaps are, public and of one's own account, and their events.

    {"op":"notify","topic":"public.ETH-USDT.liquidation_orders","ts":1789670297217,"data":[{"symbol":
     "ETH","contract_code":"ETH-USDT","direction":"buy","offset":"close","volume":500,"price":2446.26,
     "created_at":1789670297212,"amount":5,"trade_turnover":12231.3}]}
    {"op":"notify","topic":"public.BTC-USD.funding_rate","ts":1603778748166,"data":[{"symbol":"BTC",
     "contract_code":"BTC-USD","funding_rate":"0.0001","funding_time":"1603778700000"}]}
    {"op":"notify","topic":"orders_cross.btc-usdt","ts":1606878438414,"contract_code":"BTC-USDT",
     "volume":8,"price":50000,"direction":"buy","offset":"close","status":6,"order_id":783650498317316,
     "order_id_str":"783650498317316","client_order_id":null,"trade_volume":8}
    {"op":"notify","topic":"positions_cross","ts":1606878438414,"data":[{"contract_code":"BTC-USDT",
     "volume":1.0,"cost_open":19068.0,"direction":"buy"}]}
    {"op":"notify","topic":"accounts_cross","ts":1764844893794,"data":[{"margin_account":"USDT",
     "margin_asset":"USDT","margin_balance":100.53,"withdraw_available":100.53}]}

1. A liquidation's `direction` is the side of the *order* that closes the position: buy means that a
   short was liquidated. `volume` counts contracts (`amount` says the same in coins).
2. An order's `status` is a number: 3 submitted, 4 partly filled, 5 partly filled and cancelled,
   6 filled, 7 cancelled, 11 being cancelled.
3. A position is named by the side that opened it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import field

from venues.event import (
    Event,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Side,
    Ticker,
    WalletUpdate,
)
from venues.wire import NS_PER_MS, Milliseconds, exact_number, number_text

_Direction = Literal["buy", "sell"]


class _Liquidation(msgspec.Struct, gc=False):
    symbol: str = field(name="contract_code")
    direction: _Direction
    size: Any = field(name="volume")
    price: Any
    time_ms: Milliseconds = field(name="created_at")


class _Liquidations(msgspec.Struct, gc=False):
    data: list[_Liquidation]


class _Funding(msgspec.Struct, gc=False):
    symbol: str = field(name="contract_code")
    funding_rate: Any = None


class _Fundings(msgspec.Struct, gc=False):
    data: list[_Funding]
    time_ms: Milliseconds | None = field(name="ts", default=None)


class _Order(msgspec.Struct, gc=False):
    symbol: str = field(name="contract_code")
    direction: _Direction
    size: Any = field(name="volume")
    price: Any
    status: int
    filled_size: Any = field(name="trade_volume", default=0)
    order_id: Any = field(name="order_id", default="")
    order_id_text: str | None = field(name="order_id_str", default=None)
    client_order_id: Any = None
    time_ms: Milliseconds | None = field(name="ts", default=None)


class _Position(msgspec.Struct, gc=False):
    symbol: str = field(name="contract_code")
    direction: _Direction
    size: Any = field(name="volume")
    entry_price: Any = field(name="cost_open")


class _Positions(msgspec.Struct, gc=False):
    data: list[_Position]
    time_ms: Milliseconds | None = field(name="ts", default=None)


class _Account(msgspec.Struct, gc=False):
    balance: Any = field(name="margin_balance")
    available: Any = field(name="withdraw_available", default=None)
    margin_asset: str | None = None
    margin_account: str | None = None
    symbol: str | None = None


class _Accounts(msgspec.Struct, gc=False):
    data: list[_Account]
    time_ms: Milliseconds | None = field(name="ts", default=None)


_LIQUIDATIONS = msgspec.json.Decoder(_Liquidations, float_hook=str)
_FUNDINGS = msgspec.json.Decoder(_Fundings, float_hook=str)
_ORDER = msgspec.json.Decoder(_Order, float_hook=str)
_POSITIONS = msgspec.json.Decoder(_Positions, float_hook=str)
_ACCOUNTS = msgspec.json.Decoder(_Accounts, float_hook=str)


def notification_events(content: bytes, topic: str, receive_time_ns: int) -> Sequence[Event]:
    """Return the events of an unpacked notification; one that is not read gives a notice."""
    word = topic.rpartition(".")[2] if topic.startswith("public.") else topic.partition(".")[0]
    reader = _READERS.get(word)
    if reader is None:
        return (Notice("", receive_time_ns, None, NoticeKind.INFORMATION, topic),)
    return reader(content, receive_time_ns)


def _time_ns(time_ms: int | None) -> int | None:
    return None if time_ms is None else time_ms * NS_PER_MS


def _optional(token: object) -> str:
    return "" if token is None else number_text(token)


def _side(direction: str) -> Side:
    return Side.BUY if direction == "buy" else Side.SELL


def _liquidation_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    return [
        Liquidation(
            row.symbol,
            receive_time_ns,
            row.time_ms * NS_PER_MS,
            number_text(row.price),
            number_text(row.size),
            # Rule 1.
            LiquidatedSide.SHORT if row.direction == "buy" else LiquidatedSide.LONG,
            row.direction,
            None,
        )
        for row in _LIQUIDATIONS.decode(content).data
    ]


def _funding_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    message = _FUNDINGS.decode(content)
    time_ns = _time_ns(message.time_ms)
    return [
        Ticker(
            row.symbol,
            receive_time_ns,
            time_ns,
            funding_rate_text=_optional(row.funding_rate) or None,
        )
        for row in message.data
    ]


def _order_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    order = _ORDER.decode(content)
    return (
        OrderUpdate(
            order.symbol,
            receive_time_ns,
            _time_ns(order.time_ms),
            order.order_id_text or number_text(order.order_id),
            _optional(order.client_order_id),
            _side(order.direction),
            number_text(order.price),
            number_text(order.size),
            number_text(order.filled_size),
            str(order.status),  # Rule 2.
        ),
    )


def _position_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    message = _POSITIONS.decode(content)
    time_ns = _time_ns(message.time_ms)
    events: list[Event] = []
    for row in message.data:
        size = number_text(row.size)
        side = _side(row.direction) if exact_number(size) else None  # Rule 3.
        entry = number_text(row.entry_price)
        events.append(PositionUpdate(row.symbol, receive_time_ns, time_ns, side, size, entry))
    return events


def _account_events(content: bytes, receive_time_ns: int) -> Sequence[Event]:
    message = _ACCOUNTS.decode(content)
    time_ns = _time_ns(message.time_ms)
    return [
        WalletUpdate(
            row.margin_asset or row.margin_account or row.symbol or "",
            receive_time_ns,
            time_ns,
            number_text(row.balance),
            _optional(row.available),
        )
        for row in message.data
    ]


_READERS: dict[str, Callable[[bytes, int], Sequence[Event]]] = {
    "liquidation_orders": _liquidation_events,
    "funding_rate": _funding_events,
    "orders": _order_events,
    "orders_cross": _order_events,
    "positions": _position_events,
    "positions_cross": _position_events,
    "accounts": _account_events,
    "accounts_cross": _account_events,
}
"""By the word that tells kinds of topics apart: the last one of public topics, else the first."""
