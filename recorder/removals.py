"""What was removed from a recording on purpose: `removals.jsonl`, beside the manifest.

Theory. The manifest says what was sealed, for good: its lines are never taken out. That a segment
is no longer there, and that this was wanted, is a line here: by the number of the journal that it
was made from, since all segments of a number go together, so that what is missing is one run of
frame numbers. The line comes first, synced, and then the files go; so a kill in between leaves
files that nobody reads any more (`finish_removals` takes them away), never a hole that nobody
meant. A line that cannot be read counts as not there: its segments are then missing, and said to
be, and are never taken for removed.

In place of a run of removed numbers a reader gives one LOST frame of the cause DROPPED, which has
the first number that is missing and exact counts. Nothing was lost by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import msgspec

from recorder.manifest import ManifestEntry, append_line, read_manifest
from recorder.recording_folder import (
    FolderLock,
    RecordingFolder,
    parse_segment_path,
    stays_inside,
)
from venues.errors import MALFORMED
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import DROPPED, Lost, marker_payload

REMOVALS_NAME = "removals.jsonl"
RING = "ring"
UPLOADED = "uploaded"
RETENTION = "retention"


class Removal(msgspec.Struct, frozen=True):
    """All segments of one number that were removed, when (wall clock) and why."""

    number: int
    cause: str
    removed_time_ns: int


class Removed(NamedTuple):
    """What a removal took: how many segments, and how many bytes on disk are free again."""

    segments: int
    bytes: int


def read_removals(folder: RecordingFolder) -> dict[int, Removal]:
    """Return what was removed, by number."""
    try:
        lines = (folder.path / REMOVALS_NAME).read_bytes().split(b"\n")
    except OSError:
        return {}
    removals: dict[int, Removal] = {}
    for line in lines[:-1]:
        try:
            removal = msgspec.json.decode(line, type=Removal)
        except MALFORMED:
            continue
        removals[removal.number] = removal
    return removals


def present(folder: RecordingFolder, entries: Iterable[ManifestEntry]) -> tuple[ManifestEntry, ...]:
    """Return the entries of segments that were not removed."""
    removed = read_removals(folder)
    return tuple(entry for entry in entries if entry.number not in removed)


def remove_numbers(
    folder: RecordingFolder, numbers: Collection[int], cause: str, time_ns: int
) -> Removed:
    """Remove all segments of these numbers, but of those that are not sealed. May wait for a lock.

    Raises:
        DamagedManifestError: the manifest cannot be believed; nothing was removed.
        OSError: the disk refused; what was not removed can be read as before.
    """
    with FolderLock(folder.sealing_lock, wait=True):
        gone = read_removals(folder)
        journals = folder.journal_numbers()
        sealed = {entry.number for entry in read_manifest(folder.manifest).entries}
        wanted = [n for n in sorted(numbers) if n in sealed and n not in gone and n not in journals]
        if wanted:
            _append(folder, [Removal(number, cause, time_ns) for number in wanted])
        return _take_away(folder, wanted)


def finish_removals(folder: RecordingFolder) -> Removed:
    """Take away what a removal that was killed has left behind."""
    removed = read_removals(folder)
    if not removed:
        return Removed(0, 0)
    with FolderLock(folder.sealing_lock, wait=True):
        return _take_away(folder, removed)


def dropped_frame(entries: Collection[ManifestEntry], causes: Collection[str]) -> Frame:
    """Return the marker that stands for the segments of a run of removed numbers."""
    first = min(entries, key=lambda entry: entry.first_frame_number)
    last_number = max(entry.last_frame_number for entry in entries)
    lost = Lost(
        frames=last_number + 1 - first.first_frame_number,
        bytes=sum(entry.payload_bytes for entry in entries),
        from_ns=first.first_receive_time_ns,
        to_ns=max(entry.last_receive_time_ns for entry in entries),
        cause=DROPPED,
        detail=", ".join(sorted(causes)),
    )
    return Frame(
        frame_number=first.first_frame_number,
        connection_id=0,
        venue=RECORDER,
        kind=FrameKind.LOST,
        receive_time_ns=lost.from_ns,
        monotonic_time_ns=None,
        payload=marker_payload(lost),
    )


def dropped_runs(
    entries: Iterable[ManifestEntry], removals: dict[int, Removal], journals: Collection[int]
) -> Iterator[tuple[int, Frame]]:
    """Yield each run of removed numbers as its first number and the marker that stands for it."""
    by_number: dict[int, list[ManifestEntry]] = {number: [] for number in journals}
    for entry in entries:
        by_number.setdefault(entry.number, []).append(entry)
    for removed, run in groupby(sorted(by_number), key=removals.__contains__):
        if removed:
            numbers = list(run)
            causes = {removals[number].cause for number in numbers}
            gone = [entry for number in numbers for entry in by_number[number]]
            yield numbers[0], dropped_frame(gone, causes)


def _append(folder: RecordingFolder, removals: list[Removal]) -> None:
    path = folder.path / REMOVALS_NAME
    lines = b"".join(msgspec.json.encode(removal) + b"\n" for removal in removals)
    written = path.read_bytes() if path.exists() else b""
    append_line(path, lines, written.rfind(b"\n") + 1, folder.disk)


def _take_away(folder: RecordingFolder, numbers: Collection[int]) -> Removed:
    wanted, segments, size_bytes = set(numbers), 0, 0
    if not wanted:
        return Removed(0, 0)
    for path in folder.segment_paths():
        parsed = parse_segment_path(path)
        if parsed is not None and parsed[1] in wanted and stays_inside(folder.path, path):
            file = folder.path / path
            size_bytes += file.stat().st_size
            folder.disk.remove(file)
            segments += 1
    for place in folder.frames.glob("*/*"):
        if not any(place.iterdir()):
            folder.disk.remove_folder(place)
    return Removed(segments, size_bytes)
