"""`tickreel replay`: recordings into the engine, at any speed."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.engine_options import engine_settings_option, read_engine_settings
from cli.errors import CommandError
from cli.fault_options import (
    FAULTS_SHOWN_MAX,
    fault_options,
    fault_seed_option,
    read_faults,
    tell_faults,
)
from cli.options import agent_options, json_option, skip_damaged_option, speed_option
from cli.replay_range import AskedRange, range_options, resolve_range
from cli.report_text import count_text, counted, digest_text, folded, printable_lines, span_text
from cli.side_by_side import refuse_twice, warn_of_shared_feeds
from cli.streams_option import refuse_absent
from cli.terminal import line_width, print_json, say, warn
from replay.written_time import utc_text

if TYPE_CHECKING:
    from book.agent import AgentFailure
    from book.settings import EngineSettings
    from cli.attached_engine import AttachedEngine
    from cli.engine_summary import EngineSummary
    from cli.replay_playback import Playback
    from replay.fault_settings import FaultSettings
    from replay.frame_source import FrameSource
    from replay.recording import Recording
    from replay.selected_source import SelectedSource
    from replay.written_time import RecordingTime
    from venues.channel import Channel

EXIT_DIFFERENT = 1
EXIT_AGENT_DETACHED = 1
EXIT_INTERRUPTED = 130


@click.command(short_help="Play recordings into the engine.")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path())
@speed_option("max")
@range_options
@click.option(
    "--cold", is_flag=True, help="With --from: begin with empty books, as a new client would."
)
@click.option("-p", "--start-paused", is_flag=True, help="Wait for a key (space) to begin.")
@click.option("-l", "--loop", is_flag=True, help="Begin again at the end, until Ctrl-C.")
@agent_options
@click.option("--force", is_flag=True, help="Replace the file of --signals if it is there.")
@engine_settings_option
@click.option("--digest", "digest_only", is_flag=True, help="Print the state digest and no more.")
@click.option(
    "--prove", is_flag=True, help="Reproduce each receipt that the live engine left behind."
)
@skip_damaged_option
@fault_options
@fault_seed_option
@json_option
def replay(
    folders: tuple[str, ...],
    speed: str,
    from_time: RecordingTime | None,
    to_time: RecordingTime | None,
    start_offset_ns: int | None,
    duration_ns: int | None,
    streams: tuple[str, ...] | None,
    symbols: tuple[str, ...] | None,
    channels: tuple[Channel, ...] | None,
    cold: bool,
    start_paused: bool,
    loop: bool,
    agent_reference: str | None,
    signals_file: str | None,
    force: bool,
    engine_file: str | None,
    digest_only: bool,
    prove: bool,
    skip_damaged: bool,
    fault_file: str | None,
    fault_words: tuple[str, ...],
    seed: int | None,
    as_json: bool,
) -> None:
    """Play recordings into the engine that runs live, and tell what it knows at the end.

    Several recordings are merged by receive time. Speed delays frames and never changes them: the
    state digest is the same at every speed. With --from, books are as they were then. With --fault
    or --faults, messages are lost, doubled, spoilt and so on before the engine gets them, and what
    was done is listed. Exit code 1: the agent failed so often that it was detached, or --prove
    did not reproduce every receipt.

    \b
    Keys while it plays at a speed, in a terminal:
      space        pause, go on          g    the next gap
      right arrow  next frame (paused)   l    the next liquidation
      up, down     faster, slower        /    go to a time
    """  # noqa: D301 - click's mark for lines that stay as they are
    from cli.attached_engine import AttachedEngine
    from cli.engine_summary import summarise
    from cli.replay_playback import Playback
    from cli.replay_progress import shown_progress
    from replay.fault_source import FaultySource
    from replay.output_place import refuse_taken
    from replay.recording import Recording
    from replay.speed import speed_of
    from venues.registry import venue_named, venues

    pace = speed_of(speed)
    faults = read_faults(fault_file, fault_words, seed)
    quiet = as_json or digest_only
    _check(signals_file, agent_reference, start_paused, pace is None, quiet)
    for stream in streams or ():
        venue_named(stream)
    if signals_file and Path(signals_file).is_file():  # a pipe or a terminal is never written over
        refuse_taken(Path(signals_file), force=force)
    recordings = [Recording.open(folder) for folder in folders]
    refuse_twice(recordings)
    _warn_of_parts(recordings)
    refuse_absent(recordings, streams)
    if prove:
        _refuse_faults(faults)
        _refuse_part(from_time, to_time, start_offset_ns, duration_ns, streams, symbols, channels)
        _prove(recordings, as_json=as_json, skip_damaged=skip_damaged)
        return
    warn_of_shared_feeds(recordings)
    asked = AskedRange(from_time, to_time, start_offset_ns, duration_ns)
    played = resolve_range(recordings, asked)
    source, selected = _source(recordings, streams, symbols, channels)
    faulty = None if faults is None else FaultySource(source, faults)
    counted_frames = sum(recording.frame_count for recording in recordings)
    attached = AttachedEngine(
        agent_reference, signals_file, _warn_of_failure, _settings(recordings, engine_file)
    )
    venues()
    # What an agent prints is no result; with --json there must be nothing else on stdout.
    own_stdout = contextlib.redirect_stdout(sys.stderr) if quiet else contextlib.nullcontext()
    with attached.signals, own_stdout:
        playback = Playback(
            source if faulty is None else faulty,
            attached,
            played,
            pace,
            paused=start_paused,
            cold=cold,
            skip_damaged=skip_damaged,
            frames_in_all=counted_frames if selected is None and faulty is None else None,
        )
        with shown_progress(playback, played.first_ns, played.last_ns, quiet=quiet):
            interrupted = playback.run(loop=loop)
        attached.show_signals(last=True)
    _refuse_unmet(symbols, selected)
    summary = summarise(attached.engine)
    if digest_only and not as_json:
        click.echo(summary.state_digest)
    elif as_json:
        result = _result(summary, playback, attached)
        print_json(result if faulty is None else {**result, "faults": faulty.done})
    else:
        _print(summary, playback, attached, signals_file)
    if faulty is not None and not quiet:
        tell_faults(faulty.done, FAULTS_SHOWN_MAX)
    if interrupted:
        position_ns = playback.player.position_ns
        say(f"stopped{'' if position_ns is None else f' at {utc_text(position_ns)}'}")
        click.get_current_context().exit(EXIT_INTERRUPTED)
    if attached.agent_detached:
        click.get_current_context().exit(EXIT_AGENT_DETACHED)


def _check(
    signals_file: str | None,
    agent_reference: str | None,
    start_paused: bool,
    at_max: bool,
    quiet: bool,
) -> None:
    if signals_file and not agent_reference:
        raise click.UsageError("--signals needs an --agent whose signals can be written.")
    if start_paused and at_max:
        raise click.UsageError("--start-paused needs a speed to go on at, such as --speed 1x.")
    if start_paused and (quiet or not sys.stdin.isatty() or not sys.stderr.isatty()):
        raise click.UsageError(
            "--start-paused needs a terminal: there is no key here that could let it go on."
        )


def _refuse_part(*said: object) -> None:
    if any(each is not None for each in said):
        raise click.UsageError(
            "--prove takes whole recordings: receipts are about all frames from the first on."
        )


def _refuse_faults(faults: FaultSettings | None) -> None:
    if faults is not None:
        raise click.UsageError("--prove takes a recording as it is: leave the faults out.")


def _prove(recordings: list[Recording], *, as_json: bool, skip_damaged: bool) -> None:
    from cli.replay_proof import prove_recordings

    if not prove_recordings(recordings, as_json=as_json, skip_damaged=skip_damaged):
        click.get_current_context().exit(EXIT_DIFFERENT)


def _warn_of_parts(recordings: list[Recording]) -> None:
    from replay.recording_parts import are_cut_apart

    if len(recordings) > 1 and are_cut_apart(recordings):
        warn(
            "these are parts of one recording: played beside each other, their books end at each "
            "cut. `tickreel merge` makes the whole of them again."
        )


def _source(
    recordings: list[Recording],
    streams: tuple[str, ...] | None,
    symbols: tuple[str, ...] | None,
    channels: tuple[Channel, ...] | None,
) -> tuple[FrameSource, SelectedSource | None]:
    import pyarrow.parquet  # noqa: F401 - loading it is no part of playing

    from replay.frame_merge import MergedRecording
    from replay.selected_source import SelectedSource

    whole = recordings[0] if len(recordings) == 1 else MergedRecording(recordings)
    if streams is None and symbols is None and channels is None:
        return whole, None
    selected = SelectedSource(whole, streams, symbols, channels)
    return selected, selected


def _settings(recordings: list[Recording], engine_file: str | None) -> EngineSettings:
    from replay.engine_settings import recorded_settings
    from replay.frame_merge import MergedRecording

    if engine_file is None:
        return recorded_settings(MergedRecording(recordings))
    return read_engine_settings(engine_file)


def _refuse_unmet(symbols: tuple[str, ...] | None, selected: SelectedSource | None) -> None:
    """Refuse symbols of which nothing came: a spelling that another venue has, say."""
    from venues.errors import nearest

    if symbols is None or selected is None:
        return
    for symbol in symbols:
        if symbol not in selected.met.symbols:
            met = sorted(selected.met.symbols)
            there = f" It has {', '.join(met[:10])}." if met else ""
            raise CommandError(
                f"nothing of {symbol!r} came in what was played{nearest(symbol, met)}.{there}"
            )


def _warn_of_failure(failure: AgentFailure) -> None:
    from cli.attached_engine import failure_text

    warn(printable_lines(failure_text(failure)))


def _result(
    summary: EngineSummary, playback: Playback, attached: AttachedEngine
) -> dict[str, object]:
    frames, seconds = playback.frames, playback.seconds
    return {
        "frames": frames,
        "seconds": round(seconds, 6),
        "frames_per_second": round(frames / seconds) if seconds else 0,
        "state_digest": summary.state_digest,
        "signals": attached.signals.count,
        "agent_failures": attached.failures,
        "agent_detached": attached.agent_detached,
        "undecodable": summary.undecodable,
        "findings": summary.findings,
        "books": summary.markets,
    }


def _print(
    summary: EngineSummary,
    playback: Playback,
    attached: AttachedEngine,
    signals_file: str | None,
) -> None:
    from cli.engine_summary import market_table

    if summary.markets:
        click.echo("\n".join(market_table(summary, line_width())))
    rate = playback.frames / playback.seconds if playback.seconds else 0
    click.echo(
        f"{counted(playback.frames, 'frame')} in {span_text(playback.seconds)} "
        f"({rate:,.0f} frames/s), digest {digest_text(summary.state_digest)}"
    )
    if attached.signals.count:
        where = f" in {signals_file}" if signals_file else "; --signals FILE keeps them"
        click.echo(f"{counted(attached.signals.count, 'signal')}{where}")
    if summary.findings:
        kinds = ", ".join(f"{count_text(n)} {kind}" for kind, n in summary.findings.items())
        click.echo("\n".join(folded(f"findings: {kinds}", line_width(), 10)))
