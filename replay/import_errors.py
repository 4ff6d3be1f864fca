"""The errors of importing other programs' recordings.

    TickreelError                     (venues.errors)
    └── ImportFailedError             every error of an import
        ├── UnknownImportFormatError  a format that is not known
        ├── ImportTargetError         the folder to import into already holds something
        ├── ImportSourceError         a file that cannot be read
        └── ImportFormatError         a line that is not what the format says

An import that fails leaves no recording behind: nothing that looks whole and is not.
"""

from __future__ import annotations

from collections.abc import Iterable
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
