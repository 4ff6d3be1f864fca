"""One sync of a journal's content, in a thread of its own, so that writing can go on meanwhile.

What was appended after it began may be covered or not: only what was there before counts.
"""

from __future__ import annotations

import threading

from recorder.journal import JournalWriter


class JournalSync:
    """A sync that has begun; `frames` and `payload_bytes` are what it covers that was unsynced."""

    def __init__(self, journal: JournalWriter, frames: int, payload_bytes: int) -> None:
        self.frames = frames
        self.payload_bytes = payload_bytes
        self._journal = journal
        self._succeeded = False
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="tickreel-sync", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether `join` would return at once."""
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait for its end, whatever it is."""
        self._thread.join()

    def wait(self) -> None:
        """Wait for its end, which has to be good.

        Raises:
            OSError: the disk refused; the file is not to be trusted any more.
            RuntimeError: the thread has died of a fault of ours.
        """
        self.join()
        if self._error is not None:
            raise self._error
        if not self._succeeded:
            raise RuntimeError("the thread that syncs has died")

    def _run(self) -> None:
        try:
            self._journal.sync()
            self._succeeded = True
        except OSError as error:
            self._error = error
