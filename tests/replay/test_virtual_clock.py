from __future__ import annotations

import threading
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.virtual_clock import ClockBackwardsError, ClockRateError, VirtualClock
from tests.replay.clocks import SteppingClock

RATES = st.fractions(min_value=Fraction(1, 1000), max_value=1000, max_denominator=1000)
STEPS_NS = st.integers(min_value=0, max_value=10**15)


def test_virtual_time_is_the_start_plus_the_rate_times_what_passed() -> None:
    steady = SteppingClock()
    clock = VirtualClock(Fraction(2, 3), steady=steady)
    clock.start(1_000)
    steady.time_ns += 3_000
    assert clock.now_ns == 3_000


@given(STEPS_NS, RATES, st.lists(st.tuples(STEPS_NS, RATES)))
def test_changing_the_rate_any_number_of_times_loses_nothing(
    start_ns: int, first_rate: Fraction, changes: list[tuple[int, Fraction]]
) -> None:
    steady = SteppingClock()
    clock = VirtualClock(first_rate, steady=steady)
    clock.start(start_ns)
    exact, rate = Fraction(start_ns), first_rate
    for step_ns, next_rate in changes:
        steady.time_ns += step_ns
        exact += step_ns * rate
        clock.set_rate(next_rate)
        rate = next_rate
        assert clock.now_ns == exact.numerator // exact.denominator


@given(RATES, st.lists(STEPS_NS))
def test_time_stands_still_while_paused_and_goes_on_from_there(
    rate: Fraction, steps_ns: list[int]
) -> None:
    steady = SteppingClock()
    clock = VirtualClock(rate, steady=steady)
    clock.start(10**18)
    played_ns = 0
    for index, step_ns in enumerate(steps_ns):
        if index % 2:
            clock.pause()
            stood_at_ns = clock.now_ns
            steady.time_ns += step_ns
            assert clock.paused
            assert clock.now_ns == stood_at_ns
            clock.resume()
        else:
            steady.time_ns += step_ns
            played_ns += step_ns
    exact = 10**18 + played_ns * rate
    assert clock.now_ns == exact.numerator // exact.denominator


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("pass"), STEPS_NS),
            st.tuples(st.just("rate"), RATES),
            st.tuples(st.just("jump"), STEPS_NS),
            st.tuples(st.sampled_from(["pause", "resume"]), st.none()),
        )
    )
)
def test_virtual_time_never_goes_back(operations: list[tuple[str, int | Fraction | None]]) -> None:
    steady = SteppingClock()
    clock = VirtualClock(steady=steady)
    clock.start(0)
    last_ns = clock.now_ns
    for name, value in operations:
        match name, value:
            case "pass", int(step_ns):
                steady.time_ns += step_ns
            case "rate", Fraction() as rate:
                clock.set_rate(rate)
            case "jump", int(ahead_ns):
                clock.jump(clock.now_ns + 1 + ahead_ns)
            case "pause", _:
                clock.pause()
            case _:
                clock.resume()
        assert clock.now_ns >= last_ns
        last_ns = clock.now_ns


@given(RATES, STEPS_NS, STEPS_NS)
def test_the_steady_time_of_a_moment_is_the_first_at_which_it_is_reached(
    rate: Fraction, start_ns: int, ahead_ns: int
) -> None:
    steady = SteppingClock()
    clock = VirtualClock(rate, steady=steady)
    clock.start(start_ns)
    due_ns = clock.steady_time_at(start_ns + ahead_ns)
    assert due_ns is not None
    steady.time_ns = due_ns
    assert clock.now_ns >= start_ns + ahead_ns
    steady.time_ns = due_ns - 1
    assert clock.now_ns < start_ns + ahead_ns


def test_a_jump_back_is_refused_and_changes_nothing() -> None:
    steady = SteppingClock()
    clock = VirtualClock(steady=steady)
    clock.start(1_000)
    with pytest.raises(ClockBackwardsError, match="cannot go back from 1000 ns to 999 ns"):
        clock.jump(999)
    assert clock.now_ns == 1_000


def test_a_start_sets_any_time_and_leaves_a_paused_clock_paused() -> None:
    clock = VirtualClock(steady=SteppingClock(), paused=True)
    clock.start(1_000)
    clock.start(10)
    assert clock.now_ns == 10
    assert clock.paused
    assert clock.steady_time_at(11) is None


@pytest.mark.parametrize("rate", [Fraction(0), Fraction(-1, 2)])
def test_a_rate_of_zero_or_less_is_refused(rate: Fraction) -> None:
    with pytest.raises(ClockRateError, match="above zero"):
        VirtualClock(rate, steady=SteppingClock())
    clock = VirtualClock(steady=SteppingClock())
    with pytest.raises(ClockRateError):
        clock.set_rate(rate)


def test_a_sleep_ends_at_its_time_and_not_before() -> None:
    steady = SteppingClock()
    clock = VirtualClock(Fraction(1, 3), steady=steady)
    clock.start(0)
    clock.sleep_until(1_000_000_001)
    assert clock.now_ns == 1_000_000_001
    clock.sleep_until(5)
    assert clock.now_ns == 1_000_000_001


@pytest.mark.parametrize("how", ["jump", "rate", "resume"])
def test_a_sleep_notices_what_another_thread_does_to_the_clock(how: str) -> None:
    clock = VirtualClock(Fraction(1, 1_000), paused=how == "resume")
    clock.start(0)
    hour_ns = 3_600 * 10**9
    woken = threading.Event()

    def sleep() -> None:
        clock.sleep_until(hour_ns)
        woken.set()

    thread = threading.Thread(target=sleep)
    thread.start()
    assert not woken.wait(0.05)
    clock.jump(hour_ns - 1_000 if how != "jump" else hour_ns)
    clock.set_rate(Fraction(10))
    clock.resume()
    assert woken.wait(10)
    thread.join()
    assert clock.now_ns >= hour_ns


async def test_an_asynchronous_sleep_ends_at_its_time_and_not_before() -> None:
    clock = VirtualClock(Fraction(10))
    clock.start(0)
    await clock.sleep_until_async(50_000_000)
    assert clock.now_ns >= 50_000_000
