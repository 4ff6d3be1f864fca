"""What HTX' own endpoints say of its instruments.

    /v1/settings/common/market-symbols?symbols=btcusdt
        {"status":"ok","data":[{"symbol":"btcusdt","bc":"btc","qc":"usdt","pp":2,"ap":6}]}
    /linear-swap-api/v1/swap_contract_info?contract_code=BTC-USDT
        {"status":"ok","data":[{"symbol":"BTC","contract_code":"BTC-USDT","contract_size":0.001,
         "price_tick":0.1}],"ts":1603778748166}
    refused: {"status":"error","err-code":"base-symbol-error","err-msg":"The symbol is invalid"}

At spot `pp` and `ap` are the digits of prices and sizes behind the point. A linear contract is
`contract_size` coins, an inverse one so many USD; sizes are whole contracts.

Source: HTX, "Get Market Symbols Setting", "Query Contract Info".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import field

from venues.event import ContractKind, Event, Instrument, Notice, NoticeKind
from venues.http_answer import HttpAnswer
from venues.wire import DecimalPlaces, decimal_step, number_text

SPOT_PATH = "/v1/settings/common/market-symbols"
LINEAR_PATH = "/linear-swap-api/v1/swap_contract_info"
INVERSE_PATH = "/swap-api/v1/swap_contract_info"


class _Pair(msgspec.Struct, gc=False):
    symbol: str
    price_places: DecimalPlaces | None = field(name="pp", default=None)
    size_places: DecimalPlaces | None = field(name="ap", default=None)


class _Pairs(msgspec.Struct, gc=False):
    data: list[_Pair]


class _Contract(msgspec.Struct, gc=False):
    symbol: str = field(name="contract_code")
    contract_size: Any = None
    tick_size: Any = field(name="price_tick", default=None)


class _Contracts(msgspec.Struct, gc=False):
    data: list[_Contract]


class _Head(msgspec.Struct, gc=False):
    status: str
    error_code: Any = field(name="err-code", default=None)
    error_message: str = field(name="err-msg", default="")


_PAIRS = msgspec.json.Decoder(_Pairs)
_CONTRACTS = msgspec.json.Decoder(_Contracts, float_hook=str)
_HEAD = msgspec.json.Decoder(_Head)


def refusal_notice(answer: HttpAnswer, receive_time_ns: int) -> Notice | None:
    """Return the notice that a refused request gives, None where it brings something.

    Raises:
        msgspec.MsgspecError: it is no answer of the exchange.
    """
    head = _HEAD.decode(answer.body)
    if head.status == "ok":
        return None
    text = f"refused: {head.error_message} ({head.error_code})"
    return Notice(answer.symbol, receive_time_ns, None, NoticeKind.INFORMATION, text)


def pair_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instruments that spot pairs are."""
    events: list[Event] = []
    for pair in _PAIRS.decode(body).data:
        tick, lot = (
            None if places is None else decimal_step(places)
            for places in (pair.price_places, pair.size_places)
        )
        events.append(Instrument(pair.symbol, receive_time_ns, None, tick, lot))
    return events


def contract_events(body: bytes, receive_time_ns: int) -> Sequence[Event]:
    """Return the instruments that swaps are; those priced in USD are inverse."""
    return [
        Instrument(
            row.symbol,
            receive_time_ns,
            None,
            None if row.tick_size is None else number_text(row.tick_size),
            "1",
            ContractKind.INVERSE if row.symbol.endswith("-USD") else ContractKind.LINEAR,
            None if row.contract_size is None else number_text(row.contract_size),
        )
        for row in _CONTRACTS.decode(body).data
    ]
