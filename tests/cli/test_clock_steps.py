"""A wall clock that is set while a capture runs, by libfaketime; the steady clock goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from replay.recording import Recording
from tests.cli.running_capture import RunningCapture, running_capture
from venues.frame import FrameKind
from venues.marker import ClockReading, Closed, read_marker

LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
STEPS_S = (3600.0, -3600.0, 1.0, -1.0, 0.001, -0.001)
NS_PER_S = 1_000_000_000

CACHE_S = 1
LULL_S = 0.9
"""Between two frames there is less, but for the step itself."""


def faketime() -> Iterator[Path]:
    for pattern in LIBRARIES:
        yield from Path("/").glob(pattern[1:])


needs_faketime = pytest.mark.skipif(
    next(faketime(), None) is None, reason="libfaketime is not installed (Debian: libfaketime)"
)


@needs_faketime
async def test_a_clock_that_is_set_is_recorded_and_disturbs_nothing(tmp_path: Path) -> None:
    for three in (STEPS_S[:3], STEPS_S[3:]):
        await asyncio.gather(*(stepped(tmp_path / str(step_s), step_s) for step_s in three))


def prepared(place: Path) -> dict[str, str]:
    place.mkdir()
    (place / "clock").write_text("+0\n")
    return {
        "LD_PRELOAD": str(next(faketime())),
        "FAKETIME_TIMESTAMP_FILE": str(place / "clock"),
        "FAKETIME_CACHE_DURATION": str(CACHE_S),  # to look at each call would slow all down
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }


async def stepped(place: Path, step_s: float) -> None:
    env = prepared(place)
    async with running_capture(place, "--no-engine", env=env) as capture:
        sent = capture.server.sent[0].frames
        set_clock(place / "clock", step_s)
        await asyncio.sleep(CACHE_S + 0.2)  # for so long the old time may still be told
        if abs(step_s) > 0.1:
            await capture.until(lambda: bool(steps_told(capture)))
        await capture.until(lambda: capture.server.sent[0].frames > sent + 250)
        assert await capture.health() == (200, [])
        assert await capture.end() == 0, capture.log.read_text()[-2_000:]
    judge(capture, step_s)


def set_clock(file: Path, step_s: float) -> None:
    written = file.with_suffix(".new")
    written.write_text(f"{step_s:+.3f}\n")
    written.replace(file)  # never half written


def steps_told(capture: RunningCapture) -> list[dict[str, Any]]:
    return [line for line in capture.lines() if line["event"] == "clock step"]


def judge(capture: RunningCapture, step_s: float) -> None:
    frames = list(Recording.open(capture.folder))
    assert [frame.frame_number for frame in frames] == list(range(len(frames)))
    steady = [frame.monotonic_time_ns for frame in frames]
    assert None not in steady
    readings = [read_marker(f, ClockReading) for f in frames if f.kind is FrameKind.CLOCK]
    steps = [reading.step_ns / NS_PER_S for reading in readings if reading.step_ns]
    told = steps_told(capture)
    if abs(step_s) > 0.1:
        (step,) = steps
        assert step == pytest.approx(step_s, abs=0.05)
        assert [line["step_ns"] / NS_PER_S for line in told] == steps
        walls = [f.receive_time_ns for f in frames]
        differ_s = [abs(after - before) / NS_PER_S for before, after in pairwise(walls)]
        assert max(differ_s) == pytest.approx(abs(step_s), abs=LULL_S)
    else:
        assert steps == []
        assert told == []
    # No watchdog took it for silence, and none slept through it: one connection, left by us.
    (closed,) = [read_marker(f, Closed) for f in frames if f.kind is FrameKind.CLOSED]
    assert closed.stopped
    assert sum(f.kind is FrameKind.OPENED for f in frames) == 1
    received = [f.payload for f in frames if f.received]
    assert len(received) <= capture.server.sent[0].frames
