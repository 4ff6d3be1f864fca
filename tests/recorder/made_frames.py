"""Frames to record: made up, or out of what an exchange really sent."""

from __future__ import annotations

import gzip
import random
from collections.abc import Sequence
from pathlib import Path

from recorder.journal import JournalWriter
from recorder.recording import RecordingWriter
from tests.real_data import REAL_DATA
from tests.recorder.sealing_in_line import SealingInLine
from venues.frame import Frame, FrameKind

START_NS = 1_795_000_000_000_000_000


def made_frames(
    count: int,
    *,
    first: int = 0,
    venues: Sequence[str] = ("binance-usdm",),
    payload_bytes: int = 120,
    seed: int = 1,
) -> list[Frame]:
    """Return frames 1 ms apart, of the venues by turns, whose payloads do not compress away."""
    chance = random.Random(seed)
    return [
        Frame(
            frame_number=number,
            connection_id=1 + number % 3,
            venue=venues[number % len(venues)],
            kind=FrameKind.TEXT,
            receive_time_ns=START_NS + number * 1_000_000,
            monotonic_time_ns=number * 1_000_000 + 17,
            payload=chance.randbytes(payload_bytes),
        )
        for number in range(first, first + count)
    ]


def real_frames(name: str = "usdm_btcusdt_20240808", venue: str = "binance-usdm") -> list[Frame]:
    """Return what Binance sent, with a steady clock that runs beside the wall clock."""
    lines = gzip.decompress((REAL_DATA / "binance" / f"{name}.gz").read_bytes()).splitlines()
    chance = random.Random(7)
    drift_ns = 5_000_000_000
    frames = []
    for number, line in enumerate(lines):
        time, _, payload = line.partition(b" ")
        # A steady clock read a little after the wall clock, as a recorder reads them.
        drift_ns += chance.randrange(-40, 41)
        monotonic_ns = int(time) - 1_723_000_000_000_000_000 + drift_ns
        frames.append(Frame(number, 1, venue, FrameKind.TEXT, int(time), monotonic_ns, payload))
    return frames


def write_journal(path: Path, frames: Sequence[Frame], *, block: int, close: bool = True) -> None:
    """Write a journal with `block` frames to a block (from frame 0 on)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = JournalWriter(
        path, recording_id="0" * 32, number=1, first_frame_number=0, time_ns=START_NS
    )
    for begin in range(0, len(frames), block):
        writer.write(frames[begin : begin + block])
    if close:
        writer.close()
    else:
        writer.abandon()


def record(folder: Path, frames: Sequence[Frame], *, rotate_every: int | None = None) -> None:
    """Make a finished recording, a journal every so many frames."""
    writer = RecordingWriter.create(folder, asked_for={}, sealing_queue=SealingInLine)
    step = rotate_every or len(frames) or 1
    for begin in range(0, len(frames), step):
        if begin:
            writer.rotate()
        writer.write(frames[begin : begin + step])
    report = writer.close()
    assert report.faults == ()
