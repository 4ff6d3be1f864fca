"""The thread that writes: batches in, a recording on disk out.

Theory. The event loop must never wait for a disk, so it only ever puts batches into a queue
(`put`), and this thread alone touches the `RecordingWriter` once it runs. Its round: take all that
waits; write it; begin a sync when a second has passed or `SYNC_BYTES` were written; rotate when
due. Writing goes on while the disk syncs, until a second has passed again: then the round waits for
the last sync, so that a power cut never takes more than what was written since a sync began a
second ago.

A disk that fails (full, gone, read-only) does not end anything: the frames that
could not be written stay in memory, in order, and are tried again; meanwhile the intake's budget
fills, and past it the intake counts what it cannot keep. Any other exception is a fault of ours:
the thread ends, says so in `fault`, and the recorder ends with an error, because a recorder that
looks alive and writes nothing is the worst of all.

A stop gives a failing disk `LAST_WORDS_AFTER_S`. Then the room that was put by is given up, and of
what still waits only that it is lost is written (`recorder.unwritten`). So a recording that ends on
a full disk says what is missing at its end, to the frame.

`stored_cost` is written by this thread alone and read by the loop: one integer, so no lock.
"""

from __future__ import annotations

import errno
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from recorder.errors import RecorderError, WriterFailedError
from recorder.folder_size import MEASURE_INTERVAL_S, FolderSize
from recorder.recording_errors import JournalWriteError
from recorder.unwritten import LastWords
from venues.frame import Frame

log = logging.getLogger("tickreel.recorder")

SYNC_INTERVAL_S = 1.0
RETRY_INTERVAL_S = 0.25
SYNC_LOOK_S = 0.05
"""How soon it is seen that a sync has ended, where no frames come."""

SYNC_BYTES = 4 << 20
"""So much payload, and a sync is begun before its second is over, unless one is under way or the
last one failed: what is not synced is in memory twice, and memory that once was needed is seldom
given back."""

UNSYNCED_BYTES_MAX = 64 << 20
"""So much, and writing waits for a sync."""

LAST_WORDS_AFTER_S = 1.0
COMPLAINT_INTERVAL_S = 60.0
"""A failing disk is told of in the log once in so long."""


class RecordingFile(Protocol):
    """What this thread needs of a `recorder.recording.RecordingWriter`."""

    def write(self, frames: Sequence[Frame]) -> None:
        """Write frames in order.

        Raises:
            JournalWriteError: the disk refused; says how many of them are written.
        """

    @property
    def next_frame_number(self) -> int:
        """The number that the next frame written must have."""

    @property
    def unsynced_bytes(self) -> int:
        """Payload in memory until a sync has succeeded."""

    def sync(self) -> None:
        """Make what was written survive a power cut."""

    def begin_sync(self) -> bool:
        """Begin to do so and return whether that is under way; never waits for it."""

    @property
    def sync_ended(self) -> bool:
        """Whether a sync that was begun has ended and was not yet taken note of."""

    def end_sync(self) -> None:
        """Wait for the sync that is under way, if one is."""

    def give_up_reserve(self) -> None:
        """Use all that is left of the disk."""

    def rotate_due(self, now_ns: int) -> bool:
        """Return whether it is time for the next journal."""

    def rotate(self) -> None:
        """Begin the next journal."""

    def sealing_faults(self) -> list[str]:
        """Return what went wrong in sealing."""


class FrameWriter:
    """Writes batches of frames in a thread of its own.

    Attributes:
        stored_cost: the cost of all batches written so far.
        stored_frames: how many frames those were.
        disk_fault: why the disk could not be written at the last try; '' if it could.
        disk_reason: the same, without the path that no recording tells.
        disk_full: whether that is for want of room.
        disk_faults: how many tries have failed.
        size: what segments and journals took on disk a while ago.
        disk_free_bytes: what was left on the disk then, for us; None where that is not known.
        sealing_faults: what went wrong in sealing.
        given_up_frames: frames put that could not be written before the end, each told of in a
            LOST frame; `given_up_bytes` are theirs.
        fault: the exception that ended the thread; None while it lives or after a clean end.
    """

    def __init__(self, recording: RecordingFile, folder: Path) -> None:
        self._recording = recording
        self._folder = folder
        self._queue: queue.SimpleQueue[tuple[list[Frame], int] | None] = queue.SimpleQueue()
        self._unwritten: deque[tuple[list[Frame], int]] = deque()
        self._waiting_since_ns: deque[int] = deque()  # of each batch put and not yet written
        self._thread = threading.Thread(target=self._run, name="tickreel-writer", daemon=True)
        self._ending = False
        self._give_up_at_s = self._last_words_at_s = float("inf")
        self._synced_s = time.monotonic()
        self._measured_s = -MEASURE_INTERVAL_S
        self._syncing = False
        self._sync_works = True
        self._complained_s = -COMPLAINT_INTERVAL_S
        self._complained = False
        self.stored_cost = 0
        self.stored_frames = 0
        self.put_frames = 0
        self.disk_fault = ""
        self.disk_reason = ""
        self.disk_full = False
        self.disk_faults = 0
        self.size = FolderSize(folder)
        self.disk_free_bytes: int | None = None
        self.sealing_faults: list[str] = []
        self.given_up_frames = 0
        self.given_up_bytes = 0
        self.fault: BaseException | None = None

    @property
    def alive(self) -> bool:
        """Whether frames that are put will be written."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, frames: list[Frame], cost: int) -> None:
        """Take a batch. Never blocks."""
        self.put_frames += len(frames)
        self._waiting_since_ns.append(frames[0].monotonic_time_ns or 0)
        self._queue.put((frames, cost))

    def oldest_unwritten_ns(self) -> int | None:
        """Return the steady time of the oldest batch that waits; None if none does."""
        try:
            return self._waiting_since_ns[0]
        except IndexError:
            return None

    def end(self, within_s: float) -> None:
        """Write what waits, sync, and end the thread; to be called off the event loop.

        Raises:
            WriterFailedError: something could not be written, or the thread had died.
        """
        now_s = time.monotonic()
        self._last_words_at_s = now_s + min(LAST_WORDS_AFTER_S, within_s / 2)
        self._give_up_at_s = now_s + within_s
        self._queue.put(None)
        self._thread.join(within_s + RETRY_INTERVAL_S * 2)
        unwritten = self.put_frames - self.stored_frames
        if self.fault is not None or unwritten or self._thread.is_alive():
            raise self.failure()

    def failure(self) -> WriterFailedError:
        """Return the error that tells why this thread cannot write."""
        reason = repr(self.fault) if self.fault is not None else self.disk_fault
        unwritten = self.put_frames - self.stored_frames
        error = WriterFailedError(
            str(self._folder), reason or "the disk does not answer", unwritten
        )
        error.__cause__ = self.fault
        return error

    def _run(self) -> None:
        try:
            while not self._ending or self._unwritten:
                self._take()
                self._write()
                if self._ending and self._unwritten and self._last_words_due():
                    self._write_last_words()
                self._keep_up()
                if self._ending and time.monotonic() >= self._give_up_at_s:
                    break
            self._finish_sync(self._recording.sync)
        except BaseException as fault:
            self.fault = fault
            log.critical("the writer has ended: %r", fault, exc_info=fault)

    def _take(self) -> None:
        """Wait for a batch, no longer than until the next duty, and take all that waits."""
        wait_s = max(0.0, self._synced_s + SYNC_INTERVAL_S - time.monotonic())
        if self._unwritten:
            wait_s = min(wait_s, RETRY_INTERVAL_S)
        if self._syncing:
            wait_s = min(wait_s, SYNC_LOOK_S)
        try:
            batch = self._queue.get(timeout=wait_s)
            while True:
                if batch is None:
                    self._ending = True
                    return
                self._unwritten.append(batch)
                batch = self._queue.get_nowait()
        except queue.Empty:
            return

    def _write(self) -> None:
        while self._unwritten:
            frames, cost = self._unwritten[0]
            try:
                self._recording.write(frames)
            except JournalWriteError as fault:
                self._disk_failed("written", fault)
                self.stored_frames += fault.frames_written
                self._unwritten[0] = frames[fault.frames_written :], cost
                if self._ending:
                    time.sleep(RETRY_INTERVAL_S)
                return
            self._unwritten.popleft()
            self._waiting_since_ns.popleft()
            self.stored_frames += len(frames)
            self.stored_cost += cost
            if self._recording.unsynced_bytes > UNSYNCED_BYTES_MAX:
                self._finish_sync(self._recording.sync)
            self._disk_works()

    def _last_words_due(self) -> bool:
        return time.monotonic() >= self._last_words_at_s

    def _write_last_words(self) -> None:
        """Write, in place of all that waits, that it is lost."""
        self._recording.give_up_reserve()
        waiting = [frame for frames, _ in self._unwritten for frame in frames]
        words = LastWords(waiting, self._recording.next_frame_number, self.disk_reason)
        try:
            self._recording.write(words.frames)
        except JournalWriteError as fault:
            # Some of them may be in, so they cannot be said again: the recording has no good end.
            self._disk_failed("ended", fault)
            self._give_up_at_s = float("-inf")
            return
        self.given_up_frames = words.lost_frames
        self.given_up_bytes = words.lost_bytes
        self.stored_frames += len(waiting)
        self.stored_cost += sum(cost for _, cost in self._unwritten)
        self._unwritten.clear()
        self._waiting_since_ns.clear()
        log.error("%d frames that waited for the disk are lost", words.lost_frames)

    def _disk_works(self) -> None:
        if self.disk_fault:
            self.disk_fault = self.disk_reason = ""
            self.disk_full = False
            if self._complained:
                self._complained = False
                log.warning("the disk can be written again", extra={"event": "disk works"})

    def _keep_up(self) -> None:
        now_s = time.monotonic()
        due = now_s - self._synced_s >= SYNC_INTERVAL_S
        if self._syncing and (due or self._recording.sync_ended):
            self._finish_sync(self._recording.end_sync)
        much = self._recording.unsynced_bytes >= SYNC_BYTES
        if not due and not (much and self._sync_works and not self._syncing):
            return
        self._rotate_or_sync()
        self._synced_s = time.monotonic()
        self.sealing_faults = self._recording.sealing_faults()
        if now_s - self._measured_s >= MEASURE_INTERVAL_S:
            self._measured_s = now_s
            self.disk_free_bytes = free_bytes(self._folder)
            self.size.measure(now_s)

    def _rotate_or_sync(self) -> None:
        what = "synced"
        try:
            if self._recording.rotate_due(time.monotonic_ns()):
                what = "rotated"
                self._recording.rotate()
                log.info("the next journal was begun", extra={"event": "rotation"})
            else:
                self._syncing = self._recording.begin_sync()
        except (OSError, RecorderError) as fault:
            self._sync_works = False
            self._disk_failed(what, fault)

    def _finish_sync(self, finish: Callable[[], None]) -> None:
        self._syncing = self._sync_works = False
        try:
            finish()
        except (OSError, RecorderError) as fault:
            self._disk_failed("synced", fault)
        else:
            self._sync_works = True
            if not self._unwritten:
                self._disk_works()

    def _disk_failed(self, what: str, fault: Exception) -> None:
        self.disk_faults += 1
        self.disk_fault = f"not {what}: {fault}"
        self.disk_full = getattr(fault, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        self.disk_reason = _reason(fault)
        now_s = time.monotonic()
        if now_s - self._complained_s >= COMPLAINT_INTERVAL_S:
            self._complained_s = now_s
            self._complained = True
            log.error(
                "the recording could not be %s: %s; frames wait in memory",
                what,
                fault,
                extra={"event": "disk fault"},
            )


def _reason(fault: Exception) -> str:
    if isinstance(fault, JournalWriteError):
        return fault.reason
    return fault.strerror or "" if isinstance(fault, OSError) else ""


def free_bytes(folder: Path) -> int | None:
    """Return what is left for us on the disk that `folder` is on; None where that is not known."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return None
    return status.f_bavail * status.f_frsize
