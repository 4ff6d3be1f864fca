"""`tickreel split`: a recording in parts."""

from __future__ import annotations

from pathlib import Path

import click

from cli.errors import CommandError
from cli.options import force_option, json_option, reading, skip_damaged_option
from replay.written_time import read_duration_ns


@click.command(short_help="Make several recordings of one.")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The folder for the parts.")
@click.option(
    "--every",
    "every_ns",
    metavar="DURATION",
    callback=reading(read_duration_ns),
    help="A part for each so long, such as 1h, from the first frame on.",
)
@click.option("--by-venue", is_flag=True, help="A part for each venue.")
@skip_damaged_option
@force_option
@json_option
def split(
    folder: str,
    output: str,
    every_ns: int | None,
    by_venue: bool,
    skip_damaged: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Make several recordings of one, by time or by venue: DIR/part-0001 and so on.

    Each can be played alone, with books from their first snapshots in it on; `tickreel merge` of
    all gives the frames of the whole again.
    """
    from cli.derived_text import note_cut_books, print_parts
    from replay.recording import Recording
    from replay.recording_parts import PARTS_MAX, split_by_time, split_by_venue

    if (every_ns is None) == (not by_venue):
        raise click.UsageError("say how: --every DURATION or --by-venue.")
    source = Recording.open(folder)
    first_ns, last_ns = source.first_receive_time_ns, source.last_receive_time_ns
    if first_ns is None or last_ns is None:
        raise CommandError(f"{source.origin}: has no frames, so there is nothing to split.")
    if every_ns is None:
        reports = split_by_venue(source, Path(output), force=force, skip_damaged=skip_damaged)
    else:
        if (last_ns - first_ns) // every_ns >= PARTS_MAX:
            raise click.UsageError(f"that would be more than {PARTS_MAX:,} parts.")
        cuts_ns = range(first_ns + every_ns, max(last_ns, first_ns) + 1, every_ns)
        reports = split_by_time(
            source, cuts_ns, Path(output), force=force, skip_damaged=skip_damaged
        )
    note_cut_books(cut=every_ns is not None and len(reports) > 1)
    print_parts(reports, as_json=as_json)
