"""REST snapshots, older, newer, twice or never, joined to the deltas by numbers alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.book_state import BookState
from book.finding import FindingKind
from tests.book.exchange_history import History, Scheme, histories, traits
from tests.book.listener import BRIDGED, FAULTS, Listener, simple_history


@pytest.mark.parametrize("scheme", BRIDGED)
@given(data=st.data())
@settings(max_examples=120)
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
@settings(max_examples=60)
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
    assert rule.joins_at is not None
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
    history = simple_history(scheme)
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


@pytest.mark.parametrize("scheme", BRIDGED)
def test_a_newer_snapshot_than_all_deltas_waits_for_the_first_one_after_it(scheme: Scheme) -> None:
    history = simple_history(scheme)
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
    history = simple_history(Scheme.SPOT)
    listener = Listener(history)
    listener.take(history.deltas[0])
    listener.take(history.rest(1003))
    assert listener.book.state is BookState.BRIDGING
    listener.connection_id = 2
    listener.take(history.deltas[3])
    assert listener.book.proven
    assert listener.reports == []


def test_the_answer_to_a_connection_that_is_gone_comes_too_late() -> None:
    history = simple_history(Scheme.SPOT)
    listener = Listener(history)
    listener.take(history.deltas[0])
    listener.book.end(listener.frame())
    listener.take(history.rest(1001))
    states = [listener.book.state]
    listener.connection_id = 2
    listener.take(history.rest(1001))
    states.append(listener.book.state)
    assert states == [BookState.ENDED, BookState.BRIDGING]


def test_deltas_that_an_old_connection_left_are_not_joined() -> None:
    history = simple_history(Scheme.SPOT)
    listener = Listener(history)
    listener.take(history.deltas[0])
    listener.connection_id = 2
    listener.take(history.deltas[2])
    listener.take(history.rest(1000))
    assert listener.reports == [FindingKind.BRIDGE_FAILED]
