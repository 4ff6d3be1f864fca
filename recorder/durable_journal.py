"""One journal after another, none of which is trusted after the disk has failed to sync it.

Theory. When fsync fails, the kernel may have thrown away what it could not write and call the file
clean: a second fsync then succeeds and means nothing. So whatever is written stays in memory until
a sync has succeeded, and after one that failed the file is never written to nor synced again. A new
journal begins, with the first frame that the last successful sync did not cover, and those frames
are written again. The last file may hold some of them too: the opening block of the new one says
that it supersedes them, and readers go by that (FORMAT.md, section 3).

    current ──sync fails──> distrusted ──new file──> current, with all that is unsynced in it

A sync may be under way while frames are written on (`begin_sync`, `end_sync`): it covers those that
were there when it began. There is one at a time, and none when the journal is changed or let go.

While no new file can be begun, nothing is taken: the frames wait with whoever gives them. So what
is kept here is bounded by what was written since the last sync: `unsynced_bytes`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from recorder.journal import JournalWriter
from recorder.journal_sync import JournalSync
from recorder.recording_errors import JournalWriteError
from recorder.recording_folder import RecordingFolder
from venues.frame import Frame

log = logging.getLogger("tickreel.recorder")

_TRIES = 2
"""A sync that fails is tried once more, in a new file, before it is an error."""


class DurableJournal:
    """Where frames are appended; `retired` is told the number of each journal that is over.

    Attributes:
        unsynced_bytes: payload that a power cut could still take, and that memory holds.
    """

    def __init__(
        self,
        folder: RecordingFolder,
        *,
        recording_id: str,
        number: int,
        first_frame_number: int,
        retired: Callable[[int], None],
    ) -> None:
        """Begin the first journal.

        Raises:
            JournalWriteError, OSError: the disk refused.
        """
        self._folder = folder
        self._recording_id = recording_id
        self._retired = retired
        self._unsynced: list[Frame] = []
        self._unsynced_number = first_frame_number  # of the first of them, or of the next frame
        self._distrusted = False
        self._sync: JournalSync | None = None
        self.unsynced_bytes = 0
        self._journal = self._open(number, first_frame_number)

    @property
    def next_frame_number(self) -> int:
        """The number that the next frame has to have."""
        return self._unsynced_number + len(self._unsynced)

    @property
    def number(self) -> int:
        """The number of the current journal."""
        return self._journal.number

    @property
    def path(self) -> Path:
        """The file of the current journal."""
        return self._journal.path

    @property
    def frames(self) -> int:
        """How many frames the current journal holds."""
        return self._journal.frames

    @property
    def payload_bytes(self) -> int:
        """The payload that the current journal holds."""
        return self._journal.payload_bytes

    def write(self, frames: Sequence[Frame]) -> None:
        """Append frames; in the kernel's hands on return, so that a kill loses none of them.

        Raises:
            FrameOrderError, FrameFieldError, FrameTooLargeError: nothing was written.
            JournalWriteError: the disk refused; it says how many of the frames are written.
        """
        try:
            self._catch_up()
        except JournalWriteError as fault:
            # What it counts are the frames of before.
            raise JournalWriteError(fault.path, fault.error, 0, len(frames)) from fault
        before = self._journal.next_frame_number
        try:
            self._journal.write(frames)
        finally:
            taken = frames[: self._journal.next_frame_number - before]
            self._unsynced.extend(taken)
            self.unsynced_bytes += sum([len(frame.payload) for frame in taken])

    def begin_sync(self) -> bool:
        """Begin to make what was written survive a power cut, unless that is under way.

        Never waits for it; `end_sync` does. Returns whether there is something to wait for.

        Raises:
            JournalWriteError, OSError: no new file could be begun in place of a distrusted one.
        """
        if self._sync is None and self._unsynced:
            self._catch_up()
            self._sync = JournalSync(self._journal, len(self._unsynced), self.unsynced_bytes)
        return self._sync is not None

    @property
    def sync_ended(self) -> bool:
        """Whether `end_sync` has something to take note of, and would not wait."""
        return self._sync is not None and self._sync.ended

    def end_sync(self) -> None:
        """Wait for the sync that is under way, if one is; what failed is done in another file.

        Raises:
            JournalWriteError, OSError: the disk refused both; memory still holds the frames.
        """
        for left in reversed(range(_TRIES)):
            if self._sync is None:
                return
            sync, self._sync = self._sync, None
            try:
                sync.wait()
            except OSError as error:
                self._distrusted = True
                log.warning(
                    "%s cannot be synced (%s): %d frames are written again, into a new journal",
                    self._journal.path,
                    error.strerror,
                    len(self._unsynced),
                )
                if not left:
                    raise
                self.begin_sync()
            else:
                self._note_synced(sync)

    def sync(self) -> None:
        """Make all that was written survive a power cut: in this file or, if that fails, another.

        Raises:
            JournalWriteError, OSError: the disk refused both; memory still holds the frames.
        """
        self.end_sync()
        self.begin_sync()
        self.end_sync()

    def rotate(self) -> None:
        """Begin the next journal and close the last, which is synced before and then retired.

        Raises:
            JournalWriteError, OSError: the disk refused to sync the last journal, or the next one,
                and the last goes on; or it refused the closing of the last, which is complete.
        """
        last = self._journal
        self.sync()
        if self._journal is not last:
            return  # the sync has done it, in its way
        self._journal = self._open(last.number + 1, self.next_frame_number)
        self._retired(last.number)
        last.close()

    def close(self) -> None:
        """Sync and end the current journal in good order.

        Raises:
            JournalWriteError, OSError: the disk refused; what it had taken is there, without an
                end.
        """
        try:
            self.sync()
            self._journal.close()
        finally:
            self._journal.abandon()

    def abandon(self) -> None:
        """Let the current journal go as it is, without an end."""
        if self._sync is not None:
            self._sync.join()
        self._journal.abandon()

    def _catch_up(self) -> None:
        """See to it that the current file can be trusted and holds all that is unsynced."""
        if self._distrusted:
            last = self._journal
            self._journal = self._open(last.number + 1, self._unsynced_number, supersedes=True)
            self._distrusted = False
            last.abandon()
            self._retired(last.number)
        missing = self._unsynced[self._journal.next_frame_number - self._unsynced_number :]
        if missing:
            self._journal.write(missing)

    def _note_synced(self, sync: JournalSync) -> None:
        self.unsynced_bytes -= sync.payload_bytes
        self._unsynced_number += sync.frames
        del self._unsynced[: sync.frames]

    def _open(
        self, number: int, first_frame_number: int, *, supersedes: bool = False
    ) -> JournalWriter:
        while True:
            try:
                return JournalWriter(
                    self._folder.journal(number),
                    recording_id=self._recording_id,
                    number=number,
                    first_frame_number=first_frame_number,
                    time_ns=time.time_ns(),
                    supersedes=supersedes,
                    disk=self._folder.disk,
                )
            except FileExistsError:
                # What a beginning left that failed on a disk which then did not even unlink it.
                number += 1
