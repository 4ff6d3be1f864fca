"""The manifest: a line a segment, each line carrying the hash of the line before it.

Theory. `manifest.jsonl` only ever grows, a line at a time, and a line is there only when its
segment is whole, in place and synced. A line is one JSON object whose last two members are
`previous_sha256` (of the line before; of nothing for the first) and `line_sha256` (of this line's
own text up to that member). So a line that was altered, taken out, doubled or moved is found, the
last one too. It is evidence against accident, not a signature: who can write can forge.

A last line without its line break is the trace of a crash: the segment's journal is then still
there, so the line is cut off and written again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from recorder.disk import REAL_DISK, Disk
from recorder.recording_errors import DamagedManifestError
from recorder.recording_folder import FILE_MODE, parse_segment_path, write_all, write_whole
from venues.errors import MALFORMED, undecodable_reason

_LINE_BYTES_MAX = 1 << 16
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


class ManifestEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """One segment.

    Attributes:
        path: below the recording's folder, with '/'.
        venue: the venue of all its frames.
        number: the number of the journal that it was made from.
        frames: how many.
        first_frame_number: of its first frame.
        last_frame_number: of its last one, or the last that it stands for, where that is a LOST
            frame in place of damage. Other venues' frames have numbers between.
        connection_id_max: the highest in it.
        payload_bytes: the sum over its frames.
        file_bytes: size on disk.
        first_receive_time_ns: of its first frame.
        last_receive_time_ns: of its last one.
        min_receive_time_ns: the earliest; clocks step, so it need not be the first's.
        max_receive_time_ns: the latest.
        footer_bytes: length of the Parquet footer, of which the file holds two copies.
        footer_sha256: of the footer.
        sha256: of the whole file.
    """

    path: str
    venue: str
    number: int
    frames: int
    first_frame_number: int
    last_frame_number: int
    connection_id_max: int
    payload_bytes: int
    file_bytes: int
    first_receive_time_ns: int
    last_receive_time_ns: int
    min_receive_time_ns: int
    max_receive_time_ns: int
    footer_bytes: int
    footer_sha256: str
    sha256: str


class _Line(ManifestEntry, frozen=True):
    previous_sha256: str
    line_sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.jsonl` says. `torn_bytes` is the length of an unfinished last line."""

    entries: tuple[ManifestEntry, ...]
    whole_bytes: int
    torn_bytes: int
    last_line_sha256: str


def read_manifest(path: Path) -> Manifest:
    """Read and check the manifest; one that is not there is empty.

    Raises:
        DamagedManifestError: a line is not what was written.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    except OSError as error:
        raise DamagedManifestError(path, None, str(error)) from error
    whole, separator, torn = content.rpartition(b"\n")
    entries: list[ManifestEntry] = []
    previous = _EMPTY_SHA256
    lines = whole.split(b"\n") if separator else []
    for number, text in enumerate(lines, start=1):
        entry, reason = parse_line(text, previous)
        if entry is None:
            raise DamagedManifestError(path, number, reason)
        entries.append(entry)
        previous = hashlib.sha256(text).hexdigest()
    return Manifest(tuple(entries), len(whole) + len(separator), len(torn), previous)


def parse_line(text: bytes, previous_sha256: str | None) -> tuple[ManifestEntry | None, str]:
    """Return the entry of one line, or None and why it cannot be believed.

    `previous_sha256` None leaves the place of the line in the chain unchecked.
    """
    try:
        line = msgspec.json.decode(text, type=_Line)
    except MALFORMED as error:
        return None, f"is not a segment's line ({undecodable_reason(error)})"
    if text != _line_text(line, line.previous_sha256):
        return None, "is not what was written: its own hash does not fit it"
    if previous_sha256 is not None and line.previous_sha256 != previous_sha256:
        return None, "does not follow the line before it: lines were altered, removed or moved"
    parsed = parse_segment_path(line.path)
    if parsed != (line.venue, line.number):
        return None, f"names a path that no segment can have ({line.path[:120]!r})"
    return _entry(line), ""


def believable_entries(path: Path) -> Iterator[ManifestEntry]:
    """Yield the entries of the lines that are as they were written, whatever stands around them."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return
    for text in lines:
        entry, _ = parse_line(text, None)
        if entry is not None:
            yield entry


def in_order(entries: Iterable[ManifestEntry]) -> tuple[ManifestEntry, ...]:
    """Return entries in the order of their frames."""
    return tuple(sorted(entries, key=lambda entry: (entry.number, entry.first_frame_number)))


def append_entry(path: Path, entry: ManifestEntry, disk: Disk = REAL_DISK) -> None:
    """Add a segment's line and sync it. The caller holds the sealing lock.

    Raises:
        DamagedManifestError: the manifest is damaged, so nothing may be added to it.
        OSError: the disk refused; the manifest is cut back to its last whole line.
    """
    manifest = read_manifest(path)
    line = _line_text(entry, manifest.last_line_sha256) + b"\n"
    append_line(path, line, manifest.whole_bytes, disk)


def append_line(path: Path, line: bytes, whole_bytes: int, disk: Disk) -> None:
    """Add a line to a file of lines, of which `whole_bytes` are to stay, and sync it.

    Raises:
        OSError: the disk refused; the file is cut back to those.
    """
    descriptor = disk.open(path, os.O_WRONLY | os.O_CREAT, FILE_MODE)
    try:
        disk.truncate(descriptor, whole_bytes)
        try:
            write_all(disk, descriptor, line, whole_bytes)
            disk.sync(descriptor)
        except OSError:
            disk.truncate(descriptor, whole_bytes)
            raise
    finally:
        disk.close(descriptor)
    disk.sync_folder(path.parent)


def rewrite_manifest(path: Path, entries: Iterable[ManifestEntry], disk: Disk = REAL_DISK) -> None:
    """Put a manifest of these entries into place, with a chain of its own."""
    lines: list[bytes] = []
    previous = _EMPTY_SHA256
    for entry in entries:
        lines.append(_line_text(entry, previous) + b"\n")
        previous = hashlib.sha256(lines[-1][:-1]).hexdigest()
    write_whole(path, b"".join(lines), disk)


def next_frame_number(entries: Iterable[ManifestEntry], number: int) -> int:
    """Return the frame number that comes after all segments of journals before `number`."""
    return max((e.last_frame_number + 1 for e in entries if e.number < number), default=0)


def _entry(line: _Line) -> ManifestEntry:
    return ManifestEntry(*(getattr(line, name) for name in ManifestEntry.__struct_fields__))


def _line_text(entry: ManifestEntry, previous_sha256: str) -> bytes:
    facts = msgspec.json.encode(_entry(entry) if isinstance(entry, _Line) else entry)
    body = facts[:-1] + b',"previous_sha256":"' + previous_sha256.encode() + b'"'
    own = hashlib.sha256(body).hexdigest().encode()
    return body + b',"line_sha256":"' + own + b'"}'
