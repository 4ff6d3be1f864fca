"""How long a seek takes: `python -m tests.benchmarks.seek_time [--frames N] [--instants N]`.

The real Binance USD-M recording (a simulated market where there is none, see `tests.real_data`) is
laid end to end until it has so many frames, recorded, and indexed; then the engine is sought at
random instants. Every seek is proved: its digest has to be that of a full replay of all frames
before the instant. A day of BTC has 10 million frames: `--frames 10000000`.
"""

from __future__ import annotations

import argparse
import gc
import random
import shutil
import statistics
import tempfile
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path

import msgspec

from book.engine import Engine
from cli.collector import calm_collector
from recorder.recording import RecordingWriter
from replay.checkpoint_index import EVERY_FRAMES, write_index
from replay.recording import Recording
from replay.seek import engine_before
from tests.book.feed_frames import binance_frames, simulated_frames
from tests.real_data import REAL_DATA
from venues.frame import Frame

BATCH = 2_048
SIMULATED_FRAMES = 50_000


@cache
def laid_end_to_end() -> list[Frame]:
    """The frames that a long feed is made of."""
    if REAL_DATA.is_dir():
        return binance_frames("binance-usdm")
    print("no real recording here: a simulated market instead")
    return simulated_frames(SIMULATED_FRAMES)


def long_feed(count: int) -> Iterator[Frame]:
    """The recording again and again, each time a connection and a time of its own."""
    frames = laid_end_to_end()
    span_ns = frames[-1].receive_time_ns - frames[0].receive_time_ns + 10**9
    for number in range(count):
        turn, place = divmod(number, len(frames))
        frame = frames[place]
        yield msgspec.structs.replace(
            frame,
            frame_number=number,
            connection_id=turn + 1,
            receive_time_ns=frame.receive_time_ns + turn * span_ns,
        )


def record(folder: Path, count: int) -> None:
    writer = RecordingWriter.create(folder, asked_for={})
    batch: list[Frame] = []
    for frame in long_feed(count):
        batch.append(frame)
        if len(batch) == BATCH:
            writer.write(batch)
            batch = []
        if frame.frame_number % 250_000 == 249_999:
            writer.write(batch)
            batch = []
            writer.rotate()
    if batch:
        writer.write(batch)
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--instants", type=int, default=1_000)
    asked = parser.parse_args()
    calm_collector()
    scratch = Path(tempfile.mkdtemp(prefix="tickreel-seek-"))
    try:
        measure(scratch / "long", asked.frames, asked.instants)
    finally:
        shutil.rmtree(scratch)


def measure(folder: Path, count: int, instants: int) -> None:
    record(folder, count)
    recording = Recording.open(folder)
    begun_s = time.perf_counter()
    report = write_index(recording)
    index_s = time.perf_counter() - begun_s
    print(
        f"{count:,} frames, {recording.bytes_on_disk / 1e6:,.1f} MB; indexed in {index_s:,.1f} s: "
        f"{report.written:,} checkpoints (every {EVERY_FRAMES:,} frames), "
        f"{report.bytes / 1e6:,.1f} MB"
    )
    # An array: the collector would walk over a list of millions, within what is measured.
    latest = array("q", accumulate((frame.receive_time_ns for frame in long_feed(count)), max))
    choose = random.Random(1)
    chosen = sorted(
        bisect_left(latest, choose.randint(latest[0], latest[-1])) for _ in range(instants)
    )
    seconds: list[float] = []
    of_processor: list[float] = []
    found: dict[int, str] = {}
    for place in chosen:
        gc.collect()  # the last engine, a cycle, is done with: a player has let it go by then
        begun_s, begun_processor_s = time.perf_counter(), time.process_time()
        sought = engine_before(recording, time_ns=latest[place])
        seconds.append(time.perf_counter() - begun_s)
        of_processor.append(time.process_time() - begun_processor_s)
        found[sought.next_frame_number] = sought.engine.state_digest()
    print(f"{instants:,} seeks to random instants: {_spread(seconds)}")
    print(f"of a processor's time, whatever else runs: {_spread(of_processor)}")
    prove(count, found)


def _spread(seconds: list[float]) -> str:
    ordered_ms = sorted(each * 1e3 for each in seconds)
    return (
        f"median {statistics.median(ordered_ms):,.0f} ms, "
        f"99 % {ordered_ms[int(len(ordered_ms) * 0.99)]:,.0f} ms, longest {ordered_ms[-1]:,.0f} ms"
    )


def prove(count: int, found: dict[int, str]) -> None:
    """Hold every seek's digest against a full replay's."""
    engine, equal = Engine(), 0
    for frame in long_feed(count):
        if frame.frame_number in found:
            assert engine.state_digest() == found[frame.frame_number], frame.frame_number
            equal += 1
        engine.apply(frame)
    print(f"{equal:,} of {len(found):,} different places have the digest of a full replay")
    assert equal == len(found)


if __name__ == "__main__":
    main()
