"""Reading a recording: sealed segments first, then the journals that are not sealed yet.

Theory. A recording may be finished, still written to, or cut off by a crash; it can be read in each
state, and a crashed one gives the frames that recovery would give, its LOST frame among them. The
unit is the journal number. While a journal is there it is the truth of its number; when it has
gone, the manifest's segments are. So a journal that is sealed under a reader's eyes loses it
nothing: opening it fails, and the manifest, read again, has the segments. Nor is it a loss where a
ring or a retention removes what a reader has not come to yet: opening it fails, and the removals,
read again, have its number.

Nothing here imports pyarrow before a segment is read.
"""

from __future__ import annotations

import hashlib
import shutil
import weakref
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from recorder.description import RecordingDescription, read_description
from recorder.journal_losses import frames_and_losses, open_journal
from recorder.journal_reader import JournalReader
from recorder.manifest import ManifestEntry, in_order, next_frame_number, read_manifest
from recorder.recording_errors import DamagedManifestError
from recorder.recording_folder import RecordingFolder, is_locked, parse_segment_path
from recorder.removals import dropped_runs, present, read_removals
from replay.errors import DamagedJournalError, RemovedSegmentError
from replay.event_tables import EventTables
from replay.frame_merge import merge_by_number
from replay.segment_reader import SegmentReader, TimeRange
from venues.frame import RECORDER, Frame

if TYPE_CHECKING:
    from book.engine import Engine
    from book.settings import EngineSettings


@dataclass(frozen=True, slots=True)
class RecordingTotals:
    """What a recording holds, sealed and not; times are None where there is no frame."""

    frames: int
    payload_bytes: int
    bytes_on_disk: int
    connections: int
    first_receive_time_ns: int | None
    last_receive_time_ns: int | None


@dataclass(frozen=True, slots=True)
class RecordingProblem:
    """Something that is wrong with a file of a recording. `path` is below its folder."""

    path: str
    sentence: str


class Recording(EventTables):
    """A recording on disk, to be read.

    Attributes:
        path: its folder; of one in a `.reel` file, a temporary one that goes with this object.
        origin: what it was opened by: the folder, or the file.
        description: what `recording.json` says.
        segments: the sealed segments as of opening, in order; not those removed on purpose.
    """

    def __init__(
        self,
        folder: RecordingFolder,
        description: RecordingDescription,
        segments: tuple[ManifestEntry, ...],
    ) -> None:
        self.path = self.origin = folder.path
        self.description = description
        self.segments = segments
        self._folder = folder

    @classmethod
    def open(cls, folder: str | Path) -> Recording:
        """Open a recording: its description and manifest are read and checked, no frames yet.

        A `.reel` file is unpacked, which checks every byte of it.

        Raises:
            NotAReelError: the file is no reel, or not the one that was packed.
            NotARecordingError: the folder is not there, or holds something else.
            NewerFormatError: a later tickreel made it.
            DamagedDescriptionError: `recording.json` cannot be read.
            DamagedManifestError: `manifest.jsonl` was altered, cut, or does not fit the folder.
        """
        if Path(folder).is_file():
            from replay.pack import is_reel, unpacked_for_reading

            if is_reel(Path(folder)):
                return cls._of_reel(Path(folder), unpacked_for_reading(Path(folder)))
        place = RecordingFolder(Path(folder))
        description = read_description(place)
        # In this order, because sealing goes the other way: a segment seen here has its line by the
        # time the manifest is read, or its journal was still there in between.
        on_disk = place.segment_paths()
        journals = set(place.journal_numbers())
        entries = read_manifest(place.manifest).entries
        listed = {entry.path for entry in entries}
        for path in on_disk:
            parsed = parse_segment_path(path)
            if path not in listed and parsed is not None and parsed[1] not in journals:
                raise DamagedManifestError(place.manifest, None, f"does not list {path}")
        return cls(place, description, in_order(present(place, entries)))

    @classmethod
    def _of_reel(cls, reel: Path, unpacked: Path) -> Recording:
        """Open what a reel was unpacked to; it is removed when nobody holds the recording."""
        try:
            recording = cls.open(unpacked)
        except BaseException:
            shutil.rmtree(unpacked, ignore_errors=True)
            raise
        recording.origin = reel
        weakref.finalize(recording, shutil.rmtree, unpacked, ignore_errors=True)
        return recording

    def frames(
        self,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        streams: Collection[str] | None = None,
        skip_damaged: bool = False,
    ) -> Iterator[Frame]:
        """Yield the frames with `from_ns <= receive_time_ns < to_ns` of the venues `streams`.

        In frame number order. A frame of the recorder itself passes whatever `streams` says. What
        lies outside the time range is skipped unread where whole row groups do. With
        `skip_damaged`, what cannot be read is a LOST frame (cause "damage") instead of an error.

        Raises:
            DamagedSegmentError, DamagedJournalError: frames cannot be read.
            NewerFormatError: a later tickreel wrote a part of it.
        """
        for batch in self.frame_batches(
            from_ns=from_ns, to_ns=to_ns, streams=streams, skip_damaged=skip_damaged
        ):
            yield from batch

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def engine_at(self, time_ns: int, settings: EngineSettings | None = None) -> Engine:
        """Return the engine as it was before the first frame received at `time_ns` or later.

        From the nearest checkpoint, where there is one (`tickreel index` writes them), and the
        frames after it; set as it was when the recording was made, unless `settings` says how.

        Raises:
            TickreelError: the frames cannot be read.
        """
        from replay.seek import engine_before

        return engine_before(self, time_ns=time_ns, settings=settings).engine

    def frame_batches(
        self,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        streams: Collection[str] | None = None,
        skip_damaged: bool = False,
        from_frame: int = 0,
    ) -> Iterator[list[Frame]]:
        """Yield what `frames` yields, in lists of some thousand: for who counts nanoseconds.

        Frames with a number below `from_frame` are left out, unread where whole row groups are.
        """
        within = TimeRange(from_ns, to_ns, from_frame)
        wanted = None if streams is None else frozenset({*streams, RECORDER})
        journals = self._folder.journal_numbers()
        entries = self._entries_now()
        removals = read_removals(self._folder)
        dropped = dict(dropped_runs(entries, removals, journals))
        expected = 0
        for number in sorted({*journals, *(entry.number for entry in entries)}):
            if number in removals:
                if number in dropped:
                    yield within.cut([dropped[number]])
                continue
            expected = max(expected, next_frame_number(entries, number))
            reader = self._open_journal(number, entries, expected) if number in journals else None
            if reader is not None:
                with reader:
                    newest = number == journals[-1]
                    for batch in self._journal(reader, entries, newest, skip_damaged):
                        frames = within.cut(batch)
                        if wanted is not None:
                            frames = [frame for frame in frames if frame.venue in wanted]
                        yield frames
                expected = reader.state.next_frame_number
                continue
            if number in journals:
                entries = self._entries_now()
            segments = [
                SegmentReader(self.path, entry, len(entries) - 1)
                for entry in entries
                if entry.number == number and (wanted is None or entry.venue in wanted)
            ]
            try:
                yield from merge_by_number(
                    [each.batches(within, skip_damaged=skip_damaged) for each in segments]
                )
            except RemovedSegmentError:
                # All of a number are opened before a frame of it is given, and go together.
                removals = read_removals(self._folder)
                left = [entry for entry in entries if entry.number >= number]
                dropped = dict(dropped_runs(left, removals, [n for n in journals if n > number]))
                yield within.cut([dropped[number]])

    def play_into(self, engine: Engine, *, skip_damaged: bool = False) -> None:
        """Apply every frame to `engine`, as fast as it goes.

        Raises:
            DamagedSegmentError, DamagedJournalError, NewerFormatError: as `frames`.
        """
        for batch in self.frame_batches(skip_damaged=skip_damaged):
            for frame in batch:
                engine.apply(frame)

    def verify(self) -> Iterator[RecordingProblem]:
        """Check every byte of every file, and yield what is wrong; nothing for a whole recording.

        The hash of each segment (unused bytes and both footers too), and the blocks of each journal
        that is not sealed.
        """
        for entry in self.segments:
            try:
                with (self.path / entry.path).open("rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            except FileNotFoundError:
                if present(self._folder, [entry]):
                    yield RecordingProblem(entry.path, "the file is missing")
                continue
            except OSError as error:
                yield RecordingProblem(entry.path, f"cannot be read ({error.strerror})")
                continue
            if sha256 != entry.sha256:
                reason = "its bytes are not those that were sealed (SHA-256 differs)"
                yield RecordingProblem(entry.path, reason)
        expected = 0
        journals = self._folder.journal_numbers()
        # Now: what was sealed since the recording was opened comes before these journals.
        entries = self._entries_now()
        for number in journals:
            expected = max(expected, next_frame_number(entries, number))
            reader = self._open_journal(number, entries, expected)
            if reader is None:
                entries = self._entries_now()
                continue
            with reader:
                for _ in reader.walk():
                    pass
            expected = reader.state.next_frame_number
            for damage in reader.state.damage:
                where = f"bytes {damage.from_byte:,} to {damage.to_byte:,}"
                name = f"journal/{reader.path.name}"
                yield RecordingProblem(name, f"{damage.reason} in {where}")

    @property
    def missing_segments(self) -> tuple[ManifestEntry, ...]:
        """The sealed segments whose files are gone, and were not removed on purpose."""
        gone = [entry for entry in self.segments if not (self.path / entry.path).is_file()]
        # Asked again after, as a ring or a retention may have removed some since it was opened.
        return present(self._folder, gone)

    @property
    def venues(self) -> tuple[str, ...]:
        """The venues that the sealed segments have, the recorder itself left out."""
        return tuple(sorted({entry.venue for entry in self.segments} - {RECORDER}))

    @property
    def frame_count(self) -> int:
        """How many frames there are, sealed and not."""
        return self.totals.frames

    @property
    def payload_bytes(self) -> int:
        """The sum of all payloads."""
        return self.totals.payload_bytes

    @property
    def bytes_on_disk(self) -> int:
        """What segments and journals take on disk."""
        return self.totals.bytes_on_disk

    @property
    def has_journals(self) -> bool:
        """Whether something of it is not sealed: it is being written, or was left by a crash."""
        return bool(self._folder.journal_numbers())

    @property
    def first_receive_time_ns(self) -> int | None:
        """Receive time of the first frame; None where there is none."""
        return self.totals.first_receive_time_ns

    @property
    def last_receive_time_ns(self) -> int | None:
        """Receive time of the last frame; None where there is none."""
        return self.totals.last_receive_time_ns

    @cached_property
    def totals(self) -> RecordingTotals:
        """What the recording held when this was first asked: from the manifest and the journals."""
        while True:
            journals = self._folder.journal_numbers()
            entries = self._entries_now()
            totals = self._count(journals, entries)
            if totals is not None:
                return totals

    def _count(
        self, journals: Sequence[int], entries: Sequence[ManifestEntry]
    ) -> RecordingTotals | None:
        """Count; None where a journal was sealed meanwhile, so that the counts do not fit."""
        removals = read_removals(self._folder)
        sealed = [
            entry
            for entry in entries
            if entry.number not in journals and entry.number not in removals
        ]
        frames = sum(entry.frames for entry in sealed)
        frames += sum(1 for _ in dropped_runs(entries, removals, journals))
        payload_bytes = sum(entry.payload_bytes for entry in sealed)
        bytes_on_disk = sum(entry.file_bytes for entry in sealed)
        connections = max((entry.connection_id_max for entry in sealed), default=0)
        first = min(sealed, key=lambda entry: entry.first_frame_number, default=None)
        last = max(sealed, key=lambda entry: entry.last_frame_number, default=None)
        first_ns = first.first_receive_time_ns if first else None
        last_ns = last.last_receive_time_ns if last else None
        expected = 0
        for number in journals:
            expected = max(expected, next_frame_number(entries, number))
            reader = self._open_journal(number, entries, expected)
            if reader is None:
                return None
            with reader:
                for batch in self._journal(reader, entries, number == journals[-1], True):
                    frames += len(batch)
                    payload_bytes += sum([len(frame.payload) for frame in batch])
                    connections = max(connections, *[frame.connection_id for frame in batch])
                    first_ns = batch[0].receive_time_ns if first_ns is None else first_ns
                    last_ns = batch[-1].receive_time_ns
                bytes_on_disk += reader.file_bytes
                expected = reader.state.next_frame_number
        return RecordingTotals(frames, payload_bytes, bytes_on_disk, connections, first_ns, last_ns)

    def _entries_now(self) -> tuple[ManifestEntry, ...]:
        return in_order(read_manifest(self._folder.manifest).entries)

    def _open_journal(
        self, number: int, entries: Sequence[ManifestEntry], expected: int
    ) -> JournalReader | None:
        """Open a journal; None where it is gone, because it has just been sealed."""
        try:
            return open_journal(self._folder, number, entries, expected)
        except FileNotFoundError:
            return None

    def _journal(
        self,
        reader: JournalReader,
        entries: Sequence[ManifestEntry],
        newest: bool,
        skip_damaged: bool,
    ) -> Iterator[list[Frame]]:
        live = is_locked(self._folder.lock)
        for batch in frames_and_losses(reader, entries, newest=newest, live=live):
            if not skip_damaged:
                _refuse_damage(reader)
            yield batch
        if not skip_damaged:
            _refuse_damage(reader)


def _refuse_damage(reader: JournalReader) -> None:
    for damage in reader.state.damage:
        raise DamagedJournalError(
            str(reader.path),
            damage.reason,
            from_byte=damage.from_byte,
            to_byte=damage.to_byte,
            first_frame_number=damage.first_frame_number,
            frames=damage.frames,
        )
