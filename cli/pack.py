"""`tickreel pack`: a recording in one file."""

from __future__ import annotations

import click

from cli.options import force_option, json_option
from cli.report_text import byte_text, counted, printable
from cli.terminal import print_json


@click.command(short_help="Put a recording into one .reel file.")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.argument("reel", metavar="FILE.reel", type=click.Path())
@force_option
@json_option
def pack(folder: str, reel: str, force: bool, as_json: bool) -> None:
    """Put a sealed recording into one file, for a repository.

    The same recording gives the same bytes. Every command that only reads a recording reads the
    file too, and checks every byte of it before; any ZIP program opens it. `tickreel index`,
    `recover`, `status` and `upload` are about folders: `tickreel unpack` makes it one again.
    Receipts come along, without the states beside them, and checkpoints do not: `replay --prove`
    works, and `index` makes checkpoints anew.
    """
    from replay import pack as packing

    report = packing.pack(folder, reel, force=force)
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
        f"{printable(str(report.path))}: {counted(report.frames, 'frame')}, "
        f"{byte_text(report.size_bytes)}"
    )
