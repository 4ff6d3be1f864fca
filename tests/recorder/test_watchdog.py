"""When a connection is dead, on a fake clock."""

from __future__ import annotations

import pytest

from recorder.watchdog import Watchdog


def _watchdog(message: str | None = "beat", *, pongs_count: bool = False) -> Watchdog:
    return Watchdog(
        beat_interval_s=None if message is None else 20.0,
        answer_limit_s=10.0,
        silence_limit_s=30.0,
        pongs_count=pongs_count,
        ping_interval_s=20.0,
        ping_limit_s=10.0,
        now_s=100.0,
    )


def test_a_heartbeat_and_a_ping_are_due_every_twenty_seconds() -> None:
    watchdog = _watchdog()
    due_s = [s for s in range(100, 181) if watchdog.beat_due(s) and watchdog.ping_due(s)]
    assert due_s == [120, 140, 160, 180]


def test_thirty_seconds_without_a_message_are_the_end() -> None:
    watchdog = _watchdog()
    assert watchdog.fault(129.9, 100.0, 129.0) is None
    assert watchdog.fault(130.0, 100.0, 129.0) == "no message for 30 s"


def test_ten_seconds_after_a_heartbeat_without_a_message_are_the_end() -> None:
    watchdog = _watchdog()
    assert watchdog.beat_due(120.0)
    assert watchdog.fault(129.9, 119.0, 129.0) is None
    assert watchdog.fault(130.0, 119.0, 129.0) == "no answer to a heartbeat in 10 s"


def test_any_message_answers_a_heartbeat() -> None:
    watchdog = _watchdog()
    watchdog.beat_due(120.0)
    assert watchdog.fault(130.0, 120.1, 120.1) is None
    assert watchdog.fault(135.0, 120.1, 120.1) is None


def test_the_first_unanswered_heartbeat_counts_and_not_the_last() -> None:
    watchdog = Watchdog(
        beat_interval_s=3.0,
        answer_limit_s=10.0,
        silence_limit_s=30.0,
        pongs_count=False,
        ping_interval_s=20.0,
        ping_limit_s=10.0,
        now_s=100.0,
    )
    for second in range(100, 114):
        watchdog.beat_due(second)
        fault = watchdog.fault(second, 100.0, 100.0)
        assert (fault is None) is (second < 113)


@pytest.mark.parametrize("bytes_s", [120.1, 129.0])
def test_any_byte_answers_a_ping(bytes_s: float) -> None:
    watchdog = _watchdog(None)
    assert watchdog.ping_due(120.0)
    assert watchdog.fault(130.0, 110.0, bytes_s) is None


def test_ten_seconds_after_a_ping_without_a_byte_are_the_end() -> None:
    watchdog = _watchdog(None)
    assert watchdog.ping_due(120.0)
    assert watchdog.fault(130.0, 119.0, 119.0) == "not a byte came in 10 s after a ping"


def test_where_pongs_count_a_quiet_feed_lives_on() -> None:
    watchdog = _watchdog(None, pongs_count=True)
    assert watchdog.fault(1000.0, 100.0, 990.0) is None
    assert watchdog.fault(1020.0, 100.0, 990.0) == "no message for 30 s"


def test_looking_again_is_never_later_than_what_is_due() -> None:
    watchdog = _watchdog()
    assert watchdog.next_s(100.0, 100.0) == 120.0
    watchdog.beat_due(120.0)
    watchdog.ping_due(120.0)
    assert watchdog.next_s(119.0, 119.0) == 130.0
    assert watchdog.next_s(95.0, 119.0) == 125.0


def test_without_a_heartbeat_message_none_is_due() -> None:
    watchdog = _watchdog(None)
    assert not watchdog.beat_due(1e9)


def _quiet_watchdog() -> Watchdog:
    return Watchdog(
        beat_interval_s=None,
        answer_limit_s=10.0,
        silence_limit_s=300.0,
        pongs_count=True,
        ping_interval_s=20.0,
        ping_limit_s=10.0,
        quiet_limit_s=5.0,
        now_s=100.0,
    )


def test_a_link_without_a_byte_is_pinged_and_dead_ten_seconds_after_its_last_byte() -> None:
    watchdog = _quiet_watchdog()
    assert [s for s in range(100, 108) if watchdog.ping_due(s, 100.0)] == [105]
    assert watchdog.next_s(100.0, 100.0) == 110.0
    assert watchdog.fault(109.9, 100.0, 100.0) is None
    fault = "not a byte came in 10 s, in spite of a ping"
    assert watchdog.fault(110.0, 100.0, 100.0) == fault


def test_a_quiet_market_on_a_living_link_is_pinged_every_five_seconds_and_lives() -> None:
    watchdog = _quiet_watchdog()
    pongs_s, pings_s = 100.0, []
    for tenth in range(1000, 1600):
        now_s = tenth / 10
        assert watchdog.fault(now_s, 100.0, pongs_s) is None
        if watchdog.ping_due(now_s, pongs_s):
            pings_s.append(now_s)
            pongs_s = now_s + 0.05
    assert 10 <= len(pings_s) <= 12
