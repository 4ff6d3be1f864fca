"""Faults done to frames on their way: exactly what was asked for, listed, the same everywhere."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.fault_injection import FaultInjector
from replay.fault_kind import FaultKind
from replay.fault_settings import NS_PER_S, FaultSettings
from replay.fault_source import FaultySource
from replay.frame_source import FrameList
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import ClockReading, Closed, Lost, marker_payload, read_marker

START_NS = 1_700_000_000 * NS_PER_S
STEP_NS = NS_PER_S // 10


def message(number: int, connection_id: int = 1, kind: FrameKind = FrameKind.TEXT) -> Frame:
    time_ns = START_NS + number * STEP_NS
    payload = b'{"n":%d}' % number
    if kind is FrameKind.CLOSED:
        payload = marker_payload(Closed(code=1000, reason="", by_us=True, stopped=True))
    return Frame(number, connection_id, "reference", kind, time_ns, time_ns - START_NS, payload)


def injected(
    frames: list[Frame], plan: dict[int, FaultKind], **settings: float
) -> tuple[list[Frame], FaultInjector]:
    injector = FaultInjector(FaultSettings(**settings), plan.get)  # type: ignore[arg-type]
    out = [each for frame in frames for each in injector.take(frame)]
    return out + injector.finish(), injector


def numbers(frames: list[Frame]) -> list[int]:
    return [frame.frame_number for frame in frames]


def times(frames: list[Frame]) -> list[int]:
    return [(frame.receive_time_ns - START_NS) // STEP_NS for frame in frames]


TEN = [message(number) for number in range(10)]


def test_a_dropped_message_never_comes() -> None:
    out, injector = injected(TEN, {3: FaultKind.DROP})
    assert out == TEN[:3] + TEN[4:]
    (fault,) = injector.done
    assert (fault.kind, fault.frame_number, fault.connection_id) == (FaultKind.DROP, 3, 1)
    assert fault.receive_time_ns == TEN[3].receive_time_ns


def test_a_doubled_message_comes_twice_in_a_row() -> None:
    out, injector = injected(TEN, {3: FaultKind.DUPLICATE})
    assert out == TEN[:4] + TEN[3:]
    assert len(injector.done) == 1


def test_an_overtaken_message_comes_behind_the_next_one_of_its_connection() -> None:
    frames = [message(0), message(1), message(2, 2), message(3), message(4)]
    out, injector = injected(frames, {1: FaultKind.REORDER})
    assert numbers(out) == [0, 2, 3, 1, 4]
    assert times(out) == [0, 2, 3, 3, 4]
    assert [fault.frame_number for fault in injector.done] == [1]


def test_the_last_message_has_none_to_be_overtaken_by_and_comes_all_the_same() -> None:
    out, injector = injected(TEN, {9: FaultKind.REORDER})
    assert out == TEN
    assert injector.done == []


def test_a_connection_that_ends_lets_go_of_all_that_it_held() -> None:
    frames = [*TEN[:4], message(4, kind=FrameKind.CLOSED)]
    for kind in (FaultKind.DELAY, FaultKind.STALL, FaultKind.REORDER):
        out, _ = injected(frames, {3: kind})
        assert numbers(out) == [0, 1, 2, 3, 4], kind
        assert out[-1].kind is FrameKind.CLOSED


def test_a_delayed_message_comes_past_those_of_the_meantime() -> None:
    out, _ = injected(TEN, {3: FaultKind.DELAY}, delay_s=0.25)
    assert numbers(out) == [0, 1, 2, 4, 5, 3, 6, 7, 8, 9]
    late = out[5]
    assert late.receive_time_ns == TEN[3].receive_time_ns + NS_PER_S // 4
    assert TEN[3].monotonic_time_ns is not None
    assert late.monotonic_time_ns == TEN[3].monotonic_time_ns + NS_PER_S // 4


def test_a_stalled_connection_says_all_at_once_and_in_order_and_others_go_on() -> None:
    frames = [message(number, 2 if number % 3 == 0 else 1) for number in range(10)]
    out, injector = injected(frames, {2: FaultKind.STALL}, stall_s=0.5)
    # Connection 1 is silent from 2 until 7.
    assert numbers(out) == [0, 1, 3, 6, 2, 4, 5, 7, 8, 9]
    assert times(out) == [0, 1, 3, 6, 7, 7, 7, 7, 8, 9]
    assert len(injector.done) == 1


def test_a_cut_connection_is_closed_by_no_one_and_comes_back_as_another() -> None:
    frames = [*TEN, message(10, 2)]
    out, _ = injected(frames, {3: FaultKind.CUT}, outage_s=0.3)
    assert numbers(out) == [0, 1, 2, 3, 6, 7, 8, 9, 10]
    closed = read_marker(out[3], Closed)
    assert (closed.code, closed.by_us, closed.stopped) == (None, False, False)
    # The recording's second connection comes after the one that came back.
    assert [frame.connection_id for frame in out] == [1, 1, 1, 1, 2, 2, 2, 2, 3]


def test_what_a_slow_reader_loses_is_told_by_number_and_size() -> None:
    out, _ = injected(TEN, {3: FaultKind.SLOW}, slow_s=0.3)
    assert numbers(out) == [0, 1, 2, 3, 6, 7, 8, 9]
    lost = read_marker(out[3], Lost)
    assert (lost.frames, lost.bytes) == (3, sum(len(frame.payload) for frame in TEN[3:6]))
    assert (lost.from_ns, lost.to_ns) == (TEN[3].receive_time_ns, TEN[6].receive_time_ns)


def test_a_step_of_the_wall_clock_is_told_where_there_is_a_steady_one() -> None:
    out, injector = injected(TEN, {3: FaultKind.CLOCK}, clock_step_s=2)
    marker = out.pop(3)
    reading = read_marker(marker, ClockReading)
    assert (marker.venue, marker.connection_id) == (RECORDER, 0)
    step_ns = reading.step_ns
    assert abs(step_ns) == 2 * NS_PER_S
    assert numbers(out) == list(range(10))
    moved = [new.receive_time_ns - old.receive_time_ns for new, old in zip(out, TEN, strict=True)]
    assert moved == [0] * 3 + [step_ns] * 7
    assert [frame.monotonic_time_ns for frame in out] == [each.monotonic_time_ns for each in TEN]
    without = [msgspec.structs.replace(frame, monotonic_time_ns=None) for frame in TEN]
    untold, _ = injected(without, {3: FaultKind.CLOCK}, clock_step_s=2)
    assert len(untold) == len(TEN)
    assert len(injector.done) == 1


def test_a_corrupted_text_differs_in_one_bit_and_is_still_text() -> None:
    for seed in range(40):
        out, injector = injected(TEN, {3: FaultKind.CORRUPT}, seed=seed)
        was, now = int.from_bytes(TEN[3].payload), int.from_bytes(out[3].payload)
        assert (was ^ now).bit_count() == 1
        assert out[3].payload.decode()
        assert out[:3] + out[4:] == TEN[:3] + TEN[4:]
        assert len(injector.done) == 1


@given(st.text(min_size=1), st.integers(0, 1000))
def test_a_truncated_text_is_a_beginning_of_it_and_still_text(text: str, seed: int) -> None:
    frame = Frame(0, 1, "reference", FrameKind.TEXT, START_NS, None, text.encode())
    out, _ = injected([frame], {0: FaultKind.TRUNCATE}, seed=seed)
    (spoilt,) = out
    assert text.startswith(spoilt.payload.decode())
    assert spoilt.payload != frame.payload


def test_a_wrong_checksum_is_put_only_where_there_is_one() -> None:
    with_one = (
        b'{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1,"data":{"seq":5,"bids":[["1",'
        b'"2"]],"asks":[],"checksum":1234}}'
    )
    frames = [TEN[0], Frame(1, 1, "reference", FrameKind.TEXT, START_NS, None, with_one)]
    plan = dict.fromkeys((0, 1), FaultKind.CHECKSUM)
    out, injector = injected(frames, plan)
    assert out[0] == TEN[0]
    assert out[1].payload == with_one.replace(b"1234", b"1235")
    assert [fault.frame_number for fault in injector.done] == [1]


CHANCE = 0.05
SOME_KINDS = (FaultKind.DROP, FaultKind.DUPLICATE, FaultKind.STALL)


def expected_faults(seed: int, count: int) -> list[tuple[FaultKind, int]]:
    """Draw as the theory says, in a way of our own: five bytes of a hash for each kind."""
    found = []
    for number in range(count):
        digest = blake2b(f"{seed}:{number}".encode()).hexdigest()
        for place, kind in enumerate(FaultKind):
            share = int(digest[10 * place : 10 * place + 10], 16) / 16**10
            if kind in SOME_KINDS and share < CHANCE:
                found.append((kind, number))
                break
    return found


def test_the_seed_alone_says_which_faults_are_done() -> None:
    frames = [message(number, connection_id=number + 1) for number in range(500)]
    settings = FaultSettings(seed=7, **dict.fromkeys(SOME_KINDS, CHANCE))
    source = FaultySource(FrameList(frames), settings)
    whole = list(source.frames())
    done = [(fault.kind, fault.frame_number) for fault in source.done]
    assert done == expected_faults(7, 500)
    # Written down once: neither another machine nor another Python may draw anything else.
    assert [number for _, number in done[:5]] == FIRST_OF_SEED_7
    assert list(source.frames()) == whole
    part_ns = frames[250].receive_time_ns
    list(source.frames(from_ns=part_ns))
    of_part = [(fault.kind, fault.frame_number) for fault in source.done]
    assert of_part == [each for each in done if each[1] >= 250]


FIRST_OF_SEED_7 = [0, 1, 9, 13, 15]


MOVING = (FaultKind.DUPLICATE, FaultKind.REORDER, FaultKind.DELAY, FaultKind.STALL)


@given(
    st.lists(st.sampled_from([1, 2, 3]), max_size=60),
    st.dictionaries(st.integers(0, 59), st.sampled_from(MOVING)),
)
def test_no_message_is_lost_by_being_moved_and_time_never_runs_back(
    connections: list[int], plan: dict[int, FaultKind]
) -> None:
    frames = [message(number, each) for number, each in enumerate(connections)]
    out, injector = injected(frames, plan, stall_s=0.7, delay_s=0.3)
    doubled = [fault.frame_number for fault in injector.done if fault.kind is FaultKind.DUPLICATE]
    assert Counter(numbers(out)) == Counter(range(len(frames))) + Counter(doubled)
    assert all(one.receive_time_ns <= two.receive_time_ns for one, two in pairwise(out))
    if not injector.done:
        assert out == frames


ANY_KIND = st.sampled_from(list(FaultKind))


@given(
    st.lists(st.sampled_from([1, 2, 3]), max_size=60),
    st.dictionaries(st.integers(0, 59), ANY_KIND),
)
def test_faults_of_all_kinds_together_are_listed_where_the_plan_has_them(
    connections: list[int], plan: dict[int, FaultKind]
) -> None:
    frames = [message(number, each) for number, each in enumerate(connections)]
    _, injector = injected(frames, plan)
    assert all(plan[fault.frame_number] is fault.kind for fault in injector.done)
    listed = numbers([frames[fault.frame_number] for fault in injector.done])
    assert len(set(listed)) == len(listed)


def test_without_a_fault_the_frames_are_as_they_were() -> None:
    source = FaultySource(FrameList(TEN), FaultSettings())
    assert list(source.frames()) == TEN
    assert source.done == []


@pytest.mark.parametrize("kind", list(FaultKind))
def test_what_is_no_message_of_the_exchange_gets_no_fault(kind: FaultKind) -> None:
    sent = Frame(0, 1, "reference", FrameKind.SENT, START_NS, START_NS, b"{}")
    out, injector = injected([sent], {0: kind})
    assert out == [sent]
    assert injector.done == []
