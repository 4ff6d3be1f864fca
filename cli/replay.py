"""`tickreel replay`: recordings into the engine, at any speed."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import click

from cli.collector import calm_collector
from cli.engine_options import engine_settings_option, read_engine_settings
from cli.errors import CommandError
from cli.fault_options import fault_options, fault_seed_option, read_faults, tell_faults
from cli.options import (
    RecordingTime,
    agent_options,
    json_option,
    read_names,
    read_recording_time,
    reading,
    speed_option,
)
from cli.report_text import count_text, counted, digest_text, printable_lines, span_text, utc_text
from cli.streams_option import refuse_absent
from cli.terminal import print_json, say, warn

if TYPE_CHECKING:
    from book.agent import AgentFailure
    from cli.attached_engine import AttachedEngine
    from cli.engine_summary import EngineSummary
    from replay.player import Player
    from replay.recording import Recording

EXIT_INTERRUPTED = 130


class _Range(NamedTuple):
    """What is played, in receive time: from the first frame to the last, or less."""

    from_ns: int | None
    to_ns: int | None
    first_ns: int
    last_ns: int


@click.command(short_help="Play recordings into the engine.")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path())
@speed_option("max")
@click.option(
    "--from",
    "from_time",
    metavar="TIME",
    callback=reading(read_recording_time),
    help="Begin at this time: RFC 3339, HH:MM:SS of the recording's day, or +90s after its start.",
)
@click.option(
    "--to",
    "to_time",
    metavar="TIME",
    callback=reading(read_recording_time),
    help="End before this time, written as for --from.",
)
@click.option(
    "--streams",
    metavar="VENUE,...",
    callback=reading(read_names),
    help="Play only what came from these venues.",
)
@agent_options
@engine_settings_option
@click.option("--digest", "digest_only", is_flag=True, help="Print the state digest and no more.")
@click.option(
    "--skip-damaged", is_flag=True, help="Play around what cannot be read; it counts as lost."
)
@fault_options
@fault_seed_option
@json_option
def replay(
    folders: tuple[str, ...],
    speed: str,
    from_time: RecordingTime | None,
    to_time: RecordingTime | None,
    streams: tuple[str, ...] | None,
    agent_reference: str | None,
    signals_file: str | None,
    engine_file: str | None,
    digest_only: bool,
    skip_damaged: bool,
    fault_file: str | None,
    fault_words: tuple[str, ...],
    seed: int | None,
    as_json: bool,
) -> None:
    """Play recordings into the engine that runs live, and tell what it knows at the end.

    Several recordings are merged by receive time. Speed delays frames and never changes them: the
    state digest is the same at every speed. With --fault or --faults, messages are lost, doubled,
    spoilt and so on before the engine gets them, and what was done is listed.
    """
    from cli.attached_engine import AttachedEngine
    from cli.engine_summary import summarise
    from replay.engine_settings import recorded_settings
    from replay.fault_source import FaultySource
    from replay.frame_merge import MergedRecording
    from replay.player import Player
    from replay.recording import Recording
    from replay.speed import speed_of
    from venues.registry import venue_named

    pace = speed_of(speed)
    faults = read_faults(fault_file, fault_words, seed)
    if signals_file and not agent_reference:
        raise click.UsageError("--signals needs an --agent whose signals can be written.")
    for stream in streams or ():
        venue_named(stream)
    recordings = [Recording.open(folder) for folder in folders]
    _refuse_twice(recordings)
    refuse_absent(recordings, streams)
    played = _range(recordings, from_time, to_time)
    settings = (
        recorded_settings(MergedRecording(recordings))
        if engine_file is None
        else read_engine_settings(engine_file)
    )
    merged = recordings[0] if len(recordings) == 1 else MergedRecording(recordings)
    faulty = None if faults is None else FaultySource(merged, faults)
    player = Player(
        merged if faulty is None else faulty,
        pace,
        from_ns=played.from_ns,
        to_ns=played.to_ns,
        streams=streams,
        skip_damaged=skip_damaged,
    )
    attached = AttachedEngine(agent_reference, signals_file, _warn_of_failure, settings)
    quiet = as_json or digest_only
    # What an agent prints is no result; with --json there must be nothing else on stdout.
    own_stdout = contextlib.redirect_stdout(sys.stderr) if quiet else contextlib.nullcontext()
    with attached.signals, own_stdout:
        seconds, interrupted = _play(attached, player, played, quiet=quiet)
    summary = summarise(attached.engine)
    if digest_only:
        click.echo(summary.state_digest)
    elif as_json:
        result = _result(summary, seconds, attached)
        print_json(result if faulty is None else {**result, "faults": faulty.done})
    else:
        _print(summary, seconds, attached, signals_file)
    if faulty is not None and not quiet:
        tell_faults(faulty.done)
    if interrupted:
        position = "" if player.position_ns is None else f" at {utc_text(player.position_ns)}"
        say(f"stopped{position}")
        click.get_current_context().exit(EXIT_INTERRUPTED)


def _refuse_twice(recordings: list[Recording]) -> None:
    """Refuse a recording that was given twice: each of its trades would count double."""
    paths = [recording.origin.resolve() for recording in recordings]
    for recording, path in zip(recordings, paths, strict=True):
        if paths.count(path) > 1:
            raise CommandError(
                f"{recording.origin} is given twice: every trade in it would count twice. "
                "Give it once."
            )


def _range(
    recordings: list[Recording], from_time: RecordingTime | None, to_time: RecordingTime | None
) -> _Range:
    firsts = [r.first_receive_time_ns for r in recordings if r.first_receive_time_ns is not None]
    lasts = [r.last_receive_time_ns for r in recordings if r.last_receive_time_ns is not None]
    first_ns, last_ns = min(firsts, default=0), max(lasts, default=0)
    from_ns = None if from_time is None else from_time.resolve(first_ns)
    to_ns = None if to_time is None else to_time.resolve(first_ns)
    if firsts and (
        (from_ns is not None and from_ns > last_ns)
        or (to_ns is not None and to_ns <= first_ns)
        or (from_ns is not None and to_ns is not None and to_ns <= from_ns)
    ):
        raise click.UsageError(
            "there is nothing between --from and --to; the recording runs from "
            f"{utc_text(first_ns)} to {utc_text(last_ns)}.",
            click.get_current_context(),
        )
    return _Range(
        from_ns,
        to_ns,
        first_ns if from_ns is None else from_ns,
        last_ns if to_ns is None else min(to_ns, last_ns),
    )


def _play(
    attached: AttachedEngine, player: Player, played: _Range, *, quiet: bool
) -> tuple[float, bool]:
    """Play all; return the seconds that it took and whether the user broke it off."""
    import pyarrow.parquet  # noqa: F401 - loading it is no part of playing

    from cli.replay_progress import shown_progress
    from venues.registry import venues

    venues()
    calm_collector()
    begun_s = time.perf_counter()
    interrupted = False
    with shown_progress(player, played.first_ns, played.last_ns, quiet=quiet):
        try:
            if attached.asynchronous:
                asyncio.run(_follow_async(attached, player))
            else:
                apply = attached.engine.apply
                for frame in player:
                    apply(frame)
        except KeyboardInterrupt:
            interrupted = True
    return time.perf_counter() - begun_s, interrupted


async def _follow_async(attached: AttachedEngine, player: Player) -> None:
    async for frame in player:
        await attached.engine.apply_async(frame)


def _warn_of_failure(failure: AgentFailure) -> None:
    from cli.attached_engine import failure_text

    warn(printable_lines(failure_text(failure)))


def _result(summary: EngineSummary, seconds: float, attached: AttachedEngine) -> dict[str, object]:
    return {
        "frames": summary.frames,
        "seconds": round(seconds, 6),
        "frames_per_second": round(summary.frames / seconds) if seconds else 0,
        "state_digest": summary.state_digest,
        "signals": attached.signals.count,
        "agent_failures": attached.failures,
        "undecodable": summary.undecodable,
        "findings": summary.findings,
        "books": summary.markets,
    }


def _print(
    summary: EngineSummary, seconds: float, attached: AttachedEngine, signals_file: str | None
) -> None:
    from cli.engine_summary import market_table

    if summary.markets:
        click.echo("\n".join(market_table(summary)))
    rate = summary.frames / seconds if seconds else 0
    click.echo(
        f"{counted(summary.frames, 'frame')} in {span_text(seconds)} ({rate:,.0f} frames/s), "
        f"digest {digest_text(summary.state_digest)}"
    )
    if attached.signals.count:
        where = f" in {signals_file}" if signals_file else "; --signals FILE keeps them"
        click.echo(f"{counted(attached.signals.count, 'signal')}{where}")
    if summary.findings:
        kinds = ", ".join(f"{count_text(n)} {kind}" for kind, n in summary.findings.items())
        click.echo(f"findings: {kinds}")
