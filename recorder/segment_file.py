"""Reading one Parquet segment: row group by row group, checked, in bounded memory.

Theory. A segment is untrusted until it is checked. The footer is believed because its hash is in
the manifest (or, without one, only as far as its own claims stay within the format's limits); the
pages because each has a checksum; the frames because their numbers grow within the bounds that the
row group claims. Reading uses no threads: pyarrow has been seen to end the whole process over a
corrupt file when it does.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recorder.manifest import ManifestEntry
from recorder.recording_errors import NewerFormatError, SegmentFormatError
from recorder.recording_folder import parse_segment_path, stays_inside
from recorder.segment import (
    COLUMNS,
    ROW_GROUP_PAYLOAD_BYTES,
    ROW_GROUP_ROWS,
    SEGMENT_VERSION,
    SegmentFacts,
    arrow_schema,
)
from recorder.zstd_frame import CONTENT_BYTES_MAX
from venues.frame import Frame, FrameKind

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS = 2_048
_MAGIC = b"PAR1"
_TAIL_BYTES = 8
_FOOTER_BYTES_MAX = 64 << 20
ROW_GROUP_BYTES_MAX = max(ROW_GROUP_PAYLOAD_BYTES, CONTENT_BYTES_MAX) + CONTENT_BYTES_MAX // 2
"""What a row group's columns may claim to be, uncompressed: its payload and all around it."""

_KINDS: tuple[FrameKind | None, ...] = (None, *FrameKind)


@dataclass(frozen=True, slots=True)
class RowGroup:
    """One row group, by what the footer says of it."""

    index: int
    first_row: int
    rows: int
    first_frame_number: int
    last_frame_number: int
    min_receive_time_ns: int
    max_receive_time_ns: int


class SegmentFile:
    """An open segment. `row_groups` can be read in any order, each by itself."""

    def __init__(self, path: Path, venue: str, entry: ManifestEntry | None = None) -> None:
        """Open the file and read its footer: with an entry, only one that has the entry's hash.

        Raises:
            FileNotFoundError: it is not there.
            SegmentFormatError: it cannot be a segment of this format.
            NewerFormatError: a later tickreel wrote it.
            OSError: the disk cannot be read.
        """
        self.path = path
        self.venue = venue
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._source = os.fdopen(descriptor, "rb")
        try:
            self._open(entry)
        except BaseException:
            self._source.close()
            raise

    def _open(self, entry: ManifestEntry | None) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.footer = footer = self._footer(entry)
        whole = _MAGIC + footer + len(footer).to_bytes(4, "little") + _MAGIC
        try:
            metadata = pq.read_metadata(pa.BufferReader(whole))
            self._parquet = pq.ParquetFile(
                self._source,
                metadata=metadata,
                page_checksum_verification=True,
                pre_buffer=False,
                buffer_size=1 << 16,
            )
            self._check_schema(metadata)
            self.row_groups = tuple(self._describe(metadata))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SegmentFormatError(self.path, f"unreadable footer ({error})") from error

    def close(self) -> None:
        """Let the file go."""
        self._parquet.close()
        self._source.close()

    def __enter__(self) -> SegmentFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, group: RowGroup) -> Iterator[list[Frame]]:
        """Yield the frames of a row group, some thousand at a time.

        Raises:
            SegmentFormatError: a page's checksum, or what the pages hold, is wrong.
        """
        import pyarrow as pa

        try:
            table = self._parquet.read_row_group(group.index, use_threads=False)
            table.validate(full=False)
            numbers: Any = table.column("frame_number").to_pylist()
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SegmentFormatError(self.path, _reason(error)) from error
        # The headers of pages have no checksum; one that is wrong shows in the count of its column
        # (above) or here. So not one frame is given out before all of the row group is there.
        bounds = (group.rows, group.first_frame_number, group.last_frame_number)
        if not numbers or (len(numbers), numbers[0], numbers[-1]) != bounds:
            raise SegmentFormatError(self.path, "frames that the footer does not speak of")
        if not all(map(int.__lt__, numbers, islice(numbers, 1, None))):
            raise SegmentFormatError(self.path, "frame numbers that do not grow")
        for first in range(0, len(numbers), BATCH_ROWS):
            yield self._frames(table.slice(first, BATCH_ROWS))

    def _frames(self, rows: pa.Table) -> list[Frame]:
        columns: Any = [rows.column(name).to_pylist() for name in COLUMNS]
        number, connection, kind, receive, monotonic, payload = columns
        if not 0 < min(kind) <= max(kind) < len(_KINDS):
            raise SegmentFormatError(self.path, "a frame of no known kind")
        kinds = map(_KINDS.__getitem__, kind)
        venue = repeat(self.venue)
        return list(map(Frame, number, connection, venue, kinds, receive, monotonic, payload))

    def _footer(self, entry: ManifestEntry | None) -> bytes:
        size = os.fstat(self._source.fileno()).st_size
        end = size
        for _ in range(2):
            footer = self._footer_before(end)
            if footer is None:
                # A copy whose length is damaged can still be found by the manifest's word.
                footer = self._bytes_at(end, entry.footer_bytes) if entry else b""
            if entry is None and footer:
                return footer
            if entry is not None:
                if hashlib.sha256(footer).hexdigest() == entry.footer_sha256:
                    return footer
                end = size - entry.footer_bytes - _TAIL_BYTES
        reason = (
            "no Parquet footer at its end"
            if entry is None
            else f"its footer is damaged or cut off ({size:,} of {entry.file_bytes:,} bytes left)"
        )
        raise SegmentFormatError(self.path, reason)

    def _footer_before(self, end: int) -> bytes | None:
        if end < _TAIL_BYTES + len(_MAGIC):
            return None
        self._source.seek(end - _TAIL_BYTES)
        tail = self._source.read(_TAIL_BYTES)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != _MAGIC or length > min(end, _FOOTER_BYTES_MAX):
            return None
        return self._bytes_at(end, length)

    def _bytes_at(self, end: int, length: int) -> bytes:
        begin = end - _TAIL_BYTES - length
        if begin < 0 or length > _FOOTER_BYTES_MAX:
            return b""
        self._source.seek(begin)
        return self._source.read(length)

    def _check_schema(self, metadata: pq.FileMetaData) -> None:
        facts = metadata.metadata or {}
        try:
            version = int(facts[b"tickreel.segment_version"])
        except (KeyError, ValueError):
            raise SegmentFormatError(self.path, "no segment of a recording") from None
        if version > SEGMENT_VERSION:
            raise NewerFormatError(self.path, version, SEGMENT_VERSION)
        if not metadata.schema.to_arrow_schema().equals(arrow_schema()):
            raise SegmentFormatError(self.path, "columns that are not a segment's")
        if facts.get(b"tickreel.venue") != self.venue.encode():
            raise SegmentFormatError(self.path, "a segment of another venue")

    def _describe(self, metadata: pq.FileMetaData) -> Iterator[RowGroup]:
        first_row = 0
        for index in range(metadata.num_row_groups):
            group = metadata.row_group(index)
            columns: Any = [group.column(c) for c in range(len(COLUMNS))]
            claimed = sum(c.total_uncompressed_size for c in columns)
            if group.num_rows > ROW_GROUP_ROWS or claimed > ROW_GROUP_BYTES_MAX:
                raise SegmentFormatError(
                    self.path,
                    f"row group {index} claims {group.num_rows:,} rows and {claimed:,} bytes; a "
                    f"segment has at most {ROW_GROUP_ROWS:,} and {ROW_GROUP_BYTES_MAX:,}",
                )
            if any(c.has_dictionary_page or c.num_values != group.num_rows for c in columns):
                raise SegmentFormatError(self.path, "pages that no segment has")
            numbers, times = columns[0].statistics, columns[3].statistics
            if numbers is None or times is None or not (numbers.has_min_max and times.has_min_max):
                raise SegmentFormatError(self.path, "a row group without statistics")
            yield RowGroup(
                index, first_row, group.num_rows, numbers.min, numbers.max, times.min, times.max
            )
            first_row += group.num_rows


def survey_segment(folder: Path, path: str) -> ManifestEntry:
    """Read a segment whose line in the manifest is lost to its end, and return its entry.

    Raises:
        SegmentFormatError: it cannot be read, or is not what its place says.
        OSError: the disk cannot be read.
    """
    parsed = parse_segment_path(path)
    if parsed is None or not stays_inside(folder, path):
        raise SegmentFormatError(folder / path, "it does not lie where segments lie")
    venue, number = parsed
    facts = SegmentFacts()
    with SegmentFile(folder / path, venue) as file:
        for group in file.row_groups:
            for frames in file.read(group):
                facts.add(frames)
        if facts.first is None:
            raise SegmentFormatError(folder / path, "it has no frames")
        with (folder / path).open("rb") as whole:
            return facts.entry(path, venue=venue, number=number, file=whole, footer=file.footer)


def _reason(error: Exception) -> str:
    text = str(error)
    if "CRC checksum verification failed" in text:
        return "page checksum wrong"
    return text.splitlines()[0] if text else type(error).__name__
