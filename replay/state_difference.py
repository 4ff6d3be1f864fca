"""What differs between two states of an engine, in words.

The canonical state (`Engine.state`) is lists, because its bytes are hashed; here its places get
their names, levels are told by their price, and each difference is one line:

    reference BTCUSDT book bids 65123.40: expected 0.623, is not there
    reference BTCUSDT counters gaps: expected 0, is 1
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

ABSENT = "not there"
_VALUE_CHARACTERS_MAX = 80

_NAMES = {
    "engine": ("frames", "now_ns", "undecodable"),
    "findings": ("counts", "chain"),
    "connections": ("losses", "older", "records"),
    "market": (
        *("venue", "symbol", "counters", "book", "coverage", "quote", "ticker"),
        *("last_trade_number", "tape", "liquidations", "instrument", "games"),
    ),
    "book": (
        *("state", "sequence", "connection_id", "gone", "late_sequence", "needs_snapshot"),
        *("depth_kept", "bids", "asks", "held", "quote_check", "bid_ids", "ask_ids"),
    ),
    "coverage": ("observed_ns", "proven_ns", "windows_count", "windows"),
    "tape": ("trades", "known_ns", "window", "sums"),
    "liquidations": ("count", "notional_total", "cascades", "last_cascade_ns", "window"),
}
_KEYED = {"bids", "asks", "counts", "records"}
"""Lists of pairs whose first part tells which one it is."""


@dataclass(frozen=True, slots=True)
class StateDifference:
    """One place where two states differ; a value that is not there is the text `not there`."""

    place: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}, is {self.actual}"


def plain_state(state: object) -> object:
    """Return a state as plain JSON values, which is what is stored of one."""
    encoder = msgspec.json.Encoder(order="sorted", decimal_format="string")
    return msgspec.json.decode(encoder.encode(state))


def state_differences(expected: object, actual: object) -> list[StateDifference]:
    """Return where two plain states differ, in a fixed order."""
    return list(_compared("", _named("", expected), _named("", actual)))


def _named(name: str, value: object) -> object:
    """Give the parts of a state their names, as far as they have any."""
    if isinstance(value, dict):
        return {str(key): _named(str(key), part) for key, part in value.items()}
    if not isinstance(value, list):
        return value
    if name == "markets":
        return {f"{part[0]} {part[1]}": _named("market", part) for part in value}
    if name == "window":
        return {"entries": len(value), "first": value[:1], "last": value[-1:]}
    if name in _KEYED and all(isinstance(part, list) and len(part) == 2 for part in value):
        return {str(key): part for key, part in value}
    names = _NAMES.get(name)
    if names is not None and len(value) <= len(names):
        return {part: _named(part, each) for part, each in zip(names, value, strict=False)}
    return {f"[{number}]": _named("", part) for number, part in enumerate(value)}


def _compared(place: str, expected: object, actual: object) -> Iterator[StateDifference]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in [*expected, *(name for name in actual if name not in expected)]:
            if expected.get(name, ...) != actual.get(name, ...):
                inner = name if place in ("", "markets") else f"{place} {name}"
                yield from _compared(inner, expected.get(name, ...), actual.get(name, ...))
    elif expected != actual:
        yield StateDifference(place or "the state", _text(expected), _text(actual))


def _text(value: object) -> str:
    if value is ...:
        return ABSENT
    text = msgspec.json.encode(value).decode() if not isinstance(value, str) else value
    if len(text) > _VALUE_CHARACTERS_MAX:
        return f"{text[: _VALUE_CHARACTERS_MAX - 1]}…"
    return text


def difference_lines(differences: Sequence[StateDifference], lines_max: int) -> list[str]:
    """Return the first differences as lines, and how many more there are."""
    lines = [str(difference) for difference in differences[:lines_max]]
    if len(differences) > lines_max:
        lines.append(f"and {len(differences) - lines_max:,} more differences")
    return lines
