"""The calls by which a recording changes what is on a disk, in one place.

Theory. What survives a crash is decided by which of these calls were made, in which order. So all
that writes a recording (journal, sealing, manifest, recovery, retention) makes them through a
`Disk`, and a test can put another in its place: one that refuses the n-th call, that stalls, or
that takes down every call, from which all states are made that a power cut could leave.

Each method does what its namesake in `os` does and raises what that raises; nothing is retried.
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path


class Disk:
    """The real calls."""

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        """Open a file; never through a symbolic link, never for a child process."""
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode)

    def close(self, descriptor: int) -> None:
        """Let a file go."""
        os.close(descriptor)

    def write(self, descriptor: int, content: bytes | memoryview) -> int:
        """Write where the file stands (at its end, if opened for appending); return how much."""
        return os.write(descriptor, content)

    def write_at(self, descriptor: int, content: bytes | memoryview, offset: int) -> int:
        """Write at a place; return how much was taken."""
        return os.pwrite(descriptor, content, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        """Make a file as long as that."""
        os.ftruncate(descriptor, size)

    def allocate(self, descriptor: int, size: int) -> None:
        """Take that much of the disk for a file, now."""
        os.posix_fallocate(descriptor, 0, size)

    def sync(self, descriptor: int) -> None:
        """Make a file survive a power cut (its name is its folder's to keep)."""
        os.fsync(descriptor)

    def sync_content(self, descriptor: int) -> None:
        """Make what is in a file survive a power cut, its times left aside."""
        os.fdatasync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Give a file another name, in place of what has it."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder."""
        path.rmdir()

    def make_folder(self, path: Path, mode: int) -> None:
        """Make a folder; one that is there already is as good."""
        path.mkdir(mode=mode, exist_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder survive a power cut."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def room(self, path: Path) -> tuple[int, int] | None:
        """Return how many bytes are free for us and how many there are; None where none can say."""
        with contextlib.suppress(OSError):
            status = os.statvfs(path)
            if status.f_blocks:
                return status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize
        return None


class DiskFile(io.FileIO):
    """An open file whose writes are made through a disk, for who wants a Python file."""

    def __init__(self, disk: Disk, descriptor: int) -> None:
        super().__init__(descriptor, "r+b")
        self._disk = disk

    def write(self, content: bytes | memoryview) -> int:  # type: ignore[override]
        """Write where the file stands."""
        return self._disk.write(self.fileno(), content)


REAL_DISK = Disk()
