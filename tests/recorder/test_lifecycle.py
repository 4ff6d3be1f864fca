"""States, transitions and watchers of a connection."""

from __future__ import annotations

import itertools

import pytest

from recorder.admission import Admission
from recorder.lifecycle import TRANSITIONS, ConnectionState, Lifecycle
from recorder.statistics import FrameRate
from venues.event import Notice, NoticeKind


def _asked(messages: int, *, login: bool) -> Admission:
    admission = Admission(login=login)
    admission.asked(messages)
    return admission


def _notice(kind: NoticeKind, text: str = "") -> Notice:
    return Notice("", 0, None, kind, text)


@pytest.mark.parametrize(
    ("left", "entered"), list(itertools.product(ConnectionState, ConnectionState))
)
def test_only_the_moves_of_the_table_are_made(
    left: ConnectionState, entered: ConnectionState
) -> None:
    life = Lifecycle("x", "ws://x")
    life.state = left
    if entered is left or entered in TRANSITIONS[left]:
        life.move(entered)
        assert life.state is entered
    else:
        with pytest.raises(AssertionError, match="is no move"):
            life.move(entered)
        assert life.state is left


def test_every_state_can_be_left_and_reached() -> None:
    assert set(TRANSITIONS) == set(ConnectionState)
    assert set().union(*TRANSITIONS.values()) == set(ConnectionState)


def test_a_watcher_that_raises_does_not_end_what_it_watches(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[ConnectionState] = []

    def broken(life: Lifecycle, left: ConnectionState, entered: ConnectionState) -> None:
        raise ValueError("mine")

    life = Lifecycle("x", "ws://x")
    life.on_state(broken)
    life.on_state(lambda life, left, entered: seen.append(entered))
    life.move(ConnectionState.CONNECTING)
    assert seen == [ConnectionState.CONNECTING]
    assert "a callback for connecting raised" in caplog.text


def test_staying_is_no_move() -> None:
    seen: list[ConnectionState] = []
    life = Lifecycle("x", "ws://x")
    life.on_state(lambda life, left, entered: seen.append(entered))
    life.move(ConnectionState.DISCONNECTED)
    assert not seen


def test_a_connection_is_taken_when_every_message_is_acknowledged() -> None:
    admission = _asked(2, login=False)
    settled = []
    for _ in range(2):
        admission.take(_notice(NoticeKind.ACKNOWLEDGED))
        settled.append(admission.settled)
    assert settled == [False, True]
    assert admission.subscribed


def test_nothing_is_settled_before_the_login() -> None:
    admission = _asked(0, login=True)
    before = admission.settled
    admission.take(_notice(NoticeKind.LOGGED_IN))
    assert (before, admission.settled) == (False, True)


def test_nothing_is_settled_before_it_was_asked() -> None:
    admission = Admission(login=False)
    assert not admission.settled
    admission.asked(0)
    assert admission.settled


def test_only_a_refusal_of_everything_is_a_refusal() -> None:
    admission = _asked(2, login=False)
    refused = []
    for text in ("one", "two"):
        admission.take(_notice(NoticeKind.REJECTED, text))
        refused.append(admission.refused)
    assert refused == [False, True]
    assert admission.refusals == ["one", "two"]


@pytest.mark.parametrize("sign", [None, _notice(NoticeKind.ACKNOWLEDGED)])
def test_where_anything_was_taken_it_is_a_partial_refusal(sign: Notice | None) -> None:
    admission = _asked(1, login=False)
    admission.take(sign)
    admission.take(_notice(NoticeKind.REJECTED, "the rest"))
    assert not admission.refused
    assert not admission.subscribed


def test_a_plan_that_asks_for_nothing_cannot_be_refused() -> None:
    assert _asked(0, login=False).settled
    assert not _asked(0, login=False).refused


def test_a_heartbeat_is_neither_an_answer_nor_market_data() -> None:
    admission = _asked(1, login=False)
    admission.take(_notice(NoticeKind.HEARTBEAT))
    admission.take(_notice(NoticeKind.INFORMATION))
    assert not admission.settled
    assert not admission.market_data


def test_the_rate_is_that_of_the_last_seconds() -> None:
    rate = FrameRate()
    assert rate.per_s == 0.0
    for second in range(20):
        rate.count(float(second), 0 if second < 10 else (second - 10) * 1000)
    assert rate.per_s == 1000.0
