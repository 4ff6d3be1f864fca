"""Stderr as an event loop may use it: what is written waits in a queue and goes out in a thread.

Theory. A pipe whose reader has stopped reading takes 64 KiB and then holds up whoever writes; so
does a terminal behind a network that is gone. A reader that is gone makes every write an error. To
a recorder neither may happen: so nothing here blocks, nothing raises, and what nobody takes is
dropped once the queue is full.
"""

from __future__ import annotations

import io
import sys

from cli.json_log import LogSink


class QueuedStderr(io.TextIOBase):
    """Stands in for `sys.stderr`, from `take_place` until `leave`."""

    def __init__(self) -> None:
        self._stderr = sys.stderr
        self._encoding = sys.stderr.encoding or "utf-8"
        self._sink = LogSink(None, self._encoding)

    def take_place(self) -> None:
        """Be what is written to from now on."""
        sys.stderr = self

    def leave(self) -> None:
        """Write what waits, as far as anyone takes it, and give stderr its place back."""
        if sys.stderr is self:
            sys.stderr = self._stderr
            self._sink.end()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stderr whose place this takes."""
        return self._encoding

    @property
    def errors(self) -> str:  # type: ignore[override]
        """What becomes of a character that it does not have."""
        return "backslashreplace"

    def writable(self) -> bool:
        """Return whether it can be written to: always."""
        return True

    def isatty(self) -> bool:
        """Return whether a person may see it."""
        return self._stderr.isatty()

    def fileno(self) -> int:
        """Return the number of the stderr whose place this takes."""
        return self._stderr.fileno()

    def write(self, text: str) -> int:
        """Take a text. Never blocks."""
        if not isinstance(text, str):
            raise TypeError("text is written here, no bytes")
        self._sink.put(text)
        return len(text)
