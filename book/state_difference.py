"""What parts two states of engines, in words: which market, which field, expected and found.

Two digests say only that states differ. Here the checkpoints of the two are walked side by side:
markets by their symbol, levels by their price, everything else by its name or its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

import msgspec

from book.checkpoint import EngineParts, engine_parts, read_parts
from book.engine import Engine

DIFFERENCES_MAX = 20
"""So many say enough: one lost message makes the rest of a book differ."""

VALUE_CHARACTERS_MAX = 100
NOTHING = "nothing"

_NAMES = ("venue", "symbol", "channel", "reference", "frame_number", "connection_id")


class StateDifference(NamedTuple):
    """One value that is not what it should be.

    `market` is its venue and symbol ('' where it is in no market), `field` its place in there.
    """

    market: str
    field: str
    expected: str
    found: str

    def __str__(self) -> str:
        """Return it as a line."""
        where = f"{self.market} {self.field}" if self.market else self.field
        return f"{where}: expected {self.expected}, found {self.found}"


def state_differences(
    expected: Engine | bytes, found: Engine | bytes, differences_max: int = DIFFERENCES_MAX
) -> list[StateDifference]:
    """Return the first differences of two engines, or of their checkpoints; none for equal ones.

    Raises:
        CheckpointError: a checkpoint is of another version, or damaged.
    """
    walked = _walk((), _parts(expected), _parts(found))
    return list(islice(walked, differences_max))


def _parts(state: Engine | bytes) -> EngineParts:
    return engine_parts(state) if isinstance(state, Engine) else read_parts(state)


def _walk(path: tuple[str, ...], expected: object, found: object) -> Iterator[StateDifference]:
    if expected == found:
        return
    if isinstance(expected, msgspec.Struct) and type(expected) is type(found):
        for name in expected.__struct_fields__:
            yield from _walk((*path, name), getattr(expected, name), getattr(found, name))
        return
    ours, theirs = _by_key(expected), _by_key(found)
    if ours is None or theirs is None:
        yield _difference(path, expected, found)
        return
    for key in dict.fromkeys((*ours, *theirs)):
        yield from _walk((*path, key), ours.get(key, NOTHING), theirs.get(key, NOTHING))


def _by_key(value: object) -> dict[str, object] | None:
    """Return the members of what has members, by a name that finds them in another one too."""
    if isinstance(value, dict):
        return {str(key): member for key, member in value.items()}
    if not isinstance(value, list | tuple):
        return None
    for named in (_by_name(value), _by_first(value)):
        if named is not None and len(named) == len(value):
            return named
    return {str(place): member for place, member in enumerate(value)}


def _by_name(members: Sequence[object]) -> dict[str, object] | None:
    named: dict[str, object] = {}
    for member in members:
        if not isinstance(member, msgspec.Struct):
            return None
        words = [str(getattr(member, name)) for name in _NAMES if hasattr(member, name)]
        named[" ".join(words)] = member
    return named


def _by_first(members: Sequence[object]) -> dict[str, object] | None:
    named: dict[str, object] = {}
    for member in members:
        if not isinstance(member, tuple) or len(member) < 2:
            return None
        named[str(member[0])] = member[1] if len(member) == 2 else member[1:]
    return named


def _difference(path: tuple[str, ...], expected: object, found: object) -> StateDifference:
    market, field = "", path
    if path[:1] == ("lanes",):
        market, field = path[1], path[2:]
        if field[:1] == ("markets",):
            market, field = f"{market} {field[1]}", field[2:]
    return StateDifference(market, ".".join(field), _text(expected), _text(found))


def _text(value: object) -> str:
    if isinstance(value, str | int | Decimal) or value is None:
        text = str(value)
    else:
        text = msgspec.json.encode(value).decode()
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}..."
