"""Disks that fill up and stall, and stops on them: `python -m tests.soak.disk_faults`.

- A tmpfs is filled and freed again and again under a recorder that goes on receiving.
- Syncs stall for 5 s and 30 s: how long did the event loop, which reads the sockets, ever pause?
- SIGTERM and SIGINT, under load and on a stalled disk: how long until the process is gone?

After each: received = kept + lost, exactly, by the recording's own LOST frames.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from functools import partial
from pathlib import Path

from websockets.asyncio.server import ServerConnection

from recorder.disk import Disk
from recorder.recorder import Recorder
from recorder.recorder_settings import RecorderSettings
from recorder.recovery import recover
from recorder.statistics import RecorderReport
from replay.recording import Recording
from tests.recorder.test_full_disk import fill
from tests.recorder.tiny_venue import (
    frames_of,
    tiny_exchange,
    tiny_recorder,
    tiny_stream,
    until,
    with_traits,
)
from venues.frame import FrameKind
from venues.marker import Lost, read_marker

ROOT = Path(__file__).parents[2]
LOOK_S = 0.001
STOPPED_WITHIN_S = 5.0

RECORDS_UNTIL_TOLD = textwrap.dedent(
    """
    import asyncio, signal, sys, threading, time
    from pathlib import Path
    from tests.recorder.tiny_venue import count_up, tiny_exchange, tiny_recorder, tiny_stream
    from tests.soak.disk_faults import SlowDisk

    async def main():
        async with tiny_exchange(count_up) as url:
            recorder = tiny_recorder(Path(sys.argv[1]), tiny_stream(url))
            await recorder.start()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, recorder.stop)
            if sys.argv[2] == "stalled":
                recorder._recording._journal._journal._disk = SlowDisk(600.0)
            print("ready", flush=True)
            await recorder.run()

    asyncio.run(main())
    """
)


class SlowDisk(Disk):
    """Each sync takes so long."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def sync(self, descriptor: int) -> None:
        time.sleep(self.seconds)
        super().sync(descriptor)

    def sync_content(self, descriptor: int) -> None:
        time.sleep(self.seconds)
        super().sync_content(descriptor)


def balance(folder: Path, report: RecorderReport) -> int:
    """Return by how many frames what was received is not what is kept and told as lost."""
    frames = frames_of(folder)
    lost = [read_marker(f, Lost).frames or 0 for f in frames if f.kind is FrameKind.LOST]
    kept = sum(frame.received for frame in frames)
    if len(frames) != frames[-1].frame_number + 1:
        raise SystemExit("frame numbers are missing or doubled")
    return abs(report.intake.received_frames - kept - sum(lost))


async def filled_and_freed(disk: Path, cycles: int) -> tuple[int, float]:
    """Return the balance's error and the longest time to go on after room was made."""
    settings = RecorderSettings(budget_bytes=1_000_000, min_free_bytes=1 << 20)
    longest_s = 0.0
    async with tiny_exchange(slow_talk) as url:
        # What the exchange says has no topic: for minutes on end that would be a mute channel.
        venue = with_traits(stale_limits_s={})
        recorder = Recorder([tiny_stream(url)], disk / "night", settings, venues=lambda _: venue)
        await recorder.start()
        for _ in range(cycles):
            # In a thread: this loop is the exchange's too, which would fall silent meanwhile.
            await asyncio.to_thread(fill, disk, leave=3 << 19)
            await until(lambda: bool(recorder.statistics().disk_fault), 60.0)
            enough = recorder.statistics().intake.lost_frames + 100
            await until(partial(lost_more_than, recorder, enough), 60.0)
            (disk / "ballast").unlink()
            freed_s = time.monotonic()
            await until(lambda: not recorder.statistics().disk_fault, 60.0)
            longest_s = max(longest_s, time.monotonic() - freed_s)
        report = await recorder.stop()
        if recorder.connections[0].connects != 1:
            raise SystemExit(f"the socket was not kept: {recorder.connections[0].last_error}")
    return balance(disk / "night", report), longest_s


def lost_more_than(recorder: Recorder, frames: int) -> bool:
    """Return whether the recorder has lost so many by now."""
    return recorder.statistics().intake.lost_frames > frames


async def slow_talk(connection: ServerConnection) -> None:
    """Send 1 MB/s that does not compress."""
    while True:
        await connection.send(os.urandom(1_000))
        await asyncio.sleep(0.001)


async def stalled(folder: Path, seconds: float) -> tuple[int, float, int]:
    """Return the balance's error, the event loop's longest pause, and how many frames were lost."""
    settings = RecorderSettings(budget_bytes=2_000_000)
    async with tiny_exchange(slow_talk) as url:
        recorder = tiny_recorder(folder, tiny_stream(url), settings=settings)
        await recorder.start()
        await until(lambda: recorder.statistics().frames > 100)
        slow = SlowDisk(seconds)
        recorder._recording._journal._journal._disk = slow
        watch = asyncio.create_task(longest_pause(seconds + 2.0))
        await asyncio.sleep(1.5)
        slow.seconds = 0.0  # the one that is under way takes its time
        pause_s = await watch
        await until(lambda: recorder.statistics().queue_bytes < 100_000, 60.0)
        report = await recorder.stop()
    return balance(folder, report), pause_s, report.lost_frames


async def longest_pause(seconds: float) -> float:
    """Return how late the loop ever was."""
    end_s, longest_s = time.monotonic() + seconds, 0.0
    while (before_s := time.monotonic()) < end_s:
        await asyncio.sleep(LOOK_S)
        longest_s = max(longest_s, time.monotonic() - before_s - LOOK_S)
    return longest_s


def told_to_stop(place: Path, number: signal.Signals, disk: str, wait_s: float) -> float:
    """Return how long a recorder takes to be gone; what it leaves is then checked."""
    process = subprocess.Popen(
        [sys.executable, "-c", RECORDS_UNTIL_TOLD, str(place), disk],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(wait_s)
    process.send_signal(number)
    told_s = time.monotonic()
    code = process.wait()
    process.stdout.close()
    seconds = time.monotonic() - told_s
    if disk == "works" and code != 0:
        raise SystemExit(f"{number.name}: exit code {code}")
    recover(place)
    if list(Recording.open(place).verify()):
        raise SystemExit(f"{number.name}: the recording does not verify")
    return seconds


def all_stops(place: Path, times: int, seed: int) -> float:
    """Return the longest stop."""
    chance, longest_s = random.Random(seed), 0.0
    for number in range(times):
        for disk in ("works", "stalled"):
            signal_number = (signal.SIGTERM, signal.SIGINT)[number % 2]
            folder = place / f"{disk}{number}"
            seconds = told_to_stop(folder, signal_number, disk, chance.uniform(0.1, 2.0))
            longest_s = max(longest_s, seconds)
    return longest_s


def filled(cycles: int) -> tuple[int, float] | None:
    """Fill a tmpfs; None where none can be mounted."""
    with tempfile.TemporaryDirectory() as place:
        mount = ["mount", "-t", "tmpfs", "-o", "size=512m,mode=700", "tmpfs", place]
        if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
            return None
        try:
            return asyncio.run(filled_and_freed(Path(place), cycles))
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


def main() -> int:
    """Run all; 0 when every figure is within its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fills", type=int, default=50)
    parser.add_argument("--stalls", type=int, default=20, help="of 5 s and of 30 s, each so many")
    parser.add_argument("--stops", type=int, default=50, help="works and stalled, each so many")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    wrong = 0
    if arguments.fills and (fills := filled(arguments.fills)) is None:
        print("fills: skipped, a tmpfs cannot be mounted here")
    elif arguments.fills and fills is not None:
        print(f"{arguments.fills} fills: balance off by {fills[0]}, on again in {fills[1]:.2f} s")
        wrong += fills[0] or fills[1] > 1.0
    for seconds in (5.0, 30.0) * arguments.stalls:
        with tempfile.TemporaryDirectory() as place:
            off, pause_s, lost = asyncio.run(stalled(Path(place), seconds))
        print(f"stall of {seconds:.0f} s: balance off by {off}, {lost:,} lost and told of, "
              f"longest pause {pause_s * 1000:.1f} ms")  # fmt: skip
        wrong += off
    if arguments.stops:
        with tempfile.TemporaryDirectory() as place:
            longest_s = all_stops(Path(place), arguments.stops, arguments.seed)
        print(f"{arguments.stops * 2} stops: the longest took {longest_s:.2f} s")
        wrong += longest_s > STOPPED_WITHIN_S
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
