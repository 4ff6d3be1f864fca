"""Whether anyone is looking: colour, the status line, progress.

A person at a terminal sees one line that changes; a pipe gets a plain line now and then; `--json`
gets nothing at all but its one object on stdout. Whatever is not a result goes to stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

import click
import msgspec

PLAIN_INTERVAL_S = 10.0
TERMINAL_INTERVAL_S = 0.5
_COLUMNS = 80
_ERASE_LINE = "\r\x1b[K"


def colour_wanted(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether `stream` is a terminal whose user has not set NO_COLOR."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def line_width() -> int | None:
    """Return how wide the terminal is that stdout is; None where it is none, and nothing wraps."""
    return _columns(sys.stdout) if sys.stdout.isatty() else None


def _columns(terminal: TextIO) -> int:
    """Return how wide a terminal is, or COLUMNS where that says so; one that has no width has 80.

    `shutil.get_terminal_size` looks at stdout alone, which may be a file while stderr is watched.
    """
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    try:
        return os.get_terminal_size(terminal.fileno()).columns or _COLUMNS
    except OSError:  # it was closed meanwhile
        return _COLUMNS


def say(text: str) -> None:
    """Print a line for people, to stderr."""
    click.echo(text, err=True)


def warn(text: str) -> None:
    """Print a warning, to stderr."""
    label = "warning:"
    if colour_wanted(sys.stderr):
        label = click.style(label, fg="yellow")
    click.echo(f"{label} {text}", err=True, color=True)


def print_error(text: str) -> None:
    """Print an error's sentences to stderr, those after the first line set in under it."""
    label = "error:"
    if colour_wanted(sys.stderr):
        label = click.style(label, fg="red", bold=True)
    click.echo(f"{label} {text}".replace("\n", "\n       "), err=True, color=True)


def print_json(result: object) -> None:
    """Print one object, and nothing else, to stdout."""
    click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())


class StatusLine:
    """One line that says how long work is going.

    On a terminal it is rewritten in place; in a pipe it is printed as a line of its own, at
    longer intervals, or with `live_only` not at all. With `quiet` nothing is ever printed.
    """

    def __init__(self, *, quiet: bool = False, live_only: bool = False) -> None:
        self._stream: TextIO = sys.stderr
        self._live = self._stream.isatty()
        self.quiet = quiet or (live_only and not self._live)
        self._shown = False

    @property
    def interval_s(self) -> float:
        """How often it is worth being called."""
        return TERMINAL_INTERVAL_S if self._live else PLAIN_INTERVAL_S

    def show(self, text: str) -> None:
        """Show `text` in place of what was shown last."""
        if self.quiet:
            return
        if self._live:
            width = _columns(self._stream) - 1
            self._stream.write(_ERASE_LINE + text[:width])
            self._shown = True
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def clear(self) -> None:
        """Leave the line empty, so that other text can be printed."""
        if self._shown:
            self._stream.write(_ERASE_LINE)
            self._stream.flush()
            self._shown = False
