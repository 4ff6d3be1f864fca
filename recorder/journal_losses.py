"""What a journal's damage and its sudden end become: LOST frames, in their place.

A reader of an unrecovered recording and the recovery that seals it use this same function, so the
recording says the same before and after. A LOST frame takes the number of the first frame that is
missing; where nothing is missing by the numbers, there is none.

- Damage between two whole blocks: `frames` is exact, by the numbers on both sides.
- Damage at the end: `frames` is None, unknown.
- A recorder that stopped without closing its last journal: what it had received and
  not yet written is lost, `frames` None. The interval is a point, the time of the last frame that
  is there: a LOST frame says when the loss began and the next OPENED when it was over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec

from recorder.journal_reader import DamagedRange, JournalReader
from recorder.manifest import ManifestEntry
from recorder.recording_folder import RecordingFolder
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import CRASH, Lost, MarkerError, marker_payload, read_marker

CRASH_DETAIL = "the recorder ended without closing its journal; what it had not yet written is lost"


def frames_and_losses(
    reader: JournalReader, entries: Sequence[ManifestEntry], *, newest: bool, live: bool = False
) -> Iterator[list[Frame]]:
    """Yield the journal's frames in order, with LOST frames in place of what is gone.

    `newest` says that no later journal is known, `live` that a recorder is still writing it; else
    a newest journal without its closing block tells of a sudden end. `entries` are those of the
    manifest: they give a time to a loss where the journal tells none.

    Raises:
        NewerFormatError: a later tickreel wrote this journal.
    """
    held: DamagedRange | None = None
    last: Frame | None = None
    for item in reader.walk():
        if held is not None:
            until = None if isinstance(item, DamagedRange) else item[0]
            yield from _damage(held, last, until, _opened_ns(reader, entries))
            held = None
        if isinstance(item, DamagedRange):
            held = item
        else:
            yield item
            last = item[-1]
    opened_ns = _opened_ns(reader, entries)
    if held is not None:
        if held.frames is not None or newest:
            yield from _damage(held, last, None, opened_ns)
        # Else the next journal's beginning is damaged too, and tells how much is lost in both.
    elif newest and not live and not reader.state.closed:
        time_ns = last.receive_time_ns if last is not None else opened_ns
        lost = Lost(None, None, time_ns, time_ns, CRASH, CRASH_DETAIL)
        yield [lost_frame(lost, number=reader.state.next_frame_number, last=last)]


def lost_frame(lost: Lost, *, number: int, last: Frame | None) -> Frame:
    """Return the marker that stands for frames that are gone, after `last`."""
    return Frame(
        frame_number=number,
        connection_id=0,
        venue=RECORDER,
        kind=FrameKind.LOST,
        receive_time_ns=lost.from_ns,
        monotonic_time_ns=last.monotonic_time_ns if last is not None else None,
        payload=marker_payload(lost),
    )


def still_lost(frame: Frame, sealed: Collection[int]) -> list[Frame]:
    """Return what is left of a loss in a journal whose frames `sealed` are in segments: a frame.

    Or none, where they are all there. A loss of unknown size is told of after the last of them.
    """
    try:
        lost = read_marker(frame, Lost)
    except MarkerError:
        return [frame]
    if lost.cause not in (CRASH, "damage"):
        return [frame]
    if lost.frames is None:
        number = max(frame.frame_number, max(sealed, default=-1) + 1)
        return [msgspec.structs.replace(frame, frame_number=number)]
    whole = range(frame.frame_number, frame.frame_number + lost.frames)
    missing = [number for number in whole if number not in sealed]
    if not missing:
        return []
    less = marker_payload(msgspec.structs.replace(lost, frames=len(missing)))
    return [msgspec.structs.replace(frame, frame_number=missing[0], payload=less)]


def last_number(frame: Frame) -> int:
    """Return the last frame number that a frame stands for.

    Its own; but a LOST frame in place of damage stands for all the numbers that are gone.
    """
    if frame.kind is FrameKind.LOST and frame.venue == RECORDER:
        try:
            lost = read_marker(frame, Lost)
        except MarkerError:
            return frame.frame_number
        if lost.cause == "damage" and lost.frames:
            return frame.frame_number + lost.frames - 1
    return frame.frame_number


def open_journal(
    folder: RecordingFolder, number: int, entries: Sequence[ManifestEntry], expected: int
) -> JournalReader:
    """Open a journal that begins with frame `expected`, knowing what comes after it.

    Raises:
        FileNotFoundError: it is not there (any more: it may just have become segments).
    """
    following, superseded = _following(folder, number, entries)
    return JournalReader(folder.journal(number), expected, following, superseded=superseded)


def _following(
    folder: RecordingFolder, number: int, entries: Sequence[ManifestEntry]
) -> tuple[int | None, bool]:
    """Return the number of the first frame after journal `number`; None where nothing tells.

    And whether the next journal says that what this one has from there on does not count.
    """
    for later in folder.journal_numbers():
        if later > number:
            try:
                with JournalReader(folder.journal(later), 0) as reader:
                    first, supersedes = reader.first_number_read()
            except FileNotFoundError:
                continue
            if first is not None:
                return first, supersedes
    first = min((e.first_frame_number for e in entries if e.number > number), default=None)
    return first, False


def _damage(
    damage: DamagedRange, last: Frame | None, until: Frame | None, opened_ns: int
) -> Iterator[list[Frame]]:
    if damage.frames == 0:
        return
    from_ns = last.receive_time_ns if last is not None else opened_ns
    to_ns = max(from_ns, until.receive_time_ns if until is not None else from_ns)
    detail = f"journal bytes {damage.from_byte} to {damage.to_byte}: {damage.reason}"
    lost = Lost(damage.frames, None, from_ns, to_ns, "damage", detail)
    yield [lost_frame(lost, number=damage.first_frame_number, last=last)]


def _opened_ns(reader: JournalReader, entries: Sequence[ManifestEntry]) -> int:
    if reader.state.opening is not None:
        return reader.state.opening.opened_time_ns
    before = [e.last_receive_time_ns for e in entries if e.last_frame_number < reader.first_number]
    return max(before) if before else reader.modified_ns
