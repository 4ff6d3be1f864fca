"""Engine checkpoints in a recording's folder: which there are, and which can be believed.

Theory. `checkpoints.jsonl` has a line a checkpoint, and `checkpoints/` the checkpoints themselves
(`recorder/FORMAT.md`, section 8). They are made of the recording, so that whatever is wrong with
them costs time and never truth: each that cannot be believed is passed over, with a sentence why,
and what is left is at worst the way from the first frame.

A checkpoint is usable where it stands for exactly the frames before it, as this engine would apply
them: made by the same engine, set alike, over segments with the very hashes that the manifest has
now (`frames_sha256`: of all numbers up to the one that it lies in). And its file must have the hash
that its line says, and the line its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import msgspec
import zstandard

from book.checkpoint import settings_hash
from book.settings import EngineSettings
from recorder.manifest import ManifestEntry, append_line
from recorder.recording_folder import (
    RecordingFolder,
    make_folder,
    stays_inside,
    write_whole,
)
from recorder.zstd_frame import CONTENT_BYTES_MAX, ZstdFrameError, decode
from replay.engine_version import engine_version
from venues.errors import MALFORMED

LIST_NAME = "checkpoints.jsonl"
FOLDER_NAME = "checkpoints"
_LIST_BYTES_MAX = 256 << 20
_LEVEL = 3


class CheckpointEntry(msgspec.Struct, frozen=True):
    """One checkpoint.

    Attributes:
        frame_number: the last frame that was applied.
        frames: how many were applied.
        now_ns: the greatest receive time among them.
        number: of the journal that the last frame's segment was made from.
        gaps: how many gaps and losses the engine had found by then.
        liquidations: how many liquidations it had taken in by then.
        engine_version: of the engine that made it.
        settings_sha256: of what it was set to.
        frames_sha256: of the segments up to `number`; see `sealed_hashes`.
        file_bytes: size of its file.
        sha256: of its file.
    """

    frame_number: int
    frames: int
    now_ns: int
    number: int
    gaps: int
    liquidations: int
    engine_version: str = ""
    settings_sha256: str = ""
    frames_sha256: str = ""
    file_bytes: int = 0
    sha256: str = ""

    @property
    def path(self) -> str:
        """Where it lies below the recording's folder."""
        return f"{FOLDER_NAME}/{self.frame_number:012d}-{self.settings_sha256[:8]}.zst"


class _Line(CheckpointEntry, frozen=True):
    line_sha256: str = ""


@dataclass(slots=True)
class CheckpointList:
    """The usable checkpoints of a recording, in order, and how many others there are, by why."""

    usable: list[CheckpointEntry] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)

    def ignore(self, reason: str) -> None:
        """Count one that cannot be used."""
        self.ignored[reason] = self.ignored.get(reason, 0) + 1

    @property
    def warnings(self) -> list[str]:
        """What a user should know, a sentence a reason."""
        return [
            f"{count:,} checkpoint{'s' * (count != 1)} ignored: {reason}"
            for reason, count in self.ignored.items()
        ]


def sealed_hashes(segments: Iterable[ManifestEntry]) -> dict[int, str]:
    """Return, for each number, one hash over all segments up to and with that number."""
    ordered = sorted(segments, key=lambda entry: (entry.number, entry.path))
    hashes: dict[int, str] = {}
    hasher = hashlib.sha256()
    for number, entries in groupby(ordered, key=lambda entry: entry.number):
        for entry in entries:
            hasher.update(f"{entry.path} {entry.sha256}\n".encode())
        hashes[number] = hasher.copy().hexdigest()
    return hashes


class CheckpointStore:
    """The checkpoints of one recording, for one engine."""

    def __init__(
        self,
        folder: RecordingFolder,
        segments: Sequence[ManifestEntry],
        settings: EngineSettings,
    ) -> None:
        """Look at a recording's checkpoints as they are for an engine that is set so."""
        self._folder = folder
        self._settings_sha256 = settings_hash(settings)
        self._hashes = sealed_hashes(segments)

    def listed(self) -> CheckpointList:
        """Return what the list says, without opening any of them. A list that is gone is empty."""
        found = CheckpointList()
        for line in _lines(self._folder):
            entry = _parsed(line)
            reason = "their line is damaged" if entry is None else self._objection(entry)
            if entry is None or reason:
                found.ignore(reason)
            else:
                found.usable.append(entry)
        found.usable.sort(key=lambda entry: entry.frame_number)
        return found

    def _objection(self, entry: CheckpointEntry) -> str:
        if entry.engine_version != engine_version():
            return "another version of the engine made them; `tickreel index` makes them anew"
        if entry.settings_sha256 != self._settings_sha256:
            return "they are of an engine with other settings"
        if self._hashes.get(entry.number) != entry.frames_sha256:
            return "they were made over other frames than are there now"
        return ""

    def read(self, entry: CheckpointEntry) -> bytes | None:
        """Return a checkpoint, None where its file is not what its line says."""
        if not stays_inside(self._folder.path, entry.path):
            return None
        try:
            content = (self._folder.path / entry.path).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            return None
        try:
            return decode(memoryview(content))
        except ZstdFrameError:
            return None

    def write(self, content: bytes, entry: CheckpointEntry) -> CheckpointEntry | None:
        """Write a checkpoint and its line; None where it is larger than the format allows.

        What `entry` says of versions, settings, segments and the file is filled in here.

        Raises:
            OSError: the disk refused.
        """
        if len(content) > CONTENT_BYTES_MAX:
            return None
        packed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(content)
        written = msgspec.structs.replace(
            entry,
            engine_version=engine_version(),
            settings_sha256=self._settings_sha256,
            frames_sha256=self._hashes[entry.number],
            file_bytes=len(packed),
            sha256=hashlib.sha256(packed).hexdigest(),
        )
        place, disk = self._folder.path / written.path, self._folder.disk
        make_folder(place.parent, disk)
        write_whole(place, packed, disk)
        path = self._folder.path / LIST_NAME
        # What follows the last line feed was cut short by a crash.
        whole_bytes = path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0
        append_line(path, _line_text(written) + b"\n", whole_bytes, disk)
        return written

    def forget_others(self, *, every_one: bool = False) -> int:
        """Remove the checkpoints that cannot be used (or all), and their lines; return how many.

        Raises:
            OSError: the disk refused.
        """
        usable = [] if every_one else self.listed().usable
        kept = {entry.path for entry in usable}
        lines = [_line_text(entry) + b"\n" for entry in usable]
        write_whole(self._folder.path / LIST_NAME, b"".join(lines), self._folder.disk)
        removed = 0
        for path in (self._folder.path / FOLDER_NAME).glob("*.zst"):
            if f"{FOLDER_NAME}/{path.name}" not in kept:
                path.unlink()
                removed += 1
        return removed


def _lines(folder: RecordingFolder) -> Iterator[bytes]:
    path = folder.path / LIST_NAME
    try:
        if path.is_symlink() or path.stat().st_size > _LIST_BYTES_MAX:
            return
        content = path.read_bytes()
    except OSError:
        return
    # What follows the last line feed was being written when someone pulled the plug.
    yield from content.split(b"\n")[:-1]


def _parsed(line: bytes) -> CheckpointEntry | None:
    try:
        entry = msgspec.json.decode(line, type=_Line)
    except MALFORMED:
        return None
    names = CheckpointEntry.__struct_fields__
    plain = CheckpointEntry(*(getattr(entry, name) for name in names))
    return plain if _line_text(plain) == line else None


def _line_text(entry: CheckpointEntry) -> bytes:
    body = msgspec.json.encode(entry)[:-1]
    own = hashlib.sha256(body).hexdigest().encode()
    return body + b',"line_sha256":"' + own + b'"}'
