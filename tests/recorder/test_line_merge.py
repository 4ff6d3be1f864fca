"""The union of two lines: complete, nothing twice, in order, whatever either of them lost."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.line_merge import HOLD_NS, KEEP_NS, Entry, LineMerge

MS = 1_000_000
SPACING_NS = 10 * MS


@dataclass
class Played:
    """What was given out, and by whom each message was brought until then."""

    numbers: list[int]
    lines: list[tuple[str, ...]]
    merge: LineMerge[int, str]


def play(
    total: int,
    brought: dict[str, tuple[list[int], int]],
    *,
    ranked: bool = True,
    hold_ns: int = HOLD_NS,
    keep_ns: int = KEEP_NS,
    payload_of: dict[int, bytes] | None = None,
) -> Played:
    """Play messages 0..total; by line, the numbers that it brings and how late it is, in ns."""
    numbers: list[int] = []
    lines: list[tuple[str, ...]] = []

    def give(number: int, entry: Entry[int, str]) -> None:
        numbers.append(number)
        lines.append(tuple(sorted(entry.lines)))

    merge: LineMerge[int, str] = LineMerge(
        give,
        (lambda number: number) if ranked else (lambda number: None),
        hold_ns=hold_ns,
        keep_ns=keep_ns,
    )
    for line in brought:
        merge.add(line)
    arrivals = sorted(
        (number * SPACING_NS + late_ns, line, number)
        for line, (kept, late_ns) in brought.items()
        for number in kept
    )
    for now_ns, line, number in arrivals:
        payload = str(number).encode() if payload_of is None else payload_of[number]
        merge.take(line, "topic", payload, number, now_ns)
        merge.tick(now_ns)
    merge.end()
    return Played(numbers, lines, merge)


def kept(total: int, lost: set[int]) -> list[int]:
    return [number for number in range(total) if number not in lost]


losses = st.sets(st.integers(0, 39))


@given(losses, losses, st.integers(0, 300), st.integers(0, 300))
def test_whatever_two_lines_lose_their_union_is_whole_once_and_in_order(
    lost_a: set[int], lost_b: set[int], late_a_ms: int, late_b_ms: int
) -> None:
    played = play(
        40, {"a": (kept(40, lost_a), late_a_ms * MS), "b": (kept(40, lost_b), late_b_ms * MS)}
    )
    assert played.numbers == kept(40, lost_a & lost_b)
    assert played.merge.counts.late_frames == 0


@given(losses, st.integers(0, 300))
def test_without_any_number_the_holes_of_one_line_are_filled_by_a_whole_one(
    lost: set[int], late_ms: int
) -> None:
    for line, other in (("a", "b"), ("b", "a")):
        played = play(
            40, {line: (kept(40, lost), 0), other: (kept(40, set()), late_ms * MS)}, ranked=False
        )
        assert played.numbers == list(range(40))


@given(losses, losses, st.integers(0, 300))
def test_which_lines_brought_a_message_is_known_with_it(
    lost_a: set[int], lost_b: set[int], late_ms: int
) -> None:
    played = play(40, {"a": (kept(40, lost_a), 0), "b": (kept(40, lost_b), late_ms * MS)})
    ended = dict(zip(played.numbers, played.lines, strict=True))
    last = min(max(kept(40, lost_a), default=0), max(kept(40, lost_b), default=0))
    for number in (each for each in played.numbers if each < last):
        expected = [*(["a"] * (number not in lost_a)), *(["b"] * (number not in lost_b))]
        assert list(ended[number]) == expected


@given(losses, losses, st.integers(0, 5_000))
def test_on_a_line_of_any_slowness_every_message_is_given_or_counted(
    lost_a: set[int], lost_b: set[int], late_ms: int
) -> None:
    a, b = kept(40, lost_a), kept(40, lost_b)
    played = play(40, {"a": (a, 0), "b": (b, late_ms * MS)}, hold_ns=50 * MS)
    counts = played.merge.counts
    assert len(played.numbers) + counts.merged_frames + counts.late_frames == len(a) + len(b)
    assert all(earlier < later for earlier, later in pairwise(played.numbers))


def test_what_a_meeting_lets_out_is_late_where_something_newer_has_gone_out() -> None:
    a, b = kept(40, {37}), kept(40, {38})
    played = play(40, {"a": (a, 0), "b": (b, 60 * MS)}, hold_ns=50 * MS)
    assert played.numbers == kept(40, {37})
    assert played.merge.counts.late_frames == 1


@given(losses, st.integers(0, 100), st.integers(1, 4))
def test_messages_of_equal_bytes_are_as_many_as_were_sent(
    lost: set[int], late_ms: int, kinds: int
) -> None:
    """They cannot be told apart: the n-th on one line is the n-th on the other."""
    payload_of = {number: str(number % kinds).encode() for number in range(40)}
    whole = play(
        40,
        {"a": (kept(40, set()), 0), "b": (kept(40, lost), late_ms * MS)},
        payload_of=payload_of,
        ranked=False,
    )
    assert sorted(n % kinds for n in whole.numbers) == sorted(n % kinds for n in range(40))


def test_a_line_that_joins_gives_nothing_before_it_brings_what_the_other_brought() -> None:
    given_out: list[str] = []
    merge: LineMerge[str, str] = LineMerge(lambda message, entry: given_out.append(message))
    merge.add("old")
    take = merge.take
    take("old", "book", b"d1", "d1", 1)
    merge.add("new", 2)
    take("new", "book", b"snapshot", "snapshot", 3)
    take("old", "book", b"d2", "d2", 4)
    assert merge.unjoined("new") == ["book"]
    take("new", "book", b"d2", "d2", 5)
    assert merge.unjoined("new") == []
    merge.whole("new")
    take("old", "book", b"d3", "d3", 6)
    merge.end()
    merge.lines.remove("old")
    take("new", "book", b"d3", "d3", 7)
    take("new", "book", b"d4", "d4", 8)
    assert given_out == ["d1", "d2", "d3", "d4"]
    assert merge.counts.unjoined_frames == 1


def test_a_line_that_joins_may_be_the_faster_one() -> None:
    given_out: list[str] = []
    merge: LineMerge[str, str] = LineMerge(lambda message, entry: given_out.append(message))
    merge.add("old")
    merge.add("new", 0)
    for number, message in enumerate(("snapshot", "d2", "d3", "d4")):
        merge.take("new", "book", message.encode(), message, number)
    for number, message in enumerate(("d1", "d2", "d3"), start=10):
        merge.take("old", "book", message.encode(), message, number)
    merge.end()
    assert given_out == ["d1", "d2", "d3", "d4"]


def test_a_topic_that_rests_while_a_line_joins_needs_no_joining() -> None:
    given_out: list[str] = []
    merge: LineMerge[str, str] = LineMerge(lambda message, entry: given_out.append(message))
    merge.add("old")
    merge.take("old", "quiet", b"q1", "q1", 1)
    merge.add("new", 2)
    merge.whole("new")
    merge.take("new", "quiet", b"q2", "q2", 3)
    merge.take("old", "quiet", b"q2", "q2", 4)
    merge.take("old", "never", b"n1", "n1", 5)
    merge.take("new", "never", b"n1", "n1", 6)
    assert given_out == ["q1", "q2", "n1"]


def test_a_message_waits_for_the_other_line_no_longer_than_it_may() -> None:
    given_out: list[str] = []
    merge: LineMerge[str, str] = LineMerge(
        lambda message, entry: given_out.append(message), hold_ns=100
    )
    merge.add("a")
    merge.add("b")
    merge.take("a", "t", b"1", "1", 1000)
    merge.tick(1099)
    assert given_out == []
    merge.tick(1100)
    assert given_out == ["1"]
    merge.take("b", "t", b"1", "1", 1200)
    assert (given_out, merge.counts.merged_frames) == (["1"], 1)


@pytest.mark.parametrize("hold_ns", [1, HOLD_NS])
def test_what_is_remembered_is_bounded_by_time(hold_ns: int) -> None:
    merge: LineMerge[int, str] = LineMerge(
        lambda message, entry: None, hold_ns=hold_ns, keep_ns=100
    )
    merge.add("a")
    for number in range(5_000):
        merge.take("a", "t", str(number).encode(), number, number * 10)
        merge.tick(number * 10)
    topic = merge._topics["t"]
    assert len(topic.gone) <= 12
    assert len(topic.gone_by_key) == len(topic.gone)


def test_an_exchange_that_numbers_anew_loses_nothing_while_one_line_is_mute() -> None:
    given_out: list[int] = []
    merge: LineMerge[int, str] = LineMerge(
        lambda message, entry: given_out.append(message), lambda message: message, hold_ns=10
    )
    merge.add("a")
    merge.add("b")
    for now_ns, number in enumerate((101, 102, 1, 2, 3), start=1):
        merge.take("a", "t", str(number).encode(), number, now_ns * 100)
        merge.tick(now_ns * 100 + 50)
    assert given_out == [101, 102, 1, 2, 3]
