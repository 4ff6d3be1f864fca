"""`tickreel compact`: a recording for the archive."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import force_option, json_option, skip_damaged_option


@click.command(short_help="Make a recording denser, for the archive.")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The dense recording.")
@click.option(
    "--level",
    type=click.IntRange(9, 22),
    default=12,
    show_default=True,
    help="zstd's level: higher takes longer to write, and reads as fast.",
)
@skip_damaged_option
@force_option
@json_option
def compact(
    folder: str, output: str, level: int, skip_damaged: bool, force: bool, as_json: bool
) -> None:
    """Make a recording denser: the same frames in few segments, compressed harder.

    It stays the same recording, with the same digest; what is not sealed is sealed in it. Every
    frame is read back and compared. The original is left as it is. Of a damaged recording,
    --skip-damaged makes one of all that can be read, in which the rest counts as lost.
    """
    from cli.derived_text import print_derived
    from replay.derived_recording import compact as compact_recording
    from replay.recording import Recording

    source = Recording.open(folder)
    before = source.bytes_on_disk
    report = compact_recording(source, Path(output), level, force=force, skip_damaged=skip_damaged)
    print_derived(report, as_json=as_json, bytes_on_disk_before=before)
