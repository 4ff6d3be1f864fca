"""A recorder's life on a disk that is taken down, and what any power cut in it may take."""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from recorder.manifest import read_manifest
from recorder.recording import RecordingWriter
from recorder.recording_errors import JournalWriteError, NotARecordingError
from recorder.recording_folder import RecordingFolder
from recorder.recovery import recover
from recorder.removals import RETENTION, present, remove_numbers
from replay.recording import Recording
from tests.recorder.crash_states import CrashModel, RecordedDisk, write_state
from tests.recorder.failing_disk import never
from tests.recorder.made_frames import made_frames
from tests.recorder.sealing_in_line import SealingInLine
from venues.errors import TickreelError
from venues.frame import RECORDER, Frame, FrameKind

VENUES = ("binance-usdm", "bybit-linear")
GOES_ON_EVERY = 10
"""One state in so many is also recorded into again."""


class SealingNowAndThen(SealingInLine):
    """Seals at random moments of a session, as a process of its own would."""

    chance: random.Random

    def advance(self) -> None:
        if self.chance.random() < 0.3:
            super().advance()

    def wait(self) -> None:
        super().advance()


@dataclass(slots=True)
class Session:
    """What a recorder did: the calls it made, and every frame that it was given."""

    seed: int
    disk: RecordedDisk
    frames: dict[int, Frame] = field(default_factory=dict)
    sync_covers: int = 0
    """Frames below it are safe once the sync that is under way has ended well."""

    def promised_before(self, call: int) -> set[int]:
        """Return the frames that have to be there when the power is cut before a call."""
        if not call:
            return set()
        last = self.disk.calls[call - 1]
        return {n for n in self.frames if n < last.promised and n not in last.given_up}


def live(folder: Path, seed: int, kind: type[RecordedDisk] = RecordedDisk) -> Session:
    """Record for a while: starts, kills, rotations, syncs (some fail), sealings, an end."""
    chance = random.Random(seed)
    share = chance.choice((0.0, 0.0, 0.1, 0.3))
    settled = False
    disk = kind(folder, lambda: settled and chance.random() < share)
    session = Session(seed, disk)
    SealingNowAndThen.chance = chance
    for _ in range(chance.randint(1, 3)):
        settled = False  # a start that the disk refuses is an error, told to who starts
        writer = RecordingWriter.create(
            folder / "night",
            asked_for={},
            min_free_bytes=0,
            disk=disk,
            sealing_queue=SealingNowAndThen,
        )
        settled = True
        session.sync_covers = 0
        disk.promised = writer.next_frame_number
        for _ in range(chance.randint(3, 12)):
            _do_something(writer, session, chance)
        if chance.random() < 0.5:
            writer._journal.abandon()
            writer._lock.release()
        else:
            end = writer.next_frame_number
            if writer.close().faults == ():
                disk.promised = end
    disk.end()
    return session


def _do_something(writer: RecordingWriter, session: Session, chance: random.Random) -> None:
    first = writer.next_frame_number
    what = chance.random()
    with contextlib.suppress(OSError, JournalWriteError):
        if what < 0.55:
            count = chance.randint(1, 6)
            frames = made_frames(
                count, first=first, venues=VENUES, payload_bytes=20, seed=chance.randrange(99)
            )
            session.frames.update((frame.frame_number, frame) for frame in frames)
            writer.write(frames)
        elif what < 0.70:
            writer.sync()
            session.disk.promised = first
        elif what < 0.80:
            begin_sync(writer, session)
        elif what < 0.85:
            if writer.sync_ended:  # otherwise none is under way, and nothing is promised
                writer.end_sync()
                session.disk.promised = max(session.disk.promised, session.sync_covers)
        elif what < 0.95:
            writer.rotate()
            session.disk.promised = first
        else:
            _remove_the_oldest(writer.folder, session)
    for number in [n for n in session.frames if n >= writer.next_frame_number]:
        del session.frames[number]  # refused, and never written


def begin_sync(writer: RecordingWriter, session: Session) -> None:
    """Begin a sync and let it be over, so that a seed has one order of calls, yet not noted."""
    first = writer.next_frame_number
    if not writer.sync_ended and writer.begin_sync():
        session.sync_covers = first
        while not writer.sync_ended:
            time.sleep(0)


def _remove_the_oldest(folder: RecordingFolder, session: Session) -> None:
    """Remove one number by retention, as the sealing process does."""
    sealed = present(folder, read_manifest(folder.manifest).entries)
    left = sorted({entry.number for entry in sealed} - set(folder.journal_numbers()))
    gone = [entry for entry in sealed if entry.number in left[:1]]
    if gone and min([*folder.journal_numbers(), left[0] + 1]) > left[0]:
        numbers = range(gone[0].first_frame_number, max(e.last_frame_number for e in gone) + 1)
        first = min(entry.first_frame_number for entry in gone)
        session.disk.given_up |= {*numbers, *range(first, numbers.stop)}
        remove_numbers(folder, left[:1], RETENTION, 0)


class PromiseBrokenError(AssertionError):
    """A state that is not recovered as promised; `where` finds it again."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} ({where})")


def check_session(
    place: Path, seed: int, states: int, disk: type[RecordedDisk] = RecordedDisk
) -> int:
    """Cut the power `states` times in one session; return how many of the states differed.

    Raises:
        PromiseBrokenError: a promise is broken.
    """
    lived = place / "lived"
    lived.mkdir()
    session = live(lived, seed, disk)
    shutil.rmtree(lived)
    calls = session.disk.calls
    chance = random.Random(seed)
    cuts = sorted(chance.randrange(len(calls) + 1) for _ in range(states))
    model, made, seen = CrashModel(), 0, set()
    for index, cut in enumerate(cuts):
        while made < cut:
            model.make(calls[made])
            made += 1
        state = model.state(chance)
        key = hash(frozenset(state.items()))
        if key in seen:
            continue
        seen.add(key)
        folder = place / "state"
        folder.mkdir()
        write_state(folder, state)
        promised = session.promised_before(cut)
        where = f"seed {seed}, {states} states, number {index}"
        try:
            check_state(folder / "night", session, promised, where)
            if index % GOES_ON_EVERY == 0 and (folder / "night" / "recording.json").exists():
                check_going_on(folder / "night", where)
        except TickreelError as fault:
            raise PromiseBrokenError(str(fault), where) from fault
        shutil.rmtree(folder)
    return len(seen)


def check_state(folder: Path, session: Session, promised: set[int], where: str) -> None:
    """Recover what a power cut left: all that was synced is there, and nothing that never was."""
    disk = never()
    try:
        recover(folder, disk)
    except NotARecordingError as fault:
        if promised:
            raise PromiseBrokenError(f"not even a recording: {fault}", where) from fault
        RecordingWriter.create(folder, asked_for={}, min_free_bytes=0, disk=disk).close()
        return
    _check_frames(folder, session, promised, where)


def check_going_on(folder: Path, where: str) -> None:
    """Record on into what was recovered."""
    before = list(Recording.open(folder))
    writer = RecordingWriter.create(folder, asked_for={}, min_free_bytes=0, disk=never())
    more = made_frames(3, first=writer.next_frame_number, payload_bytes=20)
    writer.write(more)
    writer.close()
    if list(Recording.open(folder)) != before + more:
        raise PromiseBrokenError("not gone on with", where)


def _check_frames(folder: Path, session: Session, promised: set[int], where: str) -> None:
    recording = Recording.open(folder)
    found = list(recording)
    problems = list(recording.verify())
    if problems:
        raise PromiseBrokenError(f"not verified after recovery: {problems}", where)
    numbers = [frame.frame_number for frame in found]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise PromiseBrokenError("frames doubled or out of order", where)
    for frame in found:
        told = frame.kind is FrameKind.LOST and frame.venue == RECORDER
        if not told and session.frames.get(frame.frame_number) != frame:
            raise PromiseBrokenError(f"frame {frame.frame_number} was never given", where)
    there = {frame.frame_number for frame in found if frame.venue != RECORDER}
    missing = sorted(promised - there)
    if missing:
        raise PromiseBrokenError(f"synced frames {missing[:5]} are gone", where)
    left = RecordingFolder(folder).journal_numbers()
    if left:
        raise PromiseBrokenError(f"journals {left} are not sealed", where)
