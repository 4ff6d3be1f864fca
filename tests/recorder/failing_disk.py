"""Disks that refuse: the n-th call, each call of a kind, or all of them from a time on."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from recorder.disk import Disk

CALLS = (
    "open",
    "write",
    "write_at",
    "truncate",
    "allocate",
    "sync",
    "sync_content",
    "replace",
    "remove",
    "make_folder",
    "sync_folder",
)


class FailingDisk(Disk):
    """A real disk, some of whose calls are refused: `refuses(call, count)` says which and why.

    `count` is the number of calls so far, this one among them; the answer is an errno or None. A
    refused write has written half of what it was given, as a full disk does.
    """

    def __init__(self, refuses: Callable[[str, int], int | None]) -> None:
        self.refuses = refuses
        self.calls = 0

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        self._call("open", path)
        return super().open(path, flags, mode)

    def write(self, descriptor: int, content: bytes | memoryview) -> int:
        try:
            self._call("write")
        except OSError:
            os.write(descriptor, content[: len(content) // 2])
            raise
        return super().write(descriptor, content)

    def write_at(self, descriptor: int, content: bytes | memoryview, offset: int) -> int:
        try:
            self._call("write_at")
        except OSError:
            os.pwrite(descriptor, content[: len(content) // 2], offset)
            raise
        return super().write_at(descriptor, content, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        self._call("truncate")
        super().truncate(descriptor, size)

    def allocate(self, descriptor: int, size: int) -> None:
        self._call("allocate")

    def sync(self, descriptor: int) -> None:
        self._call("sync")

    def sync_content(self, descriptor: int) -> None:
        self._call("sync_content")

    def replace(self, source: Path, target: Path) -> None:
        self._call("replace", source)
        super().replace(source, target)

    def remove(self, path: Path) -> None:
        self._call("remove", path)
        super().remove(path)

    def make_folder(self, path: Path, mode: int) -> None:
        self._call("make_folder", path)
        super().make_folder(path, mode)

    def sync_folder(self, path: Path) -> None:
        self._call("sync_folder", path)

    def _call(self, call: str, path: Path | None = None) -> None:
        self.calls += 1
        refused = self.refuses(call, self.calls)
        if refused is not None:
            raise OSError(refused, os.strerror(refused), path)


def nth_call(number: int, reason: int = errno.EIO) -> FailingDisk:
    """Return a disk that refuses its n-th call, and no other."""
    return FailingDisk(lambda call, count: reason if count == number else None)


def never() -> FailingDisk:
    """Return a disk that refuses nothing, and counts."""
    return FailingDisk(lambda call, count: None)
