"""A day of frames in compressed time: `python -m tests.soak.compressed_time --frames 43200000`.

A recorder's intake, writer, journals and sealing are given the frames of a day (500 a second) as
fast as they take them, on a clock that tells the time of that day. Memory, open files and threads
are watched; in the end every frame is read back, and is the one that was given.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from recorder.frame_intake import FrameIntake
from recorder.recording import RecordingWriter
from recorder.writer import FrameWriter
from replay.recording import Recording
from tests.soak.growth import Growth
from venues.frame import FrameKind

SPACING_NS = 2_000_000
BEGAN_NS = 1_790_000_000_000_000_000
QUEUE_BYTES_MAX = 2 << 20
"""More than waits for the writer at 50,000 frames a second, which it is given every 50 ms."""
TURN = 500
LOOK_EVERY = 250_000
"""At a look nothing waits: how much does is bounded by a budget, and no growth."""
CONNECTIONS = 4


@dataclass
class Turns:
    """Stands for the event loop: what is to be done in its next turn."""

    due: list[Callable[[], None]] = field(default_factory=list)

    def schedule(self, call: Callable[[], None]) -> None:
        """Let it be done in the next turn."""
        self.due.append(call)

    def run(self) -> None:
        """Let a turn pass."""
        due, self.due = self.due, []
        for call in due:
            call()


def payload(number: int) -> bytes:
    """Return what the frame with this number holds."""
    return (
        f'{{"topic":"publicTrade.BTCUSDT","data":[{{"T":{number},"p":"{60_000 + number % 9_973}.5",'
        f'"v":"0.{number % 8_191:04d}","S":"Buy","i":"{number}"}}]}}'
    ).encode()


def fed(folder: Path, frames: int) -> tuple[Growth, float]:
    """Record so many frames; return what grew, and frames a second."""
    recording = RecordingWriter.create(folder, asked_for={})
    writer, turns, growth = FrameWriter(recording, folder), Turns(), Growth()
    now_ns = BEGAN_NS
    intake = FrameIntake(writer, schedule=turns.schedule, clock=lambda: (now_ns, now_ns))
    writer.start()
    begun_s = time.monotonic()
    for number in range(frames):
        now_ns = BEGAN_NS + number * SPACING_NS
        connection_id = 1 + number % CONNECTIONS
        intake.receive(connection_id, "reference", FrameKind.TEXT, now_ns, now_ns, payload(number))
        if number % TURN == 0:
            turns.run()
            intake.tick()
            while intake.queued_cost > QUEUE_BYTES_MAX:
                time.sleep(0.002)
        if number % LOOK_EVERY == 0:
            while intake.queued_cost or recording.unsynced_bytes:
                turns.run()
                intake.tick()
                time.sleep(0.01)
            growth.look()
    turns.run()
    intake.tick()
    seconds = time.monotonic() - begun_s
    writer.end(within_s=600.0)
    recording.close()
    counts = intake.counts()
    if counts.lost_frames or counts.kept_frames != frames:
        raise SystemExit(f"lost {counts.lost_frames:,} of {frames:,}")
    return growth, frames / seconds


def wrong(folder: Path, frames: int) -> int:
    """Return how many frames are not what was given, or are missing."""
    found = differ = 0
    for frame in Recording.open(folder):
        if frame.kind is FrameKind.TEXT:
            differ += frame.payload != payload(found) or frame.frame_number != found
            found += 1
    return differ + abs(frames - found)


def main() -> int:
    """Feed and read back; 0 when all is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=43_200_000)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "day"
        growth, frames_per_s = fed(folder, options.frames)
        print(f"{options.frames:,} frames, {frames_per_s:,.0f}/s; {growth.text()}", flush=True)
        differ = wrong(folder, options.frames)
    print(f"read back: {differ} differ or are missing")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
