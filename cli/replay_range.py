"""What part of the recordings is played, by time and by what it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from cli.filter_options import read_channels
from cli.options import read_names, reading
from replay.written_time import RecordingTime, read_duration_ns, read_recording_time, utc_text

if TYPE_CHECKING:
    from replay.recording import Recording

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class AskedRange(NamedTuple):
    """What the user said of the range; None is not said."""

    from_time: RecordingTime | None
    to_time: RecordingTime | None
    start_offset_ns: int | None
    duration_ns: int | None


class Range(NamedTuple):
    """What is played, in receive time: from the first frame to the last, or less."""

    from_ns: int | None
    to_ns: int | None
    first_ns: int
    last_ns: int


def range_options(command: Decorated) -> Decorated:
    """Add the options that say what part is played."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _names(name: str, metavar: str, text: str) -> Callable[[Any], Any]:
    return click.option(name, metavar=metavar, callback=reading(read_names), help=text)


_OPTIONS = (
    click.option(
        "--from",
        "from_time",
        metavar="TIME",
        callback=reading(read_recording_time),
        help="Begin at this time, with books as they were then: RFC 3339, HH:MM:SS of the "
        "recording's day, seconds since 1970, or +90s after its start.",
    ),
    click.option(
        "--to",
        "to_time",
        metavar="TIME",
        callback=reading(read_recording_time),
        help="End before this time, written as for --from.",
    ),
    click.option(
        "--start-offset",
        "start_offset_ns",
        metavar="DURATION",
        callback=reading(read_duration_ns),
        help="Begin so long after the recording's start; the same as --from +DURATION.",
    ),
    click.option(
        "--duration",
        "duration_ns",
        metavar="DURATION",
        callback=reading(read_duration_ns),
        help="Play so much recorded time, and no more.",
    ),
    _names("--streams", "VENUE,...", "Play only what came from these venues."),
    _names("--symbols", "SYMBOL,...", "Play only what is about these symbols."),
    click.option(
        "--channels",
        metavar="CHANNEL,...",
        callback=reading(read_channels),
        help="Play only these channels: book, trades, liquidations ...",
    ),
)


def resolve_range(recordings: list[Recording], asked: AskedRange) -> Range:
    """Return what is played of recordings.

    Raises:
        click.UsageError: it is said twice, or there is nothing in it.
    """
    if asked.from_time is not None and asked.start_offset_ns is not None:
        raise click.UsageError("--from and --start-offset say the same: give one of them.")
    if asked.to_time is not None and asked.duration_ns is not None:
        raise click.UsageError("--to and --duration say the same: give one of them.")
    firsts = [r.first_receive_time_ns for r in recordings if r.first_receive_time_ns is not None]
    lasts = [r.last_receive_time_ns for r in recordings if r.last_receive_time_ns is not None]
    first_ns, last_ns = min(firsts, default=0), max(lasts, default=0)
    from_ns = None if asked.from_time is None else asked.from_time.resolve(first_ns)
    if asked.start_offset_ns is not None:
        from_ns = first_ns + asked.start_offset_ns
    to_ns = None if asked.to_time is None else asked.to_time.resolve(first_ns)
    if asked.duration_ns is not None:
        to_ns = (first_ns if from_ns is None else from_ns) + asked.duration_ns
    if firsts and _is_empty(from_ns, to_ns, first_ns, last_ns):
        raise click.UsageError(
            "there is nothing between --from and --to; the recording runs from "
            f"{utc_text(first_ns)} to {utc_text(last_ns)}.",
            click.get_current_context(),
        )
    return Range(
        from_ns,
        to_ns,
        first_ns if from_ns is None else from_ns,
        last_ns if to_ns is None else min(to_ns, last_ns),
    )


def _is_empty(from_ns: int | None, to_ns: int | None, first_ns: int, last_ns: int) -> bool:
    if from_ns is not None and (from_ns > last_ns or (to_ns is not None and to_ns <= from_ns)):
        return True
    return to_ns is not None and to_ns <= first_ns
