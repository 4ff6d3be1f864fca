"""What BitMEX' endpoint says of an instrument.

    GET /api/v1/instrument?symbol=XBTUSD
    [{"symbol":"XBTUSD","lotSize":100,"tickSize":0.1,"multiplier":-100000000,"settlCurrency":"XBt",
      "underlyingToPositionMultiplier":null,"underlyingToSettleMultiplier":-100000000,
      "isQuanto":false,"isInverse":true,"timestamp":"2026-05-27T12:56:40.500Z",…}]

What one contract is:

1. Inverse: `multiplier` over `underlyingToSettleMultiplier` of the quote currency (XBTUSD: 1 USD).
2. Linear: one over `underlyingToPositionMultiplier` of a coin (XBTUSDT: 0.000001 XBT).
3. Quanto (ETHUSD: a fixed sum of XBT a dollar of price): its worth in the quote currency depends on
   the price of XBT, which nothing here tells. Its contract size is left unsaid.
4. Where the quotient is no decimal fraction, it is left unsaid too.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation
from typing import Any

import msgspec
from msgspec import field

from venues.event import ContractKind, Event, Instrument
from venues.wire import iso_time_ns, number_text

INSTRUMENT_PATH = "/api/v1/instrument"

_EXACT = Context(prec=40, traps=[Inexact, InvalidOperation, DivisionByZero])


class _Row(msgspec.Struct, gc=False):
    symbol: str
    lot_size: Any = field(name="lotSize", default=None)
    tick_size: Any = field(name="tickSize", default=None)
    multiplier: int | None = None
    coins_to_contracts: int | None = field(name="underlyingToPositionMultiplier", default=None)
    quote_to_settlement: int | None = field(name="underlyingToSettleMultiplier", default=None)
    is_quanto: bool = field(name="isQuanto", default=False)
    is_inverse: bool = field(name="isInverse", default=False)
    time: str | None = field(name="timestamp", default=None)


_ROWS = msgspec.json.Decoder(list[_Row], float_hook=str)


def instrument_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return what an answer of the endpoint says of each instrument in it.

    Raises:
        msgspec.MsgspecError, ValueError: it is none.
    """
    return [
        Instrument(
            row.symbol,
            receive_time_ns,
            None if row.time is None else iso_time_ns(row.time),
            None if row.tick_size is None else number_text(row.tick_size),
            None if row.lot_size is None else number_text(row.lot_size),
            ContractKind.INVERSE if row.is_inverse else ContractKind.LINEAR,
            _contract_size(row),
        )
        for row in _ROWS.decode(body)
    ]


def _contract_size(row: _Row) -> str | None:
    if row.is_quanto:
        return None
    if row.is_inverse:
        return _quotient(row.multiplier, row.quote_to_settlement)
    return _quotient(1, row.coins_to_contracts)


def _quotient(number: int | None, divisor: int | None) -> str | None:
    if not number or not divisor:
        return None
    try:
        size = _EXACT.divide(Decimal(number), Decimal(divisor))
    except (Inexact, InvalidOperation):
        return None
    return format(size, "f") if size > 0 else None
