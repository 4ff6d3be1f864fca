"""What an agent's handlers return, as JSON lines.

The same frames give the same bytes, live and replayed: times are those of the frames, decimals are
text in their own digits, sets and mappings are written in sorted order.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec

from book.agent import Signal
from cli.errors import CommandError
from recorder.recording_folder import RecordingFolder

_ENCODER = msgspec.json.Encoder(decimal_format="string", order="deterministic")


class SignalFile:
    """Writes signals to a file, or only counts them where there is none."""

    def __init__(self, path: str | None, *, append: bool = False) -> None:
        """Open the file; with `append` after what is in it, else in its place.

        Raises:
            OSError: it cannot be written.
        """
        self._file: BinaryIO | None = None
        self.count = 0
        if path is not None:
            cut = append and _ends_within_a_line(Path(path))
            self._file = Path(path).open("ab" if append else "wb")  # noqa: SIM115
            if cut:
                self._file.write(b"\n")

    def write(self, signal: Signal) -> None:
        """Write one signal.

        Raises:
            TypeError, ValueError, OverflowError, RecursionError: JSON cannot say what it holds.
            OSError: the disk refused.
        """
        if self._file is not None:
            self._file.write(_ENCODER.encode(signal) + b"\n")
        self.count += 1

    def flush(self) -> None:
        """Let others read what has been written so far."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Write out what is left."""
        if self._file is not None:
            self._file.close()

    def give_up(self) -> None:
        """Write no more, not even what is left: the disk has refused."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def __enter__(self) -> SignalFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def refuse_others_signals(path: str, recording: Path) -> None:
    """Refuse a file in which something is, where a capture begins a recording of its own.

    Raises:
        CommandError: it is one. What a pipe or a terminal shows is never written over.
    """
    taken = Path(path).is_file() and Path(path).stat().st_size > 0
    if taken and not RecordingFolder(recording).description.exists():
        raise CommandError(
            f"{path}: is there already, and {recording} is a new recording: these are the signals "
            "of another. Give --signals another name, or move the file away."
        )


def _ends_within_a_line(path: Path) -> bool:
    """Return whether a file's last line was cut off, as by a kill."""
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"
