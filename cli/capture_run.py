"""One capture, from its first line to its last frame: recorder, engine, signals, status line."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

import click

from cli.report_text import printable_lines
from cli.terminal import StatusLine, print_error, say, warn

if TYPE_CHECKING:
    from cli.capture_request import CaptureRequest
    from cli.engine_messages import EngineEnded
    from cli.engine_process import EngineProcess
    from recorder.recorder import Recorder
    from recorder.statistics import RecorderReport

STOP_LIMIT_S = 4.5
ENGINE_LIMIT_MIN_S = 0.5
EXIT_COULD_NOT_RUN = 2


class Captured(NamedTuple):
    """What came of it."""

    report: RecorderReport
    seconds: float
    engine: EngineProcess | None
    ended: EngineEnded | None


class _LogLines(logging.Handler):
    """The recorder's log, as warnings and errors between the status lines."""

    def __init__(self, status: StatusLine) -> None:
        super().__init__(logging.WARNING)
        self._status = status
        self.errors: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        self._status.clear()
        text = record.getMessage()
        if record.levelno >= logging.ERROR:
            self.errors.add(text)
            print_error(printable_lines(text))
        else:
            warn(printable_lines(text))


class CaptureRun:
    """One capture, from its first line to its last frame."""

    def __init__(self, asked: CaptureRequest, status: StatusLine) -> None:
        from recorder.recorder import Recorder

        self._asked = asked
        self._status = status
        self._log = _LogLines(status)
        self._recorder: Recorder = Recorder(asked.streams, asked.folder, asked.settings)
        self._engine: EngineProcess | None = None
        self._stop_begun_s: float | None = None

    async def run(
        self, duration_s: float | None, engine: tuple[str | None, str | None] | None
    ) -> Captured:
        """Capture until told to stop; `engine` has the agent and the signals' file.

        Raises:
            CommandError: the engine cannot start as asked.
            TickreelError: nothing could be recorded.
        """
        from cli.capture_text import opening_text
        from venues.errors import TickreelError

        logger = logging.getLogger("tickreel")
        logger.addHandler(self._log)
        logger.propagate = False
        self._heed_signals()
        if engine is not None:
            await self._start_engine(*engine)
        begun_s = time.monotonic()
        telling: asyncio.Task[None] | None = None
        try:
            await self._recorder.start()
            self._say(opening_text(self._asked.streams, str(self._asked.folder)))
            telling = asyncio.create_task(self._tell_status(begun_s))
            report = await self._recorder.run(duration_s)
        except TickreelError as error:
            await self._kill_engine()
            if str(error) in self._log.errors:
                raise click.exceptions.Exit(EXIT_COULD_NOT_RUN) from error
            raise
        except BaseException:
            await self._kill_engine()
            raise
        finally:
            if telling is not None:
                telling.cancel()
            self._status.clear()
            logger.removeHandler(self._log)
        ended = None if self._engine is None else await self._engine.finish(self._time_left_s())
        return Captured(report, time.monotonic() - begun_s, self._engine, ended)

    async def _start_engine(self, agent_reference: str | None, signals_file: str | None) -> None:
        from cli.engine_messages import EngineStart
        from cli.engine_process import EngineProcess

        self._engine = EngineProcess(
            EngineStart(agent_reference, signals_file, self._asked.engine),
            on_snapshot_wanted=self._recorder.request_snapshot,
            on_warning=self._warn,
        )
        await self._engine.start()
        self._recorder.add_sink(self._engine)

    async def _kill_engine(self) -> None:
        if self._engine is not None:
            await self._engine.kill()

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, number)

    def _stop(self, number: int) -> None:
        """Begin to stop; a second signal ends at once, and the next start recovers."""
        if self._stop_begun_s is not None:
            if self._engine is not None:
                self._engine.end_at_once()
            os._exit(128 + number)
        self._stop_begun_s = time.monotonic()
        self._say("stopping: closing the connections, sealing …")
        self._recorder.stop()

    def _time_left_s(self) -> float:
        begun_s = self._stop_begun_s
        passed_s = 0.0 if begun_s is None else time.monotonic() - begun_s
        return max(ENGINE_LIMIT_MIN_S, STOP_LIMIT_S - passed_s)

    def _warn(self, text: str) -> None:
        self._status.clear()
        warn(printable_lines(text))

    def _say(self, text: str) -> None:
        self._status.clear()
        if not self._status.quiet:
            say(printable_lines(text))

    async def _tell_status(self, begun_s: float) -> None:
        from cli.capture_text import status_text

        while True:
            await asyncio.sleep(self._status.interval_s)
            seconds = time.monotonic() - begun_s
            self._status.show(status_text(seconds, self._recorder.statistics(), self._engine))
