"""What Deribit's endpoint says of an instrument.

    GET /api/v2/public/get_instrument?instrument_name=BTC-PERPETUAL
    {"jsonrpc":"2.0","result":{"instrument_name":"BTC-PERPETUAL","kind":"future","tick_size":0.5,
     "min_trade_amount":10.0,"contract_size":10.0,"instrument_type":"reversed",…},…}

Sizes in the feed are amounts and not contracts: of USD where the type is `reversed` and it is no
option, else of coins. So `contract_size` (of the `contracts` beside an amount) is of no use here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import field

from venues.event import ContractKind, Event, Instrument
from venues.wire import number_text

INSTRUMENT_PATH = "/api/v2/public/get_instrument"


class _Instrument(msgspec.Struct, gc=False):
    symbol: str = field(name="instrument_name")
    tick_size: Any
    lot_size: Any = field(name="min_trade_amount")
    kind: str = ""
    type: str = field(name="instrument_type", default="")


class _Answer(msgspec.Struct, gc=False):
    result: _Instrument


_ANSWER = msgspec.json.Decoder(_Answer, float_hook=str)


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return what an answer of the endpoint says.

    Raises:
        msgspec.MsgspecError, ValueError: it is none.
    """
    row = _ANSWER.decode(body).result
    in_usd = row.type == "reversed" and row.kind.startswith("future")
    return [
        Instrument(
            row.symbol,
            receive_time_ns,
            None,
            number_text(row.tick_size),
            number_text(row.lot_size),
            ContractKind.INVERSE if in_usd else ContractKind.COIN,
            "1" if in_usd else None,
        )
    ]
