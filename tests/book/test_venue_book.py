"""A book is never proven and wrong, whatever happens to the messages on their way.

The law: whenever a book is proven, its levels are those that the exchange's book had at the
book's sequence. Where there are no numbers, they are those of some state of the exchange's book
that the checksum is of.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from book.book_state import BookState
from book.counters import MarketCounters
from book.finding import FindingKind
from book.frame_time import FrameTime
from book.settings import EngineSettings
from book.venue_book import VenueBook
from tests.book.exchange_history import History, Scheme, histories, traits
from tests.book.made_events import Reports, delta, frame, snapshot
from venues.event import BookDelta, BookSnapshot
from venues.frame import Frame
from venues.traits import Continuity, SnapshotSource, VenueTraits

NUMBERED = [each for each in Scheme if each is not Scheme.CHECKSUM]
BRIDGED = (Scheme.COUNTER, Scheme.SPOT, Scheme.FUTURES)


class Listener:
    """A book, and the law asserted after every message."""

    def __init__(self, history: History, held_max: int = 10_000) -> None:
        self.history = history
        self.reports = Reports()
        self.counters = MarketCounters()
        self.time = FrameTime()
        self.book = VenueBook(
            "S",
            traits(history.scheme),
            self.counters,
            self.reports,
            EngineSettings(deltas_held_max=held_max),
            self.time,
        )
        self.connection_id = 1
        self._numbers = count()

    def frame(self) -> Frame:
        self.time.now_ns += 1
        return frame(next(self._numbers), self.connection_id, self.time.now_ns)

    def take(self, message: BookSnapshot | BookDelta) -> None:
        now = self.frame()
        book = self.book
        if isinstance(message, BookSnapshot):
            changed = book.take_snapshot(message, now)
        else:
            changed = book.take_delta(message, now)
        if changed:
            book.settle(now)
        self.check()

    def check(self) -> None:
        book = self.book
        book._check()
        if book.coverage._since_ns is not None:
            assert (book.coverage._open is None) == book.proven
        if not book.proven:
            return
        assert not book.needs_snapshot
        held = list(book.bids), list(book.asks)
        if self.history.scheme is Scheme.CHECKSUM:
            assert held in self.history.states()
        else:
            assert book.sequence is not None
            assert held == self.history.state(book.sequence)


Fault = Callable[[list[BookDelta], int], list[BookDelta]]


def _dropped(deltas: list[BookDelta], at: int) -> list[BookDelta]:
    return deltas[:at] + deltas[at + 1 :]


def _doubled(deltas: list[BookDelta], at: int) -> list[BookDelta]:
    return deltas[: at + 1] + deltas[at:]


def _swapped(deltas: list[BookDelta], at: int) -> list[BookDelta]:
    return deltas[:at] + deltas[at : at + 2][::-1] + deltas[at + 2 :]


def _late(deltas: list[BookDelta], at: int) -> list[BookDelta]:
    return deltas[:at] + deltas[at + 1 : at + 5] + [deltas[at]] + deltas[at + 5 :]


def _repeated_run(deltas: list[BookDelta], at: int) -> list[BookDelta]:
    return deltas[: at + 3] + deltas[at:]


FAULTS = (_dropped, _doubled, _swapped, _late, _repeated_run)


@pytest.mark.parametrize("scheme", Scheme)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
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
@settings(max_examples=25, deadline=None)
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
@settings(max_examples=25, deadline=None)
def test_a_dropped_delta_is_a_gap_at_the_next_one(scheme: Scheme, data: st.DataObject) -> None:
    history = data.draw(histories(scheme))
    dropped = data.draw(st.integers(0, len(history.deltas) - 2))
    listener = Listener(history)
    listener.take(history.in_band(0))
    for message in _dropped(history.deltas, dropped)[: dropped + 1]:
        listener.take(message)
    assert listener.reports == [FindingKind.GAP]
    assert listener.book.state is BookState.SUSPECT
    assert listener.book.needs_snapshot


@pytest.mark.parametrize("scheme", NUMBERED)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_doubled_delta_is_told_and_loses_nothing(scheme: Scheme, data: st.DataObject) -> None:
    history = data.draw(histories(scheme))
    listener = Listener(history)
    listener.take(history.in_band(0))
    for message in _doubled(history.deltas, data.draw(st.integers(0, len(history.deltas) - 1))):
        listener.take(message)
    assert listener.reports == [FindingKind.DUPLICATE]
    assert listener.book.proven
    assert listener.book.sequence == history.last


@pytest.mark.parametrize("scheme", BRIDGED)
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_no_interleaving_of_rest_snapshots_leaves_a_proven_book_wrong(
    scheme: Scheme, data: st.DataObject
) -> None:
    history = data.draw(histories(scheme))
    numbers = _numbers(history)
    listener = Listener(history, held_max=data.draw(st.sampled_from((2, 10_000))))
    deltas = list(history.deltas)
    for fault in data.draw(st.lists(st.sampled_from(FAULTS), max_size=2)):
        deltas = fault(deltas, data.draw(st.integers(0, len(deltas) - 1)))
    for message in deltas:
        for number in data.draw(st.lists(st.sampled_from(numbers), max_size=2)):
            listener.take(history.rest(number))
        event = data.draw(st.sampled_from(("", "", "", "", "", "", "lost", "gone", "ended")))
        if event == "lost" and listener.book.connection_id:
            listener.book.doubt("lost", listener.frame())
        elif event and listener.book.connection_id == listener.connection_id:
            ending = listener.book.disconnect if event == "gone" else listener.book.end
            ending(listener.frame())
            listener.check()
            if data.draw(st.booleans()):
                listener.take(history.rest(data.draw(st.sampled_from(numbers))))
                assert listener.book.state not in (BookState.BRIDGING, BookState.PROVEN)
            listener.connection_id += 1
        listener.take(message)


def _numbers(history: History) -> list[int]:
    if history.scheme is Scheme.COUNTER:
        return list(range(1000, 1001 + len(history.deltas)))
    return list(range(1000, history.ids[-1] + 1))


@pytest.mark.parametrize("scheme", BRIDGED)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_snapshot_that_fits_the_held_deltas_proves_the_book_at_once(
    scheme: Scheme, data: st.DataObject
) -> None:
    history = data.draw(histories(scheme))
    listener = Listener(history)
    first = data.draw(st.integers(0, len(history.deltas) - 2))
    for message in history.deltas[first:]:
        listener.take(message)
    assert listener.book.needs_snapshot
    rule = traits(scheme).bridge
    assert rule is not None
    joining = history.deltas[data.draw(st.integers(first, len(history.deltas) - 1))]
    assert joining.first_sequence is not None
    assert joining.sequence is not None
    low, high = joining.first_sequence - rule.joins_at, joining.sequence - rule.joins_at
    number = data.draw(st.integers(low, high))
    # A futures snapshot in between two of the symbol's ids joins by the rule of the exchange alone.
    listener.take(history.rest(number))
    assert listener.book.proven
    assert listener.book.sequence == history.last
    assert listener.counters.bridges == 1
    assert listener.reports == []


@pytest.mark.parametrize("scheme", BRIDGED)
def test_a_snapshot_older_than_what_is_held_fails_and_another_is_wished_for(scheme: Scheme) -> None:
    history = _simple(scheme)
    listener = Listener(history)
    listener.take(history.deltas[3])
    listener.book.needs_snapshot = False
    listener.take(history.rest(1000))
    assert listener.reports == [FindingKind.BRIDGE_FAILED]
    assert listener.book.needs_snapshot
    assert listener.book.state is BookState.EMPTY
    # The delta is still held: a newer snapshot needs it.
    joining = history.deltas[3]
    assert joining.sequence is not None
    listener.take(history.rest(joining.sequence - (scheme is not Scheme.FUTURES)))
    assert listener.book.proven


def _simple(scheme: Scheme) -> History:
    return History(scheme, [[(1, True, ("98", str(size)))] for size in range(1, 9)])


@pytest.mark.parametrize("scheme", BRIDGED)
def test_a_newer_snapshot_than_all_deltas_waits_for_the_first_one_after_it(scheme: Scheme) -> None:
    history = _simple(scheme)
    listener = Listener(history)
    listener.take(history.deltas[0])
    listener.take(history.rest(1005))
    assert listener.book.state is BookState.BRIDGING
    for message in history.deltas[1:4]:
        listener.take(message)
        assert listener.book.state is BookState.BRIDGING
    for message in history.deltas[4:]:
        listener.take(message)
    assert listener.book.proven
    assert listener.reports == []


def test_a_rest_snapshot_outlives_a_reconnect_since_numbers_alone_join_it() -> None:
    history = _simple(Scheme.SPOT)
    listener = Listener(history)
    listener.take(history.deltas[0])
    listener.take(history.rest(1003))
    assert listener.book.state is BookState.BRIDGING
    listener.connection_id = 2
    listener.take(history.deltas[3])
    assert listener.book.proven
    assert listener.reports == []


def test_the_answer_to_a_connection_that_is_gone_comes_too_late() -> None:
    history = _simple(Scheme.SPOT)
    listener = Listener(history)
    listener.take(history.deltas[0])
    listener.book.end(listener.frame())
    listener.take(history.rest(1001))
    states = [listener.book.state]
    listener.connection_id = 2
    listener.take(history.rest(1001))
    states.append(listener.book.state)
    assert states == [BookState.ENDED, BookState.BRIDGING]


@pytest.mark.parametrize("scheme", Scheme)
def test_a_new_connection_needs_its_own_snapshot(scheme: Scheme) -> None:
    history = _simple(scheme)
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
    history = _simple(Scheme.COUNTER)
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
    listener = Listener(_simple(Scheme.COUNTER))
    listener.take(listener.history.in_band(6))
    listener.take(delta([], [], 1))
    assert listener.book.proven
    listener.take(delta([], [], 2))
    assert listener.reports == [FindingKind.LATE, FindingKind.GAP]
    assert listener.book.state is BookState.SUSPECT


def test_a_chain_whose_number_falls_goes_on() -> None:
    listener = Listener(_simple(Scheme.CHAIN))
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
    listener = Listener(_simple(Scheme.CHAIN))
    listener.take(snapshot([], [], 1000))
    listener.take(delta([], [], 3, previous=1010))
    assert listener.reports == [FindingKind.GAP]


@pytest.mark.parametrize("scheme", NUMBERED)
def test_a_delta_without_its_number_proves_nothing_and_blocks_no_bridge(scheme: Scheme) -> None:
    history = _simple(scheme)
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
    listener = Listener(_simple(scheme))
    listener.take(snapshot([("98", "5")], [], None))
    assert listener.reports == [FindingKind.UNNUMBERED]
    assert not listener.book.proven


@pytest.mark.parametrize("bad", [("x", "1"), ("98", "x"), ("98", "-1")])
def test_a_bad_number_makes_the_book_suspect(bad: tuple[str, str]) -> None:
    listener = Listener(_simple(Scheme.COUNTER))
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
    listener = Listener(_simple(Scheme.COUNTER))
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
@settings(max_examples=100, deadline=None)
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
@settings(max_examples=50, deadline=None)
def test_a_dropped_delta_that_changes_the_book_fails_the_next_checksum(
    data: st.DataObject,
) -> None:
    history = data.draw(histories(Scheme.CHECKSUM))
    dropped = data.draw(st.integers(0, len(history.deltas) - 2))
    listener = Listener(history)
    listener.take(history.in_band(0))
    without = _dropped(history.deltas, dropped)
    for message in without[: dropped + 1]:
        listener.take(message)
    assume(listener.book.state is not BookState.PROVEN)
    assert listener.reports == [FindingKind.CHECKSUM_FAILED]
    assert listener.book.needs_snapshot
