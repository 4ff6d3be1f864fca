from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from book.engine import Engine
from replay.frame_source import FrameList
from replay.player import Player
from replay.seek import engine_before
from replay.speed import SpeedError
from replay.virtual_clock import VirtualClock
from tests.replay.clocks import SteppingClock
from venues.frame import RECORDER, Frame, FrameKind

START_NS = 1_700_000_000 * 10**9


def frames_with_gaps(gaps_ns: list[int], venue: str = "reference") -> list[Frame]:
    frames, receive_ns = [], START_NS
    for number, gap_ns in enumerate(gaps_ns):
        receive_ns += gap_ns
        frames.append(Frame(number, 1, venue, FrameKind.TEXT, receive_ns, None, b"%d" % number))
    return frames


GAPS_NS = st.lists(st.integers(min_value=-(10**11), max_value=10**12), max_size=50)
SPEEDS = st.fractions(min_value=Fraction(1, 100), max_value=1_000, max_denominator=100)


@given(GAPS_NS, SPEEDS)
def test_speed_changes_neither_order_nor_content(gaps_ns: list[int], speed: Fraction) -> None:
    frames = frames_with_gaps(gaps_ns)
    clock = VirtualClock(steady=SteppingClock())
    assert list(Player(FrameList(frames), speed, clock=clock)) == frames
    assert list(Player(FrameList(frames), "max")) == frames


@given(st.lists(st.integers(min_value=0, max_value=10**10), min_size=1, max_size=30), SPEEDS)
def test_each_frame_comes_at_its_time_divided_by_the_speed_exactly(
    gaps_ns: list[int], speed: Fraction
) -> None:
    frames = frames_with_gaps(gaps_ns)
    steady = SteppingClock()
    begun_ns = steady.time_ns
    for frame in Player(FrameList(frames), speed, clock=VirtualClock(steady=steady)):
        due = (frame.receive_time_ns - frames[0].receive_time_ns) / speed
        assert steady.time_ns - begun_ns == -(-due.numerator // due.denominator)


async def test_asynchronous_and_blocking_playback_give_the_same_at_the_same_times() -> None:
    frames = frames_with_gaps([0, 5, 10**9, 0, 3 * 10**9])
    seen: list[list[tuple[Frame, int]]] = [[], []]
    steady = SteppingClock(0)
    for frame in Player(FrameList(frames), "2/3x", clock=VirtualClock(steady=steady)):
        seen[0].append((frame, steady.time_ns))
    steady = SteppingClock(0)
    player = Player(FrameList(frames), "2/3x", clock=VirtualClock(steady=steady))
    async for frame in player:
        seen[1].append((frame, steady.time_ns))
    assert seen[0] == seen[1]
    assert [frame async for frame in Player(FrameList(frames))] == frames


def test_at_max_no_clock_is_looked_at() -> None:
    player = Player(FrameList(frames_with_gaps([0, 10**15])), "max")
    assert player.clock is None
    assert player.lag_ns == 0
    assert len(list(player)) == 2


def test_a_playback_says_how_far_it_is() -> None:
    frames = frames_with_gaps([0, 10, 10])
    player = Player(FrameList(frames))
    assert player.position_ns is None
    playing = iter(player)
    next(playing)
    next(playing)
    assert player.frames_played == 2
    assert player.position_ns == START_NS + 10


def test_every_iteration_plays_from_the_beginning() -> None:
    frames = frames_with_gaps([0, 10**9])
    player = Player(FrameList(frames), "1x", clock=VirtualClock(steady=SteppingClock()))
    assert list(player) == frames
    assert list(player) == frames
    assert player.frames_played == 2


def test_a_slow_consumer_loses_nothing_and_catches_up() -> None:
    second_ns = 10**9
    frames = frames_with_gaps([0, second_ns, second_ns, 10 * second_ns])
    steady = SteppingClock()
    begun_ns = steady.time_ns
    player = Player(FrameList(frames), "1x", clock=VirtualClock(steady=steady))
    arrivals_ns = []
    for frame in player:
        arrivals_ns.append(steady.time_ns - begun_ns)
        if frame.frame_number == 0:
            steady.time_ns += 5 * second_ns
        elif frame.frame_number == 1:
            assert player.lag_ns == 4 * second_ns
    assert arrivals_ns == [0, 5 * second_ns, 5 * second_ns, 12 * second_ns]


def test_the_time_range_is_half_open_and_applies_to_the_receive_time() -> None:
    frames = frames_with_gaps([0, 1, 1, 1, 1])
    played = list(Player(FrameList(frames), from_ns=START_NS + 1, to_ns=START_NS + 3))
    assert [frame.frame_number for frame in played] == [1, 2]
    assert list(Player(FrameList(frames), from_ns=START_NS + 1, to_ns=START_NS + 1)) == []


def test_played_to_a_time_the_engine_is_the_one_that_is_sought_there() -> None:
    """Also where the clock stepped back over that time: no frame is left out in the middle."""
    second_ns = 10**9
    source = FrameList(frames_with_gaps([0, second_ns, second_ns, -2 * second_ns, second_ns // 2]))
    until_ns = START_NS + 2 * second_ns
    engine = Engine()
    for frame in Player(source, to_ns=until_ns):
        engine.apply(frame)
    assert engine.frames == 2
    sought = engine_before(source, time_ns=until_ns).engine
    assert engine.state_digest() == sought.state_digest()


def test_streams_select_venues_and_let_the_recorder_pass() -> None:
    mixed = [
        Frame(0, 1, "bybit-spot", FrameKind.TEXT, 1, None, b""),
        Frame(1, 2, "reference", FrameKind.TEXT, 2, None, b""),
        Frame(2, 0, RECORDER, FrameKind.CLOCK, 3, None, b"{}"),
    ]
    played = list(Player(FrameList(mixed), streams={"reference"}))
    assert [frame.frame_number for frame in played] == [1, 2]


@pytest.mark.parametrize("speed", ["0x", "-1", "fast", "nan", ""])
def test_what_is_no_speed_is_refused_before_anything_is_read(speed: str) -> None:
    with pytest.raises(SpeedError):
        Player(FrameList([]), speed)


def test_nothing_is_read_ahead_of_what_was_asked_for() -> None:
    read: list[int] = []

    class Reluctant(FrameList):
        def frames(self, **selection: object) -> Iterator[Frame]:
            for frame in frames_with_gaps([0, 1, 2]):
                read.append(frame.frame_number)
                yield frame

    playing = iter(Player(Reluctant([])))
    assert read == []
    next(playing)
    assert read == [0]


def test_a_paused_playback_stands_before_its_first_frame() -> None:
    frames = frames_with_gaps([0, 10**6])
    clock = VirtualClock(paused=True)
    player = Player(FrameList(frames), "1x", clock=clock)
    playing = iter(player)
    player.step()
    assert next(playing) is frames[0]
    assert clock.now_ns == START_NS - 1
    clock.resume()
    assert next(playing) is frames[1]


def lateness_ns(arrivals_ns: list[tuple[int, int]]) -> list[int]:
    begun_ns, first_ns = arrivals_ns[0]
    return [at_ns - begun_ns - (receive_ns - first_ns) for at_ns, receive_ns in arrivals_ns]


def test_in_real_time_no_frame_comes_early() -> None:
    frames = frames_with_gaps([200_000] * 1_000)
    player = Player(FrameList(frames), "1x")
    arrivals_ns = [(time.monotonic_ns(), frame.receive_time_ns) for frame in player]
    late_ns = lateness_ns(arrivals_ns)
    # The first arrival is taken as the beginning, so it may itself have been a little late.
    assert min(late_ns) > -1_000_000
    assert statistics.median(late_ns) < 100_000_000


async def test_in_real_time_other_tasks_run_between_the_frames() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    frames = frames_with_gaps([1_000_000] * 50)
    assert [frame async for frame in Player(FrameList(frames), "1x")] == frames
    other.cancel()
    assert turns > 10
