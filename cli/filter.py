"""`tickreel filter`: some frames of a recording, as a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.filter_options import filter_options, taken_from
from cli.options import force_option, json_option, skip_damaged_option
from cli.terminal import warn


@click.command("filter", short_help="Make a recording of some frames of another.")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The new recording.")
@filter_options
@skip_damaged_option
@force_option
@json_option
def filter_command(
    folder: str,
    output: str,
    skip_damaged: bool,
    force: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - click's
) -> None:
    """Make a recording of those frames of another that are asked for: a folder, or a .reel file.

    Payloads and times stay as they are. What tells of a loss (frames of the kinds lost and closed)
    stays, whatever kinds are asked for. Connections that are open where the time range begins are
    carried in with their beginnings, and what is about no market stays with its connection. Books
    are not carried in: they are empty until their next snapshot.
    """
    from cli.derived_text import note_cut_books, print_derived
    from replay.derived_recording import (
        NothingLeftError,
        derived_description,
        renumbered,
        write_derived,
    )
    from replay.frame_selection import Met, selected
    from replay.output_place import refuse_source
    from replay.recording import Recording

    chosen = taken_from(options)
    source = Recording.open(folder)
    wanted, met = chosen.of(source).with_losses(), Met()
    frames = renumbered(selected(source, wanted, met, skip_damaged=skip_damaged))
    description = derived_description(source, "filtered", chosen.facts())
    target = Path(output)
    refuse_source(target, [source.origin])

    def checked() -> Any:  # noqa: ANN401 - an iterator of frames
        yield from frames
        if wanted.by_content and met.about_markets == 0 and met.symbols:
            symbols = ", ".join(sorted(met.symbols)) or "none"
            channels = ", ".join(sorted(met.channels)) or "none"
            raise NothingLeftError(
                target,
                "no market data is what was asked for; there are the symbols "
                f"{symbols} and the channels {channels}",
            )
        if met.taken == 0:
            raise NothingLeftError(target, "no frame of the recording is what was asked for")

    report = write_derived(checked(), description, target, force=force)
    for venue in sorted(met.counted_venues):
        warn(
            f"{venue} counts all that it sends on a connection: without the frames left out, "
            "its books show gaps."
        )
    first_ns = source.first_receive_time_ns
    note_cut_books(cut=(wanted.from_ns or 0) > (first_ns or 0))
    print_derived(report, as_json=as_json, carried=met.carried)
