"""`tickreel unpack`: the folder that a .reel file was packed from."""

from __future__ import annotations

import click

from cli.options import force_option, json_option
from cli.report_text import byte_text, counted, printable
from cli.terminal import print_json


@click.command(short_help="Make a .reel file a folder again.")
@click.argument("reel", metavar="FILE.reel", type=click.Path())
@click.argument("folder", metavar="DIR", type=click.Path())
@force_option
@json_option
def unpack(reel: str, folder: str, force: bool, as_json: bool) -> None:
    """Make a .reel file the folder again that it was packed from, byte for byte.

    A file with a single flipped bit, or made by something else, is refused, and nothing is left.
    """
    from replay import pack as packing

    report = packing.unpack(reel, folder, force=force)
    if as_json:
        print_json(
            {
                "path": str(report.path),
                "frames": report.frames,
                "segments": report.segments,
                "bytes": report.size_bytes,
            }
        )
        return
    click.echo(
        f"{printable(str(report.path))}: {counted(report.frames, 'frame')} "
        f"in {counted(report.segments, 'segment')}, {byte_text(report.size_bytes)}"
    )
