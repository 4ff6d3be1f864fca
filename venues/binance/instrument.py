"""What Binance's own endpoints say of its instruments.

    {"symbols":[{"symbol":"BTCUSDT","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.01000000"},
     {"filterType":"LOT_SIZE","stepSize":"0.00001000"}]}]}

Spot answers about the symbol asked for, the futures about all that they have. COIN-M names the
`contractSize`, in USD; what USD-M counts is coins.

Source: Binance, "Exchange Information" of the spot, USD-M and COIN-M REST APIs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import field

from venues.event import ContractKind, Event, Instrument
from venues.wire import number_text


class _Filter(msgspec.Struct, gc=False):
    kind: str = field(name="filterType", default="")
    tick_size: str | None = field(name="tickSize", default=None)
    step_size: str | None = field(name="stepSize", default=None)


class _Row(msgspec.Struct, gc=False):
    symbol: str
    filters: list[_Filter]
    contract_size: Any = field(name="contractSize", default=None)


class _Answer(msgspec.Struct, gc=False):
    symbols: list[_Row]


_ANSWER = msgspec.json.Decoder(_Answer, float_hook=str)


class _RawAnswer(msgspec.Struct, gc=False):
    symbols: list[msgspec.Raw]


_RAW_ANSWER = msgspec.json.Decoder(_RawAnswer)
_PATHS = ("/api/v3/exchangeInfo", "/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo")


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instruments in an answer.

    Raises:
        msgspec.MsgspecError, ValueError: it is none.
    """
    return [_instrument(row, receive_time_ns) for row in _ANSWER.decode(body).symbols]


def _instrument(row: _Row, receive_time_ns: int) -> Instrument:
    tick = next((each.tick_size for each in row.filters if each.kind == "PRICE_FILTER"), None)
    lot = next((each.step_size for each in row.filters if each.kind == "LOT_SIZE"), None)
    counted = row.contract_size is not None
    return Instrument(
        row.symbol,
        receive_time_ns,
        None,
        tick,
        lot,
        ContractKind.INVERSE if counted else ContractKind.COIN,
        number_text(row.contract_size) if counted else None,
    )


def instruments_body(
    snapshot_path: str, path_and_query: str, recorded: Sequence[bytes]
) -> bytes | None:
    """Return the list of the recorded instruments, an empty one where another API is asked."""
    path = urlsplit(path_and_query).path
    if path not in _PATHS:
        return None
    rows: dict[str, msgspec.Raw] = {}
    ours = path.split("/")[1] == snapshot_path.split("/")[1]
    for body in recorded if ours else ():
        try:
            names = [row.symbol for row in _ANSWER.decode(body).symbols]
            rows.update(zip(names, _RAW_ANSWER.decode(body).symbols, strict=True))
        except ValueError:
            continue
    head = {"timezone": "UTC", "rateLimits": [], "exchangeFilters": []}
    return msgspec.json.encode({**head, "symbols": list(rows.values())})
