"""Quotes and tops that meet, in either order, and those that never do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from book.quote_check import QuoteCheck, Top, compare
from tests.book.made_events import quote

TOP = Top(("99.50", "1"), ("100", "2.0"))


@pytest.mark.parametrize(
    ("bid", "ask", "equal"),
    [
        (("99.50", "1"), ("100", "2.0"), True),
        (("99.5", "1.000"), ("100.0", "2"), True),
        (("99.51", "1"), ("100", "2.0"), False),
        (("99.50", "1.1"), ("100", "2.0"), False),
        (("99.50", "1"), ("100", "2.1"), False),
        (("", ""), ("100", "2.0"), False),
    ],
)
def test_price_and_size_must_be_equal_as_numbers(
    bid: tuple[str, str], ask: tuple[str, str], equal: bool
) -> None:
    assert compare(quote(bid, ask, 1), TOP).equal is equal


def test_an_empty_side_is_equal_to_no_text_alone() -> None:
    assert compare(quote(("", ""), ("100", "2.0"), 1), Top(None, TOP.ask)).equal
    assert not compare(quote(("1", "1"), ("100", "2.0"), 1), Top(None, TOP.ask)).equal


@given(data=st.data(), numbers=st.lists(st.integers(0, 40), unique=True, max_size=20))
def test_a_quote_meets_the_top_of_its_number_in_either_order(
    data: st.DataObject, numbers: list[int]
) -> None:
    check = QuoteCheck(100)
    booked = sorted(numbers)
    quoted = set(data.draw(st.lists(st.integers(0, 40), unique=True)))
    early = data.draw(st.sets(st.sampled_from(sorted(quoted)))) if quoted else set[int]()
    for number in sorted(early):
        check.hold(quote(("1", "1"), ("2", "1"), number), number)
    met = {number for number in booked if check.booked(number, TOP) is not None}
    assert met == early & set(numbers)
    for number in sorted(quoted - early):
        outcome = check.late(quote(("1", "1"), ("2", "1"), number), number)
        assert (outcome is not None) == (number in numbers)


def test_what_waits_is_bounded() -> None:
    check = QuoteCheck(3)
    for number in range(10):
        check.hold(quote(("1", "1"), ("2", "1"), number), number)
        check.booked(100 + number, TOP)
    assert all(len(each) <= 3 for each in check.state() if isinstance(each, list))


def test_a_top_of_a_book_that_lost_its_proof_checks_nothing() -> None:
    check = QuoteCheck(3)
    check.booked(7, TOP)
    check.forget()
    assert check.late(quote(("1", "1"), ("2", "1"), 7), 7) is None
