"""What a user writes for a command, and the options that several commands share.

What cannot be read is a usage error that says how it is written. Durations and times are read by
`replay.written_time`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Value = TypeVar("Value")


def read_names(text: str) -> tuple[str, ...]:
    """Read names parted by commas, each once, in the order given.

    Raises:
        ValueError: there is none.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise ValueError("give at least one name, several parted by commas")
    return names


def reading(
    read: Callable[[str], Value],
) -> Callable[[click.Context, click.Parameter, str | None], Value | None]:
    """Return the click callback that reads an option's text, if it was given, with `read`."""

    def callback(ctx: click.Context, parameter: click.Parameter, text: str | None) -> Value | None:
        if text is None:
            return None
        try:
            return read(text)
        except ValueError as error:
            raise click.BadParameter(f"{error}.", ctx, parameter) from error

    return callback


def json_option(command: Decorated) -> Decorated:
    """Add `--json`: the result as one object on stdout, everything else on stderr."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print the result as one JSON object, on stdout."
    )(command)


def force_option(command: Decorated) -> Decorated:
    """Add `--force`."""
    return click.option(
        "--force", is_flag=True, help="Replace a file or a recording that is in the result's place."
    )(command)


def skip_damaged_option(command: Decorated) -> Decorated:
    """Add `--skip-damaged`."""
    return click.option(
        "--skip-damaged", is_flag=True, help="Go on past what cannot be read; it counts as lost."
    )(command)


def speed_option(default: str) -> Callable[[Decorated], Decorated]:
    """Add `--speed`, read by the player itself."""
    return click.option(
        "--speed",
        default=default,
        show_default=True,
        metavar="SPEED",
        help="1x is the recorded pace; 0.25x, 10x, or max for as fast as it goes.",
    )


def agent_options(command: Decorated) -> Decorated:
    """Add `--agent` and `--signals`."""
    command = click.option(
        "--signals",
        "signals_file",
        type=click.Path(dir_okay=False),
        help="Write what the agent's handlers return to this file, as JSON lines.",
    )(command)
    return click.option(
        "--agent",
        "agent_reference",
        metavar="FILE.py:CLASS",
        help="Run this agent: a class with any of on_snapshot, on_book, on_trade, on_quote, "
        "on_liquidation, on_cascade, on_game, on_finding, on_stale.",
    )(command)
