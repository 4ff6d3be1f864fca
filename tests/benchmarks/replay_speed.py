"""How fast a recording is replayed into the engine, how exactly at 1x, and how small it is.

    python -m tests.benchmarks.replay_speed [--file USDM.gz]

imports the file into a temporary recording and prints a table: frames/s at max without and with the
engine, through a bare prototype, and as an audit (best of 5), resident memory at its highest, the
lateness of frames at 1x at 5,000 frames/s, and the size on disk against gzip -9. Without the real
recordings it says so, and measures a made-up one of the same shape.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import gzip
import itertools
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from book.engine import Engine
from cli.collector import calm_collector
from replay.audit import audit
from replay.frame_source import FrameList
from replay.import_recording import import_recording
from replay.player import Player
from replay.recording import Recording
from tests.benchmarks import bare_prototype
from tests.real_data import REAL_DATA
from venues.frame import Frame

FILE = REAL_DATA / "binance" / "usdm_btcusdt_20240808.gz"
ROUNDS = 5
PACE_FRAMES_S = 5_000
PACE_S = 8
DUE_LIMIT_NS = 2_000_000


def resident_mb() -> float:
    """Return this process's highest resident memory so far, in MB."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / (1e6 if sys.platform == "darwin" else 1e3)


def best_s(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the shortest of several runs: the one that other work disturbed least.

    An engine that is done with is a cycle: the last run's is taken away before the next begins.
    """
    times = []
    for _ in range(rounds):
        gc.collect()
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def best_in_turn_s(
    one: Callable[[], object], other: Callable[[], object], rounds: int = ROUNDS
) -> tuple[float, float]:
    """Return the shortest run of each, run in turn: a machine's speed changes within minutes."""
    times = [(best_s(one, 1), best_s(other, 1)) for _ in range(rounds)]
    return min(first for first, _ in times), min(second for _, second in times)


def drain(recording: Recording) -> None:
    """Play at max into nothing."""
    for _ in Player(recording, "max"):
        pass


def into_engine(recording: Recording) -> Engine:
    """Play at max into an engine."""
    engine = Engine()
    apply = engine.apply
    for frame in Player(recording, "max"):
        apply(frame)
    return engine


def evenly_paced(recording: Recording) -> FrameList:
    """Return the first frames of a recording, given a receive time every 200 µs."""
    frames: Iterator[Frame] = itertools.islice(recording.frames(), PACE_FRAMES_S * PACE_S)
    return FrameList(
        [
            Frame(
                at,
                frame.connection_id,
                frame.venue,
                frame.kind,
                at * 10**9 // PACE_FRAMES_S,
                None,
                frame.payload,
            )
            for at, frame in enumerate(frames)
        ]
    )


def lateness_ns(arrivals: list[tuple[int, int]]) -> list[int]:
    """Return how late each frame came, counted from the first one, in ascending order."""
    begun_ns, first_ns = arrivals[0]
    return sorted(at_ns - begun_ns - (due_ns - first_ns) for at_ns, due_ns in arrivals)


def pace(source: FrameList) -> list[int]:
    """Play at 1x."""
    player = Player(source, "1x")
    return lateness_ns([(time.monotonic_ns(), frame.receive_time_ns) for frame in player])


async def pace_async(source: FrameList) -> list[int]:
    """Play at 1x within an event loop."""
    player = Player(source, "1x")
    return lateness_ns([(time.monotonic_ns(), frame.receive_time_ns) async for frame in player])


def bare_sleeps() -> list[int]:
    """Return how late the machine itself ends sleeps of 1 ms: what no player can do better than."""
    late_ns = []
    due_ns = time.monotonic_ns()
    for _ in range(PACE_S * 250):
        due_ns = max(due_ns + 1_000_000, time.monotonic_ns() + 100_000)
        time.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)
        late_ns.append(time.monotonic_ns() - due_ns)
    return sorted(late_ns)


def row(name: str, value: str, wanted: str = "") -> None:
    """Print a line of the table."""
    print(f"{name:<44} {value:>30}   {wanted}", flush=True)


def pace_row(name: str, late_ns: list[int], wanted: str = "") -> None:
    """Print a line about lateness."""
    share = sum(late < DUE_LIMIT_NS for late in late_ns) / len(late_ns)
    p99_ms = late_ns[len(late_ns) * 99 // 100] / 1e6
    row(name, f"{share:.2%} within 2 ms, p99 {p99_ms:.2f} ms", wanted)


def made_up(folder: Path) -> Path:
    """Write a file of the real one's shape, for a machine that has not got the real one."""
    path = folder / "made-up"
    bids, time_ns, state = [["100.00", "1"]], 1_723_161_255 * 10**9, 1
    with path.open("w") as file:
        snapshot = {"lastUpdateId": 1, "E": 1, "T": 1, "bids": bids, "asks": [["101.00", "1"]]}
        for number in range(90_000):
            time_ns += 3_600_000
            if number == 1:
                file.write(f"{time_ns} {json.dumps(snapshot)}\n")
                continue
            name, data = "depth@0ms", {"e": "depthUpdate", "E": 1, "T": 1, "s": "BTCUSDT"}
            rows = [[f"{99 - (number * 7 + at) % 90}.{at:02d}", f"{number % 9}"] for at in range(5)]
            step = {"U": state, "u": state + 1, "pu": state, "b": rows, "a": []}
            state += 1
            message = {"stream": f"btcusdt@{name}", "data": data | step}
            file.write(f"{time_ns} {json.dumps(message, separators=(',', ':'))}\n")
    return path


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--file", type=Path, default=FILE, help="hftbacktest lines of USD-M")
    path: Path = options.parse_args().file
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not path.exists():
            print(f"{path} is not there; measuring a made-up recording instead")
            path = made_up(folder)
        begun = time.perf_counter()
        report = import_recording([path], "hftbacktest", "binance-usdm", folder / "recording")
        import_s = time.perf_counter() - begun
        measure(Recording.open(report.folder), path, import_s)


def measure(recording: Recording, path: Path, import_s: float) -> None:
    """Print the table of one recording."""
    frames = recording.frame_count
    row(f"frames ({path.name})", f"{frames:,}")
    row("import, sealed", f"{frames / import_s:,.0f} lines/s")
    row("replay at max, no engine", f"{frames / best_s(lambda: drain(recording)):,.0f} frames/s")
    calm_collector()
    into_s, bare_s = best_in_turn_s(
        lambda: into_engine(recording), lambda: bare_prototype.play(Player(recording, "max"))
    )
    row("replay at max into the engine", f"{frames / into_s:,.0f} frames/s", "at least 150,000")
    row("the same into a bare prototype", f"{frames / bare_s:,.0f} frames/s")
    row("engine against bare prototype", f"{bare_s / into_s:.2f} x", "at least 0.62")
    audit_s = best_s(lambda: audit(recording), rounds=2)
    row("audit", f"{frames / audit_s:,.0f} frames/s")
    row("resident memory, highest", f"{resident_mb():,.0f} MB", "below 300 MB")
    source = evenly_paced(recording)
    gc.collect()
    pace_row("sleeps of 1 ms, the machine alone", bare_sleeps())
    pace_row(f"1x at {PACE_FRAMES_S:,} frames/s", pace(source), "at least 99 %")
    pace_row(f"1x at {PACE_FRAMES_S:,} frames/s, async", asyncio.run(pace_async(source)), "99 %")
    lines = path.read_bytes()
    plain = gzip.decompress(lines) if lines[:2] == b"\x1f\x8b" else lines
    packed = len(gzip.compress(plain, compresslevel=9))
    on_disk = recording.bytes_on_disk
    row("size on disk", f"{on_disk:,} B ({on_disk / frames:.1f} B a frame)")
    row("against gzip -9 of the lines", f"{on_disk / packed:.3f} x", "at most 1.1 x")
    row("state digest", into_engine(recording).state_digest()[:16])


if __name__ == "__main__":
    main()
