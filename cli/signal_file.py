"""What an agent's handlers return, as JSON lines.

The same frames give the same bytes, live and replayed: times are those of the frames, decimals are
text in their own digits, sets and mappings are written in sorted order.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import msgspec

from book.agent import Signal

_ENCODER = msgspec.json.Encoder(decimal_format="string", order="deterministic")


class SignalFile:
    """Writes signals to a file, or only counts them where there is none."""

    def __init__(self, path: str | None) -> None:
        self._file = None if path is None else Path(path).open("wb")  # noqa: SIM115
        self.count = 0

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

    def __enter__(self) -> SignalFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
