"""What a delta's numbers say, scheme by scheme, and how deltas stand to a REST snapshot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from book.sequence import JUDGES, Joint, Judgement, Verdict, joint
from tests.book.made_events import delta
from venues.event import BookDelta
from venues.traits import BridgeRule, Continuity

LAST = 100
IN_ORDER, GAP, LATE = Verdict.IN_ORDER, Verdict.GAP, Verdict.LATE
DUPLICATE, UNNUMBERED = Verdict.DUPLICATE, Verdict.UNNUMBERED


def _judged(continuity: Continuity, each: BookDelta) -> Judgement:
    return JUDGES[continuity](LAST, each)


@pytest.mark.parametrize(
    ("sequence", "verdict", "missing"),
    [
        (101, IN_ORDER, None),
        (100, DUPLICATE, None),
        (99, LATE, None),
        (1, LATE, None),
        (102, GAP, 1),
        (200, GAP, 99),
        (None, UNNUMBERED, None),
    ],
)
def test_a_counter_goes_on_by_one(
    sequence: int | None, verdict: Verdict, missing: int | None
) -> None:
    judged = _judged(Continuity.COUNTER, delta([], [], sequence))
    assert (judged.verdict, judged.missing) == (verdict, missing)
    if verdict is not IN_ORDER:
        assert (judged.expected, judged.received) == (101, sequence)


@pytest.mark.parametrize("continuity", [Continuity.CHAIN, Continuity.ID_RANGE])
@pytest.mark.parametrize(
    ("previous", "sequence", "verdict"),
    [
        (100, 101, IN_ORDER),
        (100, 5_000, IN_ORDER),
        (100, 100, IN_ORDER),
        (100, 3, IN_ORDER),
        (90, 100, DUPLICATE),
        (90, 95, LATE),
        (101, 105, GAP),
        (99, 105, GAP),
        (101, 3, GAP),
    ],
)
def test_a_chain_names_what_it_follows(
    continuity: Continuity, previous: int, sequence: int, verdict: Verdict
) -> None:
    judged = _judged(continuity, delta([], [], sequence, previous=previous))
    assert judged.verdict is verdict
    assert judged.missing is None
    if verdict is not IN_ORDER:
        assert (judged.expected, judged.received) == (LAST, previous)


@pytest.mark.parametrize(
    ("first", "last", "verdict", "missing"),
    [
        (101, 101, IN_ORDER, None),
        (101, 120, IN_ORDER, None),
        (95, 120, IN_ORDER, None),
        (95, 100, DUPLICATE, None),
        (90, 99, LATE, None),
        (102, 120, GAP, 1),
        (111, 120, GAP, 10),
    ],
)
def test_a_range_begins_where_the_last_one_ended(
    first: int, last: int, verdict: Verdict, missing: int | None
) -> None:
    judged = _judged(Continuity.ID_RANGE, delta([], [], last, first=first))
    assert (judged.verdict, judged.missing) == (verdict, missing)
    if verdict is not IN_ORDER:
        assert (judged.expected, judged.received) == (101, first)


@pytest.mark.parametrize("continuity", [Continuity.CHAIN, Continuity.ID_RANGE])
def test_a_delta_without_its_number_is_unnumbered(continuity: Continuity) -> None:
    assert _judged(continuity, delta([], [], None)).verdict is UNNUMBERED
    assert _judged(Continuity.CHAIN, delta([], [], 101)).verdict is UNNUMBERED


@given(sequence=st.none() | st.integers())
def test_where_nothing_is_numbered_nothing_is_out_of_order(sequence: int | None) -> None:
    assert _judged(Continuity.NONE, delta([], [], sequence)).verdict is IN_ORDER


SPOT, FUTURES = BridgeRule(drop_below=1, joins_at=1), BridgeRule(drop_below=0, joins_at=0)


@pytest.mark.parametrize(
    ("first", "last", "spot", "futures"),
    [
        (90, 99, Joint.BEFORE, Joint.BEFORE),
        (90, 100, Joint.BEFORE, Joint.JOINS),
        (90, 101, Joint.JOINS, Joint.JOINS),
        (100, 110, Joint.JOINS, Joint.JOINS),
        (101, 110, Joint.JOINS, Joint.BEYOND),
        (102, 110, Joint.BEYOND, Joint.BEYOND),
    ],
)
def test_a_snapshot_joins_as_the_exchange_writes(
    first: int, last: int, spot: Joint, futures: Joint
) -> None:
    each = delta([], [], last, first=first)
    assert joint(SPOT, 100, each) is spot
    assert joint(FUTURES, 100, each) is futures


def test_a_counted_delta_joins_the_snapshot_right_before_it() -> None:
    found = [joint(SPOT, 100, delta([], [], sequence)) for sequence in (100, 101, 102)]
    assert found == [Joint.BEFORE, Joint.JOINS, Joint.BEYOND]


def test_an_unnumbered_delta_joins_nothing() -> None:
    assert joint(SPOT, 100, delta([], [], None)) is Joint.BEYOND
