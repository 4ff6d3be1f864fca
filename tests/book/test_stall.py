"""What a stall and a frame that waited for its place do to the engine's state."""

from __future__ import annotations

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from tests.recorder.topic_venue import TopicVenue
from venues.channel import Channel, Subscription
from venues.frame import Frame, FrameKind
from venues.marker import STALL, Lines, Lost, marker_payload


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr("book.engine.venue_named", lambda name: TopicVenue())
    return Engine()


def frames(*payloads: bytes | Lost | Lines) -> list[Frame]:
    made = []
    for number, payload in enumerate(payloads):
        kind = FrameKind.TEXT
        if not isinstance(payload, bytes):
            kind = FrameKind.LOST if isinstance(payload, Lost) else FrameKind.LINES
            payload = marker_payload(payload)
        made.append(Frame(number, 1, "tiny", kind, number, number, payload))
    return made


def stall(*subscriptions: Subscription) -> Lost:
    return Lost(None, None, 0, 1, STALL, "", list(subscriptions))


@pytest.mark.parametrize(
    ("mute", "suspect"),
    [
        ([Subscription(Channel.BOOK, "A")], {"A"}),
        ([Subscription(Channel.TRADES, "A")], set()),
        ([Subscription(Channel.TRADES, "A"), Subscription(Channel.BOOK, "B")], {"B"}),
        ([], {"A", "B"}),
    ],
)
def test_a_stall_takes_the_proof_of_the_books_that_it_befell_and_of_no_others(
    engine: Engine, mute: list[Subscription], suspect: set[str]
) -> None:
    for frame in frames(b"book A 1 snapshot", b"book B 1 snapshot", stall(*mute)):
        engine.apply(frame)
    states = {symbol: market.book.state for (_, symbol), market in engine.markets.items()}
    assert {symbol for symbol, state in states.items() if state is BookState.SUSPECT} == suspect
    asked = {request.symbol for request in engine.take_snapshot_requests()}
    assert asked == suspect
    assert engine.findings.counts[FindingKind.LOST] == 1


def test_which_lines_brought_a_frame_changes_no_state(engine: Engine) -> None:
    with_lines = frames(b"book A 1 snapshot", Lines(change="up", line=2), b"book A 2")
    without = [frame for frame in with_lines if frame.kind is not FrameKind.LINES]
    other = Engine()
    for frame in with_lines:
        engine.apply(frame)
    for frame in without:
        other.apply(frame)
    (book,) = (market.book.book_state() for market in engine.markets.values())
    assert [book] == [market.book.book_state() for market in other.markets.values()]
    assert engine.undecodable == 0


@pytest.mark.parametrize(("steady_ns", "told"), [(5, 0), (20, 1), (None, 1)])
def test_time_runs_back_only_where_the_steady_clock_does_not(
    engine: Engine, steady_ns: int | None, told: int
) -> None:
    first, second = frames(b"book A 1 snapshot", b"book A 2")
    at = {"first": (100, 10), "second": (50, steady_ns)}
    for name, frame in (("first", first), ("second", second)):
        wall_ns, monotonic_ns = at[name]
        engine.apply(
            Frame(frame.frame_number, 1, "tiny", frame.kind, wall_ns, monotonic_ns, frame.payload)
        )
    assert engine.findings.counts[FindingKind.TIME_BACKWARDS] == told
    assert engine.now_ns == 100
