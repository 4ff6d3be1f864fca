"""What a capture does for whoever operates it: status, metrics, health, the service manager.

Theory. Once a second the status is taken, and from then on all that is told comes from it: what
`tickreel status` and Prometheus get, the line for the service manager, and whether the watchdog is
fed. Nothing here can end a recording: a socket that cannot be made is a warning. And nothing here
can hide that it has itself come to an end: a status that is not renewed is a fault of health, and
the watchdog is not fed.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cli.capture_text import service_text
from cli.metrics import MetricsText
from cli.operations_server import MetricsAddress, OperationsServer
from cli.running_status import RunningStatus, StatusTaker
from recorder.marker_tally import MarkerTally
from recorder.sd_notify import ServiceNotice

if TYPE_CHECKING:
    from cli.capture_beside import CaptureBeside
    from cli.engine_process import EngineProcess
    from recorder.recorder import Recorder

log = logging.getLogger("tickreel.capture")

TAKE_INTERVAL_S = 1.0
STATUS_AGE_LIMIT_S = 4.0
LOG_INTERVAL_S = 60.0
_NUMBER = re.compile(r"\d+")


class CaptureOperations:
    """Tells how one capture goes.

    Attributes:
        metrics_address: where metrics are served; None where they are not.
    """

    def __init__(
        self,
        recorder: Recorder,
        metrics: MetricsAddress | None,
        notice: ServiceNotice,
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recorder = recorder
        self._wanted = metrics
        self._notice = notice
        self._clock_s = clock_s
        self._tally = MarkerTally()
        recorder.add_sink(self._tally)
        self._taker: StatusTaker | None = None
        self._status: RunningStatus | None = None
        self._taken_s = 0.0
        self._fault_kinds: set[str] = set()
        self._server = OperationsServer(
            self.status, MetricsText(self.status) if metrics is not None else None
        )
        self._telling: asyncio.Task[None] | None = None

    @property
    def metrics_address(self) -> MetricsAddress | None:
        """Where metrics are served; None where they are not."""
        return self._server.address

    def status(self) -> RunningStatus:
        """Return the latest status; that it is not renewed is a fault in it."""
        assert self._status is not None
        age_s = self._clock_s() - self._taken_s
        if age_s < STATUS_AGE_LIMIT_S:
            return self._status
        fault = f"how it goes was not looked at for {age_s:.0f} s"
        return msgspec.structs.replace(self._status, faults=[*self._status.faults, fault])

    async def start(
        self, folder: Path, engine: EngineProcess | None, beside: CaptureBeside
    ) -> None:
        """Begin to tell; the recorder has been started.

        Raises:
            CommandError: metrics cannot be served where that was asked for.
        """
        self._taker = StatusTaker(self._recorder, engine, beside, self._tally)
        self._take(self._taker)
        if self._wanted is not None:
            await self._server.listen_at(self._wanted)
        try:
            await self._server.listen_in(folder)
        except OSError as error:
            log.warning("`tickreel status` cannot ask this capture: %s", error)
        self._notice.ready()
        self._telling = asyncio.create_task(self._tell(self._taker), name="tickreel-operations")
        self._telling.add_done_callback(_ended)

    def stopping(self) -> None:
        """Say that the capture has begun to stop."""
        if self._taker is not None:
            self._taker.stopping = True
        self._notice.stopping()

    def close(self) -> None:
        """Tell no more."""
        if self._telling is not None:
            self._telling.cancel()
        self._server.close()
        self._notice.close()

    async def _tell(self, taker: StatusTaker) -> None:
        logged_s = self._clock_s()
        while True:
            await asyncio.sleep(TAKE_INTERVAL_S)
            status = self._take(taker)
            if self._clock_s() - logged_s >= LOG_INTERVAL_S:
                logged_s = self._clock_s()
                _log_status(status)

    def _take(self, taker: StatusTaker) -> RunningStatus:
        status = self._status = taker.take()
        self._taken_s = self._clock_s()
        self._notice.status(service_text(status))
        if not taker.pulse_fault or taker.disk_full:
            self._notice.alive()
        self._tell_faults(status.faults, taker.pulse_fault)
        return status

    def _tell_faults(self, faults: list[str], pulse_fault: str) -> None:
        """Tell what has begun and what has ended; a fault that only counts on is no new one."""
        kinds = {_NUMBER.sub("#", fault): fault for fault in faults}
        for kind in kinds.keys() - self._fault_kinds:
            # What other parts find wrong they tell people themselves.
            level = logging.WARNING if kinds[kind] == pulse_fault else logging.INFO
            log.log(level, "%s", kinds[kind], extra={"event": "unhealthy"})
        if self._fault_kinds and not kinds:
            log.info("all is well again", extra={"event": "healthy"})
        self._fault_kinds = set(kinds)


def _log_status(status: RunningStatus) -> None:
    log.info(
        "%.0f frames/s",
        status.frames_per_s,
        extra={
            "event": "status",
            "healthy": status.healthy,
            "frames": status.frames,
            "frames_per_s": round(status.frames_per_s, 1),
            "lost_frames": status.lost_frames,
            "lag_s": round(status.lag_s, 6),
            "queue_bytes": status.queue_bytes,
            "disk_free_bytes": status.disk_free_bytes,
        },
    )


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        log.critical(
            "nothing tells any more how the capture goes: %r",
            task.exception(),
            extra={"event": "part ended"},
        )
