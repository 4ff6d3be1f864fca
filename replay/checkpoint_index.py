"""Checkpoints are written: a recording is replayed, and every so many frames one is kept.

Theory. Only what is sealed is indexed: a journal still changes its shape. What is indexed already
is not replayed again: the work goes on from the last usable checkpoint, so that a recording that
grows, live or day by day, is indexed for what it grew. Checkpoints that cannot be used any more
are removed first.

One lies wherever the count of frames is a multiple of `every`, so that two runs over the same
frames, in one go or in many, write the same checkpoints. Where another spacing is asked for than
they have that are there, all are written anew; where none is asked for, theirs is gone on with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from book.engine import Engine
from book.settings import EngineSettings
from replay.checkpoint_store import CheckpointEntry, CheckpointStore
from replay.engine_settings import recorded_settings
from replay.landmark import gaps_of, liquidations_of
from replay.recording import Recording
from replay.seek import Sought, engine_before, store_of
from venues.frame import Frame

EVERY_FRAMES = 10_000
"""An engine applies so many in some 0.2 s, which is what a seek then takes at most."""


@dataclass(slots=True)
class IndexReport:
    """What an indexing did.

    Attributes:
        every: after how many frames there is one each.
        frames: how many sealed frames the recording has.
        frames_applied: how many were replayed for it.
        written: how many checkpoints were written.
        kept: how many were there already.
        removed: how many could not be used any more.
        too_large: how many were larger than the format allows, and were left out.
        bytes: what all of them take on disk.
        state_digest: of the engine at the last sealed frame.
    """

    every: int = EVERY_FRAMES
    frames: int = 0
    frames_applied: int = 0
    written: int = 0
    kept: int = 0
    removed: int = 0
    too_large: int = 0
    bytes: int = 0
    state_digest: str = ""


def write_index(
    recording: Recording,
    *,
    every: int | None = None,
    settings: EngineSettings | None = None,
    anew: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> IndexReport:
    """Write the checkpoints that a recording lacks; `anew` writes all of them.

    One after `every` frames each; None for as many as they have that are there, else EVERY_FRAMES.
    `on_progress` is told, now and then, up to which frame number the work is done.

    Raises:
        TickreelError: frames cannot be read.
        OSError: the disk refused.
    """
    settings = recorded_settings(recording) if settings is None else settings
    store = store_of(recording, settings)
    spacing = _spacing(store.listed().usable)
    report = IndexReport(
        every=every or spacing or EVERY_FRAMES,
        frames=sum(entry.frames for entry in recording.segments),
    )
    respaced = spacing is not None and spacing != report.every
    report.removed = store.forget_others(every_one=anew or respaced)
    kept = store.listed().usable
    report.kept, report.bytes = len(kept), sum(entry.file_bytes for entry in kept)
    sought = _at_last_checkpoint(recording, kept, settings)
    engine = sought.engine
    for number, frame in _sealed_frames(recording, sought.next_frame_number):
        engine.apply(frame)
        report.frames_applied += 1
        if engine.frames % report.every == 0:
            _write(store, engine, number, report)
            if on_progress is not None:
                on_progress(frame.frame_number)
    report.state_digest = engine.state_digest()
    return report


def _spacing(kept: list[CheckpointEntry]) -> int | None:
    """Return after how many frames there is a checkpoint each; None where there is none.

    The least, as one that was too large or is damaged may lie between two others.
    """
    counts = [0, *(entry.frames for entry in kept)]
    return min((after - before for before, after in pairwise(counts)), default=None)


def _at_last_checkpoint(
    recording: Recording, kept: list[CheckpointEntry], settings: EngineSettings
) -> Sought:
    following = kept[-1].frame_number + 1 if kept else 0
    return engine_before(recording, frame_number=following, settings=settings)


def _sealed_frames(recording: Recording, from_frame: int) -> Iterator[tuple[int, Frame]]:
    """Yield (number of its segment, frame) of all sealed frames from one on."""
    ends: dict[int, int] = {}
    for entry in recording.segments:
        ends[entry.number] = max(ends.get(entry.number, 0), entry.last_frame_number)
    ahead = sorted(ends.items(), reverse=True)
    for batch in recording.frame_batches(from_frame=from_frame):
        for frame in batch:
            while ahead and frame.frame_number > ahead[-1][1]:
                ahead.pop()
            if not ahead:
                return
            yield ahead[-1][0], frame


def _write(store: CheckpointStore, engine: Engine, number: int, report: IndexReport) -> None:
    entry = store.write(
        engine.checkpoint(),
        CheckpointEntry(
            frame_number=engine.frame.frame_number,
            frames=engine.frames,
            now_ns=engine.now_ns,
            number=number,
            gaps=gaps_of(engine),
            liquidations=liquidations_of(engine),
        ),
    )
    if entry is None:
        report.too_large += 1
    else:
        report.written += 1
        report.bytes += entry.file_bytes
