"""Reads frames in a thread of its own, so that nobody waits for a disk at the time a frame is due.

Theory. A row group of a segment takes some 20 ms to read and unpack, and at 5,000 frames a second
a hundred frames fall due meanwhile. So a reader thread keeps up to `BATCHES_AHEAD` batches ready.
The frames and their order are the source's; an error is raised where it would have come, after the
frames before it. `close` ends the thread, wherever it is; iterating to the end, or leaving the
`with` block, closes.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Iterator
from types import TracebackType

from venues.frame import Frame

BATCH_FRAMES = 512
BATCHES_AHEAD = 16
_POLL_S = 0.001


class _End:
    """What follows the last batch: the end, or the error that ended the reading."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


class ReadAhead:
    """Batches of a source, read ahead of who takes them."""

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames
        self._ready: queue.Queue[list[Frame] | _End] = queue.Queue(BATCHES_AHEAD)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, name="tickreel read-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[list[Frame]]:
        """Yield the batches, blocking the thread while none is ready."""
        while (batch := _batch_in(self._ready.get())) is not None:
            yield batch

    async def __aiter__(self) -> AsyncIterator[list[Frame]]:
        """Yield the batches, letting other tasks run while none is ready."""
        while True:
            while self._ready.empty():  # noqa: ASYNC110 - a thread fills it: no event to await
                await asyncio.sleep(_POLL_S)
            batch = _batch_in(self._ready.get_nowait())
            if batch is None:
                return
            yield batch

    def close(self) -> None:
        """End the reading; returns once the thread is gone."""
        self._closed.set()
        while self._thread.is_alive():
            # The thread may stand before a full queue.
            while not self._ready.empty():
                self._ready.get_nowait()
            self._thread.join(_POLL_S)

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self) -> None:
        end, batch = _End(None), list[Frame]()
        try:
            for frame in self._frames:
                batch.append(frame)
                if len(batch) == BATCH_FRAMES:
                    self._ready.put(batch)
                    batch = []
                    if self._closed.is_set():
                        break
        except Exception as error:  # noqa: BLE001 - raised again where it belongs, by `_batch_in`
            end = _End(error)
        finally:
            close = getattr(self._frames, "close", None)
            if close is not None:
                close()
        if batch:
            self._ready.put(batch)
        self._ready.put(end)


def _batch_in(item: list[Frame] | _End) -> list[Frame] | None:
    if not isinstance(item, _End):
        return item
    if item.error is not None:
        raise item.error
    return None
