"""What OKX's own endpoint says of its instruments, and the channel of the same name.

    {"code":"0","msg":"","data":[{"instId":"BTC-USDT-SWAP","instType":"SWAP","ctType":"linear",
     "ctVal":"0.01","ctMult":"1","tickSz":"0.1","lotSz":"1"}]}

1. A linear contract is of `ctVal` times `ctMult` coins, an inverse one of as many USD.
2. Options are asked for with their family, the first two parts of their symbol: it is required.
3. Spot, margin and options have no `ctType`: their sizes are not turned into money here.

Source: OKX, API v5, "Public Data / REST API / Get instruments".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec
from msgspec import field

from venues.event import ContractKind, Event, Instrument
from venues.wire import exact_product

INSTRUMENTS_PATH = "/api/v5/public/instruments"

_KINDS = {"linear": ContractKind.LINEAR, "inverse": ContractKind.INVERSE}
_ONE = ("", "1")
_DATED = re.compile(r".+-[0-9]{6}")


class _Row(msgspec.Struct, gc=False):
    symbol: str = field(name="instId")
    tick_size: str = field(name="tickSz", default="")
    lot_size: str = field(name="lotSz", default="")
    contract_kind: str = field(name="ctType", default="")
    contract_value: str = field(name="ctVal", default="")
    multiplier: str = field(name="ctMult", default="")


class _Answer(msgspec.Struct, gc=False):
    data: list[_Row]


_ANSWER = msgspec.json.Decoder(_Answer)


def instrument_type(symbol: str) -> str:
    """Return the `instType` that a symbol's spelling shows."""
    if symbol.endswith("-SWAP"):
        return "SWAP"
    if symbol.endswith(("-C", "-P")) and symbol.count("-") == 4:
        return "OPTION"
    return "FUTURES" if _DATED.fullmatch(symbol) else "SPOT"


def instruments_path(symbol: str) -> str:
    """Return path and query of the request about one symbol."""
    kind = instrument_type(symbol)
    query = {"instType": kind, "instId": symbol}
    if kind == "OPTION":
        query["instFamily"] = "-".join(symbol.split("-")[:2])
    return f"{INSTRUMENTS_PATH}?{urlencode(query)}"


def instrument_events(payload: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instruments in an answer, or in a message of the channel.

    Raises:
        msgspec.MsgspecError, ValueError: it is none.
    """
    return [_instrument(row, receive_time_ns) for row in _ANSWER.decode(payload).data]


def _instrument(row: _Row, receive_time_ns: int) -> Instrument:
    kind = _KINDS.get(row.contract_kind, ContractKind.COIN)
    return Instrument(
        row.symbol,
        receive_time_ns,
        None,
        row.tick_size or None,
        row.lot_size or None,
        kind,
        None if kind is ContractKind.COIN else _contract_size(row),
    )


def _contract_size(row: _Row) -> str:
    # Rule 1.
    product = exact_product(row.contract_value, row.multiplier or "1")
    return row.contract_value if row.multiplier in _ONE else f"{product:f}"
