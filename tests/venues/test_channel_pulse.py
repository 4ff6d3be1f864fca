from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from venues.channel_pulse import MESSAGES_MIN, ChannelPulse

SECOND_NS = 10**9


def pulse_at(times_ns: list[int]) -> ChannelPulse:
    pulse = ChannelPulse(times_ns[0])
    for time_ns in times_ns:
        pulse.heard(time_ns)
    return pulse


@given(st.lists(st.integers(min_value=0, max_value=10**12), min_size=1))
def test_the_longest_silence_is_that_between_two_messages(gaps_ns: list[int]) -> None:
    times_ns = [sum(gaps_ns[:count]) for count in range(len(gaps_ns) + 1)]
    pulse = pulse_at(times_ns)
    assert pulse.longest_silence_ns == max(later - sooner for sooner, later in pairwise(times_ns))
    assert pulse.messages == len(times_ns)
    assert pulse.last_ns == times_ns[-1]


def test_a_steady_channel_that_stops_is_dead_and_not_before_its_limit() -> None:
    pulse = pulse_at([number * SECOND_NS // 10 for number in range(100)])
    end_ns = pulse.last_ns
    assert not pulse.dead_at(end_ns + 4 * SECOND_NS, 5 * SECOND_NS)
    assert pulse.dead_at(end_ns + 6 * SECOND_NS, 5 * SECOND_NS)


def test_a_channel_that_is_often_silent_is_not_dead_when_it_is_again() -> None:
    bursts = [
        burst * 60 * SECOND_NS + number * SECOND_NS // 100
        for burst in range(5)
        for number in range(50)
    ]
    pulse = pulse_at(bursts)
    assert not pulse.dead_at(pulse.last_ns + 100 * SECOND_NS, 5 * SECOND_NS)
    assert pulse.dead_at(pulse.last_ns + 200 * SECOND_NS, 5 * SECOND_NS)


def test_too_few_messages_are_not_judged() -> None:
    pulse = pulse_at(list(range(MESSAGES_MIN - 1)))
    assert not pulse.dead_at(10**18, 1)


def test_time_that_goes_back_makes_no_silence() -> None:
    pulse = pulse_at([10, 5, 20])
    assert pulse.longest_silence_ns == 10
