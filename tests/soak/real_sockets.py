"""Hours of real sockets: `python -m tests.soak.real_sockets --seconds 7200 --cuts 100`.

A sender in a process of its own (`tests.soak.socket_sender`) sends on many connections and cuts
some; a recorder with the engine beside it records. In the end the sender's ledger is held against
the recording: of a connection that ended in good order every frame is there, of one that was cut
without a word all up to some frame, none twice, none in another order. What grows is watched:
memory, open files, tasks. How long a frame takes from the socket into the journal is measured for
every frame.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from cli.engine_process import EngineProcess
from recorder.recorder import Recorder
from recorder.statistics import RecorderReport
from recorder.stream_settings import StreamSettings
from replay.recording import Recording
from tests.benchmarks.capture_throughput import engine_beside, resident_mb
from tests.soak.growth import Growth
from venues.channel import Channel
from venues.frame import Frame, FrameKind

LOOK_S = 10.0
ID = re.compile(rb'"i":"(\d+)-(\d+)"')


@dataclass
class WriteDelays:
    """Stands between the writer and its recording, and counts how late frames are written.

    `counts` are frames by milliseconds between receive time and the return of the write.
    """

    recording: Any
    counts: Counter[int] = field(default_factory=Counter)

    def write(self, frames: Sequence[Frame]) -> None:
        """Write, then look at the clock."""
        self.recording.write(frames)
        now_ns = time.monotonic_ns()
        self.counts.update(
            (now_ns - frame.monotonic_time_ns) // 1_000_000
            for frame in frames
            if frame.monotonic_time_ns is not None and frame.received
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self.recording, name)

    def percentile_ms(self, share: float) -> int:
        """Return the upper end of the millisecond in which that share of the frames lies."""
        left = share * self.counts.total()
        for delay_ms, frames in sorted(self.counts.items()):
            left -= frames
            if left <= 0:
                return delay_ms + 1
        return 0


def streams(port: int, connections: int) -> list[StreamSettings]:
    """Return a stream a connection, each of a symbol of its own."""
    return [
        StreamSettings(
            venue="reference",
            symbols=(f"S{number:02d}USDT",),
            channels=(Channel.TRADES,),
            url=f"ws://127.0.0.1:{port}",
        )
        for number in range(connections)
    ]


async def recorded(
    sender: IO[str], connections: int, seconds: float, folder: Path
) -> tuple[RecorderReport, WriteDelays, Growth, list[tuple[int, str]]]:
    """Record until the sender has ended; the last that is returned is its ledger."""
    port = int(sender.readline())
    recorder = Recorder(streams(port, connections), folder)
    beside: EngineProcess = await engine_beside(recorder)
    await recorder.start()
    recorder._writer._recording = delays = WriteDelays(recorder._recording)
    growth, end_s = Growth(), time.monotonic() + seconds
    while time.monotonic() < end_s:
        await asyncio.sleep(min(LOOK_S, seconds / 20))
        growth.look()
        now = recorder.statistics()
        print(
            f"{now.frames:,} frames, {now.frames_per_s:,.0f}/s, lost {now.intake.lost_frames:,}, "
            f"reconnects {now.reconnects}, p99 {delays.percentile_ms(0.99)} ms, resident "
            f"{resident_mb():.0f} MB, engine behind {beside.backlog_bytes / 1e6:.1f} MB",
            flush=True,
        )
    ledger = json.loads(await asyncio.to_thread(sender.readline))
    await asyncio.sleep(0.5)  # all ends are on their way, and what comes before them
    report = await recorder.stop()
    ended = await beside.finish(60)
    print(f"engine: {ended.summary.state_digest if ended else beside.fault}")
    return report, delays, growth, [(sent, end) for sent, end in ledger]


def differences(folder: Path, ledger: Sequence[tuple[int, str]]) -> list[str]:
    """Return where the recording is not what was sent, connection by connection."""
    found, next_number = [], [0] * len(ledger)
    for frame in Recording.open(folder):
        said = ID.search(frame.payload) if frame.kind is FrameKind.TEXT else None
        if said is None:
            continue
        line, number = int(said[1]), int(said[2])
        if number != next_number[line]:
            found.append(f"connection {line}: {number} came where {next_number[line]} was due")
        next_number[line] = number + 1
    for line, ((sent, end), kept) in enumerate(zip(ledger, next_number, strict=True)):
        if kept > sent or (kept < sent and end == "closed"):
            found.append(
                f"connection {line}: {kept} kept of {sent} sent, and it was {end or 'left'}"
            )
    return found


def main() -> int:
    """Send, record, compare; 0 when nothing differs and nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rate", type=int, default=5_000, help="frames a second, of all together")
    parser.add_argument("--seconds", type=float, default=7_200.0)
    parser.add_argument("--cuts", type=int, default=100)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    numbers = [str(options.rate), str(options.seconds), str(options.cuts)]
    command = [sys.executable, "-m", "tests.soak.socket_sender", *numbers]
    with (
        tempfile.TemporaryDirectory() as place,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender,
    ):
        assert sender.stdout is not None
        folder = Path(place) / "night"
        report, delays, growth, ledger = asyncio.run(
            recorded(sender.stdout, options.connections, options.seconds, folder)
        )
        differ = differences(folder, ledger)
    for text in differ[:20]:
        print(text)
    intake = report.intake
    print(
        f"{sum(sent for sent, _ in ledger):,} sent on {len(ledger)} connections, "
        f"{sum(end == 'aborted' for _, end in ledger)} of them cut without a word; received "
        f"{intake.received_frames:,} (with answers), kept {intake.kept_frames:,}, lost "
        f"{intake.lost_frames:,}; {len(differ)} differences from the ledger"
    )
    print(
        f"from socket to journal: p50 {delays.percentile_ms(0.5)} ms, p99 "
        f"{delays.percentile_ms(0.99)} ms, p99.9 {delays.percentile_ms(0.999)} ms; {growth.text()}"
    )
    return 1 if differ or intake.lost_frames else 0


if __name__ == "__main__":
    sys.exit(main())
