"""`tickreel capture`: live streams into a recording, the engine beside them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from cli.beside_options import beside, beside_options
from cli.disk_options import disk_options, with_disk_options
from cli.engine_options import engine_settings_option
from cli.event_loop import close_loop, loop_factory
from cli.operations_options import cpu_option, log_options, metrics_options
from cli.options import agent_options, json_option, read_names, reading
from cli.terminal import print_json
from replay.written_time import read_duration_ns

if TYPE_CHECKING:
    from cli.capture_log import CaptureLog
    from cli.capture_run import Captured
    from cli.operations_server import MetricsAddress
    from recorder.retention import Keep

EXIT_PART_ENDED = 1
EXIT_COULD_NOT_RUN = 2
EXIT_LOST = 3


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
@disk_options
@beside_options
@log_options
@metrics_options
@cpu_option
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
    keeps: tuple[Keep, ...],
    min_free_bytes: int | None,
    upload_uri: str | None,
    remove_local: bool,
    ring_ns: int | None,
    triggers: tuple[str, ...] | None,
    log_json: bool,
    log_file: str | None,
    metrics_address: MetricsAddress | None,
    metrics_insecure: bool,
    processors: tuple[int, ...] | None,
    as_json: bool,
) -> None:
    """Record live feeds into a folder, byte for byte, until stopped (^C, SIGTERM) or --duration.

    Give a venue and its symbols, or a TOML file with as many streams as you like. The engine runs
    beside the recorder in a process of its own: nothing that it or your agent does can hold up the
    recording. A recording that is there already is continued, and so is its --signals file.

    Exit code 3 says that frames came that could not be kept; the recording says which. Exit code 1
    says that the recording is whole, but the engine, agent, ring or upload beside it did not live
    to its end.
    """
    from cli.capture_log import CaptureLog
    from cli.capture_request import request_from_arguments, request_from_file
    from cli.capture_run import CaptureRun
    from cli.operations_server import refuse_open_address
    from cli.processors import Place
    from cli.signal_file import refuse_others_signals
    from recorder.errors import WriterFailedError
    from venues.errors import TickreelError

    if no_engine and agent_reference:
        raise click.UsageError("--agent needs the engine; leave out --no-engine.")
    if signals_file and not agent_reference:
        raise click.UsageError("--signals needs an --agent whose signals can be written.")
    if target.endswith(".toml"):
        if symbols or channels or depth is not None or url:
            raise click.UsageError(f"symbols, channels, depth and address are {target}'s to say.")
        asked = request_from_file(target, folder, engine_file, wait=wait)
    else:
        asked = request_from_arguments(
            target, symbols, folder, channels, depth, url, engine_file, wait=wait
        )
    if signals_file:
        refuse_others_signals(signals_file, asked.folder)
    asked = with_disk_options(asked, keeps, min_free_bytes)
    wanted = beside(upload_uri, ring_ns, triggers, remove_local=remove_local, written=asked.written)
    asked = asked.with_beside(wanted.checked(engine=not no_engine))
    if metrics_address is not None:
        refuse_open_address(metrics_address, insecure=metrics_insecure)
    place = None if processors is None else Place(processors)
    told = CaptureLog(quiet=as_json, log_json=log_json, log_file=log_file)
    runner = asyncio.Runner(loop_factory=loop_factory())
    code = EXIT_COULD_NOT_RUN
    try:
        try:
            run = CaptureRun(asked, told, metrics=metrics_address, place=place)
            captured = runner.run(
                run.run(
                    None if duration_ns is None else duration_ns / 1e9,
                    None if no_engine else (agent_reference, signals_file),
                )
            )
            _tell_end(captured, told)
        except TickreelError as error:
            told.fail(str(error))
            # With a cause it is the writer that failed, by a fault of ours, and not the disk.
            lost = (
                isinstance(error, WriterFailedError)
                and error.__cause__ is None
                and error.frames_unwritten > 0
            )
            raise click.exceptions.Exit(EXIT_LOST if lost else EXIT_COULD_NOT_RUN) from error
        finally:
            told.close()
        _print_end(captured, as_json=as_json)
        code = _exit_code(captured)
    finally:
        close_loop(runner, code)
    click.get_current_context().exit(code)


def _tell_end(captured: Captured, told: CaptureLog) -> None:
    from cli.capture_text import mute_texts

    report = captured.report
    for text in mute_texts(report):
        told.warn(text, "connection")
    for fault in report.sealing_faults:
        told.warn(fault, "sealing")
    told.log_end(report)


def _print_end(captured: Captured, *, as_json: bool) -> None:
    from cli.capture_text import capture_result, closing_text

    report = captured.report
    if as_json:
        result = capture_result(report, captured.seconds, captured.engine, captured.ended)
        print_json(result | captured.beside)
    else:
        click.echo(closing_text(report, captured.ended))


def _exit_code(captured: Captured) -> int:
    report = captured.report
    if report.stream_faults or report.sealing_faults:
        return EXIT_COULD_NOT_RUN
    if report.lost_frames:
        return EXIT_LOST
    engine = captured.engine
    engine_ended = engine is not None and (engine.fault or engine.agent_detached)
    if report.sink_faults or engine_ended or "ended_parts" in captured.beside:
        return EXIT_PART_ENDED
    return 0
