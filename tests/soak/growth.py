"""What a process holds while a soak goes on: memory, open files, threads, tasks."""

from __future__ import annotations

import asyncio
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.capture_throughput import resident_mb

WARM_UP_SHARE = 0.2
"""Of the looks, those of the beginning, in which buffers and caches fill."""


@dataclass(frozen=True)
class Look:
    """What was held at one moment; `tasks` is 0 where no event loop runs.

    `blocks` are those of Python's allocator that are in use. What is resident has those too that
    are free within arenas of which one block is in use, so it comes near to the most that was ever
    in use at once, and only `blocks` shows a leak for what it is.
    """

    time_s: float
    resident_mb: float
    blocks: int
    files: int
    threads: int
    tasks: int


@dataclass
class Growth:
    """A look now and then."""

    looks: list[Look] = field(default_factory=list)

    def look(self) -> None:
        """Look."""
        files = sum(1 for _ in Path("/proc/self/fd").iterdir())
        try:
            tasks = len(asyncio.all_tasks())
        except RuntimeError:
            tasks = 0
        self.looks.append(
            Look(
                time.monotonic(),
                resident_mb(),
                sys.getallocatedblocks(),
                files,
                threading.active_count(),
                tasks,
            )
        )

    def text(self) -> str:
        """Return what a person wants to know of it."""
        warm = self.looks[int(len(self.looks) * WARM_UP_SHARE) :]
        times_s, sizes_mb = [each.time_s for each in warm], [each.resident_mb for each in warm]
        slope, _ = statistics.linear_regression(times_s, sizes_mb)
        grown_mb = slope * (times_s[-1] - times_s[0])
        return (
            f"resident {min(sizes_mb):.0f} to {max(sizes_mb):.0f} MB, by a straight line "
            f"{grown_mb:+.2f} MB in all, {slope * 3600.0:+.2f} MB/h; "
            f"{_span('blocks in use', [each.blocks for each in warm])}, "
            f"{_span('open files', [each.files for each in warm])}, "
            f"{_span('threads', [each.threads for each in warm])}, "
            f"{_span('tasks', [each.tasks for each in warm])}"
        )


def _span(name: str, counts: list[int]) -> str:
    return f"{name} {min(counts)} to {max(counts)}"
