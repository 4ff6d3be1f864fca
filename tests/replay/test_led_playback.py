"""A playback is led while it goes on: steps, and seeks forward and back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from replay.errors import NotSeekableError
from replay.frame_source import FrameList
from replay.place import Place
from replay.player import Player
from replay.recording import Recording
from replay.virtual_clock import VirtualClock
from tests.replay.indexed_recording import frames_before, rough_frames, rough_recording
from venues.frame import Frame

FAST = "1000000x"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return rough_recording(tmp_path_factory.mktemp("led") / "rough", 400)


def numbers(frames: Iterator[Frame], count: int) -> list[int]:
    return [next(frames).frame_number for _ in range(count)]


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_seek_goes_on_at_another_place_forward_and_back(
    recording: Recording, in_memory: bool
) -> None:
    source = FrameList(rough_frames(400)) if in_memory else recording
    player = Player(source, FAST)
    frames = iter(player)
    assert numbers(frames, 3) == [0, 1, 2]
    player.seek(frame_number=250)
    assert numbers(frames, 2) == [250, 251]
    player.seek(frame_number=0)
    assert numbers(frames, 2) == [0, 1]
    time_ns = rough_frames(400)[300].receive_time_ns
    player.seek(time_ns=time_ns)
    first = frames_before(rough_frames(400), time_ns)
    assert [first, *range(first + 1, 400)] == [frame.frame_number for frame in frames]


def test_a_playback_that_begins_at_a_place_plays_all_that_follows_it(recording: Recording) -> None:
    player = Player(recording, start=Place(frame_number=250))
    assert [frame.frame_number for frame in player] == list(range(250, 400))


def test_a_paused_playback_hands_out_one_frame_a_step_and_none_after_a_seek(
    recording: Recording,
) -> None:
    clock = VirtualClock(paused=True)
    player = Player(recording, FAST, clock=clock)
    frames = iter(player)
    player.step()
    player.step()
    assert numbers(frames, 2) == [0, 1]
    player.seek(frame_number=100)
    player.step()
    assert numbers(frames, 1) == [100]
    assert clock.paused
    clock.resume()
    assert numbers(frames, 2) == [101, 102]


def test_a_step_is_nothing_to_a_playback_that_goes_on(recording: Recording) -> None:
    player = Player(recording, FAST)
    player.step()
    assert len(list(player)) == 400


def test_whoever_is_asked_where_to_go_may_stay(recording: Recording) -> None:
    player = Player(recording, FAST)
    frames = iter(player)
    asked: list[int] = []

    def stay() -> None:
        asked.append(player.frames_played)

    numbers(frames, 5)
    player.go(stay)
    assert numbers(frames, 2) == [5, 6]
    assert asked == [5]


def test_at_max_nothing_can_be_led(recording: Recording) -> None:
    player = Player(recording, "max")
    with pytest.raises(NotSeekableError, match="1000x"):
        player.seek(frame_number=3)
    with pytest.raises(NotSeekableError):
        player.step()


def frames_apart(interval_ns: int) -> list[Frame]:
    return [
        msgspec.structs.replace(
            frame, receive_time_ns=10**9 + number * interval_ns, monotonic_time_ns=None
        )
        for number, frame in enumerate(rough_frames(400))
    ]


@pytest.mark.parametrize("interval_ns", [10**9, 0], ids=["one-by-one", "all-at-once"])
async def test_so_it_is_where_other_tasks_run_and_where_frames_came_at_once(
    interval_ns: int,
) -> None:
    player = Player(FrameList(frames_apart(interval_ns)), FAST, clock=VirtualClock(paused=True))
    found: list[int] = []

    async def play() -> None:
        async for frame in player:
            found.append(frame.frame_number)  # noqa: PERF401 - looked at while it grows

    playing = asyncio.create_task(play())
    await asyncio.sleep(0)  # it has begun
    player.step()
    await _until(found, [0])
    player.step()
    await _until(found, [0, 1])
    player.seek(frame_number=398)
    player.step()
    await _until(found, [0, 1, 398])
    assert player.clock is not None
    player.clock.resume()
    await playing
    assert found == [0, 1, 398, 399]


async def _until(found: list[int], expected: list[int]) -> None:
    while found != expected:
        assert len(found) < len(expected)
        await asyncio.sleep(0.001)
