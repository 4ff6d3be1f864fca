"""`tickreel merge`: several recordings as one."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import force_option, json_option, skip_damaged_option
from cli.side_by_side import refuse_twice, warn_of_shared_feeds


@click.command(short_help="Make one recording of several.")
@click.argument("folders", metavar="DIR DIR...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The new recording.")
@skip_damaged_option
@force_option
@json_option
def merge(
    folders: tuple[str, ...], output: str, skip_damaged: bool, force: bool, as_json: bool
) -> None:
    """Make one recording of several, in the order of receive times: as replay merges them.

    Parts that `tickreel split` made of one recording become its frames again.
    """
    from cli.derived_text import print_derived
    from replay.output_place import refuse_source
    from replay.recording import Recording
    from replay.recording_parts import merge as merge_recordings

    if len(folders) < 2:
        raise click.UsageError("give two recordings at least.")
    recordings = [Recording.open(folder) for folder in folders]
    refuse_source(Path(output), [recording.origin for recording in recordings])
    refuse_twice(recordings)
    warn_of_shared_feeds(recordings)
    report = merge_recordings(recordings, Path(output), force=force, skip_damaged=skip_damaged)
    print_derived(report, as_json=as_json)
