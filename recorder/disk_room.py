"""How much of the disk a recording leaves free, and what it has put by for its end.

Theory. A disk that is full harms everything on the machine, so a recording stops while there is
still room: `min_free_bytes`. And as others may fill the disk all the same, `.reserve`, a file of
1 MiB that is really allocated, is given up when the recording has to end there: what was lost and
that it ended in good order can then still be said.
"""

from __future__ import annotations

import contextlib
import os

from recorder.recording_errors import DiskFullError
from recorder.recording_folder import FILE_MODE, RecordingFolder

RESERVE_BYTES = 1 << 20
MIN_FREE_BYTES = 1 << 30
MIN_FREE_SHARE = 0.02
FRAME_ROOM_BYTES = 64
"""What a frame takes in a journal beside a payload that does not compress."""

ROUNDING_BYTES = 16 << 10
"""Files grow by whole pages, and a block has a head and an end of its own."""

_ROOM_FOR_RESERVE = 4
"""Nothing is put by where the reserve would be more than one part in so many of what is free."""


class DiskRoom:
    """The room that one recording may use. Some file systems do not tell; then all is room."""

    def __init__(self, folder: RecordingFolder, min_free_bytes: int | None) -> None:
        """Take `min_free_bytes`: 0 to fill the disk, None for 1 GiB or 2 %, whichever is more."""
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._ending = False

    def check(self, frames: int, payload_bytes: int) -> None:
        """Refuse frames for which there is no room.

        Raises:
            DiskFullError: writing them would leave less free than has to be.
        """
        if self._ending or self._min_free_bytes == 0:
            return
        room = self._folder.disk.room(self._folder.path)
        if room is None:
            return
        free_bytes, all_bytes = room
        least = self._min_free_bytes
        if least is None:
            least = max(MIN_FREE_BYTES, int(all_bytes * MIN_FREE_SHARE))
        wanted_bytes = payload_bytes + frames * FRAME_ROOM_BYTES + ROUNDING_BYTES
        if free_bytes - wanted_bytes < least:
            raise DiskFullError(self._folder.path, free_bytes, least, frames)

    def put_by(self) -> None:
        """Allocate the reserve, if there is room for it."""
        path, disk = self._folder.reserve, self._folder.disk
        room = disk.room(self._folder.path)
        if room is None or room[0] < _ROOM_FOR_RESERVE * RESERVE_BYTES:
            return
        with contextlib.suppress(OSError):
            descriptor = disk.open(path, os.O_WRONLY | os.O_CREAT, FILE_MODE)
            try:
                disk.allocate(descriptor, RESERVE_BYTES)
            finally:
                disk.close(descriptor)

    def give_up_reserve(self) -> None:
        """Free the reserve: from now on all there is may be used, as the recording ends."""
        self._ending = True
        with contextlib.suppress(OSError):
            self._folder.disk.remove(self._folder.reserve)
