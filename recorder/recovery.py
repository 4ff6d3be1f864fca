"""Putting right what an unclean stop, or damage, left of a recording.

Never in place: what is readable is sealed anew, originals that had damage are kept aside, and a
recovery that says it is done has read its own result again. A recovery that is itself killed can
be run again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recorder.description import read_description
from recorder.manifest import read_manifest
from recorder.recording_folder import FolderLock, RecordingFolder
from recorder.sealing import SealingReport, seal


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What a recovery found and did.

    Attributes:
        journals: what became of each journal that was left.
        temporary_files: how many half-done files were removed.
        manifest_torn_bytes: bytes of an unfinished last line that were cut off.
    """

    journals: tuple[SealingReport, ...]
    temporary_files: int
    manifest_torn_bytes: int

    @property
    def found_anything(self) -> bool:
        """Whether there was anything to recover."""
        return bool(self.journals or self.temporary_files or self.manifest_torn_bytes)


def recover(folder: str | Path) -> RecoveryReport:
    """Seal what is left, repair the manifest, and verify the result.

    Raises:
        NotARecordingError, NewerFormatError, DamagedDescriptionError: not ours to recover.
        FolderInUseError: a recorder is at work on it: nothing to recover.
        SealingError: a journal cannot be sealed; it is kept.
    """
    place = RecordingFolder(Path(folder).absolute())
    read_description(place)
    with FolderLock(place.lock):
        return recover_locked(place)


def recover_locked(folder: RecordingFolder) -> RecoveryReport:
    """Do what `recover` does for a caller that holds the folder's lock."""
    with FolderLock(folder.sealing_lock, wait=True):
        temporary = list(folder.temporary_files())
        for path in temporary:
            path.unlink()
        torn_bytes = read_manifest(folder.manifest).torn_bytes
    journals: list[SealingReport] = []
    for number in folder.journal_numbers():
        report = seal(folder, number)
        if report is not None:
            journals.append(report)
    return RecoveryReport(tuple(journals), len(temporary), torn_bytes)
