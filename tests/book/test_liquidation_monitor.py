"""Liquidations against a list of all of them: worth, dominant side, cascades, cool-down."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from book.liquidation_monitor import ENTRIES_MAX, LiquidationMonitor
from book.settings import EngineSettings
from tests.book.made_events import SECOND_NS, liquidation
from venues.event import LiquidatedSide

LONG, SHORT = LiquidatedSide.LONG, LiquidatedSide.SHORT
WINDOW_S, COOLDOWN_S, THRESHOLD = 10, 30, 1_000

_SETTINGS = EngineSettings(
    cascade_window_s=WINDOW_S,
    cascade_cooldown_s=COOLDOWN_S,
    cascade_notional=Decimal(THRESHOLD),
)
courses = st.lists(
    st.tuples(
        st.integers(-2 * SECOND_NS, 12 * SECOND_NS),
        st.sampled_from((1, 300, 500, 700, 1_000)),
        st.sampled_from((LONG, SHORT)),
    ),
    max_size=25,
)


@given(course=courses)
@settings(max_examples=200)
def test_cascades_come_when_the_list_of_liquidations_says(
    course: list[tuple[int, int, LiquidatedSide]],
) -> None:
    monitor = LiquidationMonitor(_SETTINGS)
    every: list[tuple[int, int, LiquidatedSide]] = []
    reported: list[int] = []
    time_ns, now_ns = 1_000 * SECOND_NS, 0
    for step_ns, worth, side in course:
        time_ns += step_ns
        now_ns = max(now_ns, time_ns)
        cascade = monitor.add(liquidation(str(worth), side, time_ns))
        every.append((now_ns, worth, side))
        window = [each for each in every if each[0] >= now_ns - WINDOW_S * SECOND_NS]
        longs = sum(each[1] for each in window if each[2] is LONG)
        shorts = sum(each[1] for each in window if each[2] is SHORT)
        dominant = window[-1][2] if longs == shorts else (LONG if longs > shorts else SHORT)
        cool = not reported or now_ns - reported[-1] >= COOLDOWN_S * SECOND_NS
        assert (cascade is not None) == (longs + shorts >= THRESHOLD and cool)
        assert monitor.long_notional == longs
        assert monitor.short_notional == shorts
        assert monitor.notional == longs + shorts
        assert monitor.dominant_side is dominant
        if cascade is not None:
            reported.append(now_ns)
            assert cascade.notional == longs + shorts
            assert cascade.liquidations == len(window) == len(monitor)
            assert cascade.dominant_side is dominant
    assert monitor.cascades == len(reported)
    assert monitor.liquidations == len(every)
    assert monitor.notional_total == sum(each[1] for each in every)
    monitor.advance(now_ns + WINDOW_S * SECOND_NS + 1)
    assert monitor.dominant_side is None
    assert monitor.notional == 0


def test_the_threshold_itself_is_a_cascade() -> None:
    monitor = LiquidationMonitor(_SETTINGS)
    assert monitor.add(liquidation("999.99", LONG, 0)) is None
    cascade = monitor.add(liquidation("0.01", SHORT, 10 * SECOND_NS))
    assert cascade is not None
    assert cascade.dominant_side is LONG


def test_the_window_is_bounded_where_a_feed_sends_without_end() -> None:
    monitor = LiquidationMonitor(_SETTINGS)
    for _ in range(ENTRIES_MAX + 10):
        monitor.add(liquidation("1", LONG, 0))
    assert len(monitor) == ENTRIES_MAX
    assert monitor.notional == ENTRIES_MAX
    assert monitor.liquidations == ENTRIES_MAX + 10
