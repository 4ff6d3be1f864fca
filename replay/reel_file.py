"""`.reel`: a sealed recording in one file, for a repository, an issue or a mail.

What it is. A ZIP archive of the recording's folder, nothing compressed (the segments are Parquet
with zstd already), laid out in one way only: first `recording.json`, then `manifest.jsonl`, then
the segments in the order of their paths, then `receipts.jsonl` where there is one; no times, no
comments, no extra fields. So the same
recording gives the same bytes, on any machine and in any year, and a repository that holds it sees
no change where there is none. FORMAT.md, section 8, is normative.

Of the receipts the list comes along, so that a replay of the file is held against the live digests;
the states beside it, which may be larger than the frames, do not.

Why ZIP? Any tool opens it without us. A tar file has no checksum of its content and no end that
tells a cut file from a whole one. One Parquet file would have to give up what the segments of a
recording are: a venue each, hashed in a chain. A container of our own would open nowhere.

What a reader believes. Nothing that it can compute. From the names, sizes and CRCs of the directory
it makes the headers that a packer must have written, and compares: so there are no two members that
overlap, no name that is not a recording's, no member larger than the file, and no flipped bit in a
header that goes unseen. Contents are held against their CRC-32, and segments against the SHA-256 in
the manifest, as they are unpacked; what is unpacked is never more than the file's own size.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from recorder.manifest import read_manifest
from recorder.recording_errors import DamagedManifestError
from recorder.recording_folder import FILE_MODE, RecordingFolder, make_folder, parse_segment_path
from replay.receipts import LIST_NAME as RECEIPTS_NAME
from replay.reel_errors import NotAReelError

SUFFIX = ".reel"
REEL_BYTES_MAX = 2 << 30
"""A file for a repository; a larger recording is a folder."""

MEMBERS_MAX = 10_000
FIRST_MEMBERS = ("recording.json", "manifest.jsonl")
_CHUNK_BYTES = 1 << 20
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION = 20
_MADE_BY = (3 << 8) | _VERSION
"""Unix, so that an unpacker gives the files their mode; ZIP 2.0."""

_DATE = 0x21
"""1980-01-01, the first day that ZIP knows."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a reel: where its bytes begin, how many they are, and their CRC-32."""

    name: str
    offset: int
    size: int
    crc: int

    def local_header(self) -> bytes:
        """Return the bytes that stand before its content."""
        name = self.name.encode("ascii")
        fields = (_VERSION, 0, 0, 0, _DATE, self.crc, self.size, self.size, len(name), 0)
        return _LOCAL.pack(b"PK\3\4", *fields) + name

    def directory_entry(self) -> bytes:
        """Return what the archive's directory says of it."""
        name = self.name.encode("ascii")
        begin = self.offset - _LOCAL.size - len(name)
        mode = (0o100000 | FILE_MODE) << 16
        fields = (_MADE_BY, _VERSION, 0, 0, 0, _DATE, self.crc, self.size, self.size, len(name))
        return _CENTRAL.pack(b"PK\1\2", *fields, 0, 0, 0, 0, mode, begin) + name


def is_reel(path: Path) -> bool:
    """Return whether `path` is a file that says of itself that it is a reel, by name or content."""
    if not path.is_file():
        return False
    if path.suffix == SUFFIX:
        return True
    try:
        with path.open("rb") as file:
            beginning = file.read(_LOCAL.size + len(FIRST_MEMBERS[0]))
    except OSError:
        return False
    return beginning[:4] == b"PK\3\4" and beginning.endswith(FIRST_MEMBERS[0].encode())


def write_reel(file: BinaryIO, folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Write a reel of the files `names` below `folder`; return the SHA-256 of each.

    `names` are in the order that the format wants.

    Raises:
        OSError: a file cannot be read, or the disk refused.
    """
    members: list[Member] = []
    hashes: dict[str, str] = {}
    for name in names:
        begin = file.tell()
        blank = Member(name, 0, 0, 0).local_header()
        file.write(blank)
        hasher, crc, size = hashlib.sha256(), 0, 0
        with (folder / name).open("rb") as content:
            while chunk := content.read(_CHUNK_BYTES):
                hasher.update(chunk)
                crc = zlib.crc32(chunk, crc)
                size += len(chunk)
                file.write(chunk)
        member = Member(name, begin + len(blank), size, crc)
        end = file.tell()
        file.seek(begin)
        file.write(member.local_header())
        file.seek(end)
        members.append(member)
        hashes[name] = hasher.hexdigest()
    file.write(_directory(members, file.tell()))
    return hashes


def read_members(file: BinaryIO, path: Path) -> list[Member]:
    """Read the directory of a reel, and check that every header is as a packer writes it.

    Raises:
        NotAReelError: it is not.
        OSError: the file cannot be read.
    """
    size = file.seek(0, os.SEEK_END)
    if size > REEL_BYTES_MAX:
        raise NotAReelError(path, f"has {size:,} bytes, and a reel has up to {REEL_BYTES_MAX:,}")
    file.seek(max(0, size - _END.size))
    ending = file.read()
    if len(ending) < _END.size or ending[:4] != b"PK\5\6":
        raise NotAReelError(path, "does not end as one")
    _, _, _, count, _, directory_size, directory_offset, _ = _END.unpack(ending)
    if count > MEMBERS_MAX or directory_offset + directory_size + _END.size != size:
        raise NotAReelError(path, "its directory is not where it must be")
    file.seek(directory_offset)
    directory = file.read(directory_size + _END.size)
    members = list(_listed(directory, count, path))
    # Everything that a header may say follows from names, sizes and CRCs: so nothing else can hide.
    if _directory(members, directory_offset) != directory:
        raise NotAReelError(path, "its directory is not as it was written")
    expected = 0
    for member in members:
        header = member.local_header()
        file.seek(expected)
        if member.offset != expected + len(header) or file.read(len(header)) != header:
            raise NotAReelError(path, f"the header of {member.name} is not as it was written")
        expected = member.offset + member.size
    if expected != directory_offset:
        raise NotAReelError(path, "it has bytes that belong to no file")
    return members


def unpack_reel(path: Path, folder: Path) -> int:
    """Write the files of a reel into an empty folder; return how many bytes they have.

    Raises:
        NotAReelError: it is none, or its bytes are not those that were packed.
        OSError: the file cannot be read, or the disk refused.
    """
    if path.is_dir():
        raise NotAReelError(path, "is a folder")
    with path.open("rb") as file:
        members = read_members(file, path)
        hashes = {member.name: _unpack(file, member, folder, path) for member in members}
    try:
        entries = read_manifest(RecordingFolder(folder).manifest).entries
    except DamagedManifestError as error:
        raise NotAReelError(
            path, f"its manifest is not as it was written ({error.reason})"
        ) from None
    segments = [m.name for m in members[len(FIRST_MEMBERS) :] if m.name != RECEIPTS_NAME]
    if sorted(entry.path for entry in entries) != segments:
        raise NotAReelError(path, "its manifest lists other segments than it has")
    for entry in entries:
        if hashes[entry.path] != entry.sha256:
            raise NotAReelError(path, f"{entry.path} has not the bytes that were sealed")
    return sum(member.size for member in members)


def _unpack(file: BinaryIO, member: Member, folder: Path, path: Path) -> str:
    """Write one member below `folder`; return its SHA-256."""
    target = folder / member.name
    make_folder(target.parent)
    hasher, crc, left = hashlib.sha256(), 0, member.size
    file.seek(member.offset)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
    with os.fdopen(descriptor, "wb") as unpacked:
        while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
            hasher.update(chunk)
            crc = zlib.crc32(chunk, crc)
            unpacked.write(chunk)
    if left or crc != member.crc:
        raise NotAReelError(path, f"{member.name} has not the bytes that were packed (CRC differs)")
    return hasher.hexdigest()


def _listed(directory: bytes, count: int, path: Path) -> Iterator[Member]:
    position, last = 0, ""
    for number in range(count):
        if position + _CENTRAL.size > len(directory):
            raise NotAReelError(path, "its directory ends too early")
        fields = _CENTRAL.unpack_from(directory, position)
        crc, size, _, name_bytes = fields[7:11]
        begin = position + _CENTRAL.size
        name = directory[begin : begin + name_bytes].decode("ascii", "backslashreplace")
        if number < len(FIRST_MEMBERS):
            fits = name == FIRST_MEMBERS[number]
        else:
            fits = name > last and (parse_segment_path(name) is not None or name == RECEIPTS_NAME)
            last = name
        if not fits:
            raise NotAReelError(path, f"{name[:120]!r} is no file of a recording, in its order")
        yield Member(name, fields[-1] + _LOCAL.size + name_bytes, size, crc)
        position = begin + name_bytes
    if count < len(FIRST_MEMBERS):
        raise NotAReelError(path, f"it has no {FIRST_MEMBERS[count]}")


def _directory(members: Sequence[Member], offset: int) -> bytes:
    entries = b"".join(member.directory_entry() for member in members)
    count = len(members)
    return entries + _END.pack(b"PK\5\6", 0, 0, count, count, len(entries), offset, 0)
