"""The reconnect policy under a fake clock: budgets, jitter, and a host that goes away."""

from __future__ import annotations

import heapq
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.reconnect import (
    BACKOFF_LIMIT_S,
    BUDGET_SHARE,
    RETURN_SPREAD_S,
    STABLE_AFTER_S,
    Backoff,
    HostBudget,
    HostGate,
)
from venues.traits import ConnectionLimits


class _TopChance(random.Random):
    """Always the longest rest."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_the_rest_doubles_from_one_second_to_a_minute() -> None:
    backoff = Backoff(_TopChance())
    assert [backoff.lost(0.0) for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_rest_is_a_random_part_from_nothing_to_all() -> None:
    backoff = Backoff(random.Random(1))
    for _ in range(10):
        backoff.lost(0.0)
    rests = [backoff.lost(0.0) for _ in range(2000)]
    assert 0.0 <= min(rests) < 1.0
    assert 59.0 < max(rests) <= BACKOFF_LIMIT_S
    assert 28.0 < sum(rests) / len(rests) < 32.0


def test_only_a_connection_that_stood_begins_again_at_one_second() -> None:
    backoff = Backoff(_TopChance())
    for _ in range(5):
        backoff.lost(STABLE_AFTER_S - 0.1)
    assert backoff.lost(STABLE_AFTER_S - 0.1) == 32.0
    assert backoff.lost(STABLE_AFTER_S) == 1.0


@given(
    st.integers(1, 40),
    st.floats(0.5, 60.0),
    st.lists(st.floats(0.0, 5.0), min_size=1, max_size=300),
)
def test_no_window_ever_holds_more_attempts_than_the_budget(
    attempts_max: int, window_s: float, steps_s: list[float]
) -> None:
    budget = HostBudget(attempts_max, window_s)
    now_s, attempts_s = 1000.0, []
    for step_s in steps_s:
        now_s += step_s
        if budget.wait_s(now_s) == 0.0:
            budget.spend(now_s)
            attempts_s.append(now_s)
    allowed = max(1, int(attempts_max * BUDGET_SHARE))
    assert budget.attempts_max == allowed
    for first, beyond in zip(attempts_s, attempts_s[allowed:], strict=False):
        assert beyond - first >= window_s * (1 - 1e-12)


@given(st.integers(1, 10), st.floats(0.5, 60.0))
def test_after_the_wait_that_was_named_an_attempt_is_allowed(
    attempts_max: int, window_s: float
) -> None:
    budget = HostBudget(attempts_max, window_s, 1.0)
    for _ in range(attempts_max):
        budget.spend(5.0)
    assert budget.wait_s(5.0 + budget.wait_s(5.0) + 1e-6) == 0.0


@given(st.integers(1, 12), st.lists(st.floats(0.0, 5.0), min_size=1, max_size=100))
def test_a_part_of_a_budget_leaves_the_rest_to_others(
    attempts_max: int, steps_s: list[float]
) -> None:
    budget = HostBudget(attempts_max, 10.0, 1.0)
    now_s, patient_s = 0.0, []
    for step_s in steps_s:
        now_s += step_s
        if budget.wait_s(now_s, 0.5) == 0.0:
            budget.spend(now_s)
            patient_s.append(now_s)
        assert attempts_max == 1 or budget.wait_s(now_s) == 0.0
    allowed = max(1, attempts_max // 2)
    for first, beyond in zip(patient_s, patient_s[allowed:], strict=False):
        assert beyond - first >= 10.0 * (1 - 1e-12)


def test_a_budget_that_is_narrowed_counts_what_was_spent_before() -> None:
    budget = HostBudget(4, 60.0, 1.0)
    for second in range(3):
        budget.spend(float(second))
    budget.narrow(2)
    budget.narrow(9)
    assert budget.attempts_max == 2
    assert budget.wait_s(3.0) == 58.0


def test_of_two_venues_at_one_host_both_limits_hold() -> None:
    gate = HostGate(ConnectionLimits(connects_max=10, connects_window_s=60.0), _TopChance())
    gate.obey(ConnectionLimits(connects_max=10, connects_window_s=60.0))
    gate.obey(ConnectionLimits(connects_max=3, connects_window_s=1.0))
    at_s = [s / 10 for s in range(200) if gate.ask(s, s / 10) == 0.0]
    assert at_s == [0.0, 0.1, 1.0, 1.1, 2.0, 2.1, 3.0, 3.1]


def test_an_attempt_beyond_the_budget_is_a_fault_of_ours() -> None:
    budget = HostBudget(1, 60.0)
    budget.spend(0.0)
    with pytest.raises(AssertionError):
        budget.spend(1.0)


class Storm:
    """Many connections to one host that is away for a while, on a fake clock.

    An attempt takes 50 ms to fail and 100 ms to succeed, as across a network.
    """

    def __init__(self, connections: int, limits: ConnectionLimits, seed: int) -> None:
        self.chance = random.Random(seed)
        self.gate = HostGate(limits, self.chance)
        self.backoffs = [Backoff(self.chance) for _ in range(connections)]
        self.attempts_s: list[float] = []
        self.back_s: dict[int, float] = {}

    def run(self, down_from_s: float, down_to_s: float) -> None:
        turns: list[tuple[float, int, str]] = []
        for who, backoff in enumerate(self.backoffs):
            heapq.heappush(turns, (down_from_s + backoff.lost(3600.0), who, "ask"))
        while turns:
            now_s, who, what = heapq.heappop(turns)
            if what == "ask":
                wait_s = self.gate.ask(who, now_s)
                if wait_s > 0.0:
                    heapq.heappush(turns, (now_s + wait_s, who, "ask"))
                    continue
                self.attempts_s.append(now_s)
                up = now_s >= down_to_s
                heapq.heappush(
                    turns, (now_s + (0.1 if up else 0.05), who, "reached" if up else "failed")
                )
            elif what == "failed":
                self.gate.failed(who, now_s)
                heapq.heappush(turns, (now_s, who, "ask"))
            else:
                self.gate.reached(who)
                self.back_s[who] = now_s

    def most_in(self, window_s: float) -> int:
        return max(
            sum(1 for other_s in self.attempts_s if at_s <= other_s < at_s + window_s)
            for at_s in self.attempts_s
        )


@pytest.mark.parametrize("seed", range(30))
def test_sixty_four_connections_come_back_from_an_outage_within_the_budget(seed: int) -> None:
    limits = ConnectionLimits(connects_max=300, connects_window_s=300.0)
    storm = Storm(64, limits, seed)
    storm.run(1000.0, 1060.0)
    assert len(storm.back_s) == 64
    assert max(storm.back_s.values()) <= 1060.0 + BACKOFF_LIMIT_S + 5.0
    assert storm.most_in(300.0) <= 240


def test_after_an_outage_of_any_length_all_are_back_in_time_and_no_window_is_overrun() -> None:
    """A hundred seeds: 64 connections, an outage of 60 s to an hour, the strictest known limit."""
    limits = ConnectionLimits(connects_max=300, connects_window_s=300.0)
    for seed in range(100):
        outage_s = random.Random(seed).uniform(60.0, 3600.0)
        storm = Storm(64, limits, seed)
        storm.run(1000.0, 1000.0 + outage_s)
        assert len(storm.back_s) == 64, seed
        assert max(storm.back_s.values()) <= 1000.0 + outage_s + BACKOFF_LIMIT_S + 5.0, seed
        assert storm.most_in(300.0) <= 240, seed


@pytest.mark.parametrize("seed", range(10))
def test_an_outage_of_an_hour_costs_few_attempts(seed: int) -> None:
    storm = Storm(64, ConnectionLimits(connects_max=300, connects_window_s=300.0), seed)
    storm.run(0.0, 3600.0)
    assert max(storm.back_s.values()) <= 3600.0 + BACKOFF_LIMIT_S + 5.0
    in_the_outage = [at_s for at_s in storm.attempts_s if at_s < 3600.0]
    assert len(in_the_outage) < 64 + 3600.0 / BACKOFF_LIMIT_S * 4
    assert storm.most_in(300.0) <= 240


@pytest.mark.parametrize("seed", range(10))
def test_a_tight_budget_is_kept_even_where_it_delays_the_return(seed: int) -> None:
    storm = Storm(64, ConnectionLimits(connects_max=20, connects_window_s=60.0), seed)
    storm.run(0.0, 60.0)
    assert len(storm.back_s) == 64
    assert storm.most_in(60.0) <= 16


def test_the_return_is_spread_over_seconds() -> None:
    storm = Storm(64, ConnectionLimits(connects_max=300, connects_window_s=300.0), 7)
    storm.run(0.0, 600.0)
    back_s = sorted(storm.back_s.values())
    assert back_s[-1] - back_s[1] > RETURN_SPREAD_S / 3
    in_a_second = max(sum(1 for b in back_s if a <= b < a + 1.0) for a in back_s)
    assert in_a_second < 40


def test_a_wish_to_come_back_later_holds_for_all_connections_to_the_host() -> None:
    gate = HostGate(ConnectionLimits(), random.Random(1))
    assert gate.ask("one", 0.0) == 0.0
    gate.failed("one", 0.1, retry_after_s=30.0)
    assert gate.ask("one", 1.0) >= 29.1
    assert gate.ask("two", 1.0) >= 29.1
    assert gate.ask("two", 30.2) == 0.0


def test_while_a_host_is_down_one_knocks_for_all() -> None:
    gate = HostGate(ConnectionLimits(), _TopChance())
    assert gate.ask("one", 0.0) == 0.0
    states = [gate.open]
    gate.failed("one", 0.0)
    states.append(gate.open)
    assert gate.ask("two", 1.5) == 0.0
    assert gate.ask("three", 1.5) > 0.0
    gate.reached("two")
    states.append(gate.open)
    assert gate.ask("three", 1.6) == 0.0
    assert states == [True, False, True]


def test_a_knocker_that_never_comes_back_is_replaced() -> None:
    gate = HostGate(ConnectionLimits(), _TopChance())
    gate.ask("one", 0.0)
    gate.failed("one", 0.0)
    assert gate.ask("two", 2.0) == 0.0
    assert gate.ask("three", 20.0) > 0.0
    assert gate.ask("three", 33.0) == 0.0
