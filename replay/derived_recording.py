"""Recordings made of recordings: written as sealed segments at once, and read back before trusted.

There is no journal here, as nothing is lost by beginning again: the frames lie in the source. A
derived recording is made beside its place and moved there when it is whole (`replay.output_place`);
where its name ends in `.reel`, it is packed there. Every frame is read back and compared by hash.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from recorder.description import RecordingDescription, new_description, write_description
from recorder.journal_losses import last_number
from recorder.manifest import ManifestEntry, rewrite_manifest
from recorder.recording_folder import RecordingFolder, check_venue_name, make_folder, segment_path
from recorder.sealing import by_venue
from recorder.segment import COMPRESSION_LEVEL, SegmentWriter
from replay.errors import ReplayError
from replay.output_place import output_folder, refuse_source, refuse_taken
from replay.pack import pack
from replay.recording import Recording
from replay.reel_file import SUFFIX
from venues.frame import Frame

SEGMENT_PAYLOAD_BYTES = 1 << 30
"""A new segment is begun before one holds more: larger than a recorder's, as none has to wait."""

_BATCH_FRAMES = 4_096
_encode = msgspec.msgpack.Encoder().encode


class NothingLeftError(ReplayError):
    """A recording that would have no frames. Nothing was written."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: nothing was written, because {reason}.")


class ReadBackError(ReplayError):
    """What was written reads back as something else: the disk is not to be trusted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path}: a segment reads back as something else than was written, and was removed. "
            "The source is untouched; look to the disk."
        )


@dataclass(frozen=True, slots=True)
class DerivedReport:
    """What was made: `path`, `frames`, `payload_bytes`, and `bytes_on_disk` of it."""

    path: Path
    frames: int
    payload_bytes: int
    bytes_on_disk: int


def derived_description(
    source: Recording, what: str, facts: Mapping[str, object]
) -> RecordingDescription:
    """Return the description of a recording made from `source`; `what` names how, in asked_for."""
    asked_for = {**source.description.asked_for, what: dict(facts)}
    asked_for.setdefault("made_from", source.description.recording_id)
    return new_description(asked_for, source.description.clock_source)


def renumbered(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield frames numbered from 0, without a hole but those that LOST frames stand for."""
    number = 0
    for frame in frames:
        if frame.frame_number != number:
            frame = msgspec.structs.replace(frame, frame_number=number)
        yield frame
        number = last_number(frame) + 1


def write_derived(
    frames: Iterable[Frame],
    description: RecordingDescription,
    target: Path,
    *,
    force: bool = False,
    level: int = COMPRESSION_LEVEL,
) -> DerivedReport:
    """Write frames, in the order of their numbers, as a recording (or reel) at `target`.

    Raises:
        TargetTakenError: something is there, and `force` was not given.
        NothingLeftError: there is no frame.
        ReadBackError, OSError: the disk refused, or is not to be trusted.
    """
    refuse_taken(target, force=force)
    if target.suffix != SUFFIX:
        with output_folder(target, force=force) as folder:
            return _write(frames, description, folder, level, target)
    workplace = Path(tempfile.mkdtemp(prefix="tickreel-"))
    try:
        report = _write(frames, description, workplace, level, target)
        packed = pack(workplace, target, force=force)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return DerivedReport(target, report.frames, report.payload_bytes, packed.size_bytes)


def _write(
    frames: Iterable[Frame],
    description: RecordingDescription,
    folder: Path,
    level: int,
    target: Path,
) -> DerivedReport:
    place = RecordingFolder(folder)
    write_description(place, description)
    make_folder(place.frames)
    segments = _Segments(place, description.recording_id, level)
    try:
        remaining = iter(frames)
        while batch := list(islice(remaining, _BATCH_FRAMES)):
            segments.write(batch)
        segments.rotate()
    except BaseException:
        segments.abandon()
        raise
    if not segments.entries:
        raise NothingLeftError(target, "no frame is left")
    rewrite_manifest(place.manifest, segments.entries)
    made = Recording.open(folder)
    if _hashes(made.frame_batches()) != segments.hashes():
        raise ReadBackError(target)
    totals = made.totals
    return DerivedReport(target, totals.frames, totals.payload_bytes, totals.bytes_on_disk)


class _Segments:
    """The segments being written, one a venue; all of them end together."""

    def __init__(self, place: RecordingFolder, recording_id: str, level: int) -> None:
        self.entries: list[ManifestEntry] = []
        self._place = place
        self._recording_id = recording_id
        self._level = level
        self._number = 1
        self._payload_bytes = 0
        self._writers: dict[str, tuple[SegmentWriter, str]] = {}
        self._hashers: dict[str, hashlib._Hash] = {}

    def write(self, batch: list[Frame]) -> None:
        if self._payload_bytes >= SEGMENT_PAYLOAD_BYTES:
            self.rotate()
        for venue, frames in by_venue(batch):
            self._writer(venue, frames[0]).write(frames)
            hasher = self._hashers.setdefault(venue, hashlib.sha256())
            for frame in frames:
                hasher.update(_encode(frame))
        self._payload_bytes += sum(len(frame.payload) for frame in batch)

    def _writer(self, venue: str, first: Frame) -> SegmentWriter:
        if venue not in self._writers:
            check_venue_name(venue)
            name = segment_path(venue, first.receive_time_ns, self._number)
            path = self._place.path / name
            make_folder(path.parent)
            writer = SegmentWriter(
                path,
                venue=venue,
                number=self._number,
                recording_id=self._recording_id,
                compression_level=self._level,
            )
            self._writers[venue] = (writer, name)
        return self._writers[venue][0]

    def rotate(self) -> None:
        writers, self._writers = self._writers, {}
        self.entries += [writer.close(name) for writer, name in writers.values()]
        self._number += 1
        self._payload_bytes = 0

    def abandon(self) -> None:
        for writer, _ in self._writers.values():
            writer.abandon()

    def hashes(self) -> dict[str, str]:
        return {venue: hasher.hexdigest() for venue, hasher in self._hashers.items()}


def _hashes(batches: Iterable[list[Frame]]) -> dict[str, str]:
    hashers: dict[str, hashlib._Hash] = {}
    for batch in batches:
        for frame in batch:
            hashers.setdefault(frame.venue, hashlib.sha256()).update(_encode(frame))
    return {venue: hasher.hexdigest() for venue, hasher in hashers.items()}


def compact(
    source: Recording,
    target: Path,
    level: int,
    *,
    force: bool = False,
    skip_damaged: bool = False,
) -> DerivedReport:
    """Write the same recording, its frames and its id, in few dense segments.

    With `skip_damaged`, LOST frames stand in it for those that cannot be read.

    Raises:
        DamagedSegmentError, DamagedJournalError: a frame cannot be read, and `skip_damaged` is
            False; nothing was written.
        TargetIsSourceError: `target` is the source.
        TargetTakenError, NothingLeftError, ReadBackError, OSError: as `write_derived`.
    """
    refuse_source(target, [source.origin])
    frames = source.frames(skip_damaged=skip_damaged)
    return write_derived(frames, source.description, target, force=force, level=level)
