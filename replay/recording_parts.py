"""A recording in parts, and the parts joined again: `tickreel split` and `merge`.

A part is a recording of its own, which can be played alone: one that begins in the middle has the
beginnings of its open connections carried in (`replay.frame_selection`). It keeps the connection
ids and steady times of the whole, and says of which recording it is which part. So parts that are
merged give the frames of the whole again, in their order:

- parts by time or count follow each other, none of them missing in between; what was carried in
  is left out, but where the first of them is given it is not the beginning of the whole: then they
  are one longer part;
- parts by venue are joined by the steady clock, which all frames of one recorder share, and what
  the recorder says of itself, which is in every part, is taken from one.

Recordings that are no parts of one are merged as they are replayed together: by receive time,
their connections told apart (`replay.frame_merge.MergedRecording`).
"""

from __future__ import annotations

import heapq
import shutil
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import msgspec

from recorder.description import RecordingDescription, new_description
from replay.decoded_frames import FrameDecoder
from replay.derived_recording import DerivedReport, derived_description, renumbered, write_derived
from replay.engine_settings import recorded_settings
from replay.errors import ReplayError
from replay.frame_merge import MergedRecording
from replay.frame_selection import ConnectionBeginnings
from replay.output_place import refuse_source, refuse_taken
from replay.recording import Recording
from venues.frame import RECORDER, Frame, FrameKind

PARTS_MAX = 10_000


class PartsApartError(ReplayError):
    """Parts of one recording that do not follow each other. Nothing was written."""

    def __init__(self, place: Path, number: int, expected: int) -> None:
        self.place = place
        self.number = number
        self.expected = expected
        if number < expected:
            what = f"part {number + 1:04d} is given twice: give it once."
        else:
            what = (
                f"part {expected + 1:04d} of the same recording, which comes before it, is not "
                "given: what happened in it would be missing without a word. Give it too."
            )
        super().__init__(f"{place}: {what}")


class Part(msgspec.Struct, frozen=True):
    """Which part of which recording: numbers count from 0; `by` is `time` or `venue`.

    `parts` is as how many parts it was split off, where some were merged again.
    """

    of: str
    by: str
    number: int
    carried: int = 0
    parts: int = 1


def split_by_time(
    source: Recording,
    cuts_ns: Sequence[int],
    folder: Path,
    *,
    force: bool = False,
    skip_damaged: bool = False,
) -> list[DerivedReport]:
    """Write a recording for each stretch between two cuts, as `folder/part-0001` and so on.

    Stretches without frames make no part. With `skip_damaged`, LOST frames stand in the parts for
    what cannot be read.

    Raises:
        TargetTakenError, ReadBackError, ReplayError, OSError: as `write_derived`; the parts that
            were written before stay.
    """
    parts_there = _parts_in(folder, source, force=force)
    stretches = _Stretches(source.frames(skip_damaged=skip_damaged), cuts_ns)
    reports: list[DerivedReport] = []
    while stretches.begin():
        carried = stretches.carried()
        part = Part(source.description.recording_id, "time", len(reports), len(carried))
        frames = chain(carried, stretches.frames())
        reports.append(_write_part(source, frames, part, folder, force=force))
    _remove_others(parts_there, reports)
    return reports


class _Stretches:
    """Frames in their order, cut where the latest time so far passes a cut.

    A clock that steps back takes no frame back over a cut, so that the parts follow each other.
    """

    def __init__(self, frames: Iterator[Frame], cuts_ns: Sequence[int]) -> None:
        self._frames = frames
        self._cuts_ns = deque(sorted(cuts_ns))
        self._latest_ns = 0
        self._next = next(frames, None)
        self._beginnings = ConnectionBeginnings()
        self._decode = FrameDecoder().decode

    def begin(self) -> bool:
        """Go to the next stretch that has frames; return whether there is one."""
        if self._next is None:
            return False
        self._latest_ns = max(self._latest_ns, self._next.receive_time_ns)
        while self._cuts_ns and self._latest_ns >= self._cuts_ns[0]:
            self._cuts_ns.popleft()
        return True

    def carried(self) -> list[Frame]:
        """Return the beginnings of the connections that are open here."""
        return self._beginnings.frames()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames of this stretch."""
        end_ns = self._cuts_ns[0] if self._cuts_ns else None
        while self._next is not None:
            self._latest_ns = max(self._latest_ns, self._next.receive_time_ns)
            if end_ns is not None and self._latest_ns >= end_ns:
                return
            self._beginnings.note(self._decode(self._next))
            yield self._next
            self._next = next(self._frames, None)


def split_by_venue(
    source: Recording, folder: Path, *, force: bool = False, skip_damaged: bool = False
) -> list[DerivedReport]:
    """Write a recording for each venue, as `folder/part-0001` and so on.

    Raises:
        TargetTakenError, ReadBackError, ReplayError, OSError: as `split_by_time`.
    """
    parts_there = _parts_in(folder, source, force=force)
    reports: list[DerivedReport] = []
    for venue in source.venues or ("",):
        part = Part(source.description.recording_id, "venue", len(reports))
        frames = source.frames(streams=[venue], skip_damaged=skip_damaged)
        reports.append(_write_part(source, frames, part, folder, force=force))
    _remove_others(parts_there, reports)
    return reports


def _parts_in(folder: Path, source: Recording, *, force: bool) -> list[Path]:
    """Return the parts that a folder has, which must be none unless they are to be replaced."""
    found = sorted(folder.glob("part-[0-9][0-9][0-9][0-9]*"))
    for part in found:
        refuse_taken(part, force=force)
        refuse_source(part, [source.origin])
    return found


def _remove_others(parts_there: Sequence[Path], reports: Sequence[DerivedReport]) -> None:
    """Remove the parts of before that no new one replaced: with them, the whole would be wrong."""
    for other in set(parts_there) - {report.path for report in reports}:
        shutil.rmtree(other)


def _write_part(
    source: Recording,
    frames: Iterator[Frame],
    part: Part,
    folder: Path,
    *,
    force: bool,
) -> DerivedReport:
    description = derived_description(source, "part", msgspec.structs.asdict(part))
    target = folder / f"part-{part.number + 1:04d}"
    return write_derived(renumbered(frames), description, target, force=force)


def merge(
    recordings: Sequence[Recording],
    target: Path,
    *,
    force: bool = False,
    skip_damaged: bool = False,
) -> DerivedReport:
    """Write several recordings as one; parts of one recording become that recording's frames.

    With `skip_damaged`, LOST frames stand in it for what cannot be read.

    Raises:
        UnlikeSettingsError: their engines were not set alike, so that nothing can be said of how
            the result is to be replayed.
        PartsApartError: a part between others is missing, or is given twice.
        TargetTakenError, NothingLeftError, ReadBackError, ReplayError, OSError: as `write_derived`.
    """
    parts = [_part(recording) for recording in recordings]
    known = [part for part in parts if part is not None]
    recorded_settings(MergedRecording(recordings))
    if len(known) == len(parts) and len({(part.of, part.by) for part in known}) == 1:
        ordered = sorted(zip(known, recordings, strict=True), key=lambda pair: pair[0].number)
        joined_part = _refuse_apart(ordered)
        join = _in_line if known[0].by == "time" else _by_steady_clock
        joined = join(ordered, skip_damaged=skip_damaged)
        asked_for = dict(recordings[0].description.asked_for)
        asked_for.pop("part", None)
        if joined_part is None:
            asked_for.pop("made_from", None)
        else:
            asked_for["part"] = msgspec.structs.asdict(joined_part)
        description = _described(recordings, asked_for)
        return write_derived(renumbered(joined), description, target, force=force)
    asked_for = _common(recordings)
    asked_for["merged_from"] = [each.description.recording_id for each in recordings]
    frames = MergedRecording(recordings).frames(skip_damaged=skip_damaged)
    return write_derived(frames, _described(recordings, asked_for), target, force=force)


def _described(
    recordings: Sequence[Recording], asked_for: Mapping[str, object]
) -> RecordingDescription:
    clocks = sorted({each.description.clock_source for each in recordings})
    return new_description(asked_for, ", ".join(clocks))


def _common(recordings: Sequence[Recording]) -> dict[str, object]:
    """Return what was asked for of them all: the streams of each, and how the engine was set."""
    asked_for: dict[str, object] = {}
    streams: list[object] = []
    for recording in recordings:
        own = recording.description.asked_for.get("streams")
        streams += own if isinstance(own, list) else []
    if streams:
        asked_for["streams"] = streams
    engine = recordings[0].description.asked_for.get("engine")
    if engine is not None:
        asked_for["engine"] = engine
    return asked_for


def are_cut_apart(recordings: Sequence[Recording]) -> bool:
    """Return whether several of them are parts by time of one recording: `merge` joins those."""
    wholes = [part.of for each in recordings if (part := _part(each)) and part.by == "time"]
    return len(wholes) > len(set(wholes))


def _part(recording: Recording) -> Part | None:
    written = recording.description.asked_for.get("part")
    try:
        return msgspec.convert(written, Part)
    except msgspec.ValidationError:
        return None


_Ordered = Sequence[tuple[Part, Recording]]


def _refuse_apart(parts: _Ordered) -> Part | None:
    """Return the longer part that parts by time are together; None where they are the beginning.

    Raises:
        PartsApartError: one between others is missing, or is there twice.
    """
    first, _ = parts[0]
    expected = first.number
    for part, recording in parts:
        if part.number < expected or (part.by == "time" and part.number > expected):
            raise PartsApartError(recording.origin, part.number, expected)
        expected = part.number + part.parts
    if first.by != "time" or first.number == 0:
        return None
    return msgspec.structs.replace(first, parts=expected - first.number)


def _in_line(parts: _Ordered, *, skip_damaged: bool) -> Iterator[Frame]:
    for place, (part, recording) in enumerate(parts):
        carried = part.carried if place or not part.number else 0
        for frame in recording.frames(skip_damaged=skip_damaged):
            # By number and not by place: what was carried in may be among what is damaged.
            if frame.frame_number >= carried or frame.kind is FrameKind.LOST:
                yield frame


def _by_steady_clock(parts: _Ordered, *, skip_damaged: bool) -> Iterator[Frame]:
    keyed = [
        _keyed(recording.frames(skip_damaged=skip_damaged), part.number, keep_own=place == 0)
        for place, (part, recording) in enumerate(parts)
    ]
    for _, frame in heapq.merge(*keyed, key=lambda pair: pair[0]):
        yield frame


def _keyed(
    frames: Iterator[Frame], number: int, *, keep_own: bool
) -> Iterator[tuple[tuple[int, int], Frame]]:
    """Pair each frame with its time, which never runs back; and the part's number for ties."""
    latest = 0
    for frame in frames:
        time_ns = frame.monotonic_time_ns
        if time_ns is None and frame.kind is not FrameKind.LOST:
            time_ns = frame.receive_time_ns
        # A loss that was found by a reader has no steady time: it stays behind the frame before it.
        latest = max(latest, time_ns or 0)
        if keep_own or frame.venue != RECORDER:
            yield (latest, number), frame
