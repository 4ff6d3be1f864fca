"""`tickreel import`: other tools' files become a recording."""

from __future__ import annotations

import click

from cli.options import json_option
from cli.report_text import byte_text, counted, printable, span_text
from cli.terminal import print_json, say
from replay.written_time import utc_text


@click.command("import", short_help="Turn other tools' files into a recording.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--format",
    "format_name",
    metavar="FORMAT",
    help="What wrote the files: hftbacktest, cryptofeed or tardis; found out where left out.",
)
@click.option(
    "--venue", help="Whose messages they hold; found by the addresses in them where left out."
)
@click.option(
    "--no-http", is_flag=True, help="Leave out the HTTP files beside the WebSocket files given."
)
@click.option("-o", "--output", "folder", required=True, type=click.Path(), help="The recording.")
@json_option
def import_command(
    files: tuple[str, ...],
    format_name: str | None,
    venue: str | None,
    no_http: bool,
    folder: str,
    as_json: bool,
) -> None:
    """Turn the raw files of other tools into a recording.

    Every line becomes one frame, with the time that the other tool gave it. Nothing is made up:
    what a format does not hold (a steady clock, connection ids) stays unknown. The files may be
    gzipped or plain. Beside NAME.ws.1.0, as cryptofeed names a feed's WebSocket file, its HTTP
    files (NAME.http.0.0) are taken too. Files by hftbacktest do not say whose messages they hold:
    give --venue. CSV files in Tardis' columns are of the venue tardis-csv, whatever the exchange.
    """
    from replay.import_recording import import_recording

    report = import_recording(files, format_name, venue, folder, http_beside=not no_http)
    for note in report.notes:
        say(printable(note))
    first_ns, last_ns = report.first_receive_time_ns, report.last_receive_time_ns
    if as_json:
        print_json(
            {
                "folder": str(report.folder),
                "venue": report.venue,
                "files": [str(path) for path in report.files],
                "frames": report.frames,
                "connections": report.connections,
                "kinds": {kind.name.lower(): count for kind, count in report.kinds.items()},
                "payload_bytes": report.payload_bytes,
                "bytes_on_disk": report.bytes_on_disk,
                "first": None if first_ns is None else utc_text(first_ns, 9),
                "last": None if last_ns is None else utc_text(last_ns, 9),
                "notes": list(report.notes),
            }
        )
        return
    text = f"{report.folder}: {counted(report.frames, 'frame')} of {report.venue}"
    if first_ns is not None and last_ns is not None:
        text += f", {utc_text(first_ns)} and {span_text((last_ns - first_ns) / 1e9)} on"
    click.echo(f"{text}; {byte_text(report.bytes_on_disk)} on disk")
