"""A book is never proven and wrong, whatever happens to the messages on their way."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from book.book_state import BookState
from book.counters import MarketCounters
from book.finding import FindingKind
from book.frame_time import FrameTime
from book.settings import EngineSettings
from book.venue_book import VenueBook
from tests.book.exchange_history import Scheme, histories
from tests.book.listener import BRIDGED, FAULTS, Listener, doubled, dropped, simple_history
from tests.book.made_events import Reports, delta, frame, snapshot
from venues.traits import Continuity, SnapshotSource, VenueTraits

NUMBERED = [each for each in Scheme if each is not Scheme.CHECKSUM]


@pytest.mark.parametrize("scheme", Scheme)
@given(data=st.data())
@settings(max_examples=60)
def test_no_fault_of_the_deltas_leaves_a_proven_book_wrong(
    scheme: Scheme, data: st.DataObject
) -> None:
    history = data.draw(histories(scheme))
    deltas = list(history.deltas)
    for fault in data.draw(st.lists(st.sampled_from(FAULTS), max_size=4)):
        deltas = fault(deltas, data.draw(st.integers(0, len(deltas) - 1)))
    listener = Listener(history)
    listener.take(history.in_band(0))
    for message in deltas:
        listener.take(message)
        if not listener.book.proven and data.draw(st.booleans()):
            listener.take(history.in_band(data.draw(st.integers(0, len(history.deltas)))))


@pytest.mark.parametrize("scheme", Scheme)
@given(data=st.data())
@settings(max_examples=25)
def test_a_whole_stream_is_proven_to_the_end_without_a_finding(
    scheme: Scheme, data: st.DataObject
) -> None:
    history = data.draw(histories(scheme))
    begin = data.draw(st.integers(0, len(history.deltas)))
    listener = Listener(history)
    listener.take(history.in_band(begin))
    for message in history.deltas[begin:]:
        listener.take(message)
        assert listener.book.proven
    assert listener.reports == []
    assert (list(listener.book.bids), list(listener.book.asks)) == history.after(
        len(history.deltas)
    )


@pytest.mark.parametrize("scheme", NUMBERED)
@given(data=st.data())
@settings(max_examples=25)
def test_a_dropped_delta_is_a_gap_at_the_next_one(scheme: Scheme, data: st.DataObject) -> None:
    history = data.draw(histories(scheme))
    at = data.draw(st.integers(0, len(history.deltas) - 2))
    listener = Listener(history)
    listener.take(history.in_band(0))
    for message in dropped(history.deltas, at)[: at + 1]:
        listener.take(message)
    assert listener.reports == [FindingKind.GAP]
    assert listener.book.state is BookState.SUSPECT
    assert listener.book.needs_snapshot


@pytest.mark.parametrize("scheme", NUMBERED)
@given(data=st.data())
@settings(max_examples=25)
def test_a_doubled_delta_is_told_and_loses_nothing(scheme: Scheme, data: st.DataObject) -> None:
    history = data.draw(histories(scheme))
    listener = Listener(history)
    listener.take(history.in_band(0))
    for message in doubled(history.deltas, data.draw(st.integers(0, len(history.deltas) - 1))):
        listener.take(message)
    assert listener.reports == [FindingKind.DUPLICATE]
    assert listener.book.proven
    assert listener.book.sequence == history.last


@pytest.mark.parametrize("scheme", Scheme)
def test_a_new_connection_needs_its_own_snapshot(scheme: Scheme) -> None:
    history = simple_history(scheme)
    listener = Listener(history)
    listener.take(history.in_band(0))
    listener.take(history.deltas[0])
    listener.connection_id = 2
    listener.take(history.deltas[1])
    assert listener.book.state is BookState.SUSPECT
    assert listener.book.needs_snapshot
    listener.take(history.in_band(2))
    assert listener.book.proven


def test_an_older_connection_that_still_speaks_is_passed_over_until_the_newer_is_gone() -> None:
    history = simple_history(Scheme.COUNTER)
    listener = Listener(history)
    listener.connection_id = 2
    listener.take(history.in_band(0))
    listener.connection_id = 1
    listener.take(history.in_band(3))
    listener.take(history.deltas[3])
    assert listener.book.proven
    assert listener.book.sequence == 1000
    assert listener.counters.overlapping == 2
    listener.book.disconnect(frame(99, 2))
    listener.take(history.in_band(4))
    assert listener.book.proven
    assert listener.book.connection_id == 1


def test_numbers_that_begin_anew_are_a_gap_and_not_late_for_ever() -> None:
    listener = Listener(simple_history(Scheme.COUNTER))
    listener.take(listener.history.in_band(6))
    listener.take(delta([], [], 1))
    assert listener.book.proven
    listener.take(delta([], [], 2))
    assert listener.reports == [FindingKind.LATE, FindingKind.GAP]
    assert listener.book.state is BookState.SUSPECT


def test_a_chain_whose_number_falls_goes_on() -> None:
    listener = Listener(simple_history(Scheme.CHAIN))
    listener.take(snapshot([], [], 1000))
    listener.take(delta([], [], 1000, previous=1000))
    now = listener.frame()
    assert listener.book.take_delta(delta([("1", "1")], [], 3, previous=1000), now)
    assert listener.book.take_delta(delta([("1", "2")], [], 7, previous=3), now)
    assert listener.book.proven
    assert listener.reports == []
    assert not listener.book.take_delta(delta([], [], 9, previous=8), now)
    assert listener.reports == [FindingKind.GAP]


def test_a_fallen_number_whose_predecessor_was_lost_is_no_late_delta() -> None:
    listener = Listener(simple_history(Scheme.CHAIN))
    listener.take(snapshot([], [], 1000))
    listener.take(delta([], [], 3, previous=1010))
    assert listener.reports == [FindingKind.GAP]


@pytest.mark.parametrize("scheme", NUMBERED)
def test_a_delta_without_its_number_proves_nothing_and_blocks_no_bridge(scheme: Scheme) -> None:
    history = simple_history(scheme)
    listener = Listener(history)
    listener.take(history.in_band(0))
    listener.take(delta([("98", "5")], [], None))
    assert listener.reports == [FindingKind.UNNUMBERED]
    assert listener.book.state is BookState.SUSPECT
    if scheme in BRIDGED:
        listener.take(history.deltas[0])
        listener.take(history.deltas[1])
        listener.take(history.rest(1001))
        assert listener.book.proven


@pytest.mark.parametrize("scheme", NUMBERED)
def test_a_snapshot_without_its_number_proves_nothing(scheme: Scheme) -> None:
    listener = Listener(simple_history(scheme))
    listener.take(snapshot([("98", "5")], [], None))
    assert listener.reports == [FindingKind.UNNUMBERED]
    assert not listener.book.proven


@pytest.mark.parametrize("bad", [("x", "1"), ("98", "x"), ("98", "-1")])
def test_a_bad_number_makes_the_book_suspect(bad: tuple[str, str]) -> None:
    listener = Listener(simple_history(Scheme.COUNTER))
    listener.take(listener.history.in_band(0))
    listener.take(delta([("97", "1"), bad], [], 1001))
    assert listener.reports == [FindingKind.BAD_NUMBER]
    assert listener.book.state is BookState.SUSPECT
    listener.take(snapshot([bad], [("101", "1")], 1001))
    assert listener.book.state is BookState.SUSPECT
    # Half a snapshot would look like a book.
    assert listener.book.depth(9) == ([], [])
    listener.take(listener.history.in_band(2))
    assert listener.book.proven


def test_a_crossed_book_is_suspect_until_a_fresh_snapshot() -> None:
    listener = Listener(simple_history(Scheme.COUNTER))
    now = listener.frame()
    listener.book.take_snapshot(snapshot([("98", "1")], [("101", "1")], 1000), now)
    listener.book.settle(now)
    listener.book.take_delta(delta([("102", "1")], [], 1001), now)
    listener.book.settle(now)
    assert listener.reports == [FindingKind.CROSSED]
    assert listener.book.state is BookState.SUSPECT


def test_a_feed_that_numbers_and_hashes_nothing_is_never_called_proven() -> None:
    unseen = VenueTraits(
        channels=frozenset(),
        default_channels=(),
        continuity=Continuity.NONE,
        snapshot_source=SnapshotSource.IN_BAND,
    )
    time = FrameTime()
    book = VenueBook("S", unseen, MarketCounters(), Reports(), EngineSettings(), time)
    book.take_snapshot(snapshot([("98", "1")], [], None), frame(0))
    time.now_ns = 1_000
    book.take_delta(delta([("97", "1")], [], None), frame(1))
    assert book.state is BookState.UNVERIFIABLE
    assert book.following
    assert not book.proven
    assert book.coverage.share == 0


@given(data=st.data())
@settings(max_examples=100)
def test_every_checked_message_is_counted_once(data: st.DataObject) -> None:
    history = data.draw(histories(Scheme.CHECKSUM))
    listener = Listener(history)
    deltas = list(history.deltas)
    for fault in data.draw(st.lists(st.sampled_from(FAULTS), max_size=3)):
        deltas = fault(deltas, data.draw(st.integers(0, len(deltas) - 1)))
    snapshots = 0
    for message in deltas:
        if data.draw(st.integers(0, 3)) == 0:
            listener.take(history.in_band(data.draw(st.integers(0, len(history.deltas)))))
            snapshots += 1
        listener.take(message)
    counted = listener.counters
    checks = (
        counted.checksums_verified,
        counted.checksums_failed,
        counted.checksums_unverifiable,
    )
    assert sum(checks) == len(deltas) + snapshots
    assert counted.checksums_failed == listener.reports.count(FindingKind.CHECKSUM_FAILED)


@given(data=st.data())
@settings(max_examples=50)
def test_a_dropped_delta_that_changes_the_book_fails_the_next_checksum(
    data: st.DataObject,
) -> None:
    history = data.draw(histories(Scheme.CHECKSUM))
    at = data.draw(st.integers(0, len(history.deltas) - 2))
    listener = Listener(history)
    listener.take(history.in_band(0))
    without = dropped(history.deltas, at)
    for message in without[: at + 1]:
        listener.take(message)
    assume(listener.book.state is not BookState.PROVEN)
    assert listener.reports == [FindingKind.CHECKSUM_FAILED]
    assert listener.book.needs_snapshot
