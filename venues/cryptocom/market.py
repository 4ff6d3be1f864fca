"""What Crypto.com's market messages are, and the events they become.

    {"id":-1,"method":"subscribe","code":0,"result":{"instrument_name":"BTCUSD-PERP","subscription":
     "book.BTCUSD-PERP.50","channel":"book","depth":50,"data":[{"bids":[["30082.5","0.1689","1"]],
     "asks":[["30083.0","0.5","2"]],"t":1654780033786,"tt":1654780033755,"u":542048017824}]}}
    {"id":-1,"method":"subscribe","code":0,"result":{"instrument_name":"BTCUSD-PERP","subscription":
     "book.BTCUSD-PERP.50","channel":"book.update","depth":50,"data":[{"update":{"bids":[["30082.5",
     "0","0"]],"asks":[]},"t":1654780034101,"tt":1654780033969,"u":542048017825,
     "pu":542048017824}]}}
    {"id":-1,"method":"subscribe","code":0,"result":{"instrument_name":"BTCUSD-PERP","subscription":
     "trade.BTCUSD-PERP","channel":"trade","data":[{"d":"4611686018455979970","t":1613581138462,
     "tn":"1613581138462046173","p":"51327.500000","q":"0.000100","s":"SELL","i":"BTCUSD-PERP"}]}}
    {"id":-1,"method":"subscribe","code":0,"result":{"instrument_name":"BTCUSD-PERP","subscription":
     "mark.BTCUSD-PERP","channel":"mark","data":[{"v":"51279.30","t":1613580710000}]}}

1. `book` states the whole book, `book.update` changes of it; a size is absolute, zero deletes.
2. An update names the one that it follows as `pu`, also where it changes nothing.
3. Trades come newest first: here they are put into the order in which they happened.
4. `s` is the taker's side.

Exchange times: of a book `tt`, when the matching engine made it, else `t`; of a trade `tn`.

Source: Crypto.com Exchange API v1, "Websocket Subscriptions".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType, field

from venues.cryptocom import account
from venues.event import (
    BookDelta,
    BookSnapshot,
    ContractKind,
    Event,
    Instrument,
    Quote,
    Row,
    Side,
    Ticker,
    Trade,
)
from venues.wire import NS_PER_MS, Counter, Milliseconds, number_text

_BUY, _SELL = Side.BUY, Side.SELL

_WireRow = tuple[str, str, str]


class _Levels(msgspec.Struct, gc=False):
    bids: list[_WireRow] = []
    asks: list[_WireRow] = []


class _Snapshot(msgspec.Struct, gc=False):
    bids: list[_WireRow]
    asks: list[_WireRow]
    sequence: Counter = field(name="u")
    message_time_ms: Milliseconds = field(name="t")
    matching_time_ms: Milliseconds | None = field(name="tt", default=None)


class _Delta(msgspec.Struct, gc=False):
    update: _Levels
    sequence: Counter = field(name="u")
    previous_sequence: Counter = field(name="pu")
    message_time_ms: Milliseconds = field(name="t")
    matching_time_ms: Milliseconds | None = field(name="tt", default=None)


class _TradeRow(msgspec.Struct, gc=False):
    trade_id: str = field(name="d")
    time_ms: Milliseconds = field(name="t")
    price: str = field(name="p")
    size: str = field(name="q")
    side: Literal["BUY", "SELL"] = field(name="s")
    time_ns: str | None = field(name="tn", default=None)


class _TickerRow(msgspec.Struct, gc=False):
    time_ms: Milliseconds = field(name="t")
    last: str | None = field(name="a", default=None)
    bid: str | None = field(name="b", default=None)
    bid_size: str | None = field(name="bs", default=None)
    ask: str | None = field(name="k", default=None)
    ask_size: str | None = field(name="ks", default=None)
    open_interest: str | None = field(name="oi", default=None)


class _ValueRow(msgspec.Struct, gc=False):
    value: str = field(name="v")
    time_ms: Milliseconds = field(name="t")


class _Result(msgspec.Struct, gc=False, tag_field="channel"):
    symbol: str = field(name="instrument_name")


class BookResult(_Result, gc=False, tag="book"):
    """Whole books."""

    data: list[_Snapshot]


class UpdateResult(_Result, gc=False, tag="book.update"):
    """Changes of a book."""

    data: list[_Delta]


class TradeResult(_Result, gc=False, tag="trade"):
    """Trades, newest first."""

    data: list[_TradeRow]


class TickerResult(_Result, gc=False, tag="ticker"):
    """The best prices, the last one, and the open interest."""

    data: list[_TickerRow]


class MarkResult(_Result, gc=False, tag="mark"):
    """The mark price."""

    data: list[_ValueRow]


class FundingResult(_Result, gc=False, tag="funding"):
    """The funding rate."""

    data: list[_ValueRow]


class IndexResult(_Result, gc=False, tag="index"):
    """The index price."""

    data: list[_ValueRow]


Result = (
    BookResult
    | UpdateResult
    | TradeResult
    | TickerResult
    | MarkResult
    | FundingResult
    | IndexResult
    | account.OrderResult
    | account.BalanceResult
    | account.PositionResult
)


class Message(msgspec.Struct, gc=False):
    """A push, or an answer without anything pushed."""

    result: Result | UnsetType = UNSET


MESSAGE = msgspec.json.Decoder(Message)
CHANNELS = frozenset(
    (
        *("book", "book.update", "trade", "ticker", "mark", "funding", "index"),
        *("user.order", "user.balance", "user.positions"),
    )
)


def _rows(levels: Sequence[_WireRow]) -> list[Row]:
    return [(price, size) for price, size, _ in levels]


def _book_events(result: BookResult, receive_time_ns: int) -> Sequence[Event]:
    return [
        BookSnapshot(
            result.symbol,
            receive_time_ns,
            (each.matching_time_ms or each.message_time_ms) * NS_PER_MS,
            _rows(each.bids),
            _rows(each.asks),
            each.sequence,
        )
        for each in result.data
    ]


def _update_events(result: UpdateResult, receive_time_ns: int) -> Sequence[Event]:
    return [
        BookDelta(
            result.symbol,
            receive_time_ns,
            (each.matching_time_ms or each.message_time_ms) * NS_PER_MS,
            _rows(each.update.bids),
            _rows(each.update.asks),
            each.sequence,
            each.sequence,
            each.previous_sequence,  # Rule 2.
        )
        for each in result.data
    ]


def _trade_events(result: TradeResult, receive_time_ns: int) -> Sequence[Event]:
    return [
        Trade(
            result.symbol,
            receive_time_ns,
            row.time_ms * NS_PER_MS if row.time_ns is None else _nanoseconds(row.time_ns),
            row.price,
            row.size,
            _BUY if row.side == "BUY" else _SELL,  # Rule 4.
            row.trade_id,
        )
        for row in reversed(result.data)  # Rule 3.
    ]


def _nanoseconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19) or int(text) >= 1 << 63:
        raise ValueError(f"{text[:48]!r} is not a time in nanoseconds")
    return int(text)


def _ticker_events(result: TickerResult, receive_time_ns: int) -> Sequence[Event]:
    events: list[Event] = []
    for row in result.data:
        time_ns = row.time_ms * NS_PER_MS
        events.append(
            Ticker(
                result.symbol,
                receive_time_ns,
                time_ns,
                row.last,
                open_interest_text=row.open_interest,
            )
        )
        if row.bid_size and row.ask_size:
            events.append(
                Quote(
                    result.symbol,
                    receive_time_ns,
                    time_ns,
                    row.bid or "",
                    row.bid_size,
                    row.ask or "",
                    row.ask_size,
                )
            )
    return events


def _mark_events(result: MarkResult, receive_time_ns: int) -> Sequence[Event]:
    return [
        Ticker(result.symbol, receive_time_ns, row.time_ms * NS_PER_MS, mark_price_text=row.value)
        for row in result.data
    ]


def _funding_events(result: FundingResult, receive_time_ns: int) -> Sequence[Event]:
    return [
        Ticker(result.symbol, receive_time_ns, row.time_ms * NS_PER_MS, funding_rate_text=row.value)
        for row in result.data
    ]


def _index_events(result: IndexResult, receive_time_ns: int) -> Sequence[Event]:
    return [
        Ticker(result.symbol, receive_time_ns, row.time_ms * NS_PER_MS, index_price_text=row.value)
        for row in result.data
    ]


READERS: Mapping[type, Callable[..., Sequence[Event]]] = {
    BookResult: _book_events,
    UpdateResult: _update_events,
    TradeResult: _trade_events,
    TickerResult: _ticker_events,
    MarkResult: _mark_events,
    FundingResult: _funding_events,
    IndexResult: _index_events,
    account.OrderResult: account.order_events,
    account.BalanceResult: account.balance_events,
    account.PositionResult: account.position_events,
}


class _InstrumentRow(msgspec.Struct, gc=False):
    symbol: str
    tick_size: Any = field(name="price_tick_size")
    lot_size: Any = field(name="qty_tick_size")


class _InstrumentRows(msgspec.Struct, gc=False):
    data: list[_InstrumentRow]


class _InstrumentAnswer(msgspec.Struct, gc=False):
    result: _InstrumentRows


_INSTRUMENTS = msgspec.json.Decoder(_InstrumentAnswer, float_hook=str)


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instruments in an answer of `public/get-instruments`; sizes are in coins.

    Raises:
        msgspec.MsgspecError, ValueError: it is none.
    """
    return [
        Instrument(
            row.symbol,
            receive_time_ns,
            None,
            number_text(row.tick_size),
            number_text(row.lot_size),
            ContractKind.COIN,
        )
        for row in _INSTRUMENTS.decode(body).result.data
    ]
