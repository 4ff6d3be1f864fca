"""The engine as it was at any instant of a recording: the nearest checkpoint, and the frames after.

Theory. What a place is, `replay.place` says. A checkpoint lies before a time if no frame in it was
received then or later, which is what `now_ns` says, and before a frame by its number. Whatever the
checkpoints are, the engine is the one that a replay of all frames up to the place gives: they only
save time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from book.engine import Engine
from book.errors import CheckpointError
from book.settings import EngineSettings
from recorder.recording_folder import RecordingFolder
from replay.checkpoint_store import CheckpointEntry, CheckpointStore
from replay.engine_settings import recorded_settings
from replay.frame_source import FrameSource
from replay.place import Place
from replay.recording import Recording
from venues.frame import Frame


@dataclass(frozen=True, slots=True)
class Sought:
    """An engine at a place.

    Attributes:
        engine: as it was there.
        next_frame_number: of the first frame not applied, or one more than the last there is.
        from_checkpoint: the checkpoint that it went on from; None for the first frame.
        frames_applied: how many frames came after that.
        warnings: what of the checkpoints could not be used, a sentence each.
    """

    engine: Engine
    next_frame_number: int
    from_checkpoint: CheckpointEntry | None
    frames_applied: int
    warnings: tuple[str, ...]


def store_of(recording: Recording, settings: EngineSettings) -> CheckpointStore:
    """Return the checkpoints of a recording, as they are for an engine that is set so."""
    return CheckpointStore(RecordingFolder(recording.path), recording.segments, settings)


def engine_before(
    source: FrameSource,
    *,
    time_ns: int | None = None,
    frame_number: int | None = None,
    settings: EngineSettings | None = None,
    skip_damaged: bool = False,
) -> Sought:
    """Return the engine at a place; with neither time nor number, at the end.

    Checkpoints are those of one whole recording; any other source is played from its beginning.

    Raises:
        TickreelError: frames between the checkpoint and the place cannot be read.
    """
    settings = recorded_settings(source) if settings is None else settings
    place = Place(frame_number, time_ns)
    engine, entry, warnings = Engine(settings), None, list[str]()
    if isinstance(source, Recording):
        engine, entry, warnings = _nearest(source, place, settings)
    following, applied = 0 if entry is None else entry.frame_number + 1, 0
    for frame in frames_from(source, following, skip_damaged):
        if place.is_before(frame):
            following = frame.frame_number
            break
        engine.apply(frame)
        applied += 1
        following = frame.frame_number + 1
    return Sought(engine, following, entry, applied, tuple(warnings))


def _nearest(
    recording: Recording, place: Place, settings: EngineSettings
) -> tuple[Engine, CheckpointEntry | None, list[str]]:
    store = store_of(recording, settings)
    listed = store.listed()
    for entry in reversed(listed.usable):
        if not place.is_after(entry.frame_number, entry.now_ns):
            continue
        content = store.read(entry)
        if content is not None:
            try:
                return Engine.restored(content, settings), entry, listed.warnings
            except CheckpointError:
                pass
        listed.ignore("their file is damaged or gone; `tickreel index --anew` makes them again")
    return Engine(settings), None, listed.warnings


def frames_from(
    source: FrameSource, frame_number: int, skip_damaged: bool = False
) -> Iterator[Frame]:
    """Yield the frames of a source with that number or above; of a recording, the others unread."""
    if isinstance(source, Recording):
        for batch in source.frame_batches(from_frame=frame_number, skip_damaged=skip_damaged):
            yield from batch
        return
    for frame in source.frames(skip_damaged=skip_damaged):
        if frame.frame_number >= frame_number:
            yield frame
