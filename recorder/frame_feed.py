"""The frames of a running recorder, for `async for`, within a budget.

Theory. The feed is a sink: it takes what is recorded, in order, and keeps it until the consumer
asks. A consumer that falls further behind than the budget loses the feed and not the recording:
what is queued is dropped, and its next step raises `ConsumerTooSlowError`. Nothing is ever left
out silently, and nothing here can slow the recorder down.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from recorder.errors import ConsumerTooSlowError
from recorder.frame_intake import FRAME_COST_BYTES
from venues.frame import Frame

FEED_BYTES_MAX = 64 * 2**20


class FrameFeed:
    """An async iterator over frames as they are recorded; ends when the recorder does."""

    def __init__(self, bytes_max: int = FEED_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._queued: deque[Frame] = deque()
        self._queued_bytes = 0
        self._overflow: ConsumerTooSlowError | None = None
        self._ended = False
        self._news = asyncio.Event()

    def accept(self, frames: Sequence[Frame]) -> None:
        """Take frames that were recorded."""
        if self._overflow is not None:
            return
        self._queued.extend(frames)
        self._queued_bytes += sum(len(frame.payload) + FRAME_COST_BYTES for frame in frames)
        if self._queued_bytes > self._bytes_max:
            self._overflow = ConsumerTooSlowError(self._queued_bytes, self._bytes_max)
            self._queued.clear()
        self._news.set()

    def end(self) -> None:
        """Say that no more frames come; what is queued can still be taken."""
        self._ended = True
        self._news.set()

    def __aiter__(self) -> FrameFeed:
        """Return itself."""
        return self

    async def __anext__(self) -> Frame:
        """Return the next frame.

        Raises:
            ConsumerTooSlowError: frames were dropped because they were not taken in time.
        """
        while not self._queued:
            if self._overflow is not None:
                raise self._overflow
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        frame = self._queued.popleft()
        self._queued_bytes -= len(frame.payload) + FRAME_COST_BYTES
        return frame
