"""The journal: frames that are not yet in a segment, as checksummed zstd frames (blocks).

Theory. A journal file is blocks, one after the other, and nothing else. The first is the opening
block, then blocks of frames, then (only where the recorder ended the journal in good order) the
closing block. Every block is whole in itself and carries the journal's random tag, so that bytes
that merely look like a block, inside an exchange's payload for instance, are never taken for one.

- A block is written by one write(2) to a file opened for appending. What the call did not take is
  cut off again, so a journal that could not be written to (a full disk) stays one of whole blocks.
- A block is a frame's only carrier: no frame is spread over two.
- Frame numbers grow by one from frame to frame, so what a damaged block held can be counted.

What may not happen: a block after a torn one, a closing block that is not the last, a number that
does not grow. A reader takes none of it on trust: see `journal_reader`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import zstandard

from recorder.disk import REAL_DISK, Disk
from recorder.recording_errors import (
    FrameFieldError,
    FrameOrderError,
    FrameTooLargeError,
    JournalWriteError,
)
from recorder.recording_folder import FILE_MODE, is_venue_name
from recorder.zstd_frame import CONTENT_BYTES_MAX
from venues.frame import Frame

BLOCK_PAYLOAD_BYTES = 256 << 10
"""A block is closed before it holds more payload than this, unless one frame alone is larger."""

FRAME_PAYLOAD_BYTES_MAX = CONTENT_BYTES_MAX - (1 << 10)
"""The largest payload of a frame: its block, with all around it, stays within the format's limit.

1 KiB is what the rest of a block with one frame can need at most: a venue's name of 64 bytes, five
numbers of 9 bytes and the msgpack heads.
"""

BLOCK_FRAMES_MAX = 8_192
"""A block of empty payloads ends here, so that decoding one is bounded too."""

INT32_MAX = (1 << 31) - 1
INT64_MAX = (1 << 63) - 1

JOURNAL_VERSION = 1
COMPRESSION_LEVEL = 1
TAG_BYTES = 8


_GONE = "it is gone: put the folder back that was moved or removed, and the recording goes on"


class OpeningBlock(msgspec.Struct, frozen=True, array_like=True, tag="tickreel journal"):
    """The first block of a journal. `first_frame_number` is the number its first frame will have.

    `opened_time_ns` is the wall clock, ns since 1970. `supersedes` says that the journal before
    could not be synced: from `first_frame_number` on, what it holds is here, and there it does not
    count.
    """

    journal_tag: bytes
    journal_version: int
    recording_id: str
    journal_number: int
    first_frame_number: int
    opened_time_ns: int
    supersedes: bool = False


class FrameBlock(msgspec.Struct, frozen=True, array_like=True, tag="frames"):
    """Frames, in order: one at least."""

    journal_tag: bytes
    frames: Annotated[list[Frame], msgspec.Meta(min_length=1, max_length=BLOCK_FRAMES_MAX)]


class ClosingBlock(msgspec.Struct, frozen=True, array_like=True, tag="closed"):
    """The recorder ended this journal in good order; `next_frame_number` comes after it."""

    journal_tag: bytes
    next_frame_number: int


Block = OpeningBlock | FrameBlock | ClosingBlock


class JournalWriter:
    """Appends blocks to a new journal. `file_bytes` is its length: always whole blocks."""

    def __init__(
        self,
        path: Path,
        *,
        recording_id: str,
        number: int,
        first_frame_number: int,
        time_ns: int,
        supersedes: bool = False,
        disk: Disk = REAL_DISK,
    ) -> None:
        """Begin the journal: its opening block is written and synced, its name too.

        Raises:
            JournalWriteError: the disk refused. The file is then gone again, if the disk allows.
            FileExistsError: there is a journal of this number.
        """
        self._disk = disk
        self.path = path
        self.number = number
        self.frames = 0
        self.payload_bytes = 0
        self.file_bytes = 0
        self.next_frame_number = first_frame_number
        self._torn = False
        self._tag = secrets.token_bytes(TAG_BYTES)
        self._encoder = msgspec.msgpack.Encoder()
        self._compressor = zstandard.ZstdCompressor(
            level=COMPRESSION_LEVEL, write_checksum=True, write_content_size=True
        )
        opening = OpeningBlock(
            self._tag,
            JOURNAL_VERSION,
            recording_id,
            number,
            first_frame_number,
            time_ns,
            supersedes,
        )
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            self._descriptor = disk.open(path, flags, FILE_MODE)
        except FileExistsError:
            raise
        except OSError as error:
            raise JournalWriteError(path, error, 0, 0) from error
        try:
            self._append(opening)
            disk.sync(self._descriptor)
            disk.sync_folder(path.parent)
        except OSError as error:
            self.abandon()
            with contextlib.suppress(OSError):
                disk.remove(path)
            raise JournalWriteError(path, error, 0, 0) from error

    def write(self, frames: Sequence[Frame]) -> None:
        """Append frames that continue the numbering, in blocks; in the kernel's hands on return.

        Raises:
            FrameOrderError: they do not continue it; nothing was written.
            FrameFieldError: a field cannot be in a recording; nothing was written.
            FrameTooLargeError: one cannot be in a recording; nothing was written.
            JournalWriteError: the disk refused; `frames_written` of them are safe.
        """
        self._check(frames)
        written = 0
        for block in blocks_of(frames):
            try:
                self._append(FrameBlock(self._tag, block))
            except OSError as error:
                raise JournalWriteError(self.path, error, written, len(frames)) from error
            written += len(block)
            self.frames += len(block)
            self.next_frame_number += len(block)
            self.payload_bytes += sum([len(frame.payload) for frame in block])

    def sync(self) -> None:
        """Make what was written survive a power cut.

        Raises:
            OSError: the disk refused, or the file is not where it was made; what was written may
                not be there after a power cut.
        """
        self._disk.sync_content(self._descriptor)
        try:
            self.path.lstat()
        except FileNotFoundError as error:
            # A disk takes all that is written into a file that nobody will ever find again.
            raise FileNotFoundError(error.errno, _GONE, str(self.path)) from None

    def close(self) -> None:
        """End the journal in good order: closing block, sync, close.

        Raises:
            JournalWriteError: the disk refused the closing block; all frames written are whole.
            OSError: the disk refused the sync.
        """
        try:
            self._append(ClosingBlock(self._tag, self.next_frame_number))
            self._disk.sync(self._descriptor)
        except OSError as error:
            raise JournalWriteError(self.path, error, 0, 0) from error
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let the file go as it is, without a closing block."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                self._disk.close(descriptor)

    def _check(self, frames: Sequence[Frame]) -> None:
        expected = self.next_frame_number
        for frame in frames:
            if frame.frame_number != expected:
                raise FrameOrderError(expected, frame.frame_number)
            if len(frame.payload) > FRAME_PAYLOAD_BYTES_MAX:
                raise FrameTooLargeError(expected, len(frame.payload), FRAME_PAYLOAD_BYTES_MAX)
            expected += 1
        fault = field_fault(frames)
        if fault:
            raise FrameFieldError(fault)

    def _append(self, block: Block) -> None:
        data = memoryview(self._compressor.compress(self._encoder.encode(block)))
        if self._torn:
            self._disk.truncate(self._descriptor, self.file_bytes)
            self._torn = False
        taken = 0
        try:
            while taken < len(data):
                taken += self._disk.write(self._descriptor, data[taken:])
        except OSError:
            # Part of a block may be in the file. It is cut off, now or before the next block, so
            # that this one follows a whole one.
            self._torn = True
            with contextlib.suppress(OSError):
                self._disk.truncate(self._descriptor, self.file_bytes)
                self._torn = False
            raise
        self.file_bytes += len(data)


def blocks_of(frames: Sequence[Frame]) -> Iterator[list[Frame]]:
    """Cut frames into blocks of at most `BLOCK_PAYLOAD_BYTES`, or of one larger frame."""
    block: list[Frame] = []
    room = BLOCK_PAYLOAD_BYTES
    for frame in frames:
        size = len(frame.payload)
        if block and (size > room or len(block) == BLOCK_FRAMES_MAX):
            yield block
            block, room = [], BLOCK_PAYLOAD_BYTES
        block.append(frame)
        room -= size
    if block:
        yield block


def field_fault(frames: Sequence[Frame]) -> str | None:
    """Return which field of which frame is beyond what the format holds; None where none is.

    Writer and reader both ask this, so that neither can trust the other too far.
    """
    for venue in {frame.venue for frame in frames}:
        if not is_venue_name(venue):
            return f"the venue's name {venue[:80]!r}"
    times_ns = [frame.receive_time_ns for frame in frames]
    times_ns += [f.monotonic_time_ns for f in frames if f.monotonic_time_ns is not None]
    if times_ns and not -INT64_MAX <= min(times_ns) <= max(times_ns) <= INT64_MAX:
        return "a time beyond 64 bits"
    ids = [frame.connection_id for frame in frames]
    if ids and not 0 <= min(ids) <= max(ids) <= INT32_MAX:
        return "a connection id below 0 or beyond 31 bits"
    numbers = [frame.frame_number for frame in frames]
    if numbers and not 0 <= min(numbers) <= max(numbers) < INT64_MAX:
        return "a frame number below 0 or beyond 63 bits"
    return None
