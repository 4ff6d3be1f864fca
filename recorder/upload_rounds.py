"""Rounds of an upload until all is there, or for as long as a recording is made.

Theory. A round that fails is tried again for ever, after a rest with full jitter (`reconnect`'s
`Backoff`: up to 1 s, doubling to 60 s; it begins anew once a round has brought something). Nothing
is given up and nothing local is removed because a store is away; what grows meanwhile is the disk's
share, so once less than the watermark is free there and something waits, it is an alarm, told at
once and then once a minute until it is over.

Where the capture ends (`Asked.end`), one more round takes what its last sealing left, and a fault
there ends the upload: the ledger is what the next one goes on from.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from recorder.disk import REAL_DISK
from recorder.reconnect import STABLE_AFTER_S, Backoff
from recorder.recording_folder import RecordingFolder
from recorder.upload import Uploader, UploadState
from recorder.upload_errors import StoreFaultError

LOOK_INTERVAL_S = 1.0
"""How often a follower looks for what was sealed."""
ALARM_INTERVAL_S = 60.0
WATERMARK_BYTES = 2 << 30
WATERMARK_SHARE = 0.05


class UploadWord(msgspec.Struct, frozen=True):
    """What an upload says of itself. `fault` and `alarm` are '' while there is none."""

    state: UploadState
    fault: str = ""
    alarm: str = ""


class Patience(Protocol):
    """How an upload waits, and learns that it is to come to an end."""

    def wait(self, seconds: float) -> bool:
        """Wait so long, or less where the end is asked for; return whether it is."""


class UploadRounds:
    """Runs an uploader. `watermark_bytes` None for 5 % of the disk, at most 2 GiB."""

    def __init__(
        self,
        uploader: Uploader,
        folder: RecordingFolder,
        say: Callable[[UploadWord], None],
        *,
        chance: random.Random | None = None,
        watermark_bytes: int | None = None,
    ) -> None:
        self._uploader = uploader
        self._folder = folder
        self._say = say
        self._backoff = Backoff(chance or random.Random())  # noqa: S311 - jitter, no secret
        self._watermark_bytes = watermark_bytes
        self._alarmed_s = -ALARM_INTERVAL_S
        self._confirmed = 0

    def until_complete(self, patience: Patience) -> UploadState:
        """Upload what is sealed now, however long that takes.

        Raises:
            StoreFaultError, OSError: the first round failed, and not in a way that passes.
            OtherRecordingError, DamagedManifestError: nothing can be uploaded.
        """
        first = True
        while True:
            try:
                state = self._uploader.round()
            except (StoreFaultError, OSError) as fault:
                if first and getattr(fault, "hopeless", True):
                    raise
                first = False
                if patience.wait(self._rest_s(fault)):
                    return self._uploader.state()
                continue
            self._say(UploadWord(state))
            return state

    def follow(self, patience: Patience) -> UploadState:
        """Upload what is sealed, as it is sealed, until the end is asked for; then once more."""
        ending = False
        while True:
            rest_s = LOOK_INTERVAL_S
            try:
                state = self._uploader.round()
                self._say(UploadWord(state, alarm=self._alarm(state)))
            except (StoreFaultError, OSError) as fault:  # a full disk takes no ledger's line
                rest_s = self._rest_s(fault)
            if ending:
                return self._uploader.state()
            ending = patience.wait(rest_s)

    def _rest_s(self, fault: Exception) -> float:
        """Tell of a fault; return how long to rest after it."""
        state = self._uploader.state()
        advanced = state.confirmed > self._confirmed
        self._confirmed = state.confirmed
        self._say(UploadWord(state, str(fault), self._alarm(state)))
        return self._backoff.lost(STABLE_AFTER_S if advanced else 0.0)

    def _alarm(self, state: UploadState) -> str:
        """Return the sentence for a disk that fills while uploads wait; '' where all is well."""
        room = REAL_DISK.room(self._folder.path)
        if room is None or state.waiting_bytes == 0:
            return ""
        free_bytes, disk_bytes = room
        watermark_bytes = self._watermark_bytes
        if watermark_bytes is None:
            watermark_bytes = min(WATERMARK_BYTES, int(disk_bytes * WATERMARK_SHARE))
        now_s = time.monotonic()
        if free_bytes >= watermark_bytes or now_s - self._alarmed_s < ALARM_INTERVAL_S:
            return ""
        self._alarmed_s = now_s
        return (
            f"{free_bytes:,} bytes are left on the disk, and {state.waiting_bytes:,} bytes wait to "
            "be uploaded. Nothing is removed before it is there: make room, or mend the upload."
        )
