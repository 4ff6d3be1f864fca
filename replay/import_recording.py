"""Recordings by other programs become recordings of ours: `tickreel import`.

Where format and venue are not given, the files say (`import_recognition`). Several files are joined
in time order; within a file the order of its lines stays, whatever its times say. Each line is one
frame, and no frame is made up. Nothing is held in memory but a batch.

The recording is written beside its place under a hidden name and moved there when it is whole, so
that an import that fails, or is killed, never leaves a folder that passes for a recording.
"""

from __future__ import annotations

import heapq
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recorder.recording import RecordingWriter, Rotation
from recorder.recording_errors import JournalWriteError
from replay import import_cryptofeed, import_hftbacktest, import_tardis
from replay.import_draft import Draft, ImportSource, ReadDrafts
from replay.import_errors import (
    FileGivenTwiceError,
    ImportNotWrittenError,
    ImportTargetError,
    UnknownImportFormatError,
)
from replay.import_recognition import (
    CRYPTOFEED,
    HFTBACKTEST,
    TARDIS,
    format_of,
    http_files_beside,
    sibling_in,
    venue_in,
    venue_said,
)
from replay.import_understanding import Understanding
from venues.frame import Frame, FrameKind
from venues.registry import venue_named
from venues.venue import Venue

_BATCH_FRAMES = 4_096
_BATCH_BYTES = 4 * 2**20
_ROTATION = Rotation(interval_s=10.0**9)
"""By size alone: how long the import itself takes says nothing about the recording."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What was imported.

    Attributes:
        folder: the recording.
        venue: whose messages they are.
        files: the files it was made from, in the order given, and those taken with them.
        frames: how many frames it has: one for each line that is not blank.
        connections: how many connections they were received on.
        kinds: frames by kind.
        payload_bytes: the sum of the payloads.
        bytes_on_disk: the size of the recording.
        first_receive_time_ns: of the first frame; None without frames.
        last_receive_time_ns: of the last frame; None without frames.
        notes: sentences that the user should read.
    """

    folder: Path
    venue: str
    files: tuple[Path, ...]
    frames: int
    connections: int
    kinds: Mapping[FrameKind, int]
    payload_bytes: int
    bytes_on_disk: int
    first_receive_time_ns: int | None
    last_receive_time_ns: int | None
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    frames: int = 0
    payload_bytes: int = 0
    kinds: Counter[FrameKind] = field(default_factory=Counter)
    connections: set[int] = field(default_factory=set)
    first_receive_time_ns: int | None = None
    last_receive_time_ns: int | None = None
    understanding: Understanding = field(default_factory=Understanding)


def import_recording(
    files: Sequence[str | Path],
    format_name: str | None,
    venue_name: str | None,
    folder: str | Path,
    *,
    http_beside: bool = True,
) -> ImportReport:
    """Make the recording `folder` from the lines of `files`.

    `format_name` and `venue_name` None are found out from the files. With `http_beside`, the HTTP
    files that lie beside WebSocket files of the same feed are taken too.

    Raises:
        UnknownImportFormatError: `format_name` is none of `FORMATS`.
        UnknownVenueError: `venue_name` is in no registry.
        UnrecognisedImportError: a format was not given, and the files are of none that is known.
        VenueNotNamedError, UnknownAddressError, DifferentVenuesError: a venue was not given, and
            the files do not say of which one they are.
        ImportTargetError: the folder is not empty.
        FileGivenTwiceError: each of its lines would be two frames.
        ImportNotWrittenError: the disk refused some of it.
        ImportSourceError: a file cannot be read.
        ImportFormatError: a line is not what the format says, or files are of two exchanges that
            the format tells apart in no other way.
        RecorderError: the recording cannot be written.
    """
    if format_name is not None and format_name not in FORMATS:
        raise UnknownImportFormatError(format_name, FORMATS)
    given = venue_named(venue_name) if venue_name is not None else None
    target, paths = Path(folder), tuple(Path(file) for file in files)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ImportTargetError(target)
    met: set[Path] = set()
    for path in paths:
        if path.resolve() in met:
            raise FileGivenTwiceError(path)
        met.add(path.resolve())
    beside = http_files_beside(paths) if http_beside else []
    paths += tuple(beside)
    format_name = format_name or format_of(paths)
    notes = [f"{path}: lies beside a WebSocket file of its feed, and was taken." for path in beside]
    venue = _venue(given, paths, format_name, notes)
    if format_name == TARDIS:
        import_tardis.refuse_two_exchanges(paths)
    sources = [ImportSource(path, at, venue, notes.append) for at, path in enumerate(paths)]
    imported = FORMATS[format_name]
    drafts = imported.connected(_joined([imported.read(source) for source in sources]))
    asked_for: dict[str, object] = {
        "venue": venue.name,
        "imported_from": [path.name for path in paths],
        "import_format": format_name,
    }
    tally, bytes_on_disk = _written(drafts, venue.name, asked_for, target)
    if tally.understanding.none:
        notes.append(_not_understood(tally.understanding, venue, venue_said(paths, format_name)))
    return ImportReport(
        folder=target,
        venue=venue.name,
        files=paths,
        frames=tally.frames,
        connections=len(tally.connections),
        kinds=tally.kinds,
        payload_bytes=tally.payload_bytes,
        bytes_on_disk=bytes_on_disk,
        first_receive_time_ns=tally.first_receive_time_ns,
        last_receive_time_ns=tally.last_receive_time_ns,
        notes=tuple(notes),
    )


def _venue(given: Venue | None, paths: Sequence[Path], format_name: str, notes: list[str]) -> Venue:
    if given is None or format_name == TARDIS:
        return venue_in(paths, format_name)
    sibling = sibling_in(paths, format_name, given)
    if sibling is None:
        return given
    notes.append(
        f"The files name an address of {sibling.name}: imported as that, not as {given.name}."
    )
    return sibling


def _not_understood(met: Understanding, venue: Venue, said: Venue | None) -> str:
    text = (
        f"Nothing was understood: of {met.messages:,} message{'s' * (met.messages != 1)} none says "
        f"anything about a market as {venue.name} does."
    )
    if said is None:
        rest = "If they are another exchange's, give --venue; `tickreel venues` lists them."
    elif said.name != venue.name:
        rest = f"The files name an address of {said.name}: import them with --venue {said.name}."
    else:
        rest = "They are of channels that tickreel does not know, or of another protocol."
    return f"{text} {rest}"


def _joined(files: Sequence[Iterator[Draft]]) -> Iterator[Draft]:
    if len(files) == 1:
        return files[0]
    return (draft for _, draft in heapq.merge(*map(_timed, files), key=lambda timed: timed[0]))


def _timed(drafts: Iterator[Draft]) -> Iterator[tuple[int, Draft]]:
    """Pair each draft with the highest time so far: a file's own order is never changed."""
    time_ns = 0
    for draft in drafts:
        time_ns = max(time_ns, draft.receive_time_ns)
        yield time_ns, draft


_Connected = Iterator[tuple[int, Draft]]
"""Drafts with the number of the connection that each belongs to."""


def _one_connection(drafts: Iterator[Draft]) -> _Connected:
    """One for all files: a file a day continues the connection of the day before."""
    return ((1, draft) for draft in drafts)


def _opened_connections(drafts: Iterator[Draft]) -> _Connected:
    """Give each opening a new number, and each line that of its file's last opening.

    An HTTP body in a file that opened nothing goes to the connection opened last of all.
    """
    last, opened = 0, dict[int, int]()
    for draft in drafts:
        begins = draft.kind is FrameKind.OPENED
        if begins or (draft.file_number not in opened and draft.kind is not FrameKind.HTTP):
            last += 1
            opened[draft.file_number] = last
        yield opened.get(draft.file_number, max(last, 1)), draft


def _written(
    drafts: _Connected, venue: str, asked_for: Mapping[str, object], target: Path
) -> tuple[_Tally, int]:
    target.parent.mkdir(parents=True, exist_ok=True)
    workplace = Path(tempfile.mkdtemp(prefix=f".{target.name}.importing-", dir=target.parent))
    try:
        # Nothing goes on beside an import, and what does not fit is not kept: no room is left free.
        writer = RecordingWriter.create(
            workplace,
            asked_for=asked_for,
            rotation=_ROTATION,
            clock_source="import",
            min_free_bytes=0,
        )
        tally = _Tally()
        try:
            for batch in _batches(drafts, venue, tally):
                writer.write(batch)
                if writer.rotate_due(batch[-1].receive_time_ns):
                    writer.rotate()
        finally:
            closing = writer.close()
        if closing.faults:
            raise ImportNotWrittenError(target, closing.faults)
        os.replace(workplace, target)  # noqa: PTH105 - onto an empty folder, which Path words alike
    except JournalWriteError as error:
        # Its own sentence is about a recording that stays and goes on.
        shutil.rmtree(workplace, ignore_errors=True)
        raise OSError(error.errno, error.reason, str(target)) from error
    except BaseException:
        shutil.rmtree(workplace, ignore_errors=True)
        raise
    return tally, closing.bytes_on_disk


def _batches(drafts: _Connected, venue: str, tally: _Tally) -> Iterator[list[Frame]]:
    batch: list[Frame] = []
    size = 0
    for number, (connection_id, draft) in enumerate(drafts):
        receive_time_ns, _, kind, payload = draft
        batch.append(Frame(number, connection_id, venue, kind, receive_time_ns, None, payload))
        size += len(payload)
        if size >= _BATCH_BYTES or len(batch) == _BATCH_FRAMES:
            _count(batch, size, tally)
            yield batch
            batch, size = [], 0
    if batch:
        _count(batch, size, tally)
        yield batch


def _count(batch: list[Frame], size: int, tally: _Tally) -> None:
    tally.frames += len(batch)
    tally.payload_bytes += size
    tally.kinds.update(frame.kind for frame in batch)
    tally.connections.update(frame.connection_id for frame in batch)
    if tally.first_receive_time_ns is None:
        tally.first_receive_time_ns = batch[0].receive_time_ns
    tally.last_receive_time_ns = batch[-1].receive_time_ns
    tally.understanding.look(batch)


@dataclass(frozen=True, slots=True)
class ImportFormat:
    """How one program's recordings are read, and how their lines fall to connections."""

    read: ReadDrafts
    connected: Callable[[Iterator[Draft]], _Connected]


FORMATS: Mapping[str, ImportFormat] = {
    HFTBACKTEST: ImportFormat(import_hftbacktest.read_drafts, _one_connection),
    CRYPTOFEED: ImportFormat(import_cryptofeed.read_drafts, _opened_connections),
    TARDIS: ImportFormat(import_tardis.read_drafts, _one_connection),
}
