"""Sealing: one journal becomes one Parquet segment for each venue in it.

Theory. The journal is the truth until every one of its segments is proved. The steps, in order,
and what a kill after each leaves behind:

1. The journal is synced.
2. Each venue's segment is written under a temporary name, and synced. (Left behind: temporary
   files, which the next sealing replaces and recovery removes.)
3. The segments are read back and compared with the journal, frame by frame.
4. For each venue: rename, sync of the folder, line in the manifest, sync of the manifest. (Left
   behind: segments with a line, which are done; a segment without one, which is written again.)
5. The journal is removed, and its folder synced. (Left behind before it: a journal whose segments
   all have lines: only this step is left to do.)

Sealing again after a kill goes on from there, and loses and doubles nothing. A journal with damage
is sealed as far as it can be read, LOST frames in place of the rest; its original is kept.

A reader that finds a journal takes it, whatever segments of it there are already; a reader whose
journal has gone takes the segments.

`python -m recorder.sealing FOLDER NUMBER [LIMIT...]` seals one journal in a process of its own and
then removes what is beyond the limits: one JSON line on stdout, exit code 0 when all that is done.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from recorder.description import read_description
from recorder.journal_losses import frames_and_losses, open_journal, still_lost
from recorder.manifest import ManifestEntry, append_entry, next_frame_number, read_manifest
from recorder.recording_errors import SealingError
from recorder.recording_folder import (
    DAMAGED_SUFFIX,
    TEMPORARY_SUFFIX,
    FolderLock,
    RecordingFolder,
    make_folder,
    segment_path,
    stays_inside,
)
from recorder.retention import apply_keeps, read_keep
from recorder.sealing_process import EXIT_NOT_REMOVED
from venues.errors import TickreelError
from venues.frame import RECORDER, Frame, FrameKind

if TYPE_CHECKING:
    from recorder.segment import SegmentWriter

SAID_BYTES_MAX = 32 << 10
"""Whoever begins the process reads what it says when it has ended, from a pipe of 64 KiB: with more
it would wait to be read for ever, and nothing would be sealed after it."""

_NICENESS = 10
"""A sealing process gives way to the recorder, which must not be late for the sockets."""


class SealingReport(msgspec.Struct, frozen=True):
    """What became of one journal.

    `segments` and `frames` count what was sealed now (not what an earlier, killed sealing had
    done). `damage` has a sentence for each damaged range; `torn_bytes` are those of a last block
    that was never finished; `closed` tells whether the recorder had ended the journal itself.
    """

    number: int
    segments: int
    frames: int
    closed: bool
    torn_bytes: int = 0
    damage: list[str] = []
    kept_aside: str = ""


def _no_step(_: str) -> None:
    return


def seal(
    folder: RecordingFolder, number: int, on_step: Callable[[str], None] = _no_step
) -> SealingReport | None:
    """Seal journal `number`; None where it is sealed already. Waits for another sealing to end.

    `on_step` is told each step by its name as soon as it is done.

    Raises:
        SealingError: it could not be done; the journal is still there.
    """
    journal = folder.journal(number)
    try:
        with FolderLock(folder.sealing_lock, wait=True):
            numbers = folder.journal_numbers()
            if number not in numbers:
                return None
            if numbers[0] < number:
                # Where this one's frame numbers begin is known once those before are sealed.
                raise SealingError(journal, f"journal {numbers[0]} has to be sealed before it")
            return _Sealing(folder, number, on_step).run()
    except (OSError, TickreelError) as error:
        if isinstance(error, SealingError):
            raise
        raise SealingError(journal, str(error)) from error


class _Sealing:
    def __init__(
        self, folder: RecordingFolder, number: int, on_step: Callable[[str], None]
    ) -> None:
        self.folder = folder
        self.number = number
        self.journal = folder.journal(number)
        self.on_step = on_step
        self.recording_id = read_description(folder).recording_id
        entries = read_manifest(folder.manifest).entries
        self.done = {entry.venue: entry for entry in entries if entry.number == number}
        self.entries = entries
        self.first_frame_number = next_frame_number(entries, number)
        self.newest = max([*folder.journal_numbers(), *(e.number for e in entries)]) == number
        self.writers: dict[str, SegmentWriter] = {}

    def run(self) -> SealingReport:
        self._sync_journal()
        self.on_step("journal synced")
        try:
            written = self._write()
            self.on_step("segments written")
            self._compare(written)
        except BaseException:
            for writer in self.writers.values():
                writer.abandon()
            raise
        self.on_step("segments compared")
        for entry in written:
            self._put_into_place(entry)
        return self._finish(written)

    def _sync_journal(self) -> None:
        disk = self.folder.disk
        descriptor = disk.open(self.journal, os.O_RDONLY)
        try:
            disk.sync(descriptor)
        finally:
            disk.close(descriptor)

    @contextlib.contextmanager
    def _frames(self) -> Iterator[Iterator[list[Frame]]]:
        """Open the journal anew and give its frames, LOST frames among them."""
        expected = self.first_frame_number
        with open_journal(self.folder, self.number, self.entries, expected) as reader:
            batches = frames_and_losses(reader, self.entries, newest=self.newest)
            yield batches if not self.done else map(self._without_false_losses, batches)
            self.state = reader.state

    def _without_false_losses(self, batch: list[Frame]) -> list[Frame]:
        """Tell of no loss where a killed sealing has sealed what the journal has lost since."""
        told: list[Frame] = []
        for frame in batch:
            if frame.kind is FrameKind.LOST and frame.venue == RECORDER:
                told += still_lost(frame, self._sealed_numbers)
            else:
                told.append(frame)
        return told

    @cached_property
    def _sealed_numbers(self) -> frozenset[int]:
        from recorder.segment_file import SegmentFile

        numbers: set[int] = set()
        for entry in self.done.values():
            with SegmentFile(self.folder.path / entry.path, entry.venue, entry) as file:
                for frames in chain.from_iterable(map(file.read, file.row_groups)):
                    numbers.update(frame.frame_number for frame in frames)
        return frozenset(numbers)

    def _write(self) -> list[ManifestEntry]:
        from recorder.segment import SegmentWriter

        places: dict[str, str] = {}
        with self._frames() as batches:
            for batch in batches:
                for venue, frames in by_venue(batch):
                    if venue in self.done:
                        continue
                    if venue not in self.writers:
                        place = segment_path(venue, frames[0].receive_time_ns, self.number)
                        places[venue] = place
                        path = self._temporary(place)
                        make_folder(path.parent, self.folder.disk)
                        if not stays_inside(self.folder.path, place):
                            raise SealingError(self.journal, "a symbolic link leads out of it")
                        self.writers[venue] = SegmentWriter(
                            path,
                            venue=venue,
                            number=self.number,
                            recording_id=self.recording_id,
                            disk=self.folder.disk,
                        )
                    self.writers[venue].write(frames)
        return [writer.close(places[venue]) for venue, writer in self.writers.items()]

    def _compare(self, written: list[ManifestEntry]) -> None:
        """Read everything back and compare it with the journal, read anew.

        Raises:
            SealingError: a frame differs.
        """
        from recorder.segment_file import SegmentFile

        with contextlib.ExitStack() as stack:
            sealed: dict[str, Iterator[Frame]] = {}
            for entry in written:
                file = SegmentFile(self._temporary(entry.path), entry.venue, entry)
                stack.enter_context(file)
                read_back = chain.from_iterable(map(file.read, file.row_groups))
                sealed[entry.venue] = chain.from_iterable(read_back)
            with self._frames() as batches:
                for batch in batches:
                    for venue, frames in by_venue(batch):
                        if venue in sealed and list(islice(sealed[venue], len(frames))) != frames:
                            raise SealingError(self.journal, "a segment read back differs from it")
            if any(next(rest, None) is not None for rest in sealed.values()):
                raise SealingError(self.journal, "a segment read back has more frames than it")

    def _put_into_place(self, entry: ManifestEntry) -> None:
        path = self.folder.path / entry.path
        disk = self.folder.disk
        disk.replace(self._temporary(entry.path), path)
        disk.sync_folder(path.parent)
        self.on_step("segment renamed")
        append_entry(self.folder.manifest, entry, disk)
        self.on_step("segment listed")

    def _finish(self, written: list[ManifestEntry]) -> SealingReport:
        disk = self.folder.disk
        kept_aside = ""
        if self.state.damage:
            aside = self.journal.with_name(self.journal.name + DAMAGED_SUFFIX)
            disk.replace(self.journal, aside)
            kept_aside = aside.relative_to(self.folder.path).as_posix()
        else:
            disk.remove(self.journal)
        disk.sync_folder(self.folder.journals)
        self.on_step("journal removed")
        return SealingReport(
            number=self.number,
            segments=len(written),
            frames=sum(entry.frames for entry in written),
            closed=self.state.closed,
            torn_bytes=self.state.torn_bytes,
            damage=[
                f"bytes {d.from_byte:,} to {d.to_byte:,}: {d.reason}; "
                + ("frames lost: unknown" if d.frames is None else f"{d.frames:,} frames lost")
                for d in self.state.damage
            ],
            kept_aside=kept_aside,
        )

    def _temporary(self, place: str) -> Path:
        path = self.folder.path / place
        return path.with_name(path.name + TEMPORARY_SUFFIX)


def by_venue(batch: list[Frame]) -> Iterator[tuple[str, list[Frame]]]:
    """Split frames by venue, keeping their order."""
    venues = {frame.venue for frame in batch}
    if len(venues) == 1:
        yield batch[0].venue, batch
        return
    for venue in sorted(venues):
        yield venue, [frame for frame in batch if frame.venue == venue]


def main(arguments: list[str]) -> int:
    """Seal one journal and say how it went, as one JSON line on stdout."""
    folder, number = RecordingFolder(Path(arguments[0])), int(arguments[1])
    os.nice(_NICENESS)
    answer: object
    try:
        # One whose sealing failed before gets another try: a disk may have room again.
        answer = [seal(folder, n) for n in folder.journal_numbers() if n <= number]
        code = 0
    except SealingError as error:
        answer = {"error": str(error)}
        code = 1
    try:
        apply_keeps(folder, [read_keep(text) for text in arguments[2:]])
    except (OSError, TickreelError) as error:
        answer = {"error": str(error)}
        code = code or EXIT_NOT_REMOVED
    said = msgspec.json.encode(answer)
    if len(said) > SAID_BYTES_MAX:
        said = msgspec.json.encode({"sealed": True})
    sys.stdout.write(said.decode() + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
