from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from replay.clock_offset import BUCKETS_MAX, WIDTH_NS, ClockOffsetGauge

OFFSETS_NS = st.lists(st.integers(min_value=-(10**13), max_value=10**13), min_size=1)


def gauge_of(offsets_ns: list[int]) -> ClockOffsetGauge:
    gauge = ClockOffsetGauge()
    for offset_ns in offsets_ns:
        gauge.add(offset_ns)
    return gauge


@given(OFFSETS_NS)
def test_count_least_and_greatest_are_exact(offsets_ns: list[int]) -> None:
    gauge = gauge_of(offsets_ns)
    assert gauge.count == len(offsets_ns)
    assert (gauge.min_ns, gauge.max_ns) == (min(offsets_ns), max(offsets_ns))


@given(OFFSETS_NS, st.sampled_from([0.0, 0.01, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_at_most_one_width_below_the_true_one(
    offsets_ns: list[int], share: float
) -> None:
    gauge = gauge_of(offsets_ns)
    found_ns = gauge.quantile_ns(share)
    rank = max(1, -int(-share * len(offsets_ns) // 1))
    true_ns = sorted(offsets_ns)[rank - 1]
    assert found_ns is not None
    assert true_ns - gauge.width_ns < found_ns <= true_ns


def test_any_spread_takes_bounded_memory_and_stays_true_to_its_width() -> None:
    offsets_ns = [number * WIDTH_NS * 3 for number in range(-40_000, 40_000)]
    gauge = gauge_of(offsets_ns)
    assert len(gauge._buckets) <= BUCKETS_MAX
    assert sum(gauge._buckets.values()) == gauge.count
    assert gauge.width_ns > WIDTH_NS
    median_ns = gauge.quantile_ns(0.5)
    assert median_ns is not None
    assert -gauge.width_ns - 3 * WIDTH_NS <= median_ns <= 0


def test_without_offsets_nothing_is_known() -> None:
    gauge = ClockOffsetGauge()
    assert (gauge.min_ns, gauge.max_ns, gauge.quantile_ns(0.5)) == (None, None, None)
