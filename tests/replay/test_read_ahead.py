from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from replay.frame_source import FrameList
from replay.player import Player
from replay.read_ahead import BATCH_FRAMES, BATCHES_AHEAD, ReadAhead
from replay.virtual_clock import VirtualClock
from tests.replay.clocks import SteppingClock
from venues.errors import TickreelError
from venues.frame import Frame, FrameKind


def counted(count: int) -> Iterator[Frame]:
    for number in range(count):
        yield Frame(number, 1, "reference", FrameKind.TEXT, number, None, b"")


def threads() -> int:
    return sum(thread.name == "tickreel read-ahead" for thread in threading.enumerate())


@pytest.mark.parametrize("count", [0, 1, BATCH_FRAMES, BATCH_FRAMES * BATCHES_AHEAD * 2 + 1])
async def test_all_frames_come_in_order_and_the_thread_ends(count: int) -> None:
    with ReadAhead(counted(count)) as batches:
        assert [frame for batch in batches for frame in batch] == list(counted(count))
    with ReadAhead(counted(count)) as batches:
        taken = [frame async for batch in batches for frame in batch]
    assert taken == list(counted(count))
    assert threads() == 0


def test_no_more_is_read_than_is_kept_ready() -> None:
    read = 0

    def endless() -> Iterator[Frame]:
        nonlocal read
        for frame in counted(10**9):
            read += 1
            yield frame

    with ReadAhead(endless()) as batches:
        next(iter(batches))
    assert read <= BATCH_FRAMES * (2 * BATCHES_AHEAD + 3)
    assert threads() == 0


class Broken(FrameList):
    def frames(self, **selection: object) -> Iterator[Frame]:
        yield from counted(BATCH_FRAMES + 7)
        raise TickreelError("the disk is gone")


def test_an_error_comes_after_the_frames_before_it_and_as_itself() -> None:
    clock = VirtualClock(steady=SteppingClock())
    for player in (Player(Broken([]), "1x", clock=clock), Player(Broken([]), "max")):
        taken: list[Frame] = []
        with pytest.raises(TickreelError, match="the disk is gone"):
            taken.extend(player)
        assert taken == list(counted(BATCH_FRAMES + 7))
    assert threads() == 0


async def test_a_playback_that_is_left_early_leaves_no_thread() -> None:
    source = FrameList(list(counted(100_000)))
    for frame in Player(source, "1x", clock=VirtualClock(steady=SteppingClock())):
        if frame.frame_number == 3:
            break
    playing = aiter(Player(source, "1x", clock=VirtualClock(steady=SteppingClock())))
    await anext(playing)
    await playing.aclose()  # type: ignore[attr-defined]  # it is an asynchronous generator
    assert threads() == 0
