"""`tickreel recover`: what an unclean stop left becomes sealed segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.options import json_option
from cli.report_text import byte_text, counted, printable
from cli.terminal import print_json

if TYPE_CHECKING:
    from recorder.sealing import SealingReport

EXIT_LOST = 3


@click.command(short_help="Seal what an unclean stop left behind.")
@click.argument("folder", metavar="DIR", type=click.Path())
@json_option
def recover(folder: str, as_json: bool) -> None:
    """Seal what a crash, a kill or a power cut left behind, and repair the manifest.

    Nothing is changed in place: what had damage is kept aside. Exit code 3 says that something
    could not be recovered; the report names it, and so does the recording. A capture into the
    same folder does all this by itself.
    """
    from recorder.recovery import recover as recover_recording

    report = recover_recording(folder)
    lost = bool(report.problems) or any(
        journal.damage or journal.torn_bytes for journal in report.journals
    )
    if as_json:
        print_json(
            {
                "found_anything": report.found_anything,
                "frames": sum(journal.frames for journal in report.journals),
                "journals": report.journals,
                "temporary_files": report.temporary_files,
                "manifest_torn_bytes": report.manifest_torn_bytes,
                "manifest_rebuilt": report.manifest_rebuilt,
                "problems": report.problems,
                "lost": lost,
            }
        )
    elif not report.found_anything:
        click.echo(f"{folder}: nothing to recover; every frame is in a sealed segment")
    else:
        for journal in report.journals:
            click.echo("\n".join(_lines(journal)))
        if report.temporary_files:
            click.echo(f"{counted(report.temporary_files, 'half-done file')} removed")
        if report.manifest_torn_bytes:
            click.echo(
                f"an unfinished line of the manifest cut off ({report.manifest_torn_bytes} B)"
            )
        if report.manifest_rebuilt:
            click.echo(f"the manifest is written anew: {printable(report.manifest_rebuilt)}")
        for problem in report.problems:
            click.echo(f"not put right: {printable(problem)}")
        if report.problems:
            click.echo(
                "Restore such files from a copy; `tickreel audit` says what else is damaged, and "
                "`tickreel compact --skip-damaged` makes a recording of the rest."
            )
    if lost:
        click.get_current_context().exit(EXIT_LOST)


def _lines(journal: SealingReport) -> list[str]:
    end = "ended as it should" if journal.closed else "was never closed"
    lines = [
        f"journal {journal.number:06d} {end}: {counted(journal.frames, 'frame')} sealed into "
        f"{counted(journal.segments, 'segment')}"
    ]
    if journal.torn_bytes:
        lines.append(f"  its last block was never finished: {byte_text(journal.torn_bytes)} lost")
    lines += [f"  {printable(damage)}" for damage in journal.damage]
    if journal.kept_aside:
        lines.append(f"  the original is kept as {printable(journal.kept_aside)}")
    return lines
