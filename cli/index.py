"""`tickreel index`: checkpoints into a recording, so that a seek into it takes no time."""

from __future__ import annotations

import time

import click

from cli.engine_options import engine_settings_option, read_engine_settings
from cli.errors import CommandError
from cli.options import json_option
from cli.report_text import byte_text, count_text, counted, digest_text, span_text
from cli.terminal import StatusLine, print_json


@click.command(short_help="Write checkpoints, so that a seek takes no time.")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option(
    "--every",
    metavar="FRAMES",
    type=click.IntRange(min=1),
    help="A checkpoint lies after every so many frames; with another number than before, all are "
    "written anew.  [default: as before, else 10000]",
)
@click.option("--anew", is_flag=True, help="Write all of them, those that are there already too.")
@engine_settings_option
@json_option
def index(
    folder: str, every: int | None, anew: bool, engine_file: str | None, as_json: bool
) -> None:
    """Replay a recording once and keep the engine's state every so many frames.

    `replay --from`, a seek while it plays, and `Recording.engine_at` then begin at the nearest
    checkpoint. It goes on from the last checkpoint that is there, so that a recording that has
    grown is replayed for what it grew. Frames are never touched.
    """
    from cli.collector import calm_collector
    from replay.checkpoint_index import write_index
    from replay.recording import Recording

    recording = Recording.open(folder)
    if recording.origin != recording.path:
        raise CommandError(
            f"{folder} is a recording in one file, which has no room for checkpoints. "
            "Unpack it first: `tickreel unpack`."
        )
    settings = None if engine_file is None else read_engine_settings(engine_file)
    status = StatusLine(quiet=as_json, live_only=True)
    calm_collector()
    begun_s = time.perf_counter()
    try:
        report = write_index(
            recording,
            every=every,
            settings=settings,
            anew=anew,
            on_progress=lambda number: status.show(f"indexed to frame {number:,}"),
        )
    finally:
        status.clear()
    seconds = time.perf_counter() - begun_s
    if as_json:
        print_json(report)
        return
    checkpoints = report.kept + report.written
    click.echo(
        f"{counted(checkpoints, 'checkpoint')} over {counted(report.frames, 'frame')} "
        f"(one every {count_text(report.every)}), {byte_text(report.bytes)}; "
        f"{counted(report.frames_applied, 'frame')} replayed in {span_text(seconds)}, "
        f"digest {digest_text(report.state_digest)}"
    )
    if report.removed:
        click.echo(f"{counted(report.removed, 'checkpoint')} that no longer fitted removed")
    if report.too_large:
        click.echo(f"{counted(report.too_large, 'checkpoint')} too large to keep left out")
