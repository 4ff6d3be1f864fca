"""`tickreel cat`: the frames of a recording, or their events, as lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from cli.errors import CommandError
from cli.filter_options import filter_options, taken_from
from cli.options import skip_damaged_option
from venues.errors import nearest

if TYPE_CHECKING:
    from replay.frame_selection import Met, Wanted


@click.command(short_help="Print a recording's frames, or their events.")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["text", "ndjson", "csv"]),
    default="text",
    show_default=True,
    help="Lines for people, a JSON object a line, or CSV.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format ndjson.")
@click.option("--events", is_flag=True, help="Print what the frames decode to instead.")
@click.option("--limit", type=click.IntRange(min=1), help="Print so many lines and no more.")
@skip_damaged_option
@filter_options
def cat(
    folder: str,
    format_name: str,
    as_json: bool,
    events: bool,
    limit: int | None,
    skip_damaged: bool,
    **options: Any,  # noqa: ANN401 - click's
) -> None:
    """Print the frames of a recording, a line each: payloads as they came.

    Payloads that are no text are base64 in ndjson and CSV, and escaped in text. What reaches a
    terminal has its control characters escaped.
    """
    from cli.frame_text import CSV_HEAD, FRAME_LINES, event_lines
    from replay.decoded_frames import decoded
    from replay.frame_selection import Met, selected
    from replay.recording import Recording

    chosen = taken_from(options)
    format_name = "ndjson" if as_json else format_name
    if events and format_name == "csv":
        raise click.UsageError(
            "events of different kinds fit no one table; `tickreel export` writes one of each kind."
        )
    recording = Recording.open(folder)
    wanted, met = chosen.of(recording), Met()
    frames = selected(recording, wanted, met, skip_damaged=skip_damaged)
    lines: Iterator[str] = map(FRAME_LINES[format_name], frames)
    if events:
        as_json = format_name == "ndjson"
        lines = (line for each in decoded(frames) for line in event_lines(each, as_json=as_json))
    elif format_name == "csv":
        click.echo(CSV_HEAD)
    for line in islice(lines, limit):
        click.echo(line)
    if limit is None:
        _refuse_unmet(wanted, met)


def _refuse_unmet(wanted: Wanted, met: Met) -> None:
    """Say that symbols are not there: no line about them is no proof that nothing happened."""
    for symbol in wanted.symbols or ():
        if met.symbols and symbol not in met.symbols:
            raise CommandError(
                f"nothing of {symbol!r} came in what was printed{nearest(symbol, met.symbols)}. "
                f"There is {', '.join(sorted(met.symbols)[:10])}."
            )
