"""What Bitget's own endpoint says of its instruments.

    {"code":"00000","msg":"success","requestTime":1731056538962,"data":[{"symbol":"BTCUSDT",
     "category":"USDT-FUTURES","pricePrecision":"1","quantityPrecision":"4","priceMultiplier":"0.1",
     "quantityMultiplier":"0.0001"}]}

Spot has no multipliers: its steps are one of the last decimal that the precision allows. Sizes
count coins, in contracts as well.

Source: Bitget, API, "UTA / Public / Get Instruments".
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote as percent_encoded

import msgspec
from msgspec import field

from venues.bitget.spelling import market_symbol, split_symbol
from venues.event import Event, Instrument

INSTRUMENTS_PATH = "/api/v3/market/instruments"

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


_ANSWER = msgspec.json.Decoder(_Answer)


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


def _step(decimals: str) -> str | None:
    if not decimals:
        return None
    if not (decimals.isascii() and decimals.isdigit()) or int(decimals[:9]) > _DECIMALS_MAX:
        raise ValueError(f"{decimals[:48]!r} is no number of decimals")
    count = int(decimals)
    return f"0.{'1'.rjust(count, '0')}" if count else "1"
