"""A recording of a rough market in several segments, and what a replay of all of it says."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from pathlib import Path

import msgspec

from book.engine import Engine
from replay.market_scenario import ROUGH
from replay.recording import Recording
from tests.book.feed_frames import simulated_frames
from tests.recorder.made_frames import record
from venues.frame import Frame

FRAMES = 1_000
STEP_BACK_AT = 570


def rough_frames(count: int = FRAMES) -> list[Frame]:
    """A rough market in which the wall clock is set back by 2 s in the middle."""
    return [
        msgspec.structs.replace(frame, receive_time_ns=frame.receive_time_ns - 2 * 10**9)
        if number >= STEP_BACK_AT
        else frame
        for number, frame in enumerate(simulated_frames(count, seed=11, scenario=ROUGH))
    ]


def rough_recording(folder: Path, count: int = FRAMES) -> Recording:
    """The same, as a sealed recording of four segments."""
    record(folder, rough_frames(count), rotate_every=count // 4)
    return Recording.open(folder)


def digests(frames: list[Frame]) -> list[str]:
    """The engine's digest before each frame, and after the last."""
    engine = Engine()
    found = [engine.state_digest()]
    for frame in frames:
        engine.apply(frame)
        found.append(engine.state_digest())
    return found


def frames_before(frames: list[Frame], time_ns: int) -> int:
    """How many frames came before the first one received at `time_ns` or later."""
    latest = list(accumulate((frame.receive_time_ns for frame in frames), max))
    return bisect_left(latest, time_ns)
