"""The options of a capture that say what of the disk is its own: `--keep`, `--min-free`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from cli.options import Decorated, reading

if TYPE_CHECKING:
    from cli.capture_request import CaptureRequest
    from recorder.retention import Keep


def disk_options(command: Decorated) -> Decorated:
    """Add `--keep` and `--min-free`."""
    command = click.option(
        "--min-free",
        "min_free_bytes",
        metavar="SIZE",
        callback=reading(_read_size_bytes),
        help="How much of the disk stays free, such as 5GB; 0 to fill it. Without this option 1 GiB"
        " or 2 % of the disk, whichever is more. Where less is free, nothing is written: frames"
        " wait in memory, and those that it has no room for are lost and counted.",
    )(command)
    return click.option(
        "--keep",
        "keeps",
        metavar="AGE|SIZE",
        multiple=True,
        callback=_read_keeps,
        help="Remove sealed segments that are older, or that go beyond the size, oldest first:"
        " 30d, 500GB; may be given twice.",
    )(command)


def with_disk_options(
    asked: CaptureRequest, keeps: tuple[Keep, ...], min_free_bytes: int | None
) -> CaptureRequest:
    """Return the request with what was given on the command line in place of the file's."""
    settings = asked.settings
    if keeps:
        settings = dataclasses.replace(settings, keeps=keeps)
    if min_free_bytes is not None:
        settings = dataclasses.replace(settings, min_free_bytes=min_free_bytes)
    return asked._replace(settings=settings)


def _read_size_bytes(text: str) -> int:
    from recorder.retention import read_size_bytes

    return read_size_bytes(text)


def _read_keeps(
    ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[Keep, ...]:
    from recorder.retention import read_keep

    try:
        return tuple(map(read_keep, texts))
    except ValueError as error:
        raise click.BadParameter(f"{error}.", ctx, parameter) from error
