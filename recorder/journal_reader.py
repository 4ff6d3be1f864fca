"""Reading a journal that may be cut, altered or hostile.

Theory. The file is walked from its beginning. At each offset there either is a whole, checked
block, or there is not. Where there is not, the next offset is searched at which a whole block of
this journal begins; the bytes between are a damaged range. Where none is found, the rest is the
tail: normal after a crash (`torn`), when it is the beginning of one block that the writer did not
finish.

Whatever was read is checked before it is believed: the zstd checksum, the journal's tag, the types
of every frame, and that the frame numbers grow. What the damaged ranges held is counted by the
numbers around them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from recorder.journal import (
    JOURNAL_VERSION,
    Block,
    ClosingBlock,
    FrameBlock,
    OpeningBlock,
    field_fault,
)
from recorder.recording_errors import NewerFormatError
from recorder.zstd_frame import FRAME_BYTES_MAX, MAGIC, ZstdFrameError, decode, frame_end
from venues.errors import MALFORMED, undecodable_reason
from venues.frame import Frame

_WINDOW_BYTES = 1 << 20
_CUT = "the file ends within a block"
_SEARCH_BYTES_MAX = 1 << 30
"""How much may be decoded in vain while searching on: a bound for hostile files, not for damage."""


@dataclass(frozen=True, slots=True)
class DamagedRange:
    """Bytes of a journal that are no whole block, and which frames they held.

    `first_frame_number` is the number that comes after the frame read before the range; `frames`
    how many numbers are missing: None where no whole block follows to tell.
    """

    from_byte: int
    to_byte: int
    reason: str
    first_frame_number: int
    frames: int | None


@dataclass(slots=True)
class JournalState:
    """What a walk through a journal has found so far; complete once the walk is over.

    Attributes:
        next_frame_number: the number that a next frame would have.
        opening: the opening block; None where it was damaged or never written.
        closed: whether the closing block was found as the last one.
        torn_bytes: bytes of an unfinished block at the end, 0 where there is none.
        damage: the damaged ranges, in order.
        whole_bytes: the offset after the last whole block.
    """

    next_frame_number: int
    opening: OpeningBlock | None = None
    closed: bool = False
    torn_bytes: int = 0
    damage: list[DamagedRange] = field(default_factory=list)
    whole_bytes: int = 0


class JournalReader:
    """Walks one journal from its beginning to the end it had when the walk began.

    A writer may be appending at the same time, and the file may be unlinked while it is read.
    """

    def __init__(
        self,
        path: Path,
        first_frame_number: int,
        following: int | None = None,
        *,
        superseded: bool = False,
    ) -> None:
        """Open the journal, whose first frame follows what the recording has before it.

        `following` is the number of the first frame after the journal, where that is known;
        `superseded` says that whatever this one has from there on, damage too, does not count.

        Raises:
            FileNotFoundError: it is not there (any more: it may just have become segments).
        """
        self.path = path
        self.first_number = first_frame_number
        self._following = following
        self._end_number = following if superseded else None
        self.state = JournalState(first_frame_number)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._decoder = msgspec.msgpack.Decoder(Block)
        status = os.fstat(self._descriptor)
        self.modified_ns = status.st_mtime_ns
        self.file_bytes = status.st_size
        self._tag: bytes | None = None
        self._window = b""
        self._window_offset = 0
        self._searched_bytes = 0

    def close(self) -> None:
        """Let the file go; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def walk(self) -> Iterator[list[Frame] | DamagedRange]:
        """Yield the frames of each whole block, and each damaged range in its place.

        A torn tail is no damaged range: it is in `state.torn_bytes` when the walk is over.

        Raises:
            NewerFormatError: a later tickreel wrote this journal.
        """
        offset = 0
        damaged_from: int | None = None
        reason = ""
        while offset < self.file_bytes and not self._superseded(self.state.next_frame_number):
            try:
                block, size = self._block_at(offset)
            except ZstdFrameError as error:
                if damaged_from is None:
                    damaged_from, reason = offset, str(error)
                offset = self._next_magic(offset + 1)
                continue
            first = _first_number(block)
            if self._superseded(first):
                break
            if damaged_from is not None:
                yield self._damaged(damaged_from, offset, reason, first)
                damaged_from = None
            elif first != self.state.next_frame_number:
                yield self._damaged(offset, offset, "blocks are missing", first)
            offset += size
            self.state.whole_bytes = offset
            if isinstance(block, FrameBlock):
                frames = self._counting(block.frames)
                self.state.next_frame_number = frames[-1].frame_number + 1
                yield frames
            else:
                self._accept_bound(block)
        yield from self._end(damaged_from, reason)

    def first_number_read(self) -> tuple[int | None, bool]:
        """Return the number that the first block says comes first; None where it is not whole.

        And whether it says that this journal supersedes the one before from there on.
        """
        try:
            block, _ = self._block_at(0)
        except ZstdFrameError:
            return None, False
        return _first_number(block), isinstance(block, OpeningBlock) and block.supersedes

    def _superseded(self, number: int) -> bool:
        return self._end_number is not None and number >= self._end_number

    def _counting(self, frames: list[Frame]) -> list[Frame]:
        """Return those frames of a block that count; the first does."""
        end = self._end_number
        if end is None or frames[-1].frame_number < end:
            return frames
        return frames[: end - frames[0].frame_number]

    def _end(self, damaged_from: int | None, reason: str) -> Iterator[DamagedRange]:
        if damaged_from is not None and reason == _CUT:
            self.state.torn_bytes = self.file_bytes - damaged_from
        following = self._following
        if following is not None and following > self.state.next_frame_number:
            from_byte = self.file_bytes if damaged_from is None else damaged_from
            why = reason or "its end is missing"
            yield self._damaged(from_byte, self.file_bytes, why, following)
        elif damaged_from is not None and reason != _CUT:
            yield self._damaged(damaged_from, self.file_bytes, reason, following)

    def _damaged(
        self, from_byte: int, to_byte: int, reason: str, next_number: int | None
    ) -> DamagedRange:
        expected = self.state.next_frame_number
        if next_number is not None and next_number < expected:
            # A next journal that never came to be, brought back by a power cut: it tells nothing.
            next_number = None
        frames = None if next_number is None else next_number - expected
        found = DamagedRange(from_byte, to_byte, reason, expected, frames)
        self.state.damage.append(found)
        if next_number is not None:
            self.state.next_frame_number = next_number
        return found

    def _accept_bound(self, block: OpeningBlock | ClosingBlock) -> None:
        if isinstance(block, OpeningBlock):
            self.state.opening = block
            self.state.next_frame_number = block.first_frame_number
        else:
            self.state.closed = True
            self.state.next_frame_number = block.next_frame_number

    def _block_at(self, offset: int) -> tuple[Block, int]:
        """Return the whole and believable block at `offset`, and its size in the file."""
        size = None
        want = _WINDOW_BYTES
        while True:
            data = self._view(offset, want)
            size = frame_end(data)
            if size is not None:
                break
            if offset + len(data) >= self.file_bytes:
                raise ZstdFrameError(_CUT)
            if want > FRAME_BYTES_MAX:
                raise ZstdFrameError("a block without an end")
            want *= 4
        content = decode(data[:size])
        try:
            block = self._decoder.decode(content)
        except MALFORMED as error:
            self._searched_bytes += len(content)
            reason = undecodable_reason(error)
            raise ZstdFrameError(f"a block of something else ({reason})") from error
        self._check(block)
        return block, size

    def _check(self, block: Block) -> None:
        """Believe a block only if it belongs to this journal and goes on from the last one."""
        state = self.state
        if self._tag is not None and block.journal_tag != self._tag:
            raise ZstdFrameError("a block of another journal")
        if state.closed:
            raise ZstdFrameError("a block after the closing one")
        if isinstance(block, OpeningBlock):
            if block.journal_version > JOURNAL_VERSION:
                raise NewerFormatError(self.path, block.journal_version, JOURNAL_VERSION)
            if self._tag is not None:
                raise ZstdFrameError("a second opening block")
        if isinstance(block, FrameBlock):
            numbers = [frame.frame_number for frame in block.frames]
            if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
                raise ZstdFrameError("a block whose frame numbers do not grow by one")
            fault = field_fault(block.frames)
            if fault:
                raise ZstdFrameError(f"a block with {fault}")
        if _first_number(block) < state.next_frame_number:
            raise ZstdFrameError("a block whose frame numbers are in the past")
        self._tag = block.journal_tag

    def _view(self, offset: int, want: int) -> memoryview:
        """Return the file's bytes from `offset`: at least `want`, or all up to the end."""
        begin = offset - self._window_offset
        if begin < 0 or (len(self._window) - begin < want and not self._window_at_end()):
            self._window = self._read(offset, max(want, _WINDOW_BYTES) + _WINDOW_BYTES)
            self._window_offset = offset
            begin = 0
        return memoryview(self._window)[begin:]

    def _window_at_end(self) -> bool:
        return self._window_offset + len(self._window) >= self.file_bytes

    def _read(self, offset: int, size: int) -> bytes:
        return os.pread(self._descriptor, min(size, self.file_bytes - offset), offset)

    def _next_magic(self, offset: int) -> int:
        """Return the next offset at which a zstd frame may begin; the end where there is none."""
        if self._searched_bytes > _SEARCH_BYTES_MAX:
            return self.file_bytes
        while offset < self.file_bytes:
            view = self._view(offset, len(MAGIC))
            position = self._window.find(MAGIC, offset - self._window_offset)
            if position >= 0:
                return self._window_offset + position
            offset += max(len(view) - len(MAGIC) + 1, 1)
        return self.file_bytes


def _first_number(block: Block) -> int:
    """Return the frame number that a block says comes next at its place."""
    if isinstance(block, FrameBlock):
        return block.frames[0].frame_number
    if isinstance(block, OpeningBlock):
        return block.first_frame_number
    return block.next_frame_number
