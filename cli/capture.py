"""`tickreel capture`: live streams into a recording, the engine beside them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from cli.engine_options import engine_settings_option
from cli.event_loop import loop_factory
from cli.options import agent_options, json_option, read_duration_ns, read_names, reading
from cli.report_text import printable_lines
from cli.terminal import StatusLine, print_error, print_json, say, warn

if TYPE_CHECKING:
    from book.settings import EngineSettings
    from cli.engine_messages import EngineEnded
    from cli.engine_process import EngineProcess
    from recorder.recorder import Recorder, RecorderSettings
    from recorder.statistics import RecorderReport
    from recorder.stream_settings import StreamSettings

STOP_LIMIT_S = 4.5
ENGINE_LIMIT_MIN_S = 0.5
EXIT_COULD_NOT_RUN = 2
EXIT_LOST = 3


class _Asked(NamedTuple):
    """What to capture, where to and how."""

    streams: tuple[StreamSettings, ...]
    folder: Path
    settings: RecorderSettings
    engine: EngineSettings


class _Captured(NamedTuple):
    """What came of it."""

    report: RecorderReport
    seconds: float
    engine: EngineProcess | None
    ended: EngineEnded | None


@click.command(short_help="Record live feeds into a folder.")
@click.argument("target", metavar="VENUE|FILE.toml")
@click.argument("symbols", metavar="[SYMBOL...]", nargs=-1)
@click.option("-o", "--output", "folder", type=click.Path(), help="The recording's folder.")
@click.option(
    "--channels",
    metavar="NAME,...",
    callback=reading(read_names),
    help="What to subscribe to, such as book,trades,liquidations; the venue's usual ones if not.",
)
@click.option("--depth", type=int, metavar="LEVELS", help="Depth of the books.")
@click.option("--url", help="Another address than the exchange's, such as ws://127.0.0.1:8765.")
@click.option(
    "--duration",
    "duration_ns",
    metavar="TIME",
    callback=reading(read_duration_ns),
    help="Stop by itself after so long: 90s, 15m, 8h, 1h30m.",
)
@agent_options
@engine_settings_option
@click.option("--no-engine", is_flag=True, help="Record only: no books, no findings, no digest.")
@click.option(
    "--wait", is_flag=True, help="Keep trying where the exchange cannot be reached at the start."
)
@json_option
def capture(
    target: str,
    symbols: tuple[str, ...],
    folder: str | None,
    channels: tuple[str, ...] | None,
    depth: int | None,
    url: str | None,
    duration_ns: int | None,
    agent_reference: str | None,
    signals_file: str | None,
    engine_file: str | None,
    no_engine: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Record live feeds into a folder, byte for byte, until stopped (^C, SIGTERM) or --duration.

    Give a venue and its symbols, or a TOML file with as many streams as you like. The engine runs
    beside the recorder in a process of its own: nothing that it or your agent does can hold up the
    recording. A recording that is there already is continued. Exit code 3 says that frames came
    that could not be kept; the recording says which.
    """
    if no_engine and agent_reference:
        raise click.UsageError("--agent needs the engine; leave out --no-engine.")
    if signals_file and not agent_reference:
        raise click.UsageError("--signals needs an --agent whose signals can be written.")
    if target.endswith(".toml"):
        if symbols or channels or depth is not None or url:
            raise click.UsageError(f"symbols, channels, depth and address are {target}'s to say.")
        asked = _from_file(target, folder, engine_file, wait=wait)
    else:
        asked = _from_arguments(
            target, symbols, folder, channels, depth, url, engine_file, wait=wait
        )
    run = _CaptureRun(asked, StatusLine(quiet=as_json))
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        captured = runner.run(
            run.run(
                None if duration_ns is None else duration_ns / 1e9,
                None if no_engine else (agent_reference, signals_file),
            )
        )
    _finish(captured, as_json=as_json)


def _from_arguments(
    venue_name: str,
    symbols: tuple[str, ...],
    folder: str | None,
    channels: tuple[str, ...] | None,
    depth: int | None,
    url: str | None,
    engine_file: str | None,
    *,
    wait: bool,
) -> _Asked:
    from cli.engine_options import capture_engine_settings, read_engine_settings
    from recorder.recorder import RecorderSettings
    from recorder.stream_settings import StreamSettings
    from venues.channel import Channel
    from venues.errors import UnknownChannelError
    from venues.registry import venue_named

    offered = venue_named(venue_name).traits.channels
    for name in channels or ():
        if name not in offered:
            raise UnknownChannelError(venue_name, name, offered)
    if folder is None:
        raise click.UsageError("give the folder to record into: -o DIR.")
    stream = StreamSettings(
        venue=venue_name,
        symbols=symbols,
        channels=None if channels is None else tuple(map(Channel, channels)),
        depth=depth,
        url=url,
    )
    chosen = None if engine_file is None else read_engine_settings(engine_file)
    engine = capture_engine_settings(chosen, Path(folder))
    return _Asked(
        (stream,),
        Path(folder),
        RecorderSettings(give_up_at_start=not wait, engine=engine.described()),
        engine,
    )


def _from_file(
    file_name: str, folder: str | None, engine_file: str | None, *, wait: bool
) -> _Asked:
    from book.settings import EngineSettings
    from cli.engine_options import capture_engine_settings, read_engine_settings
    from recorder.recorder import RecorderSettings
    from recorder.recording import Rotation
    from recorder.stream_settings import read_capture_settings

    written = read_capture_settings(file_name)
    recording = written.recording
    place = Path(folder or recording.folder or Path(file_name).with_suffix(""))
    chosen = None
    if engine_file is not None:
        chosen = read_engine_settings(engine_file)
    elif written.engine:
        chosen = EngineSettings.read(written.engine, f"{file_name}, [engine]")
    engine = capture_engine_settings(chosen, place)
    return _Asked(
        written.stream,
        place,
        RecorderSettings(
            rotation=Rotation(recording.rotate_bytes, recording.rotate_interval_s),
            budget_bytes=recording.budget_bytes,
            give_up_at_start=not wait,
            engine=engine.described(),
        ),
        engine,
    )


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


class _CaptureRun:
    """One capture, from its first line to its last frame."""

    def __init__(self, asked: _Asked, status: StatusLine) -> None:
        from recorder.recorder import Recorder

        self._asked = asked
        self._status = status
        self._log = _LogLines(status)
        self._recorder: Recorder = Recorder(asked.streams, asked.folder, asked.settings)
        self._engine: EngineProcess | None = None
        self._stop_begun_s: float | None = None

    async def run(
        self, duration_s: float | None, engine: tuple[str | None, str | None] | None
    ) -> _Captured:
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
        return _Captured(report, time.monotonic() - begun_s, self._engine, ended)

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


def _finish(captured: _Captured, *, as_json: bool) -> None:
    from cli.capture_text import capture_result, closing_text

    report = captured.report
    for fault in report.sealing_faults:
        warn(printable_lines(fault))
    if as_json:
        print_json(capture_result(report, captured.seconds, captured.engine, captured.ended))
    else:
        click.echo(closing_text(report, captured.ended))
    if report.stream_faults or report.sealing_faults:
        click.get_current_context().exit(EXIT_COULD_NOT_RUN)
    if report.lost_frames:
        click.get_current_context().exit(EXIT_LOST)
