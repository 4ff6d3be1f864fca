"""How much a recording takes on disk, counted beside the thread that writes.

Theory. A recording of months has tens of thousands of segments, and to look at all of them takes
half a second and more: the writer must not be away for so long, nor may it cost a good part of a
processor. So a thread of its own looks at them, one at a time, and rests a hundred times as long as
it took.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

from recorder.recording_folder import RecordingFolder

MEASURE_INTERVAL_S = 2.0
REST_TIMES = 100


class FolderSize:
    """What was counted last.

    Attributes:
        segments: how many sealed segments there were.
        disk_bytes: what they and the journals took.
    """

    def __init__(self, folder: Path) -> None:
        self._place = RecordingFolder(folder)
        self._due_s = float("-inf")
        self._thread: threading.Thread | None = None
        self.segments = 0
        self.disk_bytes = 0

    def measure(self, now_s: float) -> None:
        """Begin to count anew if that is due; never waits for it."""
        if now_s < self._due_s or (self._thread is not None and self._thread.is_alive()):
            return
        self._thread = threading.Thread(target=self._count, name="tickreel-size", daemon=True)
        self._thread.start()

    def _count(self) -> None:
        """Count what `tickreel info` counts: what is put by for the end is no part of it."""
        begun_s, place = time.monotonic(), self._place
        with contextlib.suppress(OSError):  # what cannot be counted now stays as it was
            segments = place.segment_paths()
            journals = map(place.journal, place.journal_numbers())
            sizes = map(_size_bytes, [*map(place.path.joinpath, segments), *journals])
            self.segments, self.disk_bytes = len(segments), sum(sizes)
        ended_s = time.monotonic()
        self._due_s = ended_s + max(MEASURE_INTERVAL_S, REST_TIMES * (ended_s - begun_s))


def _size_bytes(path: Path) -> int:
    """Return the size of a file; one that went away meanwhile takes nothing."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
