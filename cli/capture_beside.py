"""What goes on beside one capture with what is sealed: an upload, a ring, or neither."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cli.report_text import byte_text, counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.beside_options import Beside
    from cli.engine_messages import EngineStatus
    from cli.engine_process import EngineProcess
    from cli.ring_watch import RingWatch
    from cli.upload_process import UploadProcess
    from recorder.recorder import Recorder


class CaptureBeside:
    """Begins and ends with the capture, and is never waited for in between.

    Attributes:
        faults: a sentence for each part that ended before its time, by a fault of ours.
    """

    def __init__(
        self, asked: Beside, recorder: Recorder, on_warning: Callable[[str], None]
    ) -> None:
        self._on_warning = on_warning
        self._ending = False
        self.faults: list[str] = []
        self._upload: UploadProcess | None = None
        self._ring: RingWatch | None = None
        if asked.upload is not None:
            from cli.upload_process import UploadProcess

            self._upload = UploadProcess(
                recorder.folder,
                asked.upload,
                remove_local=asked.remove_local,
                on_warning=on_warning,
            )
        if asked.ring_ns is not None:
            from cli.ring_watch import RingWatch

            self._ring = RingWatch(recorder, asked.ring_ns, asked.triggers, on_warning)

    def attach(self, engine: EngineProcess) -> None:
        """See the engine, before it begins."""
        if self._ring is not None:
            self._ring.attach(engine)

    def heed(self, status: EngineStatus) -> None:
        """Take what the engine says."""
        if self._ring is not None:
            self._ring.heed(status)

    def start(self) -> None:
        """Begin; the recording is there."""
        for part in (self._upload, self._ring):
            if part is not None:
                part.start().add_done_callback(self._part_ended)

    def _part_ended(self, part: asyncio.Task[None]) -> None:
        why = "it was cancelled" if part.cancelled() else part.exception()
        if self._ending or why is None:
            return
        self.faults.append(f"{part.get_name()} ended by itself ({why}); the recording goes on.")
        self._on_warning(self.faults[-1])

    async def finish(self, limit_s: float) -> None:
        """End, when everything is sealed and the engine has said its last word."""
        self._ending = True
        if self._ring is not None:
            await self._ring.finish()
        if self._upload is None:
            return
        state = await self._upload.finish(limit_s)
        if not state.complete:
            left = counted(state.segments - state.confirmed, "segment")
            self._on_warning(
                f"{left} ({byte_text(state.waiting_bytes)}) not uploaded yet; they are here, and "
                "the next capture, or `tickreel upload`, goes on."
            )

    def end_at_once(self) -> None:
        """End without waiting for anything."""
        self._ending = True
        if self._upload is not None:
            self._upload.end_at_once()

    def described(self) -> dict[str, object]:
        """Return how it stands, for JSON; what is not asked for is left out."""
        said: dict[str, object] = {}
        if self._upload is not None:
            state = self._upload.state
            said["uploaded"] = {"segments": state.segments, "confirmed": state.confirmed}
        if self._ring is not None:
            said["ring"] = {"triggers": self._ring.triggers, "dropped": self._ring.dropped}
        if self.faults:
            said["ended_parts"] = self.faults
        return said
