"""The errors of importing other programs' recordings.

    TickreelError                     (venues.errors)
    └── ImportFailedError             every error of an import
        ├── UnknownImportFormatError  a format that is not known
        ├── ImportTargetError         the folder to import into already holds something
        ├── FileGivenTwiceError       a file that would be imported twice
        ├── ImportNotWrittenError     the disk refused a part of the recording
        ├── UnrecognisedImportError   a file that is of no known format
        ├── VenueNotNamedError        files that do not say whose messages they hold
        ├── UnknownAddressError       files that say so by an address that is not known
        ├── DifferentVenuesError      files of several venues
        ├── ImportSourceError         a file that cannot be read
        └── ImportFormatError         a line that is not what the format says

An import that fails leaves no recording behind: nothing that looks whole and is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from venues.errors import TickreelError, nearest

EXCERPT_CHARACTERS = 120


class ImportFailedError(TickreelError):
    """An import that was given up; no recording was made."""


class UnknownImportFormatError(ImportFailedError):
    """A format that tickreel cannot import."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = sorted(known)
        super().__init__(
            f"unknown format {name!r}{nearest(name, self.known)}. "
            f"Known formats: {', '.join(self.known)}."
        )


class ImportTargetError(ImportFailedError):
    """The folder to import into is there and is not empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            f"{folder}: already holds something, and an import never writes into what is there. "
            "Give a folder that does not exist yet."
        )


class FileGivenTwiceError(ImportFailedError):
    """A file is among those to import twice, by one name or two: all in it would be there twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path}: is given twice, and each of its lines would be two frames: give each once."
        )


class ImportNotWrittenError(ImportFailedError):
    """The disk refused a part of the recording; all of it was taken away again."""

    def __init__(self, folder: Path, faults: Sequence[str]) -> None:
        self.folder = folder
        self.faults = tuple(faults)
        super().__init__(
            f"{folder}: nothing was imported, as the disk did not take all of it: "
            f"{'; '.join(faults)} Make room, or look to the disk, and import again."
        )


class ImportSourceError(ImportFailedError):
    """A file that cannot be read, or not to its end. `lines_read` were whole."""

    def __init__(self, path: Path, reason: str, lines_read: int, remedy: str) -> None:
        self.path = path
        self.reason = reason
        self.lines_read = lines_read
        where = f" after line {lines_read:,}" if lines_read else ""
        super().__init__(f"{path}: {reason}{where}. {remedy}")


class ImportFormatError(ImportFailedError):
    """A line that is not what the format says. Lines count from 1."""

    def __init__(self, path: Path, line_number: int, expected: str, line: bytes) -> None:
        self.path = path
        self.line_number = line_number
        self.expected = expected
        text = line[: EXCERPT_CHARACTERS + 1].decode("utf-8", "backslashreplace").rstrip("\r\n")
        self.excerpt = text[:EXCERPT_CHARACTERS]
        super().__init__(
            f"{path}: line {line_number:,} cannot be imported: expected {expected}, "
            f"found {self.excerpt!r}. Nothing was imported; check the format and the file."
        )


class UnrecognisedImportError(ImportFailedError):
    """A file that begins as none of the known formats does."""

    def __init__(self, path: Path, line: bytes) -> None:
        self.path = path
        self.excerpt = line[:EXCERPT_CHARACTERS].decode("utf-8", "backslashreplace")
        begins = f"begins {self.excerpt!r}" if line else "has no lines"
        super().__init__(
            f"{path}: {begins}, so it cannot be told what wrote it. Give --format if you know."
        )


class VenueNotNamedError(ImportFailedError):
    """Files that do not say whose messages they hold."""

    def __init__(self, path: Path, format_name: str) -> None:
        self.path = path
        self.format_name = format_name
        super().__init__(
            f"{path}: this {format_name} file names no address, so it does not say whose messages "
            "it holds. Give --venue; `tickreel venues` lists them."
        )


class UnknownAddressError(ImportFailedError):
    """Files that name an address, which is no known venue's."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(
            f"no venue is known at {url}. Give --venue if its messages are those of one that is "
            "known; `tickreel venues` lists them."
        )


class DifferentVenuesError(ImportFailedError):
    """Files of several venues for one import."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = sorted(names)
        super().__init__(
            f"these files are of several venues: {', '.join(self.names)}. Import each into a "
            "recording of its own; several recordings can be replayed as one."
        )
