"""Which frames: the options that `filter`, `cat` and `export` share, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from cli.options import read_names, reading
from replay.written_time import RecordingTime, read_recording_time
from venues.channel import Channel
from venues.errors import nearest
from venues.frame import FrameKind

if TYPE_CHECKING:
    from replay.frame_selection import Wanted
    from replay.recording import Recording

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def read_channels(text: str) -> tuple[Channel, ...]:
    """Read names of channels parted by commas.

    Raises:
        ValueError: one is none.
    """
    channels = {each.value: each for each in Channel}
    return tuple(_named(name, channels, "channel") for name in read_names(text))


def _read_kinds(text: str) -> tuple[FrameKind, ...]:
    kinds = {each.name.lower(): each for each in FrameKind}
    return tuple(_named(name, kinds, "kind") for name in read_names(text))


Value = TypeVar("Value")


def _named(name: str, known: dict[str, Value], what: str) -> Value:
    if name not in known:
        raise ValueError(
            f"there is no {what} {name!r}{nearest(name, known)}; there are {', '.join(known)}"
        )
    return known[name]


def filter_options(command: Decorated) -> Decorated:
    """Add `--from`, `--to`, `--streams`, `--symbols`, `--channels` and `--kinds`."""
    for option in reversed(
        (
            click.option(
                "--from",
                "from_time",
                metavar="TIME",
                callback=reading(read_recording_time),
                help="Only what came at this time or later: RFC 3339, HH:MM:SS or +90s.",
            ),
            click.option(
                "--to",
                "to_time",
                metavar="TIME",
                callback=reading(read_recording_time),
                help="Only what came before this time, written as for --from.",
            ),
            click.option(
                "--streams",
                metavar="VENUE,...",
                callback=reading(read_names),
                help="Only what came from these venues.",
            ),
            click.option(
                "--symbols",
                metavar="SYMBOL,...",
                callback=reading(read_names),
                help="Of market data, only what is about these symbols.",
            ),
            click.option(
                "--channels",
                metavar="CHANNEL,...",
                callback=reading(read_channels),
                help=f"Of market data, only these channels: {', '.join(Channel)}.",
            ),
            click.option(
                "--kinds",
                metavar="KIND,...",
                callback=reading(_read_kinds),
                help="Only frames of these kinds: "
                f"{', '.join(kind.name.lower() for kind in FrameKind)}.",
            ),
        )
    ):
        command = option(command)
    return command


class Chosen(NamedTuple):
    """What the options say, before it is known of which recording."""

    from_time: RecordingTime | None
    to_time: RecordingTime | None
    streams: tuple[str, ...] | None
    symbols: tuple[str, ...] | None
    channels: tuple[Channel, ...] | None
    kinds: tuple[FrameKind, ...] | None

    def of(self, recording: Recording) -> Wanted:
        """Return what is wanted of a recording.

        Raises:
            click.UsageError: the range has nothing in it.
            CommandError: a venue is not in it.
        """
        from cli.streams_option import refuse_absent
        from replay.frame_selection import Wanted

        refuse_absent([recording], self.streams)
        first_ns = recording.first_receive_time_ns or 0
        from_ns = None if self.from_time is None else self.from_time.resolve(first_ns)
        to_ns = None if self.to_time is None else self.to_time.resolve(first_ns)
        if from_ns is not None and to_ns is not None and to_ns <= from_ns:
            raise click.UsageError("there is nothing between --from and --to.")
        return Wanted(from_ns, to_ns, self.streams, self.symbols, self.channels, self.kinds)

    def facts(self) -> dict[str, object]:
        """Return what was asked for, as the recording that comes of it keeps it."""
        facts: dict[str, object] = {
            "from": None if self.from_time is None else self.from_time.text,
            "to": None if self.to_time is None else self.to_time.text,
            "streams": self.streams,
            "symbols": self.symbols,
            "channels": self.channels,
            "kinds": None if self.kinds is None else [kind.name.lower() for kind in self.kinds],
        }
        return {name: value for name, value in facts.items() if value is not None}


def taken_from(options: dict[str, Any]) -> Chosen:
    """Take the options out of a command's arguments."""
    return Chosen(*(options.pop(name) for name in Chosen._fields))
