"""`tickreel diff`: what differs between two recordings, or between an engine then and now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.errors import CommandError
from cli.options import json_option
from cli.report_text import count_text, counted, digest_text, printable
from cli.terminal import print_json, say
from replay.written_time import utc_text

if TYPE_CHECKING:
    from replay.recording import Recording
    from replay.recording_difference import FramesDifference
    from replay.state_trace import StateTrace
    from replay.trace_difference import TraceDifference
    from venues.frame import Frame

EXIT_DIFFERENT = 1
_PAYLOAD_CHARACTERS = 100
_LINES_MAX = 10


@click.command(short_help="Say what differs between two recordings.")
@click.argument("folders", metavar="DIR [DIR]", nargs=-1, required=True, type=click.Path())
@click.option("--ignore-times", is_flag=True, help="Frames may have come at other times.")
@click.option("--frames-only", is_flag=True, help="Compare no events and no state.")
@click.option(
    "--engine",
    "by_engine",
    is_flag=True,
    help="Of one recording: play it now, and compare with the state that is stored of it.",
)
@click.option(
    "--expected",
    "expected_file",
    type=click.Path(dir_okay=False),
    help="With --engine: where the state is stored; NAME.expected.json beside it if not given.",
)
@click.option("--write", is_flag=True, help="With --engine: store the state of now.")
@click.option("--force", is_flag=True, help="With --write: replace a stored state that differs.")
@json_option
def diff(
    folders: tuple[str, ...],
    ignore_times: bool,
    frames_only: bool,
    by_engine: bool,
    expected_file: str | None,
    write: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Say what differs between two recordings: frames, events, and what the engine makes of them.

    The first counts as what was expected. Frames are one where venue, kind, time and payload are.
    With --engine, one recording is played into the engine of this version, and compared with what
    an earlier one made of it. Exit code 0 is no difference, 1 a difference.
    """
    from replay.recording import Recording

    if len(folders) != (1 if by_engine else 2):
        raise click.UsageError("give two recordings, or --engine and one.")
    if not by_engine and (write or expected_file):
        raise click.UsageError("--expected and --write go with --engine.")
    if force and not write:
        raise click.UsageError("--force goes with --write.")
    recordings = [Recording.open(folder) for folder in folders]
    if by_engine:
        different = _engines(
            recordings[0], expected_file, write=write, force=force, as_json=as_json
        )
    else:
        different = _recordings(
            recordings[0],
            recordings[1],
            times=not ignore_times,
            frames_only=frames_only,
            as_json=as_json,
        )
    if different:
        click.get_current_context().exit(EXIT_DIFFERENT)


def _recordings(
    first: Recording, second: Recording, *, times: bool, frames_only: bool, as_json: bool
) -> bool:
    from replay.recording_difference import frames_difference

    frames = frames_difference(first, second, times=times)
    traces = None if frames_only else (_trace(first), _trace(second))
    state = None if traces is None else _compared(*traces)
    different = frames.any or (state is not None and not state.same)
    if as_json:
        print_json(
            {
                "different": different,
                "frames": {
                    "same": frames.same,
                    "only_in_first": frames.only_in_first,
                    "only_in_second": frames.only_in_second,
                    "first_of_them": [
                        {"in": which, "frame_number": frame.frame_number}
                        for which, frame in frames.kept
                    ],
                },
                "state": None if state is None or traces is None else _state_json(state, *traces),
            }
        )
        return different
    click.echo("\n".join(_frame_lines(frames, first, second)))
    if state is not None and traces is not None:
        _print_state(state, *traces, second)
    return different


def _engines(
    recording: Recording, expected_file: str | None, *, write: bool, force: bool, as_json: bool
) -> bool:
    from replay.state_trace import read_trace, trace_path, write_trace

    path = Path(expected_file) if expected_file else trace_path(recording.origin)
    if not write and not path.exists():
        raise CommandError(
            f"{path}: no state is stored there to compare with. --write stores the one that "
            "this version comes to."
        )
    now = _trace(recording)
    expected = read_trace(path) if path.exists() else now
    difference = _compared(expected, now)
    if write and (force or expected is now):
        write_trace(path, now)
        say(f"{printable(str(path))}: state after {counted(now.frames, 'frame')} stored")
    if as_json:
        print_json(
            {"different": not difference.same, "state": _state_json(difference, expected, now)}
        )
    else:
        _print_state(difference, expected, now, recording)
    if write and not force and not difference.same:
        raise CommandError(
            f"{path}: the state that is stored there is another one, and nothing is written over "
            "it. --force replaces it, or --expected names another file."
        )
    return not difference.same and not write


def _trace(recording: Recording) -> StateTrace:
    from replay.engine_settings import recorded_settings
    from replay.state_trace import traced

    return traced(recording, recorded_settings(recording))


def _compared(expected: StateTrace, actual: StateTrace) -> TraceDifference:
    from replay.trace_difference import trace_difference

    return trace_difference(expected, actual)


def _print_state(
    difference: TraceDifference, expected: StateTrace, actual: StateTrace, recording: Recording
) -> None:
    from cli.trace_text import difference_text

    if difference.same:
        events = count_text(sum(actual.events.values()))
        click.echo(f"events and state are the same: {events} events, digest "
                   f"{digest_text(actual.digest)}")  # fmt: skip
        return
    frame = _frame_at(recording, difference.first_frame)
    click.echo("\n".join(difference_text(difference, expected, actual, frame)))


def _frame_at(recording: Recording, place: int | None) -> Frame | None:
    if place is None:
        return None
    return next((frame for at, frame in enumerate(recording.frames()) if at == place), None)


def _state_json(
    difference: TraceDifference, expected: StateTrace, actual: StateTrace
) -> dict[str, object]:
    return {
        "same": difference.same,
        "comparable": difference.comparable,
        "expected_digest": expected.digest,
        "actual_digest": actual.digest,
        "first_differing_frame": difference.first_frame,
        "events": {
            kind: {"expected": before, "actual": now}
            for kind, (before, now) in difference.events.items()
        },
        "differences": [
            {"place": each.place, "expected": each.expected, "actual": each.actual}
            for each in difference.state
        ],
    }


def _frame_lines(frames: FramesDifference, first: Recording, second: Recording) -> list[str]:
    if not frames.any:
        return [f"frames are the same: {count_text(frames.same)}"]
    lines = [
        f"frames: {count_text(frames.same)} the same, {count_text(frames.only_in_first)} only in "
        f"{printable(str(first.origin))}, {count_text(frames.only_in_second)} only in "
        f"{printable(str(second.origin))}"
    ]
    for which, frame in frames.kept[:_LINES_MAX]:
        sign = "-" if which == "first" else "+"
        payload = frame.payload[:_PAYLOAD_CHARACTERS].decode("utf-8", "backslashreplace")
        lines.append(
            f"{sign} frame {frame.frame_number:,} {utc_text(frame.receive_time_ns, 6)} "
            f"{frame.venue} {frame.kind.name} {printable(payload)}"
        )
    hidden = frames.only_in_first + frames.only_in_second - min(len(frames.kept), _LINES_MAX)
    return [*lines, f"and {hidden:,} more"] if hidden else lines
