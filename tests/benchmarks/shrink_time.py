"""How long it takes to shrink a recording to what shows a bug.

    python -m tests.benchmarks.shrink_time

The sample with every fault once is shrunk to the frames that show a crossed book. What shows it is
asked of the engine in this process, so that the search is measured, and not the start of a program.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from book.engine import Engine
from book.finding import FindingKind
from replay.recording import Recording
from replay.shrink import shrink
from venues.frame import Frame

ROUGH = Path(__file__).parents[2] / "sample_data" / "rough"


def crossed(frames: Sequence[Frame]) -> bool:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return FindingKind.CROSSED in engine.findings.counts


def main() -> None:
    frames = list(Recording.open(ROUGH))
    begun_s = time.perf_counter()
    shrunk = shrink(frames, crossed)
    seconds = time.perf_counter() - begun_s
    print(
        f"shrink: {len(frames):,} frames to {len(shrunk.frames):,} with {shrunk.tries} runs "
        f"in {seconds:.2f} s"
    )


if __name__ == "__main__":
    main()
