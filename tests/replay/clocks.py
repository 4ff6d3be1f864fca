"""Clocks that tests move by hand."""

from __future__ import annotations

import asyncio


class SteppingClock:
    """A steady clock that stands still until someone waits, and then is there at once."""

    def __init__(self, start_ns: int = 5_000) -> None:
        self.time_ns = start_ns
        self.slept_ns = 0

    def now_ns(self) -> int:
        return self.time_ns

    def sleep_ns(self, duration_ns: int) -> None:
        assert duration_ns > 0
        self.time_ns += duration_ns
        self.slept_ns += duration_ns

    async def sleep_async_ns(self, duration_ns: int) -> None:
        self.sleep_ns(duration_ns)
        await asyncio.sleep(0)
