"""Replays by the thousand: `python -m tests.soak.replay_seeds --seeds 1000`.

Each seed is a market with every fault. It is played at several speeds (on a steady clock that jumps
to where it is waited for), in processes that differ in hash seed, time zone and locale: one digest
a seed, whatever the speed and wherever it was.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from book.engine import Engine
from replay.market_scenario import ROUGH
from replay.player import Player
from replay.recording import Recording
from replay.virtual_clock import VirtualClock
from tests.book.feed_frames import simulated_frames
from tests.recorder.made_frames import record
from tests.replay.clocks import SteppingClock

FRAMES = 1_500
SURROUNDINGS = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC"},
    {"PYTHONHASHSEED": "4294967295", "TZ": "America/St_Johns", "LC_ALL": "C"},
)
SPEEDS = ("max", "1x", "1000x")


def digests(seeds: range) -> Iterator[list[str]]:
    """Yield the digests of each seed, one a speed."""
    for seed in seeds:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "night"
            record(folder, simulated_frames(FRAMES, seed, ROUGH))
            yield [digest(Recording.open(folder), speed) for speed in SPEEDS]


def digest(recording: Recording, speed: str) -> str:
    """Return the engine's digest after a replay at that speed."""
    engine = Engine()
    for frame in Player(recording, speed, clock=VirtualClock(steady=SteppingClock())):
        engine.apply(frame)
    return engine.state_digest()


def main() -> int:
    """Replay; 0 when every seed has one digest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        for found in digests(range(options.seeds)):
            print(json.dumps(found))
        return 0
    begun_s = time.monotonic()
    command = [sys.executable, "-m", "tests.soak.replay_seeds", "--worker"]
    command += ["--seeds", str(options.seeds)]
    outputs = [
        subprocess.run(
            command, env={**os.environ, **surroundings}, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for surroundings in SURROUNDINGS
    ]
    by_seed = [
        {each for line in lines for each in json.loads(line)}
        for lines in zip(*outputs, strict=True)
    ]
    several = [seed for seed, found in enumerate(by_seed) if len(found) != 1]
    print(
        f"{len(by_seed):,} seeds, {len(SPEEDS) * len(SURROUNDINGS)} replays each: "
        f"{len(several)} with more than one digest{f' ({several[:20]})' if several else ''}; "
        f"{len(set().union(*by_seed)):,} different in all, {time.monotonic() - begun_s:.0f} s"
    )
    return 1 if several or len(by_seed) != options.seeds else 0


if __name__ == "__main__":
    sys.exit(main())
