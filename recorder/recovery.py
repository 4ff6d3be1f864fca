"""Putting right what an unclean stop, or damage, left of a recording.

Theory. Sealing can be gone on with from wherever it was killed, so most of recovery is: seal every
journal that is left. Around it:

- Files under a temporary name are half done: removed.
- A segment without a line in the manifest is unproved while its journal is there: removed, the
  journal is sealed again. Where the journal has gone, its line must have been there: the manifest
  is damaged.
- An unfinished last line of the manifest is cut off. A manifest damaged otherwise is written anew
  from the lines that can still be believed and, for the rest, from the segments themselves, read to
  their last page. The damaged one is kept aside.

Never in place: what is readable is sealed anew, originals with damage are kept aside. What recovery
has made it reads again before it says that it is done; a recovery that is itself killed can be run
again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from recorder.description import read_description
from recorder.disk import REAL_DISK, Disk
from recorder.manifest import (
    ManifestEntry,
    believable_entries,
    in_order,
    read_manifest,
    rewrite_manifest,
)
from recorder.recording_errors import DamagedManifestError, NewerFormatError, SegmentFormatError
from recorder.recording_folder import (
    DAMAGED_SUFFIX,
    FolderLock,
    RecordingFolder,
    parse_segment_path,
)
from recorder.removals import finish_removals, present
from recorder.sealing import SealingReport, seal


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What a recovery found and did.

    Attributes:
        journals: what became of each journal that was left.
        temporary_files: how many half-done files were removed, unproved segments among them.
        manifest_torn_bytes: bytes of an unfinished last line that were cut off.
        manifest_rebuilt: why the manifest was written anew; '' where it was not.
        problems: what is wrong and could not be put right, a sentence each.
    """

    journals: tuple[SealingReport, ...] = ()
    temporary_files: int = 0
    manifest_torn_bytes: int = 0
    manifest_rebuilt: str = ""
    problems: tuple[str, ...] = ()

    @property
    def found_anything(self) -> bool:
        """Whether there was anything to recover."""
        return self != RecoveryReport()

    @property
    def sentence(self) -> str:
        """What happened, for a person."""
        if not self.found_anything:
            return "Nothing to recover."
        said: list[str] = []
        if self.journals:
            frames = sum(journal.frames for journal in self.journals)
            damaged = sum(len(journal.damage) for journal in self.journals)
            said.append(f"{frames:,} frames of {len(self.journals):,} journals sealed")
            if damaged:
                said.append(f"{damaged:,} damaged places stepped over, the originals kept aside")
        if self.temporary_files:
            said.append(f"{self.temporary_files:,} half-done files removed")
        if self.manifest_torn_bytes:
            said.append("an unfinished line of the manifest cut off")
        if self.manifest_rebuilt:
            said.append(f"the manifest rebuilt ({self.manifest_rebuilt})")
        if self.problems:
            said.append(f"not put right: {'; '.join(self.problems)}")
        text = "; ".join(said)
        return f"{text[0].upper()}{text[1:]}."


def recover(folder: str | Path, disk: Disk = REAL_DISK) -> RecoveryReport:
    """Put a recording right, then check every byte of every segment.

    Raises:
        NotARecordingError, NewerFormatError, DamagedDescriptionError: not ours to recover.
        FolderInUseError: a recorder is at work on it: nothing to recover.
        SealingError: a journal cannot be sealed; it is kept.
        OSError: the disk refused.
    """
    place = RecordingFolder(Path(folder).absolute(), disk)
    read_description(place)
    with FolderLock(place.lock):
        return recover_locked(place, check_all=True)


def recover_locked(folder: RecordingFolder, *, check_all: bool = False) -> RecoveryReport:
    """Do what `recover` does for a caller that holds the folder's lock.

    Without `check_all`, only what this recovery made is checked, not every segment there is.
    """
    with FolderLock(folder.sealing_lock, wait=True):
        removed = _remove_half_done(folder)
        torn_bytes, rebuilt, unlistable = _repair_manifest(folder)
        before = read_manifest(folder.manifest).entries
    journals = [seal(folder, number) for number in folder.journal_numbers()]
    finish_removals(folder)
    entries = read_manifest(folder.manifest).entries
    to_check = present(folder, entries if check_all or rebuilt else entries[len(before) :])
    return RecoveryReport(
        journals=tuple(journal for journal in journals if journal is not None),
        temporary_files=removed,
        manifest_torn_bytes=torn_bytes,
        manifest_rebuilt=rebuilt,
        problems=(*unlistable, *_problems(folder, present(folder, to_check))),
    )


def _remove_half_done(folder: RecordingFolder) -> int:
    half_done = list(folder.temporary_files())
    try:
        listed = {entry.path for entry in read_manifest(folder.manifest).entries}
    except DamagedManifestError:
        # What it listed is not known, so nothing counts as unlisted.
        listed = set(folder.segment_paths())
    journals = folder.journal_numbers()
    for path in folder.segment_paths():
        parsed = parse_segment_path(path)
        if path not in listed and parsed is not None and parsed[1] in journals:
            half_done.append(folder.path / path)
    with contextlib.suppress(FileNotFoundError):
        folder.disk.remove(folder.reserve)  # what a writer puts by for its end
    for file in half_done:
        folder.disk.remove(file)
        folder.disk.sync_folder(file.parent)
    return len(half_done)


def _repair_manifest(folder: RecordingFolder) -> tuple[int, str, list[str]]:
    """Return how many torn bytes were cut off, why it was rebuilt, and what could not be listed."""
    torn_bytes = 0
    try:
        manifest = read_manifest(folder.manifest)
        torn_bytes = manifest.torn_bytes
        if torn_bytes:
            _truncate(folder, manifest.whole_bytes)
        unlisted = set(folder.segment_paths()) - {entry.path for entry in manifest.entries}
        reason = f"it did not list {len(unlisted)} segments" if unlisted else ""
        if not reason and _unproved(folder, manifest.entries):
            reason = "it listed segments that were never put into place"
    except DamagedManifestError as error:
        reason = f"line {error.line}: {error.reason}" if error.line else error.reason
    if not reason:
        return torn_bytes, "", []
    return torn_bytes, reason, _rebuild_manifest(folder)


def _unproved(folder: RecordingFolder, entries: Iterable[ManifestEntry]) -> set[str]:
    """Return the paths of segments that are not what their lines say and have their journal still.

    A line whose sync failed is cut off again, but a power cut can bring it back; and what it names
    may have been removed meanwhile, to be sealed anew.
    """
    journals = folder.journal_numbers()
    left = [entry for entry in entries if entry.number in journals]
    return {entry.path for entry in left if _problem(folder, entry)}


def _truncate(folder: RecordingFolder, size: int) -> None:
    disk = folder.disk
    descriptor = disk.open(folder.manifest, os.O_WRONLY)
    try:
        disk.truncate(descriptor, size)
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)


def _rebuild_manifest(folder: RecordingFolder) -> list[str]:
    """Write the manifest anew; return a sentence for each segment that cannot be in it."""
    from recorder.segment_file import survey_segment

    known = {entry.path: entry for entry in believable_entries(folder.manifest)}
    unproved = _unproved(folder, known.values())
    for path in unproved:
        del known[path]
    problems: list[str] = []
    for path in folder.segment_paths():
        if path in known or path in unproved:
            continue
        try:
            known[path] = survey_segment(folder.path, path)
        except (SegmentFormatError, NewerFormatError, OSError) as error:
            file = folder.path / path
            folder.disk.replace(file, file.with_name(file.name + DAMAGED_SUFFIX))
            folder.disk.sync_folder(file.parent)
            problems.append(f"neither {path} nor its line can be read, kept aside ({error})")
    if folder.manifest.exists():
        _keep_aside(folder)
    rewrite_manifest(folder.manifest, in_order(known.values()), folder.disk)
    return problems


def _keep_aside(folder: RecordingFolder) -> None:
    """Keep the damaged manifest, under a name that is free."""
    path = folder.manifest
    aside = path.with_name(path.name + DAMAGED_SUFFIX)
    count = 0
    while aside.exists():
        count += 1
        aside = path.with_name(f"{path.name}{DAMAGED_SUFFIX}.{count}")
    folder.disk.replace(path, aside)


def _problems(folder: RecordingFolder, entries: Iterable[ManifestEntry]) -> list[str]:
    return [problem for entry in entries if (problem := _problem(folder, entry))]


def _problem(folder: RecordingFolder, entry: ManifestEntry) -> str:
    """Return what is wrong with a segment, as its line in the manifest knows it; '' if nothing."""
    try:
        with (folder.path / entry.path).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return f"{entry.path}: the file is missing, with {entry.frames:,} frames"
    except OSError as error:
        return f"{entry.path}: {error.strerror}"
    return (
        "" if sha256 == entry.sha256 else f"{entry.path}: its bytes are not those that were sealed"
    )
