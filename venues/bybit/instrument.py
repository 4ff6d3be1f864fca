"""What Bybit's own endpoint says of its instruments.

    {"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[{"symbol":"BTCUSDT",
     "priceFilter":{"tickSize":"0.10"},"lotSizeFilter":{"qtyStep":"0.001"}}]}}

Spot says `basePrecision` in place of `qtyStep`. An inverse contract is one of its quote currency.

Source: Bybit, V5 API, "Get Instruments Info".
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit
from urllib.parse import quote as percent_encoded

import msgspec
from msgspec import field

from venues.event import ContractKind, Event, Instrument

INSTRUMENTS_PATH = "/v5/market/instruments-info"


class _PriceFilter(msgspec.Struct, gc=False):
    tick_size: str | None = field(name="tickSize", default=None)


class _LotFilter(msgspec.Struct, gc=False):
    step: str | None = field(name="qtyStep", default=None)
    base_precision: str | None = field(name="basePrecision", default=None)


class _Row(msgspec.Struct, gc=False):
    symbol: str
    price_filter: _PriceFilter = field(name="priceFilter")
    lot_filter: _LotFilter = field(name="lotSizeFilter")


class _Result(msgspec.Struct, gc=False):
    rows: list[_Row] = field(name="list")


class _Answer(msgspec.Struct, gc=False):
    result: _Result


_ANSWER = msgspec.json.Decoder(_Answer)


class _RawResult(msgspec.Struct, gc=False):
    rows: list[msgspec.Raw] = field(name="list")


class _RawAnswer(msgspec.Struct, gc=False):
    result: _RawResult


_RAW_ANSWER = msgspec.json.Decoder(_RawAnswer)


def instruments_path(category: str, symbol: str) -> str:
    """Return path and query of the request about one symbol."""
    return f"{INSTRUMENTS_PATH}?category={category}&symbol={percent_encoded(symbol, safe='')}"


def instrument_events(body: bytes, receive_time_ns: int, *, inverse: bool) -> Sequence[Event]:
    """Return the instruments in an answer.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    kind = ContractKind.INVERSE if inverse else ContractKind.COIN
    return [
        Instrument(
            row.symbol,
            receive_time_ns,
            None,
            row.price_filter.tick_size,
            row.lot_filter.step or row.lot_filter.base_precision,
            kind,
            "1" if inverse else None,
        )
        for row in _ANSWER.decode(body).result.rows
    ]


def instruments_body(category: str, path_and_query: str, recorded: Sequence[bytes]) -> bytes | None:
    """Return the list of the recorded instruments of `category`, an empty one of any other."""
    parts = urlsplit(path_and_query)
    if parts.path != INSTRUMENTS_PATH:
        return None
    query = parse_qs(parts.query)
    asked = query.get("category", [""])[-1]
    wanted = query.get("symbol", [None])[-1]
    rows: dict[str, msgspec.Raw] = {}
    for body in recorded if asked == category else ():
        try:
            names = [row.symbol for row in _ANSWER.decode(body).result.rows]
            rows.update(zip(names, _RAW_ANSWER.decode(body).result.rows, strict=True))
        except ValueError:
            continue
    listed = [row for symbol, row in rows.items() if wanted in (None, symbol)]
    if wanted is not None and not listed:
        return None
    result = {"category": asked, "list": listed, "nextPageCursor": ""}
    return msgspec.json.encode({"retCode": 0, "retMsg": "OK", "result": result})
