"""The clock that only goes forward, and how to wait on it; injected, so that tests bring their own.

Why the two short margins: a sleep of the operating system ends late, by some 60 µs where nothing
else runs and by a time slice where much does; and an event loop on epoll rounds its waits up to a
whole millisecond. So a wait ends early by the margin and the rest is spent in steps that cannot
overshoot by more than they last.

No wait is longer than a slice, however much was asked for: whoever waits looks again after each,
and so sees what has been done to the clock meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class SteadyClock(Protocol):
    """Integer nanoseconds that never go back, from an arbitrary zero, and two ways to wait."""

    def now_ns(self) -> int:
        """Return the steady time."""

    def sleep_ns(self, duration_ns: int) -> None:
        """Wait, blocking the thread, for `duration_ns` at most, or hardly more."""

    async def sleep_async_ns(self, duration_ns: int) -> None:
        """Wait, letting other tasks run, for `duration_ns` at most, or hardly more."""


SLICE_NS = 20_000_000
"""The longest single wait, and so the longest time until a pause, a jump or a rate is noticed."""

_SLEEP_MARGIN_NS = 100_000
_LOOP_MARGIN_NS = 1_100_000
_LOOP_STEP_NS = 100_000


class SystemSteadyClock:
    """The machine's own steady clock, which no change of the wall clock moves."""

    def now_ns(self) -> int:
        """Return the steady time."""
        return time.monotonic_ns()

    def sleep_ns(self, duration_ns: int) -> None:
        """Wait, blocking the thread, to a margin before the end, or for a short step."""
        margin_ns = _SLEEP_MARGIN_NS if duration_ns > 2 * _SLEEP_MARGIN_NS else 0
        time.sleep(min(duration_ns - margin_ns, SLICE_NS) / 1e9)

    async def sleep_async_ns(self, duration_ns: int) -> None:
        """Wait, letting other tasks run, to a margin before the end, or for a short step."""
        if duration_ns > _LOOP_MARGIN_NS + _LOOP_STEP_NS:
            await asyncio.sleep(min(duration_ns - _LOOP_MARGIN_NS, SLICE_NS) / 1e9)
        elif duration_ns > _LOOP_STEP_NS:
            await asyncio.sleep(_LOOP_STEP_NS / 1e9)
        else:
            await asyncio.sleep(0)
