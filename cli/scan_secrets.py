"""`tickreel scan-secrets`: whether a recording holds anything that nobody else should have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from cli.options import json_option
from cli.report_text import counted, printable
from cli.terminal import print_json, warn

if TYPE_CHECKING:
    from replay.secret_scan import SecretFound

EXIT_FOUND = 1
SHOWN_MAX = 50


@click.command(short_help="Search recordings for keys before they are shared.")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--settings",
    "settings_files",
    metavar="FILE.toml",
    multiple=True,
    type=click.Path(dir_okay=False),
    help="A capture's settings: the keys that it names are looked for too.",
)
@json_option
def scan_secrets(folders: tuple[str, ...], settings_files: tuple[str, ...], as_json: bool) -> None:
    """Search recordings for keys, tokens and signatures, before they are given to anyone.

    What a capture would use is known: keys from the environment (TICKREEL_<VENUE>_KEY and so on)
    and from key files that --settings names, in any spelling: raw, escaped, base64, hex, encoded
    for a URL. Besides, everything that looks like a key, a token, a PEM block, a signature, an
    Authorization header or a listen key. Every frame is read, packed payloads too, and every file
    in the folder; those that cannot be looked into (Parquet of others, archives) are named. Exit
    code 1 says that something was found; where, with the secret masked.
    """
    from cli.known_secrets import known_secrets
    from replay.secret_scan import SecretScan

    known = known_secrets(settings_files)
    scan = SecretScan(known)
    found = [(folder, one) for folder in folders for one in scan.recording(folder)]
    if as_json:
        print_json(
            {
                "clean": not found,
                "frames": scan.frames,
                "files": scan.files,
                "known_secrets": len(known),
                "unsearched": scan.unsearched,
                "found": [
                    {"recording": folder} | msgspec.to_builtins(one) for folder, one in found
                ],
            }
        )
    else:
        looked = f"{counted(scan.frames, 'frame')} and {counted(scan.files, 'file')} searched"
        sought = f"{counted(len(known), 'known key')} and what looks like one"
        for folder, one in found[:SHOWN_MAX]:
            click.echo(f"{printable(folder)}: {_where(one)}: {one.kind}\n    {one.excerpt}")
        if len(found) > SHOWN_MAX:
            click.echo(f"and {len(found) - SHOWN_MAX:,} more: --json has all")
        verdict = counted(len(found), "secret") if found else "no secret"
        click.echo(f"{looked} for {sought}: {verdict} found")
    for place in scan.unsearched:
        warn(f"{printable(place)} cannot be looked into here, and may hold anything.")
    if found:
        click.get_current_context().exit(EXIT_FOUND)


def _where(found: SecretFound) -> str:
    if found.frame_number is None:
        place = printable(found.place)
    else:
        place = f"frame {found.frame_number:,} ({found.frame_kind})"
        if found.place:
            place = f"{printable(found.place)}, {place}"
    return f"{place}, unpacked" if found.packed else place
