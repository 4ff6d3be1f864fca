"""Silent channels against a plain look at every channel on every frame."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from book.staleness import StalenessGuard
from venues.channel import Channel

LIMITS_NS = {"A": 5, "B": 12, "C": 5}


@given(
    frames=st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(("A", "B", "C", "", ""))), max_size=60
    )
)
@settings(max_examples=200)
def test_a_silence_is_told_once_at_the_first_frame_past_its_limit(
    frames: list[tuple[int, str]],
) -> None:
    guard = StalenessGuard()
    watches = {
        symbol: guard.watch("v", symbol, Channel.BOOK, limit_ns, 0)
        for symbol, limit_ns in LIMITS_NS.items()
    }
    now_ns, last_ns, told = 0, dict.fromkeys(LIMITS_NS, 0), set[str]()
    for passed_ns, heard in frames:
        now_ns += passed_ns
        due = {
            symbol
            for symbol, limit_ns in LIMITS_NS.items()
            if now_ns - last_ns[symbol] > limit_ns and symbol not in told
        }
        found = guard.silent(now_ns) if now_ns > guard.next_check_ns else []
        assert {each.symbol for each in found} == due
        for each in found:
            assert each.silent_since_ns == last_ns[each.symbol]
            assert each.limit_ns == LIMITS_NS[each.symbol]
        told |= due
        if heard:
            guard.heard(watches[heard], 1, now_ns)
            last_ns[heard] = now_ns
            told.discard(heard)


def test_a_channel_of_a_connection_that_we_closed_is_watched_no_more() -> None:
    guard = StalenessGuard()
    for symbol, connection_id in (("A", 1), ("B", 2)):
        guard.heard(guard.watch("v", symbol, Channel.BOOK, 5, 0), connection_id, 0)
    guard.forget(1)
    assert [each.symbol for each in guard.silent(100)] == ["B"]
    guard.heard(guard.watch("v", "A", Channel.BOOK, 5, 200), 3, 200)
    assert 100 < guard.next_check_ns <= 205
    assert [each.symbol for each in guard.silent(206)] == ["A"]
