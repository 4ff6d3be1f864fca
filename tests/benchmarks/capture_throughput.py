"""How many frames a second one recorder takes from a sender in another process, over loopback.

    python -m tests.benchmarks.capture_throughput --rate 50000 --seconds 60

prints a line a second (frames/s, lag, queue, resident memory) and then a summary: sent, received,
kept, lost. `--engine` attaches the engine as `tickreel capture` does, in a process of its own;
`--sink MODULE:CALLABLE` attaches whatever the callable returns for the recorder (an object with
`accept`); `--profile` shows where the recorder's own time goes.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import importlib
import json
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cli.engine_messages import EngineStart
from cli.engine_process import EngineProcess
from recorder.frame_intake import FrameSink
from recorder.recorder import Recorder
from recorder.statistics import RecorderReport
from recorder.stream_settings import StreamSettings
from venues.channel import Channel

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_mb() -> float:
    """Return this process's resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * PAGE_BYTES / 1e6


def named_sink(name: str, recorder: Recorder) -> FrameSink:
    """Return what `MODULE:CALLABLE` makes for the recorder."""
    module, _, attribute = name.partition(":")
    sink: FrameSink = getattr(importlib.import_module(module), attribute)(recorder)
    return sink


async def show(recorder: Recorder, seconds: float, beside: EngineProcess | None) -> list[float]:
    """Print a line a second; return the resident memory at each."""
    memory_mb = []
    for second in range(1, int(seconds) + 1):
        await asyncio.sleep(1.0)
        now = recorder.statistics()
        memory_mb.append(resident_mb())
        print(
            f"{second:4d} s  {now.frames_per_s:9,.0f} frames/s  lag {now.lag_s * 1e3:6.1f} ms  "
            f"queue {now.queue_bytes / 1e6:7.2f} MB  lost {now.intake.lost_frames:,}  "
            f"resident {memory_mb[-1]:.0f} MB"
            + (f"  engine behind {beside.backlog_bytes / 1e6:.1f} MB" if beside else ""),
            flush=True,
        )
    return memory_mb


async def engine_beside(recorder: Recorder) -> EngineProcess:
    """Attach the engine in a process of its own."""
    engine = EngineProcess(
        EngineStart(None, None),
        on_snapshot_wanted=recorder.request_snapshot,
        on_warning=lambda warning: print(f"warning: {warning}"),
    )
    await engine.start()
    recorder.add_sink(engine)
    return engine


async def capture(
    port: int, folder: Path, seconds: float, sink: str | None, *, engine: bool
) -> RecorderReport:
    """Record until the sender closes, and print what came of it."""
    stream = StreamSettings(
        venue="reference",
        symbols=("BTCUSDT",),
        channels=(Channel.BOOK,),
        url=f"ws://127.0.0.1:{port}",
    )
    recorder = Recorder([stream], folder)
    if sink is not None:
        recorder.add_sink(named_sink(sink, recorder))
    beside = await engine_beside(recorder) if engine else None
    await recorder.start()
    cpu_s, began_s = time.process_time(), time.perf_counter()
    memory_mb = await show(recorder, seconds, beside)
    life = recorder.connections[0]
    while life.disconnects == 0:  # noqa: ASYNC110 - a benchmark polls once
        await asyncio.sleep(0.02)
    cpu_share = (time.process_time() - cpu_s) / (time.perf_counter() - began_s)
    report = await recorder.stop()
    if beside is not None:
        print(
            f"engine: {beside.backlog_bytes:,} bytes behind at the end; {await beside.finish(30)}"
        )
    half = len(memory_mb) // 2
    print(
        f"cpu {cpu_share:.0%} of a core while capturing; resident after half the time "
        f"{memory_mb[half]:.0f} MB, at the end {memory_mb[-1]:.0f} MB, peak "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB"
    )
    return report


def main() -> None:
    """Run the sender and the recorder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=50_000, help="frames a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--size", type=int, default=300, help="bytes a frame")
    parser.add_argument("--sink", help="MODULE:CALLABLE; called with the recorder")
    parser.add_argument("--engine", action="store_true", help="attach the engine")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    command = [sys.executable, "-m", "tests.benchmarks.blast_server"]
    numbers = [str(options.rate), str(options.seconds), str(options.size)]
    profile = cProfile.Profile() if options.profile else None
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([*command, *numbers], stdout=subprocess.PIPE, text=True) as sender,
    ):
        assert sender.stdout is not None
        port = int(sender.stdout.readline())
        if profile is not None:
            profile.enable()
        recording = Path(folder) / "rec"
        report = asyncio.run(
            capture(port, recording, options.seconds, options.sink, engine=options.engine)
        )
        if profile is not None:
            profile.disable()
        sent = json.loads(sender.stdout.readline())["sent"]
    intake = report.intake
    print(
        f"asked {options.rate:,} frames/s of {options.size} bytes for {options.seconds:g} s: "
        f"sent {sent:,} ({sent / options.seconds:,.0f}/s), received {intake.received_frames:,}, "
        f"kept {intake.kept_frames:,}, lost {intake.lost_frames:,} (one more than sent: the answer "
        f"to the subscription); {report.bytes_on_disk / 1e6:.1f} MB in {report.segments} segments"
    )
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()
