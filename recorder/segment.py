"""Segments: what a Parquet file of frames looks like, and how one is written.

A segment holds the frames of one venue out of one journal, in order. FORMAT.md has the columns
and settings, and why each is as it is. pyarrow is imported where it is used, not with this module:
it takes a quarter of a second, which no command should pay for that reads no segment.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from recorder.disk import REAL_DISK, Disk, DiskFile
from recorder.journal_losses import last_number
from recorder.manifest import ManifestEntry
from recorder.recording_folder import FILE_MODE
from venues.frame import Frame

if TYPE_CHECKING:
    import pyarrow as pa

SEGMENT_VERSION = 1
ROW_GROUP_ROWS = 16_384
ROW_GROUP_PAYLOAD_BYTES = 8 << 20
"""A row group is closed before it holds more payload than this, unless one frame is larger."""

COMPRESSION_LEVEL = 6
PAGE_BYTES = 1 << 20
_FOOTER_TAIL_BYTES = 8

NUMBER_COLUMNS = (
    "frame_number",
    "connection_id",
    "kind",
    "receive_time_ns",
    "monotonic_time_ns",
)
COLUMNS = (*NUMBER_COLUMNS, "payload")


def arrow_schema() -> pa.Schema:
    """Return the columns of a segment."""
    import pyarrow as pa

    fields: Any = [
        pa.field("frame_number", pa.int64(), nullable=False),
        pa.field("connection_id", pa.int32(), nullable=False),
        pa.field("kind", pa.int8(), nullable=False),
        pa.field("receive_time_ns", pa.int64(), nullable=False),
        pa.field("monotonic_time_ns", pa.int64(), nullable=True),
        pa.field("payload", pa.binary(), nullable=False),
    ]
    return pa.schema(fields)


@dataclass(slots=True)
class SegmentFacts:
    """What the manifest will say of a segment's frames, gathered as they go by."""

    frames: int = 0
    payload_bytes: int = 0
    first: Frame | None = None
    last: Frame | None = None
    connection_id_max: int = 0
    min_receive_time_ns: int = 0
    max_receive_time_ns: int = 0

    def add(self, frames: Sequence[Frame]) -> None:
        """Take note of the next frames: one at least."""
        times_ns = [frame.receive_time_ns for frame in frames]
        if self.first is None:
            self.first = frames[0]
            self.min_receive_time_ns = self.max_receive_time_ns = times_ns[0]
        self.last = frames[-1]
        self.frames += len(frames)
        self.payload_bytes += sum([len(frame.payload) for frame in frames])
        self.connection_id_max = max(
            self.connection_id_max, max([frame.connection_id for frame in frames])
        )
        self.min_receive_time_ns = min(self.min_receive_time_ns, *times_ns)
        self.max_receive_time_ns = max(self.max_receive_time_ns, *times_ns)

    def entry(
        self, path: str, *, venue: str, number: int, file: IO[bytes], footer: bytes
    ) -> ManifestEntry:
        """Return the manifest's entry for the whole file, whose frames have all gone by."""
        assert self.first is not None
        assert self.last is not None
        file.seek(0)
        return ManifestEntry(
            path=path,
            venue=venue,
            number=number,
            frames=self.frames,
            first_frame_number=self.first.frame_number,
            last_frame_number=last_number(self.last),
            connection_id_max=self.connection_id_max,
            payload_bytes=self.payload_bytes,
            file_bytes=os.fstat(file.fileno()).st_size,
            first_receive_time_ns=self.first.receive_time_ns,
            last_receive_time_ns=self.last.receive_time_ns,
            min_receive_time_ns=self.min_receive_time_ns,
            max_receive_time_ns=self.max_receive_time_ns,
            footer_bytes=len(footer),
            footer_sha256=hashlib.sha256(footer).hexdigest(),
            sha256=_sha256(file),
        )


def _sha256(file: IO[bytes]) -> str:
    hasher = hashlib.sha256()
    while chunk := file.read(1 << 20):
        hasher.update(chunk)
    return hasher.hexdigest()


class SegmentWriter:
    """Writes the frames of one venue to a new Parquet file, in row groups.

    The caller reads the file back and compares it before trusting it: pyarrow has been seen to
    close a file without a word after the disk was full.
    """

    def __init__(
        self,
        path: Path,
        *,
        venue: str,
        number: int,
        recording_id: str,
        disk: Disk = REAL_DISK,
        compression_level: int = COMPRESSION_LEVEL,
    ) -> None:
        """Begin the file, in place of any half-done one of that name.

        Raises:
            OSError: the disk refused.
        """
        import pyarrow.parquet as pq

        self.path = path
        self.venue = venue
        self.number = number
        self._waiting: list[Frame] = []
        self._waiting_bytes = 0
        self._facts = SegmentFacts()
        self._disk = disk
        with contextlib.suppress(FileNotFoundError):
            disk.remove(path)
        descriptor = disk.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, FILE_MODE)
        self._file = io.BufferedRandom(DiskFile(disk, descriptor))
        metadata = {
            "tickreel.segment_version": str(SEGMENT_VERSION),
            "tickreel.recording_id": recording_id,
            "tickreel.venue": venue,
            "tickreel.number": str(number),
        }
        self._schema = arrow_schema()
        self._writer = pq.ParquetWriter(
            self._file,
            self._schema,
            version="2.6",
            compression="zstd",
            compression_level=compression_level,
            use_dictionary=False,
            column_encoding={
                "frame_number": "DELTA_BINARY_PACKED",
                "connection_id": "DELTA_BINARY_PACKED",
                "kind": "DELTA_BINARY_PACKED",
                "receive_time_ns": "DELTA_BINARY_PACKED",
                "monotonic_time_ns": "DELTA_BINARY_PACKED",
                "payload": "PLAIN",
            },
            data_page_size=PAGE_BYTES,
            write_statistics=list(NUMBER_COLUMNS),
            write_page_index=True,
            write_page_checksum=True,
            store_schema=False,
        )
        self._writer.add_key_value_metadata(metadata)

    def write(self, frames: Sequence[Frame]) -> None:
        """Add frames, all of this venue, in order.

        Raises:
            OSError: the disk refused; the file is lost.
        """
        for frame in frames:
            size = len(frame.payload)
            if self._waiting and self._waiting_bytes + size > ROW_GROUP_PAYLOAD_BYTES:
                self._flush()
            self._waiting.append(frame)
            self._waiting_bytes += size
            if len(self._waiting) == ROW_GROUP_ROWS:
                self._flush()

    def close(self, path: str) -> ManifestEntry:
        """End the file, sync it, and return what the manifest shall say of it, being at `path`.

        The footer is written twice, so that one damaged byte in it costs nothing: a reader of
        Parquet takes the last one, ours can go back to the one before.

        Raises:
            OSError: the disk refused; the file is lost.
        """
        if self._waiting:
            self._flush()
        self._writer.close()
        self._file.seek(-_FOOTER_TAIL_BYTES, os.SEEK_END)
        footer_bytes = int.from_bytes(self._file.read(4), "little")
        self._file.seek(-_FOOTER_TAIL_BYTES - footer_bytes, os.SEEK_END)
        footer = self._file.read()
        self._file.seek(0, os.SEEK_END)
        self._file.write(footer)
        self._file.flush()
        self._disk.sync(self._file.fileno())
        entry = self._facts.entry(
            path,
            venue=self.venue,
            number=self.number,
            file=self._file,
            footer=footer[:-_FOOTER_TAIL_BYTES],
        )
        self._file.close()
        return entry

    def abandon(self) -> None:
        """Remove the unfinished file, whatever state the disk is in."""
        with contextlib.suppress(FileNotFoundError):
            self._disk.remove(self.path)
        # Both may try to write once more to the disk that has just refused.
        with contextlib.suppress(OSError):
            self._writer.close()
        with contextlib.suppress(OSError):
            self._file.close()

    def _flush(self) -> None:
        import pyarrow as pa

        frames = self._waiting
        columns: Any = [
            pa.array([frame.frame_number for frame in frames], pa.int64()),
            pa.array([frame.connection_id for frame in frames], pa.int32()),
            pa.array([frame.kind for frame in frames], pa.int8()),
            pa.array([frame.receive_time_ns for frame in frames], pa.int64()),
            pa.array([frame.monotonic_time_ns for frame in frames], pa.int64()),
            pa.array([frame.payload for frame in frames], pa.binary()),
        ]
        table = pa.Table.from_arrays(columns, schema=self._schema)
        self._writer.write_table(table, row_group_size=len(frames))
        self._facts.add(frames)
        self._waiting = []
        self._waiting_bytes = 0
