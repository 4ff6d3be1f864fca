"""What parts two states is said by market and field, with both values."""

from __future__ import annotations

from book.engine import Engine
from book.state_difference import state_differences
from tests.book.reference_feed import ReferenceFeed


def _engine(size: str, *, trade: bool = False) -> Engine:
    feed, engine = ReferenceFeed(), Engine()
    engine.apply(feed.snapshot())
    engine.apply(feed.delta([("99", size)]))
    if trade:
        engine.apply(feed.trade())
    return engine


def test_a_level_that_differs_is_named_by_its_market_side_and_price() -> None:
    said = [str(each) for each in state_differences(_engine("1.5"), _engine("1.6"))]
    assert said == ["reference BTCUSDT book.bids.99: expected 1.5, found 1.6"]


def test_what_is_there_in_one_alone_is_said_to_be_nothing_in_the_other() -> None:
    said = [str(each) for each in state_differences(_engine("1.5"), _engine("0"))]
    assert said == ["reference BTCUSDT book.bids.99: expected 1.5, found nothing"]


def test_checkpoints_are_compared_as_engines_are() -> None:
    expected, found = _engine("1.5"), _engine("1.5", trade=True)
    by_bytes = state_differences(expected.checkpoint(), found.checkpoint())
    assert by_bytes == state_differences(expected, found)
    assert ("", "frames", "2", "3") in by_bytes
    assert ("reference BTCUSDT", "counters.trades", "0", "1") in by_bytes


def test_equal_states_have_no_difference() -> None:
    assert state_differences(_engine("1.5"), _engine("1.5")) == []


def test_no_more_is_said_than_was_asked_for() -> None:
    assert len(state_differences(Engine(), _engine("1.5", trade=True), 3)) == 3
