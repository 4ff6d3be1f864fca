"""Books whose proof is the count of all the frames of their connection."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from tests.book.exchange_history import checksum
from tests.book.made_events import delta, snapshot, trade
from tests.book.made_venue import TRAITS, MadeFeed
from tests.book.plain_book import PlainBook
from venues.event import Event, FrameSequence, Row
from venues.frame import Frame

pytestmark = pytest.mark.usefixtures("made_venues")

BIDS: list[Row] = [("99", "1"), ("98", "2")]
ASKS: list[Row] = [("101", "1")]


class CountedFeed(MadeFeed):
    """A feed whose frames are numbered."""

    def numbered(self, number: int, *events: Event) -> Frame:
        return self.text(FrameSequence("", 0, None, number), *events)

    def whole(self, number: int, symbol: str = "S") -> Frame:
        return self.numbered(number, snapshot(BIDS, ASKS, None, symbol=symbol))

    def change(self, number: int, size: str, symbol: str = "S") -> Frame:
        return self.numbered(number, delta([("99", size)], [], None, symbol=symbol))


def state(engine: Engine, symbol: str = "S") -> BookState:
    return next(m.book.state for (_, name), m in engine.markets.items() if name == symbol)


def size(engine: Engine, symbol: str = "S") -> str:
    best = next(m for (_, name), m in engine.markets.items() if name == symbol).book.best_bid
    assert best is not None
    return best.size_text


def kinds(engine: Engine) -> list[FindingKind]:
    return [finding.kind for finding in engine.findings]


def test_an_unbroken_count_proves_the_books_of_a_venue_without_numbers_of_their_own() -> None:
    feed, engine = CountedFeed("made-counted"), Engine()
    for frame in (feed.whole(0), feed.whole(1, "T"), feed.change(2, "5"), feed.numbered(3)):
        engine.apply(frame)
    assert state(engine) is state(engine, "T") is BookState.PROVEN
    assert size(engine) == "5"
    assert kinds(engine) == []


def test_a_lost_frame_was_anyones_so_all_books_are_doubted_and_asked_for() -> None:
    feed, engine = CountedFeed("made-counted"), Engine()
    for frame in (feed.whole(10), feed.whole(11, "T"), feed.change(14, "5")):
        engine.apply(frame)
    (finding,) = engine.findings
    assert finding.kind is FindingKind.GAP
    assert (finding.expected, finding.received, finding.missing) == ("12", "14", 2)
    assert (finding.symbol, finding.frame_number) == ("", 2)
    assert state(engine) is state(engine, "T") is BookState.SUSPECT
    assert size(engine) == "1"
    assert sorted(wish.symbol for wish in engine.take_snapshot_requests()) == ["S", "T"]
    engine.apply(feed.whole(15))
    assert [state(engine), state(engine, "T")] == [BookState.PROVEN, BookState.SUSPECT]


def test_a_loss_leaves_the_books_of_other_connections_alone() -> None:
    feed, engine = CountedFeed("made-counted"), Engine()
    engine.apply(feed.whole(0))
    feed.connection_id = 2
    for frame in (feed.whole(0, "T"), feed.numbered(9)):
        engine.apply(frame)
    assert [state(engine), state(engine, "T")] == [BookState.PROVEN, BookState.SUSPECT]


def test_a_count_ends_with_its_connection() -> None:
    feed, engine = CountedFeed("made-counted"), Engine()
    for frame in (feed.whole(5), feed.closed(), feed.whole(90)):
        engine.apply(frame)
    assert kinds(engine) == [FindingKind.DISCONNECTED]


def test_a_frame_that_comes_twice_is_taken_once() -> None:
    feed, engine = CountedFeed("made-counted"), Engine()
    for number in (0, 1, 1):
        engine.apply(feed.numbered(number, trade("100", "1")))
    assert engine.markets["made-counted", "S"].counters.trades == 2
    (finding,) = engine.findings
    assert (finding.kind, finding.expected, finding.received) == (FindingKind.DUPLICATE, "2", "1")


def test_each_removed_frame_is_noticed_at_the_next_one() -> None:
    feed = CountedFeed("made-counted")
    frames = [feed.whole(0), feed.whole(1, "T")]
    frames += [feed.change(number, str(number), "ST"[number % 2]) for number in range(2, 12)]
    for at in range(1, len(frames) - 1):
        engine = Engine()
        for frame in frames[:at] + frames[at + 1 : at + 2]:
            engine.apply(frame)
        assert kinds(engine) == [FindingKind.GAP]
        assert not any(market.book.proven for market in engine.markets.values())


def test_a_book_message_without_a_number_proves_nothing_until_the_next_snapshot() -> None:
    feed, engine = CountedFeed("made-counted"), Engine()
    engine.apply(feed.whole(0))
    engine.apply(feed.text(delta([("99", "7")], [], None)))
    engine.apply(feed.change(1, "8"))
    assert (state(engine), size(engine)) == (BookState.UNVERIFIABLE, "8")
    window = engine.markets["made-counted", "S"].coverage.windows[-1]
    assert (window.reason, window.from_frame, window.to_frame) == ("no frame number", 1, None)
    engine.apply(feed.whole(2))
    assert state(engine) is BookState.PROVEN
    assert window.to_frame == 3


def test_a_verified_checksum_proves_what_a_missing_number_left_open() -> None:
    feed, engine = CountedFeed("made-counted-checksum"), Engine()
    book = PlainBook()
    book.replace(BIDS, ASKS)
    engine.apply(feed.whole(0))
    engine.apply(feed.text(delta([("99", "7")], [], None)))
    assert state(engine) is BookState.UNVERIFIABLE
    book.apply([("99", "7"), ("98", "3")], [])
    right = delta([("98", "3")], [], None, checksum=checksum(book.rows()))
    engine.apply(feed.numbered(1, right))
    assert state(engine) is BookState.PROVEN
    # Numbers prove it as well, so that a delta without a checksum is no doubt.
    engine.apply(feed.change(2, "8"))
    assert state(engine) is BookState.PROVEN


def test_a_frame_that_comes_late_by_what_is_allowed_fills_its_hole() -> None:
    feed, engine = CountedFeed("made-reordered"), Engine()
    for frame in (feed.whole(0), feed.whole(1, "T"), feed.change(3, "3"), feed.change(4, "4")):
        engine.apply(frame)
    assert [state(engine), state(engine, "T")] == [BookState.UNVERIFIABLE, BookState.PROVEN]
    engine.apply(feed.change(2, "2", "T"))
    assert state(engine) is state(engine, "T") is BookState.PROVEN
    assert (size(engine), size(engine, "T")) == ("4", "2")
    assert kinds(engine) == []


def test_a_frame_that_does_not_come_in_time_is_a_gap() -> None:
    feed, engine = CountedFeed("made-reordered"), Engine()
    engine.apply(feed.whole(0))
    for number in (2, 3, 4):
        engine.apply(feed.change(number, str(number)))
        assert kinds(engine) == []
    engine.apply(feed.change(5, "5"))
    assert kinds(engine) == [FindingKind.GAP]
    assert state(engine) is BookState.SUSPECT


def test_deltas_of_one_book_in_the_wrong_order_are_doubted() -> None:
    feed, engine = CountedFeed("made-reordered"), Engine()
    for frame in (feed.whole(0), feed.change(2, "2"), feed.change(1, "1")):
        engine.apply(frame)
    assert kinds(engine) == [FindingKind.LATE]
    assert (state(engine), size(engine)) == (BookState.SUSPECT, "2")
    assert [wish.symbol for wish in engine.take_snapshot_requests()] == ["S"]


def test_a_late_delta_that_the_snapshot_has_already_changes_nothing() -> None:
    feed, engine = CountedFeed("made-reordered"), Engine()
    for frame in (feed.whole(0), feed.whole(2), feed.change(1, "7")):
        engine.apply(frame)
    assert (state(engine), size(engine)) == (BookState.PROVEN, "1")
    assert engine.markets["made-reordered", "S"].counters.late == 1


def test_deltas_that_come_before_the_snapshot_that_they_follow_are_held_for_it() -> None:
    feed, engine = CountedFeed("made-reordered"), Engine()
    for frame in (feed.numbered(0), feed.change(3, "3"), feed.change(2, "2"), feed.whole(1)):
        engine.apply(frame)
    assert (state(engine), size(engine)) == (BookState.PROVEN, "3")
    assert kinds(engine) == []
    counters = engine.markets["made-reordered", "S"].counters
    assert (counters.deltas, counters.snapshots) == (2, 1)


def test_of_what_is_held_only_what_is_newer_than_the_snapshot_is_applied() -> None:
    feed, engine = CountedFeed("made-reordered"), Engine()
    for frame in (feed.numbered(0), feed.change(2, "2"), feed.whole(3), feed.numbered(1)):
        engine.apply(frame)
    assert (state(engine), size(engine)) == (BookState.PROVEN, "1")


def test_a_snapshot_that_was_given_up_as_missing_is_no_beginning() -> None:
    feed, engine = CountedFeed("made-reordered"), Engine()
    engine.apply(feed.numbered(0))
    for number in (2, 3, 4, 5):
        engine.apply(feed.change(number, str(number)))
    engine.apply(feed.whole(1))
    assert state(engine) is BookState.EMPTY
    assert kinds(engine) == [FindingKind.GAP, FindingKind.LATE, FindingKind.LATE]


def test_a_snapshot_that_what_was_taken_overtook_is_no_beginning_after_a_gap() -> None:
    feed, engine = CountedFeed("made-reordered"), Engine()
    # 2 fills its hole and shows that 1 is missing; 5 was taken meanwhile.
    for frame in (feed.whole(0), feed.numbered(3), feed.numbered(4), feed.change(5, "5")):
        engine.apply(frame)
    engine.apply(feed.whole(2))
    assert kinds(engine) == [FindingKind.GAP, FindingKind.LATE]
    assert (state(engine), size(engine)) == (BookState.SUSPECT, "5")
    assert [wish.symbol for wish in engine.take_snapshot_requests()] == ["S"]


def test_a_late_snapshot_is_no_beginning_as_its_deltas_may_have_been_given_up_with_it() -> None:
    feed, engine = CountedFeed("made-counted"), Engine()
    for frame in (feed.numbered(0), feed.numbered(3), feed.whole(1)):
        engine.apply(frame)
    assert kinds(engine) == [FindingKind.GAP, FindingKind.LATE, FindingKind.LATE]
    assert state(engine) is BookState.EMPTY


def given_up(seen: set[int], reorder_max: int) -> int:
    """Return the lowest number that may still come, told from those that came."""
    number = min(seen, default=0)
    while number in seen or sum(other > number for other in seen) > reorder_max:
        number += 1
    return number


def with_faults(
    data: st.DataObject, frames: Sequence[tuple[int, Frame]], faults: Sequence[str], late_max: int
) -> list[tuple[int, Frame]]:
    """Draw up to three faults and do them to numbered frames."""
    done, late = list(frames), 0
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(done) - 1))
        fault = data.draw(st.sampled_from(faults))
        if fault == "double":
            done.insert(at, done[at])
        elif fault == "drop" and len(done) > 1:
            done.pop(at)
        elif fault == "late" and late < late_max:
            late += 1
            each = done.pop(at)
            done.insert(at + data.draw(st.integers(1, 5)), each)
    return done


def proven_books(engine: Engine) -> list[tuple[str, tuple[list[Row], list[Row]]]]:
    return [
        (market.symbol, (list(market.book.bids), list(market.book.asks)))
        for market in engine.markets.values()
        if market.book.proven
    ]


@pytest.mark.parametrize("venue", ["made-counted", "made-reordered"])
@given(data=st.data())
@settings(max_examples=100)
def test_whatever_happens_to_the_frames_no_proven_book_is_wrong(
    venue: str, data: st.DataObject
) -> None:
    feed, engine = CountedFeed(venue), Engine()
    truth = {"S": PlainBook(), "T": PlainBook()}
    frames: list[tuple[int, Frame]] = []
    states: list[tuple[list[Row], list[Row]]] = []
    sent: dict[str, list[int]] = {"S": [], "T": []}
    numbered: set[int] = set()
    begun_at = data.draw(st.integers(0, 3))
    # Among frames without numbers, nothing could show that a numbered one comes late.
    all_numbered = data.draw(st.booleans())
    for number in range(data.draw(st.integers(3, 16))):
        symbol = data.draw(st.sampled_from("ST"))
        row = (data.draw(st.sampled_from(("97", "98", "99"))), data.draw(st.sampled_from("0123")))
        truth[symbol].apply([row], [])
        event: Event = delta([row], [], None, symbol=symbol)
        if number in (begun_at, 1) or data.draw(st.integers(0, 4)) == 0:
            event = snapshot(*truth[symbol].rows(), None, symbol=symbol)
        states.append(truth[symbol].rows())
        sent[symbol].append(number)
        if all_numbered or data.draw(st.integers(0, 5)):
            numbered.add(number)
            frames.append((number, feed.numbered(number, event)))
        else:
            frames.append((number, feed.text(event)))
    reorder_max = TRAITS[venue].get("sequence_reorder_max", 0)
    faults = ("drop", "double", "late") if all_numbered else ("drop", "double")
    # Where order is kept, two late frames are how an exchange that counts anew looks.
    frames = with_faults(data, frames, faults, late_max=3 if reorder_max else 1)
    came: set[int] = set()
    for number, frame in frames:
        engine.apply(frame)
        came.add(number)
        over = given_up(came & numbered, reorder_max)
        for name, book in proven_books(engine):
            # A lost message is missed from when it is given up on.
            latest = max(each for each in sent[name] if each in came or each < over)
            assert book == states[latest]
