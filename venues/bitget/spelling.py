"""How Bitget's symbols and streams are spelled.

`BTCUSDT` is at Bitget the name of a spot market and of a perpetual contract as well; which of them
is meant stands beside it, as the `instType`. One symbol means one market here, so a contract is
written with its `instType` in front (`usdt-futures:BTCUSDT`; `mc:BTCUSDT` in v1), and a spot
market without (`BTCUSDT`).

    {"instType":"usdt-futures","topic":"books","symbol":"BTCUSDT"}       v3
    {"instType":"USDT-FUTURES","channel":"books","instId":"BTCUSDT"}     v2
    {"instType":"sp","channel":"books","instId":"BTCUSDT"}               v1
"""

from __future__ import annotations

from venues.op_arg_objects import Arg

_SPOT = frozenset(("", "sp", "spot", "margin"))


def market_symbol(instrument_type: str, name: str) -> str:
    """Return our spelling of the exchange's `name` in a market of this type."""
    kind = instrument_type.lower()
    return name if kind in _SPOT else f"{kind}:{name}"


def split_symbol(symbol: str, spot: str) -> tuple[str, str]:
    """Return the `instType` and the exchange's name of a symbol in our spelling."""
    kind, separator, name = symbol.rpartition(":")
    return (kind, name) if separator else (spot, symbol)


def spelled(symbol: str) -> str:
    """Return a user's symbol in the case that it is written in."""
    kind, separator, name = symbol.rpartition(":")
    return f"{kind.lower()}{separator}{name.upper()}"


def topic_of(arg: Arg) -> str:
    """Return `instType/stream/name`, in lower case but for the name, in all versions."""
    stream = arg.topic or arg.channel
    return f"{arg.instrument_type.lower()}/{stream}/{arg.symbol or arg.instrument_id}"


def stream_name(payload: bytes, key: bytes) -> bytes:
    """Return the stream that a market message plainly names with `key`; b'' where it does not.

    The arg stands before the data or behind them.
    """
    if payload.startswith(b'{"action":"'):
        start = payload.find(key, 0, 200)
    elif payload.startswith(b'{"data":['):
        start = payload.rfind(key)
    else:
        return b""
    if start < 0:
        return b""
    start += len(key)
    return payload[start : payload.find(b'"', start)]
