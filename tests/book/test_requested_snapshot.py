"""Snapshots that were asked for on the socket, that are numbered by time, or number their rows."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from book.market import Market
from tests.book.made_events import delta, snapshot
from tests.book.made_venue import MadeFeed
from tests.book.plain_book import PlainBook
from venues.event import BookDelta, BookSnapshot, Row

pytestmark = pytest.mark.usefixtures("made_venues")


def whole(sequence: int) -> BookSnapshot:
    return snapshot([("99", "1")], [("101", "1")], sequence, unjoined=True)


def chained(previous: int, sequence: int) -> BookDelta:
    return delta([("99", str(sequence))], [], sequence, previous=previous)


def market_of(engine: Engine) -> Market:
    (market,) = engine.markets.values()
    return market


def kinds(engine: Engine) -> list[FindingKind]:
    return [finding.kind for finding in engine.findings]


def test_a_snapshot_asked_for_on_the_socket_joins_the_delta_that_names_it() -> None:
    feed, engine = MadeFeed("made-requested"), Engine()
    for event in (chained(10, 14), chained(14, 20), whole(14), chained(20, 23)):
        engine.apply(feed.text(event))
    market = market_of(engine)
    assert (market.book.state, market.book.sequence) == (BookState.PROVEN, 23)
    assert market.counters.bridges == 1
    assert kinds(engine) == []


def test_a_snapshot_older_than_the_first_delta_held_is_not_joined() -> None:
    feed, engine = MadeFeed("made-requested"), Engine()
    engine.apply(feed.text(chained(10, 14)))
    engine.take_snapshot_requests()
    engine.apply(feed.text(whole(9)))
    assert kinds(engine) == [FindingKind.BRIDGE_FAILED]
    assert [wish.symbol for wish in engine.take_snapshot_requests()] == ["S"]


def test_a_snapshot_asked_for_on_the_socket_belongs_to_its_connection() -> None:
    feed, engine = MadeFeed("made-requested"), Engine()
    states = []
    for connection_id, event in (
        (2, chained(10, 14)),
        (1, whole(14)),
        (2, whole(14)),
        # The next connection's deltas are no continuation of what this one asked for.
        (3, chained(14, 20)),
    ):
        feed.connection_id = connection_id
        engine.apply(feed.text(event))
        states.append(market_of(engine).book.state)
    assert states == [BookState.EMPTY, BookState.EMPTY, BookState.BRIDGING, BookState.SUSPECT]
    assert market_of(engine).counters.overlapping == 1


@pytest.mark.parametrize(
    ("venue", "state"),
    [("made-row-numbers", BookState.PROVEN), ("made-by-time", BookState.EMPTY)],
)
def test_a_snapshot_by_http_is_nobodys_where_its_number_alone_joins_it(
    venue: str, state: BookState
) -> None:
    feed, engine = MadeFeed(venue), Engine()
    feed.connection_id = 2
    engine.apply(feed.text(delta([("99", "5")], [], 20, first=15)))
    feed.connection_id = 1
    engine.apply(feed.http(whole(14)))
    assert market_of(engine).book.state is state


def test_a_snapshot_at_a_time_does_not_outlive_its_connection() -> None:
    feed, engine = MadeFeed("made-by-time"), Engine()
    engine.apply(feed.text(delta([("99", "5")], [], 20)))
    engine.apply(feed.http(whole(30)))
    feed.connection_id = 2
    engine.apply(feed.text(delta([("99", "5")], [], 40)))
    assert market_of(engine).book.state is BookState.SUSPECT


def test_where_numbers_are_times_any_later_delta_joins_and_nothing_is_proven() -> None:
    feed, engine = MadeFeed("made-by-time"), Engine()
    for number in (100, 200, 250, 300):
        engine.apply(feed.text(delta([("99", str(number))], [], number)))
    engine.apply(feed.http(snapshot([("98", "1")], [("101", "1")], 250, unjoined=True)))
    book = market_of(engine).book
    assert book.state is BookState.UNVERIFIABLE
    assert [(level.price_text, level.size_text) for level in book.depth(9)[0]] == [
        ("99", "300"), ("98", "1"),
    ]  # fmt: skip
    assert market_of(engine).coverage.proven_ns == 0
    # Nothing tells a lost delta from a pause.
    engine.apply(feed.text(delta([("99", "0")], [], 900)))
    assert book.state is BookState.UNVERIFIABLE
    assert kinds(engine) == []


def test_a_snapshot_newer_than_all_deltas_waits_for_a_later_one() -> None:
    feed, engine = MadeFeed("made-by-time"), Engine()
    engine.apply(feed.text(delta([("99", "1")], [], 100)))
    engine.apply(feed.http(whole(250)))
    engine.apply(feed.text(delta([("99", "7")], [], 250)))
    assert market_of(engine).book.state is BookState.BRIDGING
    engine.apply(feed.text(delta([("99", "8")], [], 251)))
    assert market_of(engine).book.state is BookState.UNVERIFIABLE


@given(data=st.data())
def test_rows_that_the_snapshot_has_already_are_skipped_when_a_delta_joins_it(
    data: st.DataObject,
) -> None:
    # One change a number, several in a delta; a change may be undone within it.
    side = st.tuples(st.sampled_from(("97", "98", "99")), st.sampled_from(("0", "1", "2")))
    changes: list[Row] = data.draw(st.lists(side, min_size=4, max_size=12))
    joins_at = data.draw(st.integers(0, len(changes) - 1))
    book = PlainBook()
    book.replace([], [("101", "1")])
    states = [book.rows()]
    for row in changes:
        book.apply([row], [])
        states.append(book.rows())
    cuts = data.draw(st.sets(st.integers(1, len(changes) - 1)))
    bounds = [0, *sorted(cuts), len(changes)]
    feed, engine = MadeFeed("made-row-numbers"), Engine()
    first = max(start for start in bounds if start <= joins_at)
    engine.apply(feed.http(snapshot(*states[joins_at], joins_at, unjoined=True)))
    for start, end in itertools.pairwise(bounds):
        if start < first:
            continue
        engine.apply(
            feed.text(
                BookDelta(
                    "S", 0, None, changes[start:end], [], start + 1, end,
                    row_sequences=(list(range(start + 1, end + 1)), []),
                )
            )
        )  # fmt: skip
        held = market_of(engine).book
        assert (list(held.bids), list(held.asks)) == states[end]
    assert market_of(engine).book.proven
    assert kinds(engine) == []


def test_a_level_that_a_snapshot_saw_deleted_does_not_come_back() -> None:
    """The delta 5..7 sets 99 and then deletes 98; the snapshot at 6 is from in between."""
    feed, engine = MadeFeed("made-row-numbers"), Engine()
    joined = BookDelta(
        "S", 0, None, [("99", "5"), ("97", "1"), ("98", "0")], [], 5, 7,
        row_sequences=([5, 6, 7], []),
    )  # fmt: skip
    engine.apply(feed.http(snapshot([("98", "1")], [("101", "1")], 6, unjoined=True)))
    engine.apply(feed.text(joined))
    assert list(market_of(engine).book.bids) == []
