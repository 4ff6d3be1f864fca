"""Levels told of by their ids are the levels that were meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from book.book_state import BookState
from book.engine import Engine
from book.exact import NumbersSeen
from book.finding import FindingKind
from book.level_ids import SideIds, UnknownLevelError
from book.market import Market
from tests.book.made_venue import MadeFeed
from venues.event import BookDelta, BookSnapshot, Row

pytestmark = pytest.mark.usefixtures("made_venues")

VENUE = "made-named-levels"


def whole(*bids: tuple[str, str, str]) -> BookSnapshot:
    rows: list[Row] = [(price, size) for _, price, size in bids]
    ids = ([each for each, _, _ in bids], ["a"])
    return BookSnapshot("S", 0, None, rows, [("101", "1")], level_ids=ids)


def change(*bids: tuple[str, str, str]) -> BookDelta:
    rows: list[Row] = [(price, size) for _, price, size in bids]
    return BookDelta("S", 0, None, rows, [], level_ids=([each for each, _, _ in bids], []))


def run(*messages: BookSnapshot | BookDelta) -> tuple[Engine, Market]:
    feed, engine = MadeFeed(VENUE), Engine()
    for message in messages:
        engine.apply(feed.text(message))
    (market,) = engine.markets.values()
    return engine, market


def bids(market: Market) -> list[Row]:
    return list(market.book.bids)


START = whole(("1", "99", "5"), ("2", "98", "6"))


def test_a_row_without_a_price_changes_the_level_of_its_id() -> None:
    _, market = run(START, change(("2", "", "7"), ("1", "", "0")))
    assert bids(market) == [("98", "7")]


def test_a_row_without_a_size_leaves_the_size_and_may_move_the_level() -> None:
    _, market = run(START, change(("1", "99", ""), ("2", "97", ""), ("1", "", "")))
    assert bids(market) == [("99", "5"), ("97", "6")]


def test_a_known_id_at_another_price_leaves_the_old_one() -> None:
    _, market = run(START, change(("1", "97", "8")))
    assert bids(market) == [("98", "6"), ("97", "8")]


def test_two_levels_that_change_places_are_both_still_there() -> None:
    _, market = run(START, change(("1", "98", "5"), ("2", "99", "6")))
    assert bids(market) == [("99", "6"), ("98", "5")]


def test_a_level_is_known_by_the_price_that_its_insert_gave() -> None:
    _, market = run(START, change(("3", "97", "1")), change(("3", "", "4")))
    assert bids(market) == [("99", "5"), ("98", "6"), ("97", "4")]


@pytest.mark.parametrize(
    "row", [("9", "", "7"), ("9", "", "0"), ("9", "97", "0"), ("9", "97", ""), ("9", "", "")]
)
def test_a_change_of_a_level_that_is_not_held_is_a_gap(row: tuple[str, str, str]) -> None:
    engine, market = run(START, change(("1", "", "7"), row), change(("1", "", "8")))
    (finding,) = engine.findings
    assert finding.kind is FindingKind.GAP
    assert finding.text == "a change of a level that is not held"
    assert (finding.received, finding.missing) == ("9", None)
    assert market.counters.gaps == 1
    assert market.book.state is BookState.SUSPECT
    assert bids(market) == [("99", "5"), ("98", "6")]
    assert [wish.symbol for wish in engine.take_snapshot_requests()] == ["S"]


def test_a_fresh_snapshot_names_all_levels_anew() -> None:
    engine, market = run(
        START, change(("9", "", "7")), whole(("9", "96", "1")), change(("9", "", "2"))
    )
    assert bids(market) == [("96", "2")]
    # Its numbers say nothing, so that it follows the feed without proof.
    assert market.book.state is BookState.UNVERIFIABLE
    engine.apply(MadeFeed(VENUE).text(change(("1", "", "8"))))
    assert engine.findings.counts[FindingKind.GAP] == 2


@pytest.mark.parametrize("row", [("1", "one", "5"), ("1", "", "five"), ("3", "97", "-1")])
def test_what_is_no_number_is_a_finding(row: tuple[str, str, str]) -> None:
    engine, market = run(START, change(row))
    assert [finding.kind for finding in engine.findings] == [FindingKind.BAD_NUMBER]
    assert market.book.state is BookState.SUSPECT


def test_a_snapshot_that_is_no_book_names_nothing() -> None:
    engine, market = run(START, whole(("1", "one", "5")))
    assert [finding.kind for finding in engine.findings] == [FindingKind.BAD_NUMBER]
    assert bids(market) == []


IDS = st.sampled_from("123456")
ROWS = st.tuples(IDS, st.sampled_from(("", "95", "96", "97")), st.sampled_from(("", "0", "1", "2")))


@given(messages=st.lists(st.lists(ROWS, min_size=1, max_size=4), max_size=12))
def test_prices_hold_what_the_ids_say_wherever_each_price_has_one_id(
    messages: list[list[tuple[str, str, str]]],
) -> None:
    named = SideIds(NumbersSeen())
    truth: dict[str, Row] = {}
    held: dict[str, str] = {}
    for rows in messages:
        after, known, apart = _applied(truth, rows)
        if known and not apart:
            continue  # two ids at one price: no exchange that names price levels says so
        try:
            plain = named.rows([row[1:] for row in rows], [row[0] for row in rows])
        except UnknownLevelError:
            assert not known
            return
        assert known
        truth = after
        held.update(plain)
        levels = {price: size for price, size in held.items() if size != "0"}
        assert levels == dict(truth.values())


def _applied(
    truth: dict[str, Row], rows: list[tuple[str, str, str]]
) -> tuple[dict[str, Row], bool, bool]:
    """Return the levels after `rows`, whether all were known, and each at a price of its own."""
    after, apart = dict(truth), True
    for level_id, price, size in rows:
        old = after.get(level_id)
        if old is None and (size in ("", "0") or not price):
            return after, False, apart
        if size == "0":
            del after[level_id]
        else:
            old = old or ("", "")
            after[level_id] = (price or old[0], size or old[1])
        apart = apart and len({price for price, _ in after.values()}) == len(after)
    return after, True, apart
