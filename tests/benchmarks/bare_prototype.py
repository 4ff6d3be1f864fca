"""The least that a replay of Binance frames can do: decode, and keep sorted levels. No more.

No exact numbers, no checks, no tape, no findings. It is what the engine's speed is held against,
in the same run, because a machine's own speed comes and goes.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sortedcontainers import SortedDict

from venues.frame import Frame


class _Envelope(msgspec.Struct, gc=False):
    stream: str
    data: msgspec.Raw


class _Depth(msgspec.Struct, gc=False):
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class _Quote(msgspec.Struct, gc=False):
    u: int
    b: str
    B: str
    a: str
    A: str


class _Trade(msgspec.Struct, gc=False):
    t: int
    p: str
    q: str
    m: bool


def play(frames: Iterable[Frame]) -> None:
    """Decode all frames and keep both sides of one book in floats."""
    envelope = msgspec.json.Decoder(_Envelope).decode
    depth = msgspec.json.Decoder(_Depth).decode
    quote = msgspec.json.Decoder(_Quote).decode
    trade = msgspec.json.Decoder(_Trade).decode
    bids: SortedDict[float, str] = SortedDict()
    asks: SortedDict[float, str] = SortedDict()
    for frame in frames:
        if not frame.received:
            continue
        message = envelope(frame.payload)
        if "@depth" in message.stream:
            change = depth(message.data)
            _change(bids, change.b)
            _change(asks, change.a)
        elif "@bookTicker" in message.stream:
            quote(message.data)
        else:
            trade(message.data)


def _change(levels: SortedDict[float, str], rows: list[tuple[str, str]]) -> None:
    for price_text, size in rows:
        price = float(price_text)
        if float(size):
            levels[price] = size
        elif price in levels:
            del levels[price]
