"""Where things lie in a recording's folder, and how they get there safely.

A recording is a folder; `FORMAT.md` is normative. Names that come from outside (a venue, a path in
the manifest) become parts of a path only after they are checked here, and files are opened without
following a symbolic link. A file is put into place whole or not at all: temporary name, sync,
rename, sync of the folder.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from recorder.disk import REAL_DISK, Disk
from recorder.recording_errors import FolderInUseError, VenueNameError

FILE_MODE = 0o600
FOLDER_MODE = 0o700
TEMPORARY_SUFFIX = ".tmp"
DAMAGED_SUFFIX = ".damaged"

_VENUE_NAME = re.compile(r"[a-z0-9._-]{1,64}")
_JOURNAL_NAME = re.compile(r"([0-9]{6,12})\.zst")
_DAMAGED_NAME = re.compile(r"([0-9]{6,12})\.zst\.damaged(\.[0-9]+)?")
_SEGMENT_PATH = re.compile(
    r"frames/venue=([a-z0-9._-]{1,64})/date=([0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9]{6,12})\.parquet"
)


@dataclass(frozen=True, slots=True)
class RecordingFolder:
    """The layout of one recording: names only, nothing is read or written here.

    `disk` is what everything in it is written through.
    """

    path: Path
    disk: Disk = field(default=REAL_DISK, compare=False, repr=False)

    @property
    def description(self) -> Path:
        """`recording.json`."""
        return self.path / "recording.json"

    @property
    def manifest(self) -> Path:
        """`manifest.jsonl`."""
        return self.path / "manifest.jsonl"

    @property
    def journals(self) -> Path:
        """The folder of journals."""
        return self.path / "journal"

    @property
    def frames(self) -> Path:
        """The root of the sealed segments."""
        return self.path / "frames"

    @property
    def lock(self) -> Path:
        """The file whose flock the one writer holds."""
        return self.path / ".lock"

    @property
    def sealing_lock(self) -> Path:
        """The file whose flock is held while a journal becomes segments."""
        return self.path / ".sealing-lock"

    @property
    def reserve(self) -> Path:
        """Room put by for the end of the recording."""
        return self.path / ".reserve"

    def journal(self, number: int) -> Path:
        """Return the path of journal `number`."""
        return self.journals / f"{number:06d}.zst"

    def journal_numbers(self) -> list[int]:
        """Return the numbers of the journals that are there, in order."""
        return sorted(_numbers(self.journals, _JOURNAL_NAME))

    def used_numbers(self) -> set[int]:
        """Return every journal number in use, those of damaged originals kept aside among them."""
        return {*_numbers(self.journals, _JOURNAL_NAME), *_numbers(self.journals, _DAMAGED_NAME)}

    def segment_paths(self) -> list[str]:
        """Return the paths (as the manifest gives them) of the segments that are on disk."""
        found = (p.relative_to(self.path).as_posix() for p in self.frames.glob("*/*/*.parquet"))
        return sorted(path for path in found if _SEGMENT_PATH.fullmatch(path))

    def temporary_files(self) -> Iterator[Path]:
        """Return the files that a writer left half done."""
        yield from self.path.glob(f"*{TEMPORARY_SUFFIX}")
        yield from self.journals.glob(f"*{TEMPORARY_SUFFIX}")
        yield from self.frames.glob(f"*/*/*{TEMPORARY_SUFFIX}")


def _numbers(folder: Path, pattern: re.Pattern[str]) -> Iterator[int]:
    if not folder.is_dir():
        return
    for name in os.listdir(folder):  # noqa: PTH208 - names are all that is needed
        match = pattern.fullmatch(name)
        if match:
            yield int(match[1])


def segment_path(venue: str, receive_time_ns: int, number: int) -> str:
    """Return where a segment lies below the folder: by venue and by the day of its first frame.

    Raises:
        VenueNameError: the name cannot be part of a path.
    """
    check_venue_name(venue)
    date = datetime.fromtimestamp(receive_time_ns // 1_000_000_000, UTC).date()
    return f"frames/venue={venue}/date={date.isoformat()}/{number:06d}.parquet"


def parse_segment_path(path: str) -> tuple[str, int] | None:
    """Return the venue and the number of a segment's path; None where it is no such path."""
    match = _SEGMENT_PATH.fullmatch(path)
    return (match[1], int(match[3])) if match else None


def check_venue_name(venue: str) -> None:
    """Refuse a venue's name that cannot be part of a path.

    Raises:
        VenueNameError: it is not 1 to 64 characters of a-z, 0-9, '.', '_', '-'.
    """
    if not is_venue_name(venue):
        raise VenueNameError(venue)


def is_venue_name(venue: str) -> bool:
    """Return whether a venue's name can be part of a path."""
    return _VENUE_NAME.fullmatch(venue) is not None


def stays_inside(folder: Path, relative: str) -> bool:
    """Return whether `relative` is reached from `folder` without a symbolic link."""
    return os.path.realpath(folder / relative) == os.path.join(os.path.realpath(folder), relative)  # noqa: PTH118


def make_folder(path: Path, disk: Disk = REAL_DISK) -> None:
    """Make a folder (and those above it) that only its owner can enter; synced into its parent."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    for folder in reversed(missing):
        disk.make_folder(folder, FOLDER_MODE)
        disk.sync_folder(folder.parent)


def sync_folder(path: Path, disk: Disk = REAL_DISK) -> None:
    """Make the names in a folder survive a power cut."""
    disk.sync_folder(path)


def write_whole(path: Path, content: bytes, disk: Disk = REAL_DISK) -> None:
    """Put a file into place: whole, synced, replacing what was there."""
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    descriptor = disk.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    try:
        write_all(disk, descriptor, content, 0)
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)
    disk.replace(temporary, path)
    disk.sync_folder(path.parent)


def write_all(disk: Disk, descriptor: int, content: bytes, offset: int) -> None:
    """Write all of it at a place, however many calls that takes."""
    written = 0
    while written < len(content):
        written += disk.write_at(descriptor, content[written:], offset + written)


class FolderLock:
    """An flock on a file: held until `release`, or until the process is gone, however it ends."""

    def __init__(self, path: Path, *, wait: bool = False) -> None:
        """Take the lock.

        Raises:
            FolderInUseError: someone else holds it, and `wait` is False.
        """
        self._descriptor: int | None = os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE
        )
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            self.release()
            raise FolderInUseError(path.parent) from error

    def release(self) -> None:
        """Let the lock go; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def is_locked(path: Path) -> bool:
    """Return whether someone holds the lock of this file. Changes nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
