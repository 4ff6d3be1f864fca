"""A number of a connection's count is missing when it has to be, and never before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from book.frame_count import CountGap, FrameCount
from book.sequence import Verdict


def taken(count: FrameCount, *numbers: int) -> list[Verdict]:
    return [count.judge(number) for number in numbers]


@given(
    order=st.permutations(range(1, 16)),
    dropped=st.sets(st.integers(1, 15)),
    reorder_max=st.integers(0, 6),
)
def test_a_number_is_given_up_once_more_greater_ones_came_than_it_may_wait_for(
    order: list[int], dropped: set[int], reorder_max: int
) -> None:
    count = FrameCount(reorder_max)
    taken(count, 0)
    came, missing = {0}, set[int]()
    for number in order:
        if number in dropped or number in missing:
            continue
        came.add(number)
        verdict = count.judge(number)
        expected_missing = {
            each
            for each in range(max(came))
            if each not in came and sum(other > each for other in came) > reorder_max
        }
        found = {lost for gap in count.take_gaps() for lost in range(gap.expected, gap.received)}
        assert found == expected_missing - missing
        assert (verdict is Verdict.GAP) == bool(found)
        missing |= found
        assert count.whole == (came | missing == set(range(max(came) + 1)))


@given(st.lists(st.integers(0, 2**63 - 1), max_size=60), st.integers(0, 5))
def test_any_numbers_are_judged_in_bounded_memory(numbers: list[int], reorder_max: int) -> None:
    count = FrameCount(reorder_max)
    for number in numbers:
        verdict = count.judge(number)
        assert (verdict is Verdict.GAP) == bool(count.take_gaps())
        waiting = count.state()[-1]
        assert isinstance(waiting, list)
        assert len(waiting) <= reorder_max


def test_the_first_number_is_taken_as_it_is() -> None:
    count = FrameCount(0)
    assert taken(count, 41, 42) == [Verdict.IN_ORDER, Verdict.IN_ORDER]


def test_a_hole_says_what_was_expected_what_came_and_how_much_is_missing() -> None:
    count = FrameCount(0)
    assert taken(count, 1, 5) == [Verdict.IN_ORDER, Verdict.GAP]
    assert count.take_gaps() == [CountGap(expected=2, received=5, missing=3)]


def test_the_same_number_again_is_a_duplicate_and_an_older_one_is_late() -> None:
    count = FrameCount(0)
    verdicts = taken(count, 1, 2, 3, 3, 1)
    assert verdicts[3:] == [Verdict.DUPLICATE, Verdict.LATE]


def test_a_number_that_waits_is_a_duplicate_when_it_comes_again() -> None:
    count = FrameCount(3)
    assert taken(count, 1, 3, 4, 3) == [*[Verdict.IN_ORDER] * 3, Verdict.DUPLICATE]
    assert not count.whole
    assert taken(count, 2) == [Verdict.IN_ORDER]
    assert count.whole


def test_two_late_numbers_in_a_row_are_a_count_begun_anew() -> None:
    count = FrameCount(0)
    assert taken(count, 7, 8, 0, 1) == [
        Verdict.IN_ORDER, Verdict.IN_ORDER, Verdict.LATE, Verdict.GAP,
    ]  # fmt: skip
    assert count.take_gaps() == [CountGap(expected=9, received=1, missing=None)]
    assert taken(count, 2) == [Verdict.IN_ORDER]
