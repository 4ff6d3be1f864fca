"""Where two runs parted, and what came of it: two traces held against each other."""

from __future__ import annotations

from dataclasses import dataclass

from replay.state_difference import StateDifference, state_differences
from replay.state_trace import MARK_BYTES, StateTrace


@dataclass(frozen=True, slots=True)
class TraceDifference:
    """What differs between an expected run and the actual one.

    Frames count from 0 in the order in which they were applied.

    Attributes:
        same: whether the states at the end are one.
        comparable: whether digests of the two mean the same; False after a change of what they
            hash, and then only the values themselves tell.
        first_frame: the first frame after which they are known to differ; None where unknown.
        not_before: they were still one after so many frames.
        events_differ: whether that frame gave other events (else: the same events left something
            else); None where unknown.
        events: by kind, how many there were and are, where that differs.
        state: where the states at the end differ.
    """

    same: bool
    comparable: bool
    first_frame: int | None
    not_before: int
    events_differ: bool | None
    events: dict[str, tuple[int, int]]
    state: list[StateDifference]


def trace_difference(expected: StateTrace, actual: StateTrace) -> TraceDifference:
    """Hold `actual` against `expected`."""
    comparable = expected.state_version == actual.state_version
    kinds = sorted({*expected.events, *actual.events})
    counts = {kind: (expected.events.get(kind, 0), actual.events.get(kind, 0)) for kind in kinds}
    same = comparable and expected.digest == actual.digest
    by_mark = None if same else _first_mark(expected, actual)
    before, after = (0, None) if same or not comparable else _between(expected, actual)
    first, events_differ = (None, None) if by_mark is None else by_mark
    if after is not None and (first is None or first >= after):
        first, events_differ = after - 1, None
    return TraceDifference(
        same=same,
        comparable=comparable,
        first_frame=first,
        not_before=before if by_mark is None or first is None else min(before, first),
        events_differ=events_differ,
        events={kind: pair for kind, pair in counts.items() if pair[0] != pair[1]},
        state=[] if same else state_differences(expected.state, actual.state),
    )


def _first_mark(expected: StateTrace, actual: StateTrace) -> tuple[int, bool | None] | None:
    """Return the first frame whose mark differs, and whether its events do."""
    ours, theirs = actual.mark_bytes(), expected.mark_bytes()
    if not ours or not theirs:
        return None
    for at in range(0, min(len(ours), len(theirs)), MARK_BYTES):
        if ours[at : at + MARK_BYTES] != theirs[at : at + MARK_BYTES]:
            return at // MARK_BYTES, ours[at : at + 2] != theirs[at : at + 2]
    if len(ours) != len(theirs):
        return min(len(ours), len(theirs)) // MARK_BYTES, None
    return None


def _between(expected: StateTrace, actual: StateTrace) -> tuple[int, int | None]:
    """Return after how many frames the digests were last one, and first not."""
    every = max(expected.digest_every, actual.digest_every)
    one = expected.digests[every // expected.digest_every - 1 :: every // expected.digest_every]
    other = actual.digests[every // actual.digest_every - 1 :: every // actual.digest_every]
    before = 0
    for number, (theirs, ours) in enumerate(zip(one, other, strict=False), 1):
        if theirs != ours:
            return before, number * every
        before = number * every
    return before, None
