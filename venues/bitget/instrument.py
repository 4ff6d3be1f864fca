"""What Bitget's own endpoint says of its instruments.

    {"code":"00000","msg":"success","requestTime":1731056538962,"data":[{"symbol":"BTCUSDT",
     "category":"USDT-FUTURES","pricePrecision":"1","quantityPrecision":"4","priceMultiplier":"0.1",
     "quantityMultiplier":"0.0001"}]}

Spot has no multipliers: its steps are one of the last decimal that the precision allows. Sizes
count coins, in contracts as well. In v1 a spot symbol had an ending there, and one was told of:

    {"code":"00000","msg":"success","data":{"symbol":"BTCUSDT_SPBL","symbolName":"BTCUSDT",
     "priceScale":"4","quantityScale":"8"}}

Source: Bitget, API, "UTA / Public / Get Instruments"; Spot v1, "Get Symbol".
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote as percent_encoded

import msgspec
from msgspec import field

from venues.bitget.spelling import market_symbol, split_symbol
from venues.event import Event, Instrument

INSTRUMENTS_PATH = "/api/v3/market/instruments"
V1_SPOT_PATH = "/api/spot/v1/public/product"

_DECIMALS_MAX = 40


class _Row(msgspec.Struct, gc=False):
    symbol: str
    category: str
    price_decimals: str = field(name="pricePrecision", default="")
    size_decimals: str = field(name="quantityPrecision", default="")
    price_step: str = field(name="priceMultiplier", default="")
    size_step: str = field(name="quantityMultiplier", default="")


class _Answer(msgspec.Struct, gc=False):
    data: list[_Row]


class _V1Row(msgspec.Struct, gc=False):
    symbol: str = field(name="symbolName")
    price_decimals: str = field(name="priceScale", default="")
    size_decimals: str = field(name="quantityScale", default="")


class _V1Answer(msgspec.Struct, gc=False):
    data: _V1Row


_ANSWER = msgspec.json.Decoder(_Answer)
_V1_ANSWER = msgspec.json.Decoder(_V1Answer)


def instruments_path(symbol: str) -> str:
    """Return path and query of the request about one symbol."""
    kind, name = split_symbol(symbol, "spot")
    return f"{INSTRUMENTS_PATH}?category={kind.upper()}&symbol={percent_encoded(name, safe='')}"


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instruments in an answer.

    Raises:
        msgspec.MsgspecError, ValueError: it is none.
    """
    return [
        Instrument(
            market_symbol(row.category, row.symbol),
            receive_time_ns,
            None,
            row.price_step or _step(row.price_decimals),
            row.size_step or _step(row.size_decimals),
        )
        for row in _ANSWER.decode(body).data
    ]


def v1_spot_path(symbol: str) -> str:
    """Return path and query of v1's request about one spot symbol."""
    return f"{V1_SPOT_PATH}?symbol={percent_encoded(symbol, safe='')}_SPBL"


def v1_spot_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instrument in an answer of v1.

    Raises:
        msgspec.MsgspecError, ValueError: it is none.
    """
    row = _V1_ANSWER.decode(body).data
    price_step, size_step = _step(row.price_decimals), _step(row.size_decimals)
    return [Instrument(row.symbol.upper(), receive_time_ns, None, price_step, size_step)]


def _step(decimals: str) -> str | None:
    if not decimals:
        return None
    if not (decimals.isascii() and decimals.isdigit()) or int(decimals[:9]) > _DECIMALS_MAX:
        raise ValueError(f"{decimals[:48]!r} is no number of decimals")
    count = int(decimals)
    return f"0.{'1'.rjust(count, '0')}" if count else "1"
