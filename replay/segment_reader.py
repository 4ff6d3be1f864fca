"""The frames of one sealed segment, and what stands in for those that cannot be read.

Row groups outside the wanted time are skipped unread, by the footer's word, whose hash is in the
manifest. What cannot be read is one row group, or the whole segment where the file is missing or
its footer is gone: an error that names file, rows and frames, or a LOST frame with their exact
count, in their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recorder.manifest import ManifestEntry
from recorder.recording_errors import SegmentFormatError
from recorder.recording_folder import RecordingFolder, stays_inside
from recorder.removals import read_removals
from recorder.segment_file import RowGroup, SegmentFile
from replay.errors import DamagedSegmentError, MissingSegmentError, RemovedSegmentError
from venues.frame import Frame, FrameKind
from venues.marker import Lost, marker_payload


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Receive times, half-open: `from_ns` <= time < `to_ns`; None for no bound.

    Of frames, those alone whose number is at least `from_frame`.
    """

    from_ns: int | None = None
    to_ns: int | None = None
    from_frame: int = 0

    def touches(self, min_ns: int, max_ns: int) -> bool:
        """Return whether any time from `min_ns` to `max_ns` may be in the range."""
        after = self.from_ns is None or max_ns >= self.from_ns
        return after and (self.to_ns is None or min_ns < self.to_ns)

    def covers(self, min_ns: int, max_ns: int) -> bool:
        """Return whether every time from `min_ns` to `max_ns` is in the range."""
        after = self.from_ns is None or min_ns >= self.from_ns
        return after and (self.to_ns is None or max_ns < self.to_ns)

    def cut(self, frames: list[Frame]) -> list[Frame]:
        """Return those of the frames that are in the range."""
        from_ns, to_ns, from_frame = self.from_ns, self.to_ns, self.from_frame
        if from_frame and frames and frames[0].frame_number < from_frame:
            frames = [frame for frame in frames if frame.frame_number >= from_frame]
        if from_ns is not None:
            frames = [frame for frame in frames if frame.receive_time_ns >= from_ns]
        if to_ns is not None:
            frames = [frame for frame in frames if frame.receive_time_ns < to_ns]
        return frames


@dataclass(frozen=True, slots=True)
class SegmentReader:
    """Reads one segment of a recording; `other_segments` is for the error's sentence."""

    folder: Path
    entry: ManifestEntry
    other_segments: int = 0

    def batches(self, within: TimeRange, *, skip_damaged: bool) -> Iterator[list[Frame]]:
        """Yield the frames within the time range, in order.

        Raises:
            DamagedSegmentError: some cannot be read, and `skip_damaged` is False.
            RemovedSegmentError: it is gone, and that was wanted; nothing was yielded of it.
            NewerFormatError: a later tickreel wrote the segment.
        """
        entry = self.entry
        if entry.last_frame_number < within.from_frame or not within.touches(
            entry.min_receive_time_ns, entry.max_receive_time_ns
        ):
            return
        try:
            file = self._open()
        except DamagedSegmentError as error:
            if not skip_damaged:
                raise
            yield from self._instead(error, None, within)
            return
        with file:
            for group in file.row_groups:
                if group.last_frame_number < within.from_frame or not within.touches(
                    group.min_receive_time_ns, group.max_receive_time_ns
                ):
                    continue
                try:
                    yield from self._read(file, group, within)
                except SegmentFormatError as error:
                    damage = self._damaged(error.reason, group)
                    if not skip_damaged:
                        raise damage from error
                    yield from self._instead(damage, group, within)

    def _read(self, file: SegmentFile, group: RowGroup, within: TimeRange) -> Iterator[list[Frame]]:
        whole = group.first_frame_number >= within.from_frame
        if whole and within.covers(group.min_receive_time_ns, group.max_receive_time_ns):
            yield from file.read(group)
        else:
            yield from map(within.cut, file.read(group))

    def _open(self) -> SegmentFile:
        if not stays_inside(self.folder, self.entry.path):
            raise self._damaged("a symbolic link leads out of the recording")
        try:
            file = SegmentFile(self.folder / self.entry.path, self.entry.venue, self.entry)
        except FileNotFoundError as error:
            if self.entry.number in read_removals(RecordingFolder(self.folder)):
                raise RemovedSegmentError(str(self.folder / self.entry.path)) from error
            raise self._damaged("the file is missing", missing=True) from error
        except SegmentFormatError as error:
            raise self._damaged(error.reason) from error
        except OSError as error:
            raise self._damaged(f"cannot be read ({error.strerror})") from error
        if sum(group.rows for group in file.row_groups) != self.entry.frames:
            file.close()
            raise self._damaged("it does not have the rows that the manifest says")
        return file

    def _damaged(
        self, reason: str, group: RowGroup | None = None, *, missing: bool = False
    ) -> DamagedSegmentError:
        kind = MissingSegmentError if missing else DamagedSegmentError
        part = group or self.entry
        return kind(
            str(self.folder / self.entry.path),
            reason,
            first_row=group.first_row if group else 0,
            rows=group.rows if group else self.entry.frames,
            first_frame_number=part.first_frame_number,
            last_frame_number=part.last_frame_number,
            other_segments=self.other_segments,
        )

    def _instead(
        self, error: DamagedSegmentError, group: RowGroup | None, within: TimeRange
    ) -> Iterator[list[Frame]]:
        part = group or self.entry
        from_ns, to_ns = part.min_receive_time_ns, part.max_receive_time_ns
        size = None if group else self.entry.payload_bytes
        detail = f"{self.entry.path}: {error.reason}"
        lost = Lost(error.rows, size, from_ns, to_ns, "damage", detail)
        # Placed at a time within the range, so that whoever asked for the range is told.
        time_ns = from_ns if within.from_ns is None else max(from_ns, within.from_ns)
        yield [
            Frame(
                frame_number=error.first_frame_number,
                connection_id=0,
                venue=self.entry.venue,
                kind=FrameKind.LOST,
                receive_time_ns=time_ns,
                monotonic_time_ns=None,
                payload=marker_payload(lost),
            )
        ]
