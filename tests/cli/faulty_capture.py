"""`python -m tests.cli.faulty_capture FAULT capture ...`: a capture one of whose parts goes wrong.

It runs like any other until it has been recording for `AFTER_S`; then the fault happens, once.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cli.__main__ import main
from cli.capture_run import CaptureRun
from recorder.recorder import Recorder
from recorder.recording import RecordingWriter
from recorder.recording_errors import JournalWriteError
from recorder.sealing_process import SealingQueue
from recorder.writer import FrameWriter

AFTER_S = 1.0
GO_ON = "TICKREEL_TEST_GO_ON"
"""Names the variable with the path of a file: the disk stalls until it is there."""
_runs: list[CaptureRun] = []


def _cancel(name: str) -> None:
    for task in asyncio.all_tasks():
        if task.get_name() == name:
            task.cancel()


def _writer_raises() -> None:
    def write(self: FrameWriter) -> None:
        raise RuntimeError("out of ink")

    FrameWriter._write = write  # type: ignore[method-assign]


def _tick_raises() -> None:
    from recorder.frame_intake import FrameIntake

    def tick(self: FrameIntake) -> None:
        raise RuntimeError("out of time")

    FrameIntake.tick = tick  # type: ignore[method-assign]


def _stalled_disk() -> None:
    write = RecordingWriter.write
    stalled = threading.Event()

    def stalling(self: RecordingWriter, frames: list[object]) -> None:
        if not stalled.is_set():
            stalled.set()
            while not Path(os.environ[GO_ON]).exists():
                time.sleep(0.02)
        write(self, frames)  # type: ignore[arg-type]

    RecordingWriter.write = stalling  # type: ignore[assignment, method-assign]


def _full_disk() -> None:
    def refused(self: RecordingWriter, frames: list[object]) -> None:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise JournalWriteError(self.folder.path, full, 0, len(frames))

    RecordingWriter.write = refused  # type: ignore[assignment, method-assign]


def _engine_killed() -> None:
    engine = _runs[0]._engine
    assert engine is not None
    assert engine._process is not None
    os.kill(engine._process.pid, signal.SIGKILL)


def _sealing_killed() -> None:
    begin = SealingQueue._begin

    def begin_and_kill(self: SealingQueue, number: int) -> None:
        begin(self, number)
        assert self._process is not None
        self._process.kill()

    SealingQueue._begin = begin_and_kill  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], None]] = {
    "writer raises": _writer_raises,
    "tick raises": _tick_raises,
    "tick cancelled": lambda: _cancel("tickreel-tick"),
    "stream cancelled": lambda: _cancel("tickreel-reference"),
    "ring cancelled": lambda: _cancel("tickreel-ring"),
    "upload cancelled": lambda: _cancel("tickreel-upload"),
    "engine killed": _engine_killed,
    "sealing killed": _sealing_killed,
    "operations cancelled": lambda: _cancel("tickreel-operations"),
    "stalled disk": _stalled_disk,
    "full disk": _full_disk,
}


def _go_wrong(fault: str) -> None:
    start, run = Recorder.start, CaptureRun.run

    async def starting(self: Recorder) -> None:
        await start(self)
        asyncio.get_running_loop().call_later(AFTER_S, FAULTS[fault])

    async def running(self: CaptureRun, *arguments: object) -> object:
        _runs.append(self)
        return await run(self, *arguments)  # type: ignore[arg-type]

    Recorder.start = starting  # type: ignore[method-assign]
    CaptureRun.run = running  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    _go_wrong(sys.argv[1])
    main(sys.argv[2:])
