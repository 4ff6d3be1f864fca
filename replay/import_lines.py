"""The lines of a text file, gzipped or plain, one at a time and each of bounded length."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from recorder.journal import FRAME_PAYLOAD_BYTES_MAX
from replay.import_errors import ImportFormatError, ImportSourceError

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 20
_LINE_BYTES_MAX = FRAME_PAYLOAD_BYTES_MAX
RECEIVE_TIME_NS_MIN = 10**18
"""September 2001. What is below counts in other units than nanoseconds since 1970."""
RECEIVE_TIME_NS_MAX = 2**63 - 1
TIME_DIGITS_MAX = 19
"""Longer numbers are no times, and Python refuses to read those of some thousand digits."""


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the number (from 1) and the bytes of each line that is not blank, without its end.

    Raises:
        ImportSourceError: the file cannot be opened, or the gzip stream is broken or cut.
        ImportFormatError: a line is longer than a frame can be.
    """
    number = 0
    try:
        with _opened(path) as file:
            for number, line in enumerate(_lines(file, path), 1):
                text = line.rstrip(b"\r")
                if text:
                    yield number, text
    except EOFError as error:
        remedy = "Import what is whole of it: `zcat FILE > plain`, cut its last line, try again."
        raise ImportSourceError(path, "the gzip stream ends too early", number, remedy) from error
    except (OSError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        remedy = "Check the path and the file."
        raise ImportSourceError(path, f"cannot be read ({reason})", number, remedy) from error


def _lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """Split by chunks, which takes a quarter of the time of reading line by line."""
    number, rest = 0, b""
    while chunk := file.read(_CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        number += len(whole)
        if len(rest) > _LINE_BYTES_MAX:
            expected = f"a line of at most {_LINE_BYTES_MAX:,} bytes"
            raise ImportFormatError(path, number + 1, expected, rest)
    if rest:
        yield rest


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        magic = file.read(len(_GZIP_MAGIC))
    return cast(BinaryIO, gzip.open(path)) if magic == _GZIP_MAGIC else path.open("rb")
