"""Kills by the hundred: `python -m tests.soak.disk_kills --random 200 --each-step 50`.

A recorder's writer is killed (SIGKILL) at random times while it writes, syncs, rotates and seals:
what was in the kernel's hands before is there, once each. And a sealing is killed right after each
of its steps, again and again.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from recorder.recovery import recover
from replay.recording import Recording
from tests.recorder.made_frames import made_frames
from tests.recorder.test_recording import WRITES_UNTIL_KILLED
from tests.recorder.test_sealing import KILLED_AT, VENUES, leave_a_closed_journal, run
from venues.frame import Frame, FrameKind

ROOT = Path(__file__).parents[2]
STEPS = (
    ("journal synced", 1),
    ("segments written", 1),
    ("segments compared", 1),
    ("segment renamed", 1),
    ("segment listed", 1),
    ("segment renamed", 3),
    ("segment listed", 3),
    ("journal removed", 1),
)


def killed_at_random(place: Path, kills: int, seed: int) -> tuple[int, int]:
    """Return how many kills there were and how many frames were written and are not there."""
    chance, missing, folder = random.Random(seed), 0, place / "night"
    counter = place / "written"
    counter.write_bytes(bytes(8))
    for _ in range(kills):
        before = counter.read_bytes()
        process = subprocess.Popen(
            [sys.executable, "-c", WRITES_UNTIL_KILLED, str(folder), str(counter)], cwd=ROOT
        )
        while counter.read_bytes() == before and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.5))
        process.kill()
        if process.wait() != -signal.SIGKILL:
            raise SystemExit(f"the writer ended by itself with code {process.returncode}")
        written = int.from_bytes(counter.read_bytes(), "little")
        missing += max(0, written - Recording.open(folder).frame_count)
    recover(folder)
    numbers = [frame.frame_number for frame in Recording.open(folder)]
    if numbers != list(range(len(numbers))) or list(Recording.open(folder).verify()):
        raise SystemExit("numbers are missing or doubled after recovery, or it does not verify")
    return kills, missing


def killed_at_each_step(place: Path, times: int, seed: int) -> tuple[int, int]:
    """Return how many kills there were and after how many a frame was missing or doubled."""
    chance, kills, wrong = random.Random(seed), 0, 0
    for step, occurrence in STEPS:
        for number in range(times):
            folder = place / f"{step}{occurrence}-{number}"
            frames = made_frames(chance.randint(30, 600), venues=VENUES, seed=number)
            leave_a_closed_journal(folder, frames)
            killed = run(KILLED_AT, folder, step, occurrence)
            if killed.returncode != -signal.SIGKILL:
                raise SystemExit(f"not killed at {step}: {killed.stderr}")
            kills += 1
            before = all_of(folder)
            recover(folder)
            wrong += not before == all_of(folder) == frames
            wrong += bool(list(Recording.open(folder).verify()))
            shutil.rmtree(folder)
    return kills, wrong


def all_of(folder: Path) -> list[Frame]:
    """Return the frames without what recovery says of itself."""
    return [frame for frame in Recording.open(folder) if frame.kind is not FrameKind.LOST]


def main() -> int:
    """Kill; 0 when nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--random", type=int, default=200)
    parser.add_argument("--each-step", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        begun_s = time.monotonic()
        kills, missing = killed_at_random(Path(place), arguments.random, arguments.seed)
        print(f"{kills} random kills: {missing} written frames missing, 0 unreadable")
        steps, wrong = killed_at_each_step(Path(place), arguments.each_step, arguments.seed)
        print(f"{steps} kills at {len(STEPS)} steps of sealing: {wrong} recordings wrong")
        print(f"seed {arguments.seed}, {time.monotonic() - begun_s:.0f} s")
    return 1 if missing or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
