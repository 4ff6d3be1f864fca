"""What of a recording is known to lie in a store: `uploads.jsonl`, beside the manifest.

Theory. A line is added only after what the store holds was read back and found to be, byte for
byte, what was sent. The ledger is a memory, not a promise: a line counts for a segment only where
it has the hash that the manifest gives. So a ledger that is lost, cut or damaged costs another look
at the store, and never a frame; lines that cannot be read are passed over, and one without its line
feed (the trace of a crash) is cut off before the next is added. The last line of a path counts.

No address in it holds a secret: `recorder.upload_store` refuses those that do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from recorder.disk import REAL_DISK
from recorder.recording_folder import FILE_MODE
from venues.errors import MALFORMED

LEDGER_NAME = "uploads.jsonl"
_WITHDRAWN = ""
"""The hash of nothing that a store could hold."""


class Upload(msgspec.Struct, frozen=True):
    """A file that the store at `uri` was seen to hold.

    Attributes:
        uri: the folder of the recording in the store.
        path: of the file, below both folders.
        bytes: how many there are.
        sha256: of the bytes that were read back.
        confirmed_time_ns: when, on the wall clock.
    """

    uri: str
    path: str
    bytes: int
    sha256: str
    confirmed_time_ns: int


class UploadLedger:
    """The uploads of one recording to one address; one process at a time adds to it."""

    def __init__(self, folder: Path, uri: str) -> None:
        self._path = folder / LEDGER_NAME
        self._uri = uri
        self._held = {one.path: one for one in read_uploads(folder) if one.uri == uri}

    def holds(self, path: str, sha256: str) -> bool:
        """Return whether the store was seen to hold just this."""
        known = self._held.get(path)
        return known is not None and known.sha256 == sha256

    def other_sizes(self, there: Mapping[str, int]) -> list[str]:
        """Return the paths that the store was seen to hold, and of which it has others `there`."""
        held = (one for one in self._held.values() if one.sha256 != _WITHDRAWN)
        return [one.path for one in held if there.get(one.path) != one.bytes]

    def withdraw(self, path: str, time_ns: int) -> None:
        """Write down that the store holds it no longer.

        Raises:
            OSError: the disk refused.
        """
        self.add(path, 0, _WITHDRAWN, time_ns)

    def add(self, path: str, size_bytes: int, sha256: str, time_ns: int) -> None:
        """Write down that the store holds it; on return that survives a power cut.

        Raises:
            OSError: the disk refused.
        """
        upload = Upload(self._uri, path, size_bytes, sha256, time_ns)
        line = msgspec.json.encode(upload) + b"\n"
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, FILE_MODE)
        try:
            end = _whole_bytes(descriptor)
            os.ftruncate(descriptor, end)
            os.pwrite(descriptor, line, end)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        REAL_DISK.sync_folder(self._path.parent)
        self._held[path] = upload


def read_uploads(folder: Path) -> list[Upload]:
    """Return what stores hold by the last line of each path, the oldest first."""
    try:
        lines = (folder / LEDGER_NAME).read_bytes().split(b"\n")
    except OSError:
        return []
    held: dict[tuple[str, str], Upload] = {}
    for line in lines[:-1]:
        try:
            upload = msgspec.json.decode(line, type=Upload)
        except MALFORMED:
            continue
        held.pop((upload.uri, upload.path), None)
        held[upload.uri, upload.path] = upload
    return [upload for upload in held.values() if upload.sha256 != _WITHDRAWN]


def _whole_bytes(descriptor: int) -> int:
    """Return where the last whole line ends."""
    end = os.fstat(descriptor).st_size
    while end:
        begin = max(0, end - 4096)
        found = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0
