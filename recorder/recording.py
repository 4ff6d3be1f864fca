"""Writing a recording: the one writer of a folder, from its first frame to its closing.

Theory. A writer holds the folder's lock from `create` to `close`. It appends to one journal at a
time. `rotate` begins the next journal and only then closes the last one, so that at any instant at
most the newest journal is unclosed: that, and nothing else, is how an unclean stop is recognised
at the next start. A closed journal is given to a process of its own to be sealed, one after the
other; a sealing that fails leaves its journal, which is as good a recording as the segments.

What may not happen: a frame number given twice, a frame in two places, a recording that begins
again on top of another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recorder.description import new_description, read_description, write_description
from recorder.disk import REAL_DISK, Disk
from recorder.disk_room import DiskRoom
from recorder.durable_journal import DurableJournal
from recorder.errors import RecorderError
from recorder.manifest import next_frame_number, read_manifest
from recorder.recording_errors import JournalWriteError, NotARecordingError, SealingError
from recorder.recording_folder import FolderLock, RecordingFolder, make_folder
from recorder.recovery import RecoveryReport, recover_locked
from recorder.removals import finish_removals, present, read_removals
from recorder.retention import Keep, apply_keeps
from recorder.sealing import seal
from recorder.sealing_process import SealingQueue
from venues.frame import Frame

_OURS_BEFORE_THE_DESCRIPTION = frozenset({".lock", "recording.json.tmp"})


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a journal is closed and sealed: by its payload's size, or after so long.

    A stop seals the last journal before it ends, which takes about 2 s for 64 MiB: a larger one
    would not be done within the 5 s that a service manager may be told to wait.
    """

    bytes_max: int = 64 << 20
    interval_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class ClosingReport:
    """What the recording holds after its writer has closed it.

    `segments`, `frames`, `bytes_on_disk` and `payload_bytes` are of the whole recording, not only
    of what this writer added; `faults` says what could not be sealed and is kept as a journal.
    """

    segments: int
    frames: int
    bytes_on_disk: int
    payload_bytes: int
    faults: tuple[str, ...] = ()


class RecordingWriter:
    """One writer per folder; every method is called from one thread at a time.

    Attributes:
        folder: where everything lies.
        recording_id: 32 hex digits that name it.
        next_connection_id: the lowest connection id that the recording does not use yet.
        journal_closed: set by `close` once the last journal is, and only sealing is left to do.
        recovered: what an unclean stop had left and `create` put right; None where nothing was.
    """

    def __init__(
        self,
        folder: RecordingFolder,
        lock: FolderLock,
        rotation: Rotation,
        recovered: RecoveryReport | None,
        room: DiskRoom,
        queue: SealingQueue,
        keeps: Sequence[Keep],
    ) -> None:
        entries = read_manifest(folder.manifest).entries
        self.folder = folder
        self.recovered = recovered
        self.next_connection_id = max((e.connection_id_max for e in entries), default=0) + 1
        self._lock = lock
        self._rotation = rotation
        self.journal_closed = threading.Event()
        self._room = room
        self._queue = queue
        self._keeps = keeps
        self._rotation_began_ns: int | None = None
        used = [*folder.used_numbers(), *(e.number for e in entries), *read_removals(folder)]
        number = max(used, default=0) + 1
        self.recording_id = read_description(folder).recording_id
        self._journal = DurableJournal(
            folder,
            recording_id=self.recording_id,
            number=number,
            first_frame_number=next_frame_number(entries, number),
            retired=self._journal_retired,
        )
        room.put_by()

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        asked_for: Mapping[str, object],
        rotation: Rotation = Rotation(),
        clock_source: str = "system",
        min_free_bytes: int | None = None,
        keeps: Sequence[Keep] = (),
        disk: Disk = REAL_DISK,
        sealing_queue: Callable[[RecordingFolder, Sequence[Keep]], SealingQueue] = SealingQueue,
    ) -> RecordingWriter:
        """Begin a recording, or go on with one: what an unclean stop left is sealed first.

        `min_free_bytes` of the disk are left free, None for 1 GiB or 2 % of it, whichever is more;
        sealed segments beyond any of the limits `keeps` are removed, oldest first.

        Raises:
            DiskFullError: there is not more free than that.
            FolderInUseError: another writer holds it.
            NotARecordingError: the folder holds something else.
            NewerFormatError: a later tickreel made the recording.
            DamagedDescriptionError, DamagedManifestError: the recording has to be repaired first.
            SealingError: what an unclean stop left cannot be sealed (a full disk).
            JournalWriteError, OSError: the disk refused.
        """
        place = RecordingFolder(Path(folder).absolute(), disk)
        if place.path.exists() and not place.path.is_dir():
            raise NotARecordingError(place.path, "is a file, not a folder", "Give another name.")
        make_folder(place.path, disk)
        _refuse_other_things(place)
        lock = FolderLock(place.lock)
        try:
            recovered = None
            if place.description.exists():
                read_description(place)
                report = recover_locked(place)
                recovered = report if report.found_anything else None
                finish_removals(place)
                apply_keeps(place, keeps)
            else:
                write_description(place, new_description(asked_for, clock_source))
            make_folder(place.journals, disk)
            make_folder(place.frames, disk)
            room = DiskRoom(place, min_free_bytes)
            room.check(0, 0)
            return cls(place, lock, rotation, recovered, room, sealing_queue(place, keeps), keeps)
        except BaseException:
            lock.release()
            raise

    @property
    def next_frame_number(self) -> int:
        """The number that the next frame written must have."""
        return self._journal.next_frame_number

    def write(self, frames: Sequence[Frame]) -> None:
        """Append frames: in the kernel's hands on return, so that a kill loses none of them.

        Raises:
            FrameOrderError, FrameFieldError, FrameTooLargeError: nothing was written.
            DiskFullError: it would leave less free than has to be; nothing was written.
            JournalWriteError: the disk refused; it says how many of the frames are safe.
        """
        self._room.check(len(frames), sum([len(frame.payload) for frame in frames]))
        self._journal.write(frames)

    def sync(self) -> None:
        """Make what was written survive a power cut.

        Raises:
            JournalWriteError, OSError: the disk refused; memory holds what is not synced, for the
                next try.
        """
        self._journal.sync()

    def begin_sync(self) -> bool:
        """Begin to do so and return whether that is under way; never waits for it.

        Raises:
            JournalWriteError, OSError: the disk refused a new file after a sync that failed.
        """
        return self._journal.begin_sync()

    @property
    def sync_ended(self) -> bool:
        """Whether a sync that was begun has ended and was not yet taken note of."""
        return self._journal.sync_ended

    def end_sync(self) -> None:
        """Wait for the sync that is under way, if one is.

        Raises:
            JournalWriteError, OSError: as for `sync`.
        """
        self._journal.end_sync()

    @property
    def unsynced_bytes(self) -> int:
        """Payload in memory until a sync has succeeded."""
        return self._journal.unsynced_bytes

    def give_up_reserve(self) -> None:
        """Use what is left of the disk, and what was put by, for the end of the recording."""
        self._room.give_up_reserve()

    def rotate_due(self, now_ns: int) -> bool:
        """Return whether the journal is full or old enough. `now_ns` is any one clock, always."""
        self._queue.advance()
        if self._journal.frames == 0 or self._rotation_began_ns is None:
            self._rotation_began_ns = now_ns
            return False
        aged_s = (now_ns - self._rotation_began_ns) / 1e9
        return (
            self._journal.payload_bytes >= self._rotation.bytes_max
            or aged_s >= self._rotation.interval_s
        )

    def rotate(self) -> None:
        """Begin the next journal, close the last and have it sealed by a process of its own.

        Never waits for the sealing.

        Raises:
            JournalWriteError, OSError: the disk refused to sync the last journal, or the next one,
                and the last goes on; or it refused the closing of the last, which is complete.
        """
        if self._journal.frames == 0:
            return
        try:
            self._journal.rotate()
        finally:
            self._queue.advance()

    def sealing_faults(self) -> list[str]:
        """Return what went wrong in sealings that have ended; empty while all is well."""
        self._queue.advance()
        return list(self._queue.faults)

    def close(self, *, complete: bool = True) -> ClosingReport:
        """Sync, wait for the sealing, seal the last journal, let the folder go.

        What cannot be sealed stays a journal, and is named in the report's faults. Unless
        `complete`, frames came that could not be written nor told of: the recording then ends as
        after a crash, with a loss of unknown size.
        """
        try:
            self.give_up_reserve()
            faults = self._close_journal(complete=complete)
            self.journal_closed.set()
            self._queue.wait()
            faults = [*self._queue.faults, *faults]
            for number in self.folder.journal_numbers():
                try:
                    seal(self.folder, number)
                except SealingError as error:
                    faults.append(str(error))
            faults += self._remove_what_is_beyond()
            return self._report(tuple(dict.fromkeys(faults)))
        finally:
            self._lock.release()

    def _close_journal(self, *, complete: bool) -> list[str]:
        try:
            if complete:
                self._journal.close()
            else:
                self._journal.sync()
                self._journal.abandon()
        except (JournalWriteError, OSError) as error:
            return [str(error)]
        return []

    def _remove_what_is_beyond(self) -> list[str]:
        try:
            apply_keeps(self.folder, self._keeps)
        except (RecorderError, OSError) as error:
            return [f"nothing was removed to keep the limits: {error}"]
        return []

    def _journal_retired(self, number: int) -> None:
        self._rotation_began_ns = None
        self._queue.add(number)

    def _report(self, faults: tuple[str, ...]) -> ClosingReport:
        entries = present(self.folder, read_manifest(self.folder.manifest).entries)
        return ClosingReport(
            segments=len(entries),
            frames=sum(e.frames for e in entries),
            bytes_on_disk=sum(e.file_bytes for e in entries),
            payload_bytes=sum(e.payload_bytes for e in entries),
            faults=faults,
        )


def _refuse_other_things(folder: RecordingFolder) -> None:
    names = {path.name for path in folder.path.iterdir()}
    if names - _OURS_BEFORE_THE_DESCRIPTION and not folder.description.exists():
        raise NotARecordingError(
            folder.path,
            "is not empty and holds no recording",
            "Give an empty folder, or a name that is not taken: nothing here was touched.",
        )
