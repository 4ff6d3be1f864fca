"""Searching a recording for secrets, before it is given to anyone.

Theory. A recording is made without secrets (`recorder.redaction`); this does not rely on that. It
looks at all that a receiver of the folder would have, as a receiver could read it: every frame's
payload, and what a packed payload unpacks to; recording.json, the manifest and the other files of
ours; and every other file in the folder, logs and what else was put there. What it finds is told by
where it is and what kind it is, with an excerpt in which it is masked: a report must not be the
next leak.

Frames are searched some thousand at a time, joined by what no pattern spans, so that a quiet
recording costs one search; only where something is seen are they looked at one by one.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from recorder.recording_folder import parse_segment_path
from replay.recording import Recording
from replay.secret_patterns import Sight, known_sights, sights, spellings
from venues.errors import TickreelError
from venues.frame import Frame

DESCRIPTION_NAME = "recording.json"
_SEPARATOR = b"\n\0\n"
_BATCH_BYTES = 1 << 18
_FILE_BYTES = 8 << 20
_OVERLAP_BYTES = 4096
_UNPACKED_BYTES_MAX = 64 << 20
EXCERPT_BYTES = 48
_MASK = b"*****"
_ESCAPE = re.compile(rb"\\{1,8}u00([2-7][0-9a-fA-F])")
_NOT_UNPACKED = (b"PAR1", b"PK\3\4", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x04\x22\x4d\x18")
"""How files begin that are Parquet, zip (a .reel too), bzip2, xz, 7z or lz4."""

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class SecretFound:
    """A secret in a recording.

    Attributes:
        kind: what it is, or looks like.
        place: a file below the folder; '' where it is in a frame. Of a frame in a recording that
            lies in the folder, that recording's folder.
        frame_number: of the frame; None where it is in a file.
        frame_kind: of the frame; '' where it is in a file.
        packed: whether it is in what a packed payload unpacks to, or an escaped one means.
        excerpt: what stands around it, the secret masked.
    """

    kind: str
    place: str
    frame_number: int | None
    frame_kind: str
    packed: bool
    excerpt: str


class SecretScan:
    """Searches for the secrets in `known` (by what to call them) and for what looks like one.

    Attributes:
        frames: how many frames were looked at.
        files: how many files were, apart from segments and journals.
        unsearched: files that are packed in a way that is not unpacked here.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = tuple(
            spelling for name, secret in known.items() for spelling in spellings(name, secret)
        )
        self.frames = 0
        self.files = 0
        self.unsearched: list[str] = []

    def recording(self, folder: str | Path) -> Iterator[SecretFound]:
        """Yield what is found, in the order of the frames, then in files.

        Raises:
            RecorderError: it is no recording, or cannot be read at all.
        """
        recording = Recording.open(folder)
        batch: list[Frame] = []
        size = 0
        for frame in recording.frames(skip_damaged=True):
            batch.append(frame)
            size += len(frame.payload)
            if size >= _BATCH_BYTES:
                yield from self.in_frames(batch)
                batch, size = [], 0
        yield from self.in_frames(batch)
        yield from self._in_folder(recording.path)

    def in_frames(self, frames: Iterable[Frame]) -> Iterator[SecretFound]:
        """Yield what is found in payloads."""
        frames = list(frames)
        self.frames += len(frames)
        contents = [(frame, content) for frame in frames for content in _contents(frame.payload)]
        joined = _SEPARATOR.join(content for _, content in contents)
        if not self._found(joined):
            return
        told: set[tuple[int, str, str]] = set()
        for frame, content in contents:
            for sight, excerpt in self._told(content):
                if (seen := (frame.frame_number, sight.kind, excerpt)) in told:
                    continue
                told.add(seen)
                yield SecretFound(
                    sight.kind,
                    "",
                    frame.frame_number,
                    frame.kind.name.lower(),
                    content is not frame.payload,
                    excerpt,
                )

    def _in_folder(self, folder: Path) -> Iterator[SecretFound]:
        for parent, names, files in os.walk(folder):
            names.sort()
            if Path(parent) != folder and DESCRIPTION_NAME in files:
                place = Path(parent).relative_to(folder).as_posix()
                names.clear()
                yield from self._recording_inside(Path(parent), place)
                continue
            for name in sorted(files):
                path = Path(parent) / name
                place = path.relative_to(folder).as_posix()
                if parse_segment_path(place) is None and path.is_file() and not path.is_symlink():
                    self.files += 1
                    yield from self._in_file(path, place)

    def _recording_inside(self, folder: Path, place: str) -> Iterator[SecretFound]:
        """Search a recording in the folder of another: a part that it was split into, say."""
        try:
            for one in self.recording(folder):
                yield replace(one, place=f"{place}/{one.place}" if one.place else place)
        except TickreelError as error:
            self.unsearched.append(f"{place} ({error})")

    def _in_file(self, path: Path, place: str) -> Iterator[SecretFound]:
        told: set[tuple[str, str]] = set()
        with path.open("rb") as file:
            if file.read(8).startswith(_NOT_UNPACKED):
                self.unsearched.append(place)
        for content, packed in _file_contents(path):
            for sight, excerpt in self._told(content):
                if (sight.kind, excerpt) not in told:  # pieces overlap
                    told.add((sight.kind, excerpt))
                    yield SecretFound(sight.kind, place, None, "", packed, excerpt)

    def _found(self, content: bytes) -> list[Sight]:
        known = list(known_sights(content, self._known))
        covered = [(sight.begin, sight.end) for sight in known]
        likely = [
            sight
            for sight in sights(content)
            if not any(begin < sight.end and sight.begin < end for begin, end in covered)
        ]
        return _apart([*known, *likely])

    def _told(self, content: bytes) -> Iterator[tuple[Sight, str]]:
        found = self._found(content)
        for sight in found:
            yield sight, _excerpt(content, sight, found)


def _apart(found: list[Sight]) -> list[Sight]:
    """Return the sights in order, one for each place."""
    apart: list[Sight] = []
    for sight in sorted(found, key=lambda sight: (sight.begin, -sight.end)):
        if not apart or sight.begin >= apart[-1].end:
            apart.append(sight)
    return apart


def _excerpt(content: bytes, sight: Sight, found: list[Sight]) -> str:
    """Return what stands around a sight, with all that was seen there masked."""
    low = max(0, sight.begin - EXCERPT_BYTES)
    high = min(len(content), sight.end + EXCERPT_BYTES // 4)
    parts, at = [], low
    for other in found:
        if other.end <= low or other.begin >= high:
            continue
        parts += [content[at : max(at, other.begin)], _MASK]
        at = other.end
    parts.append(content[at:high])
    text = b"".join(parts).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\N{MIDDLE DOT}" for character in text)


def _contents(payload: bytes) -> Iterator[bytes]:
    """Yield a payload, and what it unpacks to where it is packed: whole, or in an HTTP frame."""
    yield payload
    if b"\\u00" in payload:
        yield _unescaped(payload)
    body = payload if payload[:1] != b"{" else payload.partition(b"\n")[2]
    for wbits in _wrappers(body):
        unpacked = _unpacked(body, wbits)
        if unpacked:
            yield unpacked
            if b"\\u00" in unpacked:
                yield _unescaped(unpacked)
            return


def _unescaped(content: bytes) -> bytes:
    """Return a text without the escapes that JSON allows for any sign."""
    return _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), content)


def _unpacked(body: bytes, wbits: int) -> bytes:
    """Return what all members of a packed body hold, one after the other, as far as they go."""
    unpacked: list[bytes] = []
    left = _UNPACKED_BYTES_MAX
    with suppress(zlib.error):
        while body and left > 0:
            member = zlib.decompressobj(wbits)
            unpacked.append(member.decompress(body, left))
            left -= len(unpacked[-1])
            body = member.unused_data
    return b"".join(unpacked)


def _wrappers(body: bytes) -> tuple[int, ...]:
    if body[:2] == b"\x1f\x8b":
        return (zlib.MAX_WBITS | 16,)
    if body[:1] in (b"{", b"[", b""):
        return ()
    return (zlib.MAX_WBITS, -zlib.MAX_WBITS)


def _file_contents(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Yield the pieces of a file, each with the end of the one before, and what it unpacks to."""
    with path.open("rb") as file:
        yield from ((piece, False) for piece in _pieces(file.read))
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        if magic == _ZSTD_MAGIC:
            yield from ((piece, True) for piece in _zstd_pieces(path))
        elif magic[:2] == b"\x1f\x8b":
            import gzip

            try:
                with gzip.open(file) as unpacked:
                    yield from ((piece, True) for piece in _pieces(unpacked.read))
            except (OSError, EOFError, zlib.error):
                return


def _pieces(read: Callable[[int], bytes], bytes_max: int | None = None) -> Iterator[bytes]:
    tail, size = b"", 0
    while (bytes_max is None or size < bytes_max) and (piece := read(_FILE_BYTES)):
        yield tail + piece
        tail = piece[-_OVERLAP_BYTES:]
        size += len(piece)


def _zstd_pieces(path: Path) -> Iterator[bytes]:
    """Yield what a journal's blocks unpack to, each by itself: one may be damaged."""
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=_UNPACKED_BYTES_MAX >> 3)
    packed = path.read_bytes()
    at = packed.find(_ZSTD_MAGIC)
    while at >= 0:
        reader = decompressor.stream_reader(memoryview(packed)[at:], read_across_frames=False)
        with suppress(zstandard.ZstdError):
            yield from _pieces(reader.read, _UNPACKED_BYTES_MAX)
        at = packed.find(_ZSTD_MAGIC, at + len(_ZSTD_MAGIC))
