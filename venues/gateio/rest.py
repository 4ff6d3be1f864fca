"""What Gate.io's HTTP answers are, and the events they become.

    /api/v4/spot/order_book?currency_pair=HAI_ETH&limit=100&with_id=true
        {"id":2691446,"asks":[["0.00010396","5876.967"]],"bids":[["0.00010322","5360.209"]],
         "current":1619093533699,"update":1619093533014}
    /api/v4/futures/usdt/order_book?contract=BTC_USDT&limit=100&with_id=true
        {"id":123456,"current":1623898993.123,"update":1623898993.121,
         "asks":[{"s":59197,"p":"62902.2"}],"bids":[{"s":2,"p":"62902.1"}]}
    /api/v4/spot/currency_pairs/BTC_USDT
        {"id":"BTC_USDT","precision":1,"amount_precision":6}
    /api/v4/futures/usdt/contracts/BTC_USDT
        {"name":"BTC_USDT","type":"direct","quanto_multiplier":"0.0001","order_price_round":"0.1",
         "order_size_min":1,"enable_decimal":false}
    refused: {"label":"INVALID_CURRENCY_PAIR","message":"..."}

A contract is `quanto_multiplier` coins; an inverse one is 1 USD. Where sizes may have decimals, the
exchange does not say which step they have. The time of a book is `update`, in ms for spot and in
seconds for futures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import field

from venues.event import BookSnapshot, ContractKind, Event, Instrument, Row
from venues.gateio.market import Level, level_rows
from venues.wire import (
    NS_PER_MS,
    Counter,
    DecimalPlaces,
    Milliseconds,
    decimal_step,
    number_text,
    seconds_ns,
)


class _SpotBook(msgspec.Struct, gc=False):
    sequence: Counter = field(name="id")
    bids: list[Row]
    asks: list[Row]
    time_ms: Milliseconds | None = field(name="update", default=None)


class _FuturesBook(msgspec.Struct, gc=False):
    sequence: Counter = field(name="id")
    bids: list[Level]
    asks: list[Level]
    time_s: Any = field(name="update", default=None)


class _Pair(msgspec.Struct, gc=False):
    symbol: str = field(name="id")
    price_places: DecimalPlaces | None = field(name="precision", default=None)
    size_places: DecimalPlaces | None = field(name="amount_precision", default=None)


class _Contract(msgspec.Struct, gc=False):
    symbol: str = field(name="name")
    type: str = "direct"
    contract_size: str | None = field(name="quanto_multiplier", default=None)
    tick_size: str | None = field(name="order_price_round", default=None)
    decimal_sizes: bool = field(name="enable_decimal", default=False)


class _Refusal(msgspec.Struct, gc=False):
    label: str = ""
    message: str = ""


class _User(msgspec.Struct, gc=False):
    user_id: int


_SPOT_BOOK = msgspec.json.Decoder(_SpotBook)
_FUTURES_BOOK = msgspec.json.Decoder(_FuturesBook, float_hook=str)
_PAIR = msgspec.json.Decoder(_Pair)
_CONTRACT = msgspec.json.Decoder(_Contract)
_REFUSAL = msgspec.json.Decoder(_Refusal)
_USER = msgspec.json.Decoder(_User)


def refusal(body: bytes) -> str | None:
    """Return what an answer says where it is a refusal; None where it brings something."""
    said = _REFUSAL.decode(body)
    return f"refused: {said.message} ({said.label})" if said.label else None


def spot_snapshot_event(body: bytes, symbol: str, receive_time_ns: int) -> BookSnapshot:
    """Return the event of a spot order book."""
    book = _SPOT_BOOK.decode(body)
    time_ns = None if book.time_ms is None else book.time_ms * NS_PER_MS
    return BookSnapshot(
        symbol, receive_time_ns, time_ns, book.bids, book.asks, book.sequence, None, True
    )


def futures_snapshot_event(body: bytes, symbol: str, receive_time_ns: int) -> BookSnapshot:
    """Return the event of a futures order book."""
    book = _FUTURES_BOOK.decode(body)
    time_ns = None if book.time_s is None else seconds_ns(number_text(book.time_s))
    bids, asks = level_rows(book.bids), level_rows(book.asks)
    return BookSnapshot(symbol, receive_time_ns, time_ns, bids, asks, book.sequence, None, True)


def pair_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instrument that a currency pair is."""
    pair = _PAIR.decode(body)
    tick, lot = (
        None if places is None else decimal_step(places)
        for places in (pair.price_places, pair.size_places)
    )
    return (Instrument(pair.symbol, receive_time_ns, None, tick, lot),)


def contract_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instrument that a contract is."""
    contract = _CONTRACT.decode(body)
    inverse = contract.type == "inverse"
    return (
        Instrument(
            contract.symbol,
            receive_time_ns,
            None,
            contract.tick_size,
            None if contract.decimal_sizes else "1",
            ContractKind.INVERSE if inverse else ContractKind.LINEAR,
            "1" if inverse else contract.contract_size,
        ),
    )


def user_id(body: bytes) -> int:
    """Return whose the keys are, as `/api/v4/account/detail` says."""
    return _USER.decode(body).user_id
