"""What proves a book, what leaves it without proof, and what takes the proof up again."""

from __future__ import annotations

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from book.market import Market
from tests.book.exchange_history import checksum
from tests.book.made_events import delta, snapshot
from tests.book.made_venue import MadeFeed
from tests.book.plain_book import PlainBook
from venues.event import BookDelta, BookSnapshot, Row

pytestmark = pytest.mark.usefixtures("made_venues")


class Hashed:
    """A book whose messages carry its checksum, or none."""

    def __init__(self) -> None:
        self.truth = PlainBook()
        self.truth.replace([("99", "1"), ("98", "1")], [("101", "1")])
        self.sequence = 1

    def whole(self, *, hashed: bool = True) -> BookSnapshot:
        rows = self.truth.rows()
        return snapshot(*rows, self.sequence, checksum=checksum(rows) if hashed else None)

    def change(self, *bids: Row, hashed: bool = True, right: bool = True) -> BookDelta:
        self.sequence += 1
        self.truth.apply(bids, [])
        number = checksum(self.truth.rows()) ^ (0 if right else 1)
        return delta(bids, [], self.sequence, checksum=number if hashed else None)


def run(venue: str, *messages: BookSnapshot | BookDelta) -> tuple[Engine, Market, list[BookState]]:
    feed, engine, states = MadeFeed(venue), Engine(), []
    for message in messages:
        engine.apply(feed.text(message))
        (market,) = engine.markets.values()
        states.append(market.book.state)
    return engine, market, states


def test_where_checksums_alone_prove_a_delta_without_one_proves_nothing() -> None:
    book = Hashed()
    engine, market, states = run(
        "made-checksum",
        book.whole(),
        book.change(("99", "2"), hashed=False),
        book.change(("98", "2"), hashed=False),
        book.change(("99", "3")),
    )
    assert states == [
        BookState.PROVEN, BookState.UNVERIFIABLE, BookState.UNVERIFIABLE, BookState.PROVEN,
    ]  # fmt: skip
    assert [level.size_text for level in market.book.depth(2)[0]] == ["3", "2"]
    counters = market.counters
    assert (counters.checksums_verified, counters.checksums_unverifiable) == (2, 2)
    (window,) = market.coverage.windows
    assert (window.reason, window.from_frame, window.to_frame) == ("no checksum", 1, 3)
    assert len(engine.findings) == 0


def test_a_delta_that_was_lost_while_nothing_proved_the_book_is_found_by_the_next_checksum() -> (
    None
):
    book = Hashed()
    whole = book.whole()
    book.change(("98", "5"))
    engine, _, states = run(
        "made-checksum", whole, book.change(("99", "2"), hashed=False), book.change(("99", "3"))
    )
    assert states == [BookState.PROVEN, BookState.UNVERIFIABLE, BookState.SUSPECT]
    assert engine.findings.counts[FindingKind.CHECKSUM_FAILED] == 1


def test_a_snapshot_is_a_full_statement_even_without_a_checksum() -> None:
    book = Hashed()
    _, market, states = run(
        "made-checksum",
        book.whole(hashed=False),
        book.change(("99", "2"), hashed=False),
        book.whole(hashed=False),
        book.change(("99", "2")),
    )
    assert states == [
        BookState.PROVEN, BookState.UNVERIFIABLE, BookState.PROVEN, BookState.PROVEN,
    ]  # fmt: skip
    assert market.counters.checksums_unverifiable == 3


def test_where_there_are_numbers_too_a_missing_checksum_is_no_doubt() -> None:
    book = Hashed()
    _, market, states = run(
        "made-numbers-and-checksum",
        book.whole(hashed=False),
        book.change(("99", "2"), hashed=False),
        book.change(("98", "2")),
    )
    assert states == [BookState.PROVEN] * 3
    assert market.counters.checksums_unverifiable == 2
    assert market.coverage.share == 1


def test_a_checksum_that_fails_takes_away_what_numbers_have_proven() -> None:
    book = Hashed()
    _, _, states = run(
        "made-numbers-and-checksum", book.whole(), book.change(("99", "2"), right=False)
    )
    assert states == [BookState.PROVEN, BookState.SUSPECT]


@pytest.mark.parametrize(("venue", "may"), [("made-crossing", True), ("made-counter", False)])
def test_a_crossed_book_is_always_counted_and_doubted_where_the_exchange_sends_none(
    venue: str, may: bool
) -> None:
    engine, market, states = run(
        venue, snapshot([("99", "1")], [("101", "1")], 1), delta([("102", "1")], [], 2),
        delta([("102", "0")], [], 3),
    )  # fmt: skip
    last = BookState.PROVEN if may else BookState.SUSPECT
    assert states == [BookState.PROVEN, last, last]
    assert market.counters.crossed == 1
    assert engine.findings.counts[FindingKind.CROSSED] == (0 if may else 1)
    assert bool(engine.take_snapshot_requests()) is not may


@pytest.mark.parametrize(("number", "missing"), [(6, None), (7, None), (9, 2), (1, None)])
def test_a_snapshot_that_the_count_does_not_lead_up_to_tells_of_what_was_lost(
    number: int, missing: int | None
) -> None:
    """A channel that stalled and begins again with a snapshot: the book was stale meanwhile."""
    feed, engine = MadeFeed("made-counter"), Engine()
    engine.apply(feed.text(snapshot([("99", "1")], [("101", "1")], 5)))
    engine.apply(feed.text(delta([("98", "1")], [], 6)))
    engine.apply(feed.text(snapshot([("99", "1")], [("101", "1")], number)))
    market = engine.markets["made-counter", "S"]
    assert (market.book.state, market.book.sequence) == (BookState.PROVEN, number)
    gaps = [(each.expected, each.received, each.missing) for each in engine.findings]
    assert gaps == ([] if missing is None else [("7", str(number), missing)])
    assert market.counters.gaps == len(gaps)


def test_what_was_told_as_lost_is_not_told_again_by_the_snapshot_that_mends_it() -> None:
    feed, engine = MadeFeed("made-counter"), Engine()
    engine.apply(feed.text(snapshot([("99", "1")], [("101", "1")], 5)))
    engine.apply(feed.text(delta([("98", "1")], [], 8)))
    engine.apply(feed.text(snapshot([("99", "1")], [("101", "1")], 12)))
    feed.connection_id = 2
    engine.apply(feed.text(snapshot([("99", "1")], [("101", "1")], 40)))
    assert engine.findings.counts[FindingKind.GAP] == 1
