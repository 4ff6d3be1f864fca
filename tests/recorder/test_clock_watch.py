"""The two clocks: steps are told of before anything bears the new time."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.clock_watch import READING_INTERVAL_NS, STEP_LIMIT_NS, ClockWatch
from venues.marker import ClockReading

HOUR_NS = 3_600_000_000_000


class _Clocks:
    def __init__(self) -> None:
        self.wall_ns = 1_700_000_000_000_000_000
        self.monotonic_ns = 5_000_000_000
        self.told: list[ClockReading] = []
        self.watch = ClockWatch(
            self.told.append, wall_ns=lambda: self.wall_ns, monotonic_ns=lambda: self.monotonic_ns
        )

    def go_on(self, time_ns: int) -> None:
        self.wall_ns += time_ns
        self.monotonic_ns += time_ns


@pytest.mark.parametrize("step_ns", [HOUR_NS, -HOUR_NS, STEP_LIMIT_NS + 1, -STEP_LIMIT_NS - 1])
def test_a_step_of_the_wall_clock_is_told_of_with_its_size(step_ns: int) -> None:
    clocks = _Clocks()
    clocks.go_on(1_000_000)
    clocks.wall_ns += step_ns
    assert clocks.watch.read() == (clocks.wall_ns, clocks.monotonic_ns)
    assert [one.step_ns for one in clocks.told] == [step_ns]
    clocks.watch.read()
    assert len(clocks.told) == 1


@pytest.mark.parametrize("step_ns", [1_000_000, -1_000_000, STEP_LIMIT_NS, -STEP_LIMIT_NS])
def test_a_small_adjustment_is_no_step(step_ns: int) -> None:
    clocks = _Clocks()
    clocks.wall_ns += step_ns
    clocks.watch.read()
    assert not clocks.told


def test_a_slow_adjustment_never_adds_up_to_a_step() -> None:
    clocks = _Clocks()
    for _ in range(3600):
        clocks.go_on(1_000_000_000)
        clocks.wall_ns += 500_000  # what NTP may slew in a second
        clocks.watch.tick()
    assert {one.step_ns for one in clocks.told} == {0}


def test_a_plain_reading_comes_every_ten_seconds() -> None:
    clocks = _Clocks()
    for _ in range(601):
        clocks.watch.tick()
        clocks.go_on(100_000_000)
    times = [one.monotonic_time_ns for one in clocks.told]
    assert len(times) == 7
    assert {b - a for a, b in itertools.pairwise(times)} == {READING_INTERVAL_NS}


def test_being_held_up_between_the_two_readings_is_no_step() -> None:
    told: list[ClockReading] = []
    walls = iter([1_000, 1_000, 2_000, 3_000])
    steadies = iter([0, STEP_LIMIT_NS * 5, 1_000, 2_000])
    watch = ClockWatch(
        told.append, wall_ns=lambda: next(walls), monotonic_ns=lambda: next(steadies)
    )
    watch.read()
    assert not told


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(-(10**12), 10**12)), max_size=40))
def test_every_move_above_the_limit_is_told_of(moves: list[tuple[int, int]]) -> None:
    clocks = _Clocks()
    base_ns = clocks.wall_ns - clocks.monotonic_ns
    for time_ns, move_ns in moves:
        clocks.go_on(time_ns)
        clocks.wall_ns += move_ns
        clocks.watch.read()
        untold_ns = clocks.wall_ns - clocks.monotonic_ns - base_ns
        untold_ns -= sum(one.step_ns for one in clocks.told)
        assert abs(untold_ns) <= STEP_LIMIT_NS
