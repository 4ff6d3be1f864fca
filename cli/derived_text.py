"""What was made of recordings, as a user reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.report_text import byte_text, counted, printable
from cli.terminal import print_json, say

if TYPE_CHECKING:
    from replay.derived_recording import DerivedReport


def derived_json(report: DerivedReport) -> dict[str, object]:
    """Return a report as JSON values."""
    return {
        "path": str(report.path),
        "frames": report.frames,
        "payload_bytes": report.payload_bytes,
        "bytes_on_disk": report.bytes_on_disk,
    }


def print_derived(report: DerivedReport, *, as_json: bool, **more: object) -> None:
    """Print one report; `more` are further members of the JSON object."""
    if as_json:
        print_json({**derived_json(report), **more})
    else:
        click.echo(_line(report))


def print_parts(reports: Sequence[DerivedReport], *, as_json: bool) -> None:
    """Print several reports."""
    if as_json:
        print_json({"parts": [derived_json(report) for report in reports]})
        return
    for report in reports:
        click.echo(_line(report))


def note_cut_books(*, cut: bool) -> None:
    """Say that books which were begun before a cut are not there after it."""
    if cut:
        say(
            "note: a book that began before the cut is empty behind it, until its next snapshot, "
            "and an audit calls it unverifiable if none comes. `tickreel replay --from` of the "
            "whole recording shows it as it was."
        )


def _line(report: DerivedReport) -> str:
    return (
        f"{printable(str(report.path))}: {counted(report.frames, 'frame')}, "
        f"{byte_text(report.bytes_on_disk)} on disk"
    )
