"""`tickreel audit`: what in a recording is proved, what is not, and what could never be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.engine_options import engine_settings_option, read_engine_settings
from cli.options import json_option, read_names, reading
from cli.streams_option import refuse_absent
from cli.terminal import line_width, print_json

if TYPE_CHECKING:
    from replay.player import Player
    from replay.recording import Recording

EXIT_FINDINGS = 1


@click.command(short_help="Judge a recording: what in it is proved.")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option(
    "--streams",
    metavar="VENUE,...",
    callback=reading(read_names),
    help="Judge only what came from these venues.",
)
@engine_settings_option
@json_option
def audit(
    folder: str, streams: tuple[str, ...] | None, engine_file: str | None, as_json: bool
) -> None:
    """Judge a recording: per book, what is proved, what is not, and what could never be.

    Files (hashes of all segments), sequence, checksums, quotes against books, trades by number,
    connections, silences and clocks are checked. Exit code 0: clean. 1: something puts the
    recording in doubt, and the report names it. 2: it could not be judged.
    """
    from cli.audit_text import audit_lines
    from replay.audit import AuditSettings
    from replay.audit import audit as audit_recording
    from replay.recording import Recording
    from venues.registry import venue_named

    for stream in streams or ():
        venue_named(stream)
    settings = None if engine_file is None else read_engine_settings(engine_file)
    recording = Recording.open(folder)
    refuse_absent([recording], streams)
    with _Progress(recording, quiet=as_json) as progress:
        report = audit_recording(
            recording,
            AuditSettings(engine=settings, streams=streams),
            on_progress=progress.tell,
        )
    if as_json:
        print_json(report)
    else:
        click.echo("\n".join(audit_lines(report, line_width())))
    click.get_current_context().exit(0 if report.clean else EXIT_FINDINGS)


class _Progress:
    """The share of the frames that was judged, on a terminal."""

    def __init__(self, recording: Recording, *, quiet: bool) -> None:
        from cli.terminal import StatusLine

        self._status = StatusLine(quiet=quiet, live_only=True)
        self._frames = max(1, recording.frame_count)

    def tell(self, player: Player) -> None:
        """Show how far the audit is."""
        share = min(1.0, player.frames_played / self._frames)
        self._status.show(f"{share:4.0%}  {player.frames_played:,} frames")

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._status.clear()
