"""Flips and cuts by the ten thousand: `python -m tests.soak.disk_damage --flips 10000`.

Each file kind (journal, segment, manifest, recording.json): a flipped bit is never silent, and
costs no more than its block or row group. Each cut of a journal of 1 MB ends at the last whole
block, and a recorder goes on after it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from recorder.description import read_description
from recorder.journal_reader import JournalReader
from recorder.manifest import read_manifest
from recorder.recording import RecordingWriter
from recorder.recording_folder import RecordingFolder
from replay.recording import Recording
from tests.recorder.failing_disk import never
from tests.recorder.made_frames import made_frames, record, write_journal
from tests.recorder.sealing_in_line import SealingInLine
from tests.recorder.test_journal import block_ends
from venues.errors import TickreelError
from venues.frame import Frame, FrameKind

BLOCK = 20
CUT_BLOCK = 2
GOES_ON_EVERY = 1_000


def flipped(path: Path, flips: int, seed: int, silent: Callable[[], bool]) -> int:
    """Flip one bit at a time; return how many flips were silent."""
    whole, chance, count = path.read_bytes(), random.Random(seed), 0
    for _ in range(flips):
        bit = chance.randrange(len(whole) * 8)
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        path.write_bytes(altered)
        if silent():
            count += 1
            print(f"{path.name}: bit {bit} (seed {seed}) was silent or cost too much")
    path.write_bytes(whole)
    return count


def journal_flips(place: Path, flips: int, seed: int) -> int:
    """Return how many flips of a journal's bits were silent or cost more than one block."""
    path, frames = place / "000001.zst", made_frames(1_000)
    write_journal(path, frames, block=BLOCK)

    def silent() -> bool:
        found: list[Frame] = []
        with JournalReader(path, 0) as reader:
            for item in reader.walk():
                found += item if isinstance(item, list) else []
            state = reader.state
        kept = set(found) <= set(frames) and len(found) >= len(frames) - BLOCK
        return not (kept and (state.damage or state.torn_bytes or not state.closed))

    return flipped(path, flips, seed, silent)


def recording_flips(place: Path, flips: int, seed: int) -> dict[str, int]:
    """Return how many flips were silent, by kind of file."""
    folder, frames = place / "night", made_frames(1_000, payload_bytes=40)
    record(folder, frames, rotate_every=200)
    segment = folder / Recording.open(folder).segments[2].path

    def segment_silent() -> bool:
        recording = Recording.open(folder)
        found = [f for f in recording.frames(skip_damaged=True) if f.kind is FrameKind.TEXT]
        # These segments have one row group.
        return not (list(recording.verify()) and len(found) >= len(frames) - 200)

    def raises(read: Callable[[], object]) -> Callable[[], bool]:
        def silent() -> bool:
            try:
                read()
            except TickreelError:
                return False
            return True

        return silent

    def read_whole_manifest() -> None:
        if read_manifest(folder / "manifest.jsonl").torn_bytes:
            Recording.open(folder)

    return {
        "segment": flipped(segment, flips, seed, segment_silent),
        "manifest": flipped(folder / "manifest.jsonl", flips, seed, raises(read_whole_manifest)),
        "recording.json": flipped(
            folder / "recording.json",
            flips,
            seed,
            raises(lambda: read_description(RecordingFolder(folder))),
        ),
    }


def cuts(place: Path, size: int) -> tuple[int, int]:
    """Cut a journal at every offset; return how many cuts and how many ended anywhere else."""
    folder = place / "cut"
    # Large frames, few to a block: each of the cuts is a walk through the whole journal.
    frames = made_frames(size // 10_010, payload_bytes=10_000)
    writer = RecordingWriter.create(folder, asked_for={}, disk=never())
    for begin in range(0, len(frames), CUT_BLOCK):
        writer.write(frames[begin : begin + CUT_BLOCK])
    writer._journal.abandon()
    writer._lock.release()
    path = writer._journal.path
    whole, ends = path.read_bytes(), block_ends(path)
    wrong, blocks = 0, len(ends) - 1
    for cut in range(len(whole) - 1, ends[1], -1):
        with path.open("r+b") as file:
            file.truncate(cut)
        while ends[blocks] > cut:
            blocks -= 1
        if cut % GOES_ON_EVERY:
            with JournalReader(path, 0) as reader:
                # Only the last blocks can differ from the cut before; all are walked all the same.
                found = sum(len(item) for item in reader.walk() if isinstance(item, list))
                wrong += found != min(len(frames), CUT_BLOCK * (blocks - 1))
        else:
            print(f"{cut:,} offsets left, {wrong} wrong so far", end="\r", flush=True)
            wrong += not _goes_on(folder, path, frames[: CUT_BLOCK * (blocks - 1)])
    return len(whole) - 1 - ends[1], wrong


def _goes_on(folder: Path, journal: Path, frames: list[Frame]) -> bool:
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    writer = RecordingWriter.create(copy, asked_for={}, disk=never(), sealing_queue=SealingInLine)
    more = made_frames(5, first=writer.next_frame_number)
    writer.write(more)
    writer.close()
    found = [f for f in Recording.open(copy) if f.kind is FrameKind.TEXT]
    shutil.rmtree(copy)
    return found == [*frames, *more]


def main() -> int:
    """Damage; 0 when nothing was silent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--cut-bytes", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        silent = {"journal": journal_flips(Path(place), arguments.flips, arguments.seed)}
        silent |= recording_flips(Path(place), arguments.flips, arguments.seed)
        for kind, count in silent.items():
            print(f"{kind}: {arguments.flips:,} flips, {count} silent or costing too much")
        offsets, wrong = cuts(Path(place), arguments.cut_bytes)
        print(f"journal: cut at {offsets:,} offsets, {wrong} not at the last whole block")
    print(f"seed {arguments.seed}, {time.monotonic() - begun_s:.0f} s")
    return 1 if wrong or any(silent.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
