from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.speed import RATE_MAX, RATE_MIN, SpeedError, parse_speed, speed_of, speed_text


@pytest.mark.parametrize(
    ("written", "speed"),
    [
        ("max", None),
        ("MAX", None),
        ("1x", Fraction(1)),
        ("1", Fraction(1)),
        ("0.25x", Fraction(1, 4)),
        (".5x", Fraction(1, 2)),
        ("10x", Fraction(10)),
        (" 10X ", Fraction(10)),
        ("2/3x", Fraction(2, 3)),
        ("0.1x", Fraction(1, 10)),
    ],
)
def test_a_speed_is_read_exactly(written: str, speed: Fraction | None) -> None:
    assert parse_speed(written) == speed


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("0x", "time would stand still"),
        ("0", "time would stand still"),
        ("-1", "cannot be played backwards"),
        ("-0.5x", "cannot be played backwards"),
        ("fast", "neither a ratio nor max"),
        ("nan", "neither a ratio nor max"),
        ("inf", "neither a ratio nor max"),
        ("1e3", "neither a ratio nor max"),
        ("1xx", "neither a ratio nor max"),
        ("1,5x", "neither a ratio nor max"),
        ("٣x", "neither a ratio nor max"),
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("1/0x", "divided by zero"),
        ("1000001x", "beyond 1,000,000x"),
        ("0.0000001x", "below 1/1,000,000x"),
    ],
)
def test_what_is_no_speed_is_refused_with_the_reason_and_the_remedy(
    written: str, reason: str
) -> None:
    with pytest.raises(SpeedError) as refused:
        parse_speed(written)
    assert reason in str(refused.value)
    assert repr(written) in str(refused.value)
    assert "Give 1x" in str(refused.value)
    assert refused.value.written == written


@given(st.none() | st.fractions(min_value=RATE_MIN, max_value=RATE_MAX, max_denominator=10**9))
def test_every_speed_is_written_so_that_it_is_read_as_itself(speed: Fraction | None) -> None:
    assert parse_speed(speed_text(speed)) == speed


@given(st.text(max_size=12))
def test_any_text_is_a_speed_or_refused(written: str) -> None:
    try:
        speed = parse_speed(written)
    except SpeedError:
        return
    assert speed is None or speed > 0


@pytest.mark.parametrize("given_speed", [0, -1, Fraction(-1, 2)])
def test_a_number_that_is_no_speed_is_refused_as_well(given_speed: int | Fraction) -> None:
    with pytest.raises(SpeedError):
        speed_of(given_speed)


def test_speeds_are_shown_as_people_write_them() -> None:
    speeds = [None, Fraction(1), Fraction(1, 4), Fraction(10), Fraction(2, 3)]
    assert [speed_text(speed) for speed in speeds] == ["max", "1x", "0.25x", "10x", "2/3x"]
