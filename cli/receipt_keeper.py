"""Receipts of the engine beside a capture; where the disk refuses them the capture goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from book.engine import Engine
from cli.terminal import warn
from recorder.recording_folder import RecordingFolder
from replay.receipts import ReceiptWriter
from venues.frame import Frame

NEVER = 1 << 62


class ReceiptKeeper:
    """Keeps receipts of one engine. `due_frames` is the count at which to call `keep` next."""

    def __init__(self, folder: str | None) -> None:
        self._writer: ReceiptWriter | None = None
        self.due_frames = NEVER
        if folder is not None:
            self._writer = ReceiptWriter(RecordingFolder(Path(folder)))
            self.due_frames = self._writer.due_frames

    def begin(self, frames: Sequence[Frame]) -> None:
        """Take in the first batch; those after it say nothing new."""
        if self._writer is not None and frames:
            self._writer.begin(frames[0].frame_number)

    def keep(self, engine: Engine) -> None:
        """Write a receipt now."""
        if self._writer is None:
            return
        try:
            self._writer.write(engine)
        except OSError as error:
            warn(
                f"the disk refuses the engine's receipts ({error.strerror}); there are no more of "
                "them, and the recording goes on."
            )
            self._writer, self.due_frames = None, NEVER
            return
        self.due_frames = self._writer.due_frames
