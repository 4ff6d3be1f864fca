"""One capture, from its first line to its last frame: recorder, engine, signals, status line."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from cli.stop_signals import HANG_UP, stop_signals

if TYPE_CHECKING:
    from cli.capture_log import CaptureLog
    from cli.capture_request import CaptureRequest
    from cli.engine_messages import EngineEnded, EngineStatus
    from cli.engine_process import EngineProcess
    from cli.operations_server import MetricsAddress
    from cli.processors import Place
    from recorder.recorder import Recorder
    from recorder.statistics import RecorderReport

STOP_LIMIT_S = 4.5
ENGINE_LIMIT_MIN_S = 0.5


class Captured(NamedTuple):
    """What came of it."""

    report: RecorderReport
    seconds: float
    engine: EngineProcess | None
    ended: EngineEnded | None
    beside: dict[str, object]


class CaptureRun:
    """One capture, from its first line to its last frame."""

    def __init__(
        self,
        asked: CaptureRequest,
        told: CaptureLog,
        *,
        metrics: MetricsAddress | None = None,
        place: Place | None = None,
    ) -> None:
        """Prepare to capture; `metrics` is where they are served, `place` where the loop runs."""
        from cli.capture_beside import CaptureBeside
        from cli.capture_operations import CaptureOperations
        from recorder.recorder import Recorder
        from recorder.sd_notify import ServiceNotice

        self._asked = asked
        self._told = told
        self._place = place
        # Before any child is started: the address of the service manager is not for them.
        notice = ServiceNotice.from_environment()
        self._recorder: Recorder = Recorder(asked.streams, asked.folder, asked.settings)
        self._operations = CaptureOperations(self._recorder, metrics, notice)
        self._beside = CaptureBeside(
            asked.beside, self._recorder, lambda text: told.warn(text, "beside")
        )
        self._engine: EngineProcess | None = None
        self._stop_begun_s: float | None = None

    async def run(
        self, duration_s: float | None, engine: tuple[str | None, str | None] | None
    ) -> Captured:
        """Capture until told to stop; `engine` has the agent and the signals' file.

        Raises:
            CommandError: the engine cannot start as asked, or metrics cannot be served.
            TickreelError: nothing could be recorded.
        """
        self._heed_signals()
        if self._place is not None:
            self._place.step_aside()
        if engine is not None:
            await self._start_engine(*engine)
        begun_s = time.monotonic()
        telling: asyncio.Task[None] | None = None
        try:
            await self._begin()
            if self._place is not None:
                self._place.take()
            telling = asyncio.create_task(self._tell_status(begun_s))
            report = await self._recorder.run(duration_s)
        except BaseException:
            self._beside.end_at_once()
            await self._kill_engine()
            raise
        finally:
            self._operations.close()
            if telling is not None:
                telling.cancel()
        ended = None if self._engine is None else await self._engine.finish(self._time_left_s())
        await self._beside.finish(self._time_left_s())
        seconds = time.monotonic() - begun_s
        return Captured(report, seconds, self._engine, ended, self._beside.described())

    async def _begin(self) -> None:
        from cli.capture_text import opening_text

        await self._recorder.start()
        folder = self._asked.folder
        try:
            await self._operations.start(folder, self._engine, self._beside)
        except BaseException:
            await self._recorder.stop()
            raise
        self._beside.start()
        self._told.say(opening_text(self._asked.streams, str(folder)), "capturing")
        if self._is_begun_for_others():
            self._told.say(
                f"{folder} was begun for other streams and is continued with these; "
                f"`tickreel info {folder} --scan` shows both",
                "continued",
            )
        address = self._operations.metrics_address
        if address is not None:
            self._told.say(f"metrics at http://{address.text}/metrics", "metrics")

    def _is_begun_for_others(self) -> bool:
        from recorder.description import read_description
        from recorder.recording_folder import RecordingFolder

        begun_for = read_description(RecordingFolder(self._asked.folder)).asked_for
        return begun_for.get("streams") != [one.described() for one in self._asked.streams]

    async def _start_engine(self, agent_reference: str | None, signals_file: str | None) -> None:
        from cli.engine_messages import EngineStart
        from cli.engine_process import EngineProcess
        from cli.finding_lines import FindingLines

        self._engine = EngineProcess(
            EngineStart(agent_reference, signals_file, self._asked.engine, str(self._asked.folder)),
            on_snapshot_wanted=self._recorder.request_snapshot,
            on_warning=lambda text: self._told.warn(text, "engine"),
        )
        lines = FindingLines()

        def heed(status: EngineStatus) -> None:
            lines(status)
            self._beside.heed(status)

        self._engine.on_status(heed)
        self._beside.attach(self._engine)
        await self._engine.start()
        self._recorder.add_sink(self._engine)

    async def _kill_engine(self) -> None:
        if self._engine is not None:
            await self._engine.kill()

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in stop_signals():
            loop.add_signal_handler(number, self._stop, number)

    def _stop(self, number: int) -> None:
        """Begin to stop; a second signal ends at once, and the next start recovers.

        A terminal that is closed sends SIGHUP twice, by its shell and by the system as that ends:
        this is no wish to end at once.
        """
        if self._stop_begun_s is not None:
            if number == HANG_UP:
                return
            self._end_at_once(number)
        self._stop_begun_s = time.monotonic()
        self._told.say(
            "stopping: closing the connections, sealing … (once more ends it at once)", "stopping"
        )
        self._operations.stopping()
        self._recorder.stop()

    def _end_at_once(self, number: int) -> None:
        if self._engine is not None:
            self._engine.end_at_once()
        self._beside.end_at_once()
        try:
            self._told.say(
                "ended at once, before all was sealed: `tickreel recover`, or the next capture "
                f"into {self._asked.folder}, seals what was written",
                "ended at once",
            )
            self._told.close()
        finally:
            os._exit(128 + number)

    def _time_left_s(self) -> float:
        begun_s = self._stop_begun_s
        passed_s = 0.0 if begun_s is None else time.monotonic() - begun_s
        return max(ENGINE_LIMIT_MIN_S, STOP_LIMIT_S - passed_s)

    async def _tell_status(self, begun_s: float) -> None:
        from cli.capture_text import status_text

        status = self._told.status
        while True:
            await asyncio.sleep(status.interval_s)
            if self._recorder.stopping:  # what is closed and sealed now is no longer going on
                return
            seconds = time.monotonic() - begun_s
            status.show(status_text(seconds, self._recorder.statistics(), self._engine))
