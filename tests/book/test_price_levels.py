"""One side of a book against a plain dict, whatever digits come."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.exact import NotANumberError
from book.price_levels import GHOSTS_MAX, PriceLevels
from tests.book.number_texts import BAD_NUMBERS, price_texts, rows
from tests.book.plain_book import PlainSide
from venues.event import Row

Operation = Callable[[PriceLevels, PlainSide], None]


def _applied(changes: list[Row]) -> Operation:
    def operate(levels: PriceLevels, plain: PlainSide) -> None:
        levels.apply(changes)
        plain.apply(changes)

    return operate


def _replaced(changes: list[Row]) -> Operation:
    def operate(levels: PriceLevels, plain: PlainSide) -> None:
        levels.replace(changes)
        plain.replace(changes)

    return operate


def _trimmed(depth: int) -> Operation:
    def operate(levels: PriceLevels, plain: PlainSide) -> None:
        levels.trim(depth)
        plain.trim(depth)

    return operate


operations = st.lists(
    st.one_of(
        rows.map(_applied),
        rows.map(_applied),
        rows.map(_replaced),
        st.integers(0, 8).map(_trimmed),
    ),
    max_size=10,
)


def _agree(levels: PriceLevels, plain: PlainSide) -> None:
    levels._check()
    expected = plain.rows()
    assert len(levels) == len(expected)
    assert list(levels) == expected
    for count in (0, 1, 3, 100):
        assert levels.top(count) == expected[:count]
        assert levels.top_texts(count, _texts) == _texts(expected[:count])
    assert levels.best() == (expected[0] if expected else None)
    for price, row in plain.levels.items():
        held = levels.size_at(price)
        assert held == row[1]
    levels._check()


def _texts(held: Sequence[Row]) -> list[str]:
    return [f"{price}:{size}" for price, size in held]


@given(bids=st.booleans(), steps=operations)
@settings(max_examples=150)
def test_any_sequence_of_changes_leaves_what_a_plain_dict_holds(
    bids: bool, steps: list[Operation]
) -> None:
    levels, plain = PriceLevels(bids=bids), PlainSide(bids=bids)
    for step in steps:
        step(levels, plain)
        _agree(levels, plain)


@given(first=rows, second=rows, precision=st.integers(1, 6))
@settings(max_examples=60)
def test_the_users_decimal_context_changes_nothing(
    first: list[Row], second: list[Row], precision: int
) -> None:
    def levels() -> list[Row]:
        side = PriceLevels(bids=True)
        side.replace(first)
        side.apply(second)
        side.trim(5)
        return list(side)

    usual = levels()
    with decimal.localcontext() as context:
        context.prec = precision
        context.rounding = decimal.ROUND_UP
        context.Emax, context.Emin = 2, -2
        context.traps[decimal.Inexact] = True
        context.traps[decimal.FloatOperation] = True
        assert levels() == usual


@given(price=price_texts(), others=rows)
@settings(max_examples=100)
def test_a_deleted_level_is_not_there_in_any_of_its_texts(price: str, others: list[Row]) -> None:
    side = PriceLevels(bids=False)
    side.replace(others)
    side.apply([(price, "3"), (format(Decimal(price), "f"), "0")])
    assert Decimal(price) not in [Decimal(row[0]) for row in side]
    assert side.size_at(Decimal(price)) is None
    side._check()


def test_two_texts_of_a_price_are_one_level_under_the_later_text() -> None:
    side = PriceLevels(bids=True)
    side.apply([("1.5", "1"), ("1.50", "2"), ("15e-1", "3")])
    assert list(side) == [("15e-1", "3")]


def test_a_level_deleted_and_entered_again_keeps_the_text_it_comes_with() -> None:
    side = PriceLevels(bids=True)
    side.apply([("1.5", "1"), ("1.5", "0"), ("1.50", "2")])
    assert list(side) == [("1.50", "2")]


def test_deleting_a_level_that_was_never_held_is_nothing() -> None:
    side = PriceLevels(bids=True)
    side.apply([("7", "0"), ("7.0", "0.000")])
    assert list(side) == []
    assert side.best() is None


def test_prices_of_more_decimals_than_the_keys_have_stay_apart() -> None:
    side = PriceLevels(bids=True)
    side.apply([("0.1", "1"), ("0.10000000000000000001", "2"), ("0.09999999999999999999", "3")])
    side.apply([("1e-60", "4")])
    assert [size for _, size in side] == ["2", "1", "3", "4"]
    side._check()


def test_ghosts_are_purged_before_they_outgrow_the_levels() -> None:
    side = PriceLevels(bids=True)
    for price in range(20 * GHOSTS_MAX):
        side.apply([(str(price), "1"), (str(price), "0")])
        assert len(side._held) <= GHOSTS_MAX + 1
    assert len(side) == 0
    side._check()


@pytest.mark.parametrize("text", BAD_NUMBERS)
def test_what_is_no_number_is_refused_as_a_price_and_as_a_size(text: str) -> None:
    for row in ((text, "1"), ("1", text), (text, "0")):
        side = PriceLevels(bids=True)
        side.apply([("2", "2")])
        with pytest.raises(NotANumberError):
            side.apply([row])
        side._check()
        assert list(side) == [("2", "2")]


def test_a_size_below_zero_is_refused() -> None:
    with pytest.raises(NotANumberError):
        PriceLevels(bids=True).apply([("1", "-0.1")])


def test_the_best_levels_are_found_behind_any_number_of_ghosts() -> None:
    side = PriceLevels(bids=True)
    side.apply([(str(price), "1") for price in range(1_000)])
    side.apply([(str(price), "0") for price in range(960, 1_000)])
    side.apply([(str(price), "0") for price in range(940, 959, 2)])
    assert side.top(3) == [("959", "1"), ("957", "1"), ("955", "1")]
    assert side.top_texts(1, _texts) == ["959:1"]
    side.apply([("959", "0")])
    assert side.top_texts(1, _texts) == ["957:1"]
    side.trim(5)
    assert len(side.top(10)) == len(side) == 5
    side._check()
