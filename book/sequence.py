"""What a delta's numbers say about the state it follows, per continuity scheme.

Pure functions of the last number applied and the delta; no state. The schemes are those of
`venues.traits.Continuity`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

from venues.event import BookDelta
from venues.traits import BridgeRule, Continuity


class Verdict(Enum):
    """What to do with a delta."""

    IN_ORDER = "in order"
    DUPLICATE = "duplicate"
    LATE = "late"
    GAP = "gap"
    UNNUMBERED = "unnumbered"


class Judgement(NamedTuple):
    """A verdict with its facts.

    `missing` is how many numbers are missing in a gap, None where that can't be known. A number
    is a message for COUNTER, an update id for ID_RANGE.
    """

    verdict: Verdict
    expected: int | None = None
    received: int | None = None
    missing: int | None = None


IN_ORDER = Judgement(Verdict.IN_ORDER)


def _counter(last: int, delta: BookDelta) -> Judgement:
    sequence = delta.sequence
    if sequence is None:
        return Judgement(Verdict.UNNUMBERED, last + 1)
    if sequence == last + 1:
        return IN_ORDER
    if sequence == last:
        return Judgement(Verdict.DUPLICATE, last + 1, sequence)
    if sequence < last:
        return Judgement(Verdict.LATE, last + 1, sequence)
    return Judgement(Verdict.GAP, last + 1, sequence, sequence - last - 1)


def _chain(last: int, delta: BookDelta) -> Judgement:
    previous, sequence = delta.previous_sequence, delta.sequence
    if previous is None or sequence is None:
        return Judgement(Verdict.UNNUMBERED, last)
    if previous == last:
        return IN_ORDER
    if sequence == last:
        return Judgement(Verdict.DUPLICATE, last, previous)
    # A number may fall in a chain (OKX, after maintenance): only what also begins below the last
    # one applied is late.
    if sequence < last and previous < last:
        return Judgement(Verdict.LATE, last, previous)
    return Judgement(Verdict.GAP, last, previous)


def _id_range(last: int, delta: BookDelta) -> Judgement:
    first, sequence = delta.first_sequence, delta.sequence
    if first is None or sequence is None:
        return Judgement(Verdict.UNNUMBERED, last + 1)
    if delta.previous_sequence is not None:
        return _chain(last, delta)
    if sequence == last:
        return Judgement(Verdict.DUPLICATE, last + 1, first)
    if sequence < last:
        return Judgement(Verdict.LATE, last + 1, first)
    if first <= last + 1:
        return IN_ORDER
    return Judgement(Verdict.GAP, last + 1, first, first - last - 1)


def _none(_last: int, _delta: BookDelta) -> Judgement:
    return IN_ORDER


JUDGES: Mapping[Continuity, Callable[[int, BookDelta], Judgement]] = {
    Continuity.COUNTER: _counter,
    Continuity.CHAIN: _chain,
    Continuity.ID_RANGE: _id_range,
    Continuity.NONE: _none,
}
"""How each scheme judges a delta, given the last number applied."""


class Joint(Enum):
    """How a delta stands to a snapshot that was asked for and is to be joined to the stream."""

    BEFORE = "before"
    JOINS = "joins"
    BEYOND = "beyond"


def joint(rule: BridgeRule, snapshot_sequence: int, delta: BookDelta) -> Joint:
    """Say whether `delta` is contained in the snapshot, is the first one after it, or beyond.

    BEYOND means that updates between the two are missing: the snapshot is too old.
    """
    last = delta.sequence
    first = delta.first_sequence if delta.first_sequence is not None else last
    if last is None or first is None:
        return Joint.BEYOND
    if last < snapshot_sequence + rule.drop_below:
        return Joint.BEFORE
    if rule.joins_at is None:
        return Joint.JOINS
    return Joint.JOINS if first <= snapshot_sequence + rule.joins_at <= last else Joint.BEYOND


def chain_joint(rule: BridgeRule, snapshot_sequence: int, delta: BookDelta) -> Joint:
    """Say the same of a delta that names its predecessor: it joins a snapshot not older than that.

    Its sizes are absolute, so that what a snapshot already has of it does no harm.
    """
    last, previous = delta.sequence, delta.previous_sequence
    if last is None or previous is None:
        return Joint.BEYOND
    if last < snapshot_sequence + rule.drop_below:
        return Joint.BEFORE
    return Joint.JOINS if previous <= snapshot_sequence else Joint.BEYOND


JOINTS: Mapping[Continuity, Callable[[BridgeRule, int, BookDelta], Joint]] = {
    Continuity.COUNTER: joint,
    Continuity.CHAIN: chain_joint,
    Continuity.ID_RANGE: joint,
    Continuity.NONE: joint,
}
"""How a delta of each scheme stands to a snapshot that was asked for."""
