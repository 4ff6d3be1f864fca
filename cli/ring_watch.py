"""The ring beside a capture: the engine's findings become triggers, and segments go in time.

Theory. The engine tells within half a second what it found; the ring takes that down and, in a
thread, writes down what to keep and removes what nothing wants (`recorder.ring`). Where the engine
is gone, nobody sees what should be kept, so nothing is dropped any more, and that is said: what
fills the disk then is the evidence, and the recorder stops before it is full.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from cli.beside_options import TRIGGERS
from cli.engine_messages import EngineStatus
from recorder.own_thread import in_own_thread
from recorder.recording import Rotation
from recorder.ring import NS_PER_S, SEGMENTS_PER_WINDOW, Ring
from venues.errors import TickreelError

if TYPE_CHECKING:
    from cli.engine_process import EngineProcess
    from recorder.recorder import Recorder

log = logging.getLogger("tickreel.ring")

SWEEP_INTERVAL_S = 5.0
SWEEPS_PER_WINDOW = 24


def ring_rotation(rotation: Rotation, window_ns: int) -> Rotation:
    """Return how journals rotate in a ring: so that what is dropped goes in small pieces."""
    interval_s = window_ns / NS_PER_S / SEGMENTS_PER_WINDOW
    return Rotation(rotation.bytes_max, min(rotation.interval_s, max(0.5, interval_s)))


class RingWatch:
    """Keeps a ring. `dropped` is how many segments were removed, `kept` how many triggers came."""

    def __init__(
        self,
        recorder: Recorder,
        window_ns: int,
        triggers: tuple[str, ...],
        on_warning: Callable[[str], None],
    ) -> None:
        self._recorder = recorder
        self._ring = Ring(recorder.folder, window_ns, time.time_ns())
        self._kinds = {kind for name in triggers for kind in TRIGGERS[name]}
        self._cascades_wanted = "cascade" in triggers
        self._cascades = 0
        self._on_warning = on_warning
        self._complaint = ""
        self._engine: EngineProcess | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self.dropped = 0
        self.triggers = 0

    def attach(self, engine: EngineProcess) -> None:
        """Look at what comes and what the engine says; before either begins."""
        self._engine = engine
        self._recorder.add_sink(self._ring)

    def start(self) -> asyncio.Task[None]:
        """Begin to drop; the recording must be there. Returns what goes on from then."""
        self._keeping = asyncio.create_task(self._keep(), name="tickreel-ring")
        return self._keeping

    async def finish(self) -> None:
        """Write down what the last triggers want; drop nothing more."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            try:
                await in_own_thread(self._ring.keep)
            except OSError as fault:
                self._on_warning(f"ring: what to keep could not be written down: {fault}.")

    def heed(self, status: EngineStatus) -> None:
        """Take what the engine says."""
        told = [one.finding for one in status.told if one.finding.kind.value in self._kinds]
        for finding in told:
            self._trigger(finding.receive_time_ns, f"{finding.kind.value} ({finding.symbol})")
        if self._cascades_wanted and status.cascades > self._cascades:
            self._trigger(status.cascade_time_ns or time.time_ns(), "cascade")
        self._cascades = status.cascades
        self._ring.judge(status.frames)

    def _trigger(self, time_ns: int, what: str) -> None:
        self.triggers += 1
        self._ring.trigger(time_ns)
        log.info("kept around: %s", what, extra={"event": "ring", "receive_time_ns": time_ns})
        self._wake.set()

    async def _keep(self) -> None:
        interval_s = min(SWEEP_INTERVAL_S, self._ring.window_ns / NS_PER_S / SWEEPS_PER_WINDOW)
        begun = False
        while True:
            try:
                if not begun:
                    await in_own_thread(self._ring.begin)
                    begun = True
            except OSError as fault:
                self._complain(f"ring: {fault}; nothing is dropped until this is over.")
            else:
                await self._sweep()
            for request in self._ring.snapshots_due(time.time_ns()):
                self._recorder.request_snapshot(request)
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`, which before Python 3.12 returns where it is cancelled as it is
                # woken: this would go on, and the end of the capture wait for it, for ever.
                async with asyncio.timeout(interval_s):
                    await self._wake.wait()

    async def _sweep(self) -> None:
        if self._engine is None or not self._engine.attached:
            self._complain("ring: without the engine nobody sees what to keep: nothing is dropped.")
            return
        try:
            removed = await in_own_thread(lambda: self._ring.sweep(time.time_ns()))
        except (OSError, TickreelError) as fault:
            self._complain(f"ring: {fault}; nothing is dropped until this is over.")
            return
        self.dropped += removed.segments
        self._complaint = ""

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            self._on_warning(text)
