"""The errors of recordings on disk; those of connections are in `recorder.errors`.

RecorderError                     (recorder.errors)
├── FolderInUseError              another recorder writes into the folder
├── NotARecordingError            the folder holds no recording
├── NewerFormatError              the recording was made by a later tickreel
├── DamagedDescriptionError       recording.json cannot be read
├── DamagedManifestError          manifest.jsonl has been altered, cut or lost
├── VenueNameError                a venue's name cannot be part of a path
├── FrameOrderError               frames that do not continue the numbering (our own fault)
├── FrameFieldError               a field beyond what the format holds (our own fault)
├── FrameTooLargeError            a frame above the limit of the format
├── JournalWriteError             the disk refused; says how many frames it took before
│   └── DiskFullError             writing on would leave less free than has to be
├── SegmentFormatError            a Parquet file that is not what the format says
└── SealingError                  a journal could not become segments; the journal is kept

Each holds its facts as attributes; what was written before it is safe wherever its text says so.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from recorder.errors import RecorderError


class FolderInUseError(RecorderError):
    """Another recorder (or a recovery) holds the folder's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            f"{folder}: another tickreel is writing into this folder. "
            "Stop it first, or record into another folder."
        )


class NotARecordingError(RecorderError):
    """The folder is not there, or holds something that is no recording."""

    def __init__(self, folder: Path, reason: str, remedy: str) -> None:
        self.folder = folder
        self.reason = reason
        super().__init__(f"{folder}: {reason}. {remedy}")


class NewerFormatError(RecorderError):
    """The recording was made by a later version than this one can read."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        self.path = path
        self.found = found
        self.known = known
        super().__init__(
            f"{path}: format version {found}; this tickreel reads up to version {known}. "
            "Upgrade tickreel to read it; nothing was changed."
        )


class DamagedDescriptionError(RecorderError):
    """`recording.json` is there and cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"{path}: cannot be read ({reason}). Restore this file from a copy; "
            "the frames are in the folder's other files."
        )


class DamagedManifestError(RecorderError):
    """`manifest.jsonl` has been altered, cut or lost. `line` counts from 1; None for the whole."""

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        self.path = path
        self.line = line
        self.reason = reason
        where = f"line {line}: " if line is not None else ""
        super().__init__(
            f"{path}: {where}{reason}. Restore the file, or run `tickreel recover` "
            "to rebuild it from the segments."
        )


class VenueNameError(RecorderError):
    """A venue's name that cannot be part of a path."""

    def __init__(self, venue: str) -> None:
        self.venue = venue
        super().__init__(
            f"{venue[:80]!r} cannot name a venue in a recording: "
            "1 to 64 characters of a-z, 0-9, '.', '_' and '-' can."
        )


class FrameOrderError(RecorderError):
    """Frames given to the writer do not continue the recording's numbering."""

    def __init__(self, expected: int, found: int) -> None:
        self.expected = expected
        self.found = found
        super().__init__(
            f"frame {found:,} given to the recording where frame {expected:,} comes next. "
            "This is a fault in tickreel; nothing of this batch was written."
        )


class FrameFieldError(RecorderError):
    """A field of a frame is beyond what the format holds."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(
            f"a recording cannot hold {fault}. Nothing of this batch was written; "
            "whatever made these frames is at fault."
        )


class FrameTooLargeError(RecorderError):
    """A frame above the limit of the format."""

    def __init__(self, frame_number: int, payload_bytes: int, limit_bytes: int) -> None:
        self.frame_number = frame_number
        self.payload_bytes = payload_bytes
        self.limit_bytes = limit_bytes
        super().__init__(
            f"frame {frame_number:,} has {payload_bytes:,} bytes; a recording holds frames of up "
            f"to {limit_bytes:,}. Write a LOST frame (cause oversize) in its place."
        )


class JournalWriteError(RecorderError):
    """The disk refused a block. `frames_written` of the batch are safe, in whole blocks.

    `reason` names no path, so that it can be said in a recording.

    The journal has been cut back to its last whole block and can be written to again once there is
    room: give the writer the rest of the batch (or a LOST frame) then.
    """

    def __init__(self, path: Path, error: OSError, frames_written: int, frames_given: int) -> None:
        self.path = path
        self.error = error
        self.errno = error.errno
        self.frames_written = frames_written
        self.frames_given = frames_given
        self.reason = os.strerror(error.errno) if error.errno is not None else str(error)
        super().__init__(
            f"{path}: {self.reason}; {frames_written:,} of {frames_given:,} frames written. "
            "What was written before is whole. Free some space (or move the recording to a disk "
            "that works) and go on."
        )


class DiskFullError(JournalWriteError):
    """There is room, but not more than has to be left free. Nothing of the batch was written."""

    def __init__(self, folder: Path, free_bytes: int, min_free_bytes: int, frames: int) -> None:
        super().__init__(folder, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 0, frames)
        self.free_bytes = free_bytes
        self.min_free_bytes = min_free_bytes
        self.reason = f"{_megabytes(min_free_bytes)} of the disk are left free"
        self.args = (
            f"{folder}: {_megabytes(free_bytes)} are free on this disk, of which a recording "
            f"leaves {_megabytes(min_free_bytes)}. Free some space, or say with min_free_bytes "
            "(--min-free) how much is to be left.",
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


class SegmentFormatError(RecorderError):
    """A Parquet file that is not a segment of this format, or asks for more memory than it may."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}.")


class SealingError(RecorderError):
    """A journal could not become segments. The journal is kept: nothing is lost."""

    def __init__(self, journal: Path, reason: str) -> None:
        self.journal = journal
        self.reason = reason
        super().__init__(
            f"{journal}: could not be sealed ({reason}). The journal is kept and can be replayed; "
            "`tickreel recover` tries again."
        )
