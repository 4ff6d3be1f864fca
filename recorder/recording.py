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

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recorder.description import new_description, read_description, write_description
from recorder.journal import JournalWriter
from recorder.manifest import next_frame_number, read_manifest
from recorder.recording_errors import JournalWriteError, NotARecordingError, SealingError
from recorder.recording_folder import FolderLock, RecordingFolder, make_folder
from recorder.recovery import RecoveryReport, recover_locked
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
        next_frame_number: the number that the next frame written must have.
        next_connection_id: the lowest connection id that the recording does not use yet.
        recovered: what an unclean stop had left and `create` put right; None where nothing was.
    """

    def __init__(
        self,
        folder: RecordingFolder,
        lock: FolderLock,
        rotation: Rotation,
        recovered: RecoveryReport | None,
    ) -> None:
        entries = read_manifest(folder.manifest).entries
        self.folder = folder
        self.recovered = recovered
        self.next_connection_id = max((e.connection_id_max for e in entries), default=0) + 1
        self._lock = lock
        self._rotation = rotation
        self._recording_id = read_description(folder).recording_id
        self._queue = SealingQueue(folder)
        self._rotation_began_ns: int | None = None
        number = max([*folder.used_numbers(), *(e.number for e in entries)], default=0) + 1
        self._journal = self._open_journal(number, next_frame_number(entries, number))

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        asked_for: Mapping[str, object],
        rotation: Rotation = Rotation(),
        clock_source: str = "system",
    ) -> RecordingWriter:
        """Begin a recording, or go on with one: what an unclean stop left is sealed first.

        Raises:
            FolderInUseError: another writer holds it.
            NotARecordingError: the folder holds something else.
            NewerFormatError: a later tickreel made the recording.
            DamagedDescriptionError, DamagedManifestError: the recording has to be repaired first.
            SealingError: what an unclean stop left cannot be sealed (a full disk).
            JournalWriteError, OSError: the disk refused.
        """
        place = RecordingFolder(Path(folder).absolute())
        if place.path.exists() and not place.path.is_dir():
            raise NotARecordingError(place.path, "is a file, not a folder", "Give another name.")
        make_folder(place.path)
        _refuse_other_things(place)
        lock = FolderLock(place.lock)
        try:
            recovered = None
            if place.description.exists():
                read_description(place)
                report = recover_locked(place)
                recovered = report if report.found_anything else None
            else:
                write_description(place, new_description(asked_for, clock_source))
            make_folder(place.journals)
            make_folder(place.frames)
            return cls(place, lock, rotation, recovered)
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
            JournalWriteError: the disk refused; it says how many of the frames are safe.
        """
        self._journal.write(frames)

    def sync(self) -> None:
        """Make what was written survive a power cut.

        Raises:
            OSError: the disk refused.
        """
        self._journal.sync()

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
            JournalWriteError, OSError: the disk refused the next journal, and the last one goes
                on; or it refused to sync the last, which is then sealed as it is.
        """
        last = self._journal
        if last.frames == 0:
            return
        self._journal = self._open_journal(last.number + 1, last.next_frame_number)
        self._rotation_began_ns = None
        self._queue.add(last.number)
        last.close()
        self._queue.advance()

    def sealing_faults(self) -> list[str]:
        """Return what went wrong in sealings that have ended; empty while all is well."""
        self._queue.advance()
        return list(self._queue.faults)

    def close(self) -> ClosingReport:
        """Sync, wait for the sealing, seal the last journal, let the folder go.

        What cannot be sealed stays a journal, and is named in the report's faults.
        """
        try:
            faults = self._close_journal()
            self._queue.wait()
            faults = [*self._queue.faults, *faults]
            for number in self.folder.journal_numbers():
                try:
                    seal(self.folder, number)
                except SealingError as error:
                    faults.append(str(error))
            return self._report(tuple(dict.fromkeys(faults)))
        finally:
            self._lock.release()

    def _close_journal(self) -> list[str]:
        try:
            self._journal.close()
        except (JournalWriteError, OSError) as error:
            return [str(error)]
        return []

    def _open_journal(self, number: int, first_frame_number: int) -> JournalWriter:
        return JournalWriter(
            self.folder.journal(number),
            recording_id=self._recording_id,
            number=number,
            first_frame_number=first_frame_number,
            time_ns=time.time_ns(),
        )

    def _report(self, faults: tuple[str, ...]) -> ClosingReport:
        entries = read_manifest(self.folder.manifest).entries
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
