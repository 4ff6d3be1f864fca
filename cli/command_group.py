"""The commands by name, each loaded when it is called.

`tickreel --help` must answer at once, so that neither a command's module nor anything it needs is
imported to list it: the one-line helps are here, and a test holds them equal to the commands' own.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any, NamedTuple

import click

from venues.errors import nearest

EXIT_UNREAD = 128 + signal.SIGPIPE


class CommandPlace(NamedTuple):
    """Where a command lives, and its help in one line."""

    module: str
    attribute: str
    short_help: str


COMMANDS = {
    "capture": CommandPlace("cli.capture", "capture", "Record live feeds into a folder."),
    "status": CommandPlace("cli.status", "status", "Say how a running capture stands."),
    "replay": CommandPlace("cli.replay", "replay", "Play recordings into the engine."),
    "audit": CommandPlace("cli.audit", "audit", "Judge a recording: what in it is proved."),
    "info": CommandPlace("cli.info", "info", "Say what a recording holds."),
    "recover": CommandPlace("cli.recover", "recover", "Seal what an unclean stop left behind."),
    "serve": CommandPlace("cli.serve", "serve", "Serve a recording as its exchange."),
    "import": CommandPlace(
        "cli.import_command", "import_command", "Turn other tools' files into a recording."
    ),
    "scan-secrets": CommandPlace(
        "cli.scan_secrets", "scan_secrets", "Search recordings for keys before they are shared."
    ),
    "upload": CommandPlace("cli.upload", "upload", "Bring a recording to S3 or another store."),
    "pack": CommandPlace("cli.pack", "pack", "Put a recording into one .reel file."),
    "unpack": CommandPlace("cli.unpack", "unpack", "Make a .reel file a folder again."),
    "cat": CommandPlace("cli.cat", "cat", "Print a recording's frames, or their events."),
    "diff": CommandPlace("cli.diff", "diff", "Say what differs between two recordings."),
    "export": CommandPlace(
        "cli.export", "export", "Write trades, books, quotes for other programs."
    ),
    "filter": CommandPlace(
        "cli.filter", "filter_command", "Make a recording of some frames of another."
    ),
    "merge": CommandPlace("cli.merge", "merge", "Make one recording of several."),
    "split": CommandPlace("cli.split", "split", "Make several recordings of one."),
    "compact": CommandPlace("cli.compact", "compact", "Make a recording denser, for the archive."),
    "index": CommandPlace("cli.index", "index", "Write checkpoints, so that a seek takes no time."),
    "faults": CommandPlace(
        "cli.faults", "faults", "Do faults on purpose, and say what noticed each."
    ),
    "shrink": CommandPlace("cli.shrink", "shrink", "Find the fewest frames that still show a bug."),
    "demo": CommandPlace("cli.demo", "demo", "Run the whole loop on this machine."),
    "venues": CommandPlace("cli.venues", "venues", "List the venues and what each can prove."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they are shown."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command called `cmd_name`."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        command = getattr(importlib.import_module(place.module), place.attribute)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's
        """Run the command; one whose output nobody reads any more ends as `head` expects.

        Click would end it with 1, which says of several commands that they found something.
        """
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # What is still in the buffer would be written, and complained about, at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(EXIT_UNREAD) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` call; an unknown name is told of its nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            known = ", ".join(COMMANDS)
            ctx.fail(
                f"there is no command {args[0]!r}{nearest(args[0], COMMANDS)}. Commands: {known}."
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.short_help) for name, place in COMMANDS.items()])
