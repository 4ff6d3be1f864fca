"""What goes on beside a capture with what is sealed: an upload, a ring."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from cli.errors import CommandError
from cli.options import read_names, reading
from replay.written_time import read_duration_ns
from venues.errors import nearest

if TYPE_CHECKING:
    from recorder.stream_settings import RecordingSettings

RING_WINDOW_MIN_NS = 1_000_000_000
DEFAULT_TRIGGERS = ("gap", "checksum", "cascade")
TRIGGERS: dict[str, tuple[str, ...]] = {
    "gap": ("gap", "trade gap", "unnumbered"),
    "checksum": ("checksum failed",),
    "cascade": (),
    "crossed": ("crossed",),
    "quote": ("quote mismatch",),
    "stale": ("stale",),
    "lost": ("lost",),
    "disconnect": ("disconnected", "will disconnect"),
    "undecodable": ("undecodable", "bad number"),
}
"""What `--on` can name, and the kinds of findings that it stands for."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Beside(NamedTuple):
    """What goes on beside a capture. `ring_ns` None for no ring, `upload` None for no upload."""

    upload: str | None = None
    remove_local: bool = False
    ring_ns: int | None = None
    triggers: tuple[str, ...] = DEFAULT_TRIGGERS

    def checked(self, *, engine: bool) -> Beside:
        """Refuse what cannot be meant.

        Raises:
            CommandError: it says how to ask for it.
            UploadAddressError: the address cannot be uploaded to.
        """
        if self.upload is not None:
            from recorder.upload_store import checked_uri

            checked_uri(self.upload)
        elif self.remove_local:
            raise CommandError("--remove-local needs an --upload that proves what is there.")
        for name in self.triggers:
            if name not in TRIGGERS:
                known = ", ".join(TRIGGERS)
                raise CommandError(
                    f"--on {name}: there is no such trigger{nearest(name, TRIGGERS)}. "
                    f"There are {known}."
                )
        if self.ring_ns is None:
            return self
        if self.ring_ns < RING_WINDOW_MIN_NS:
            raise CommandError("--ring: a window of less than a second holds nothing to look at.")
        if not engine:
            raise CommandError("--ring needs the engine, which sees what to keep.")
        if self.upload is not None:
            raise CommandError(
                "--ring with --upload would upload what the ring then drops. Upload what it kept "
                "afterwards: `tickreel upload`."
            )
        return self


def beside_options(command: Decorated) -> Decorated:
    """Add `--upload`, `--remove-local`, `--ring` and `--on`."""
    command = click.option(
        "--on",
        "triggers",
        metavar="NAME,...",
        callback=reading(read_names),
        help="What the ring keeps a window around, such as gap,checksum,cascade (as usual), "
        "crossed, stale, lost, disconnect.",
    )(command)
    command = click.option(
        "--ring",
        "ring_ns",
        metavar="TIME",
        callback=reading(read_duration_ns),
        help="Keep only so long before and after what --on names, such as 15m; drop the rest.",
    )(command)
    command = click.option(
        "--remove-local",
        is_flag=True,
        help="Remove segments here once --upload has proved that they are there.",
    )(command)
    return click.option(
        "--upload",
        "upload_uri",
        metavar="URI",
        help="Bring what is sealed to s3://BUCKET/FOLDER (gs://, file://) beside the capture.",
    )(command)


def beside(
    upload: str | None,
    ring_ns: int | None,
    triggers: tuple[str, ...] | None,
    *,
    remove_local: bool,
    written: RecordingSettings | None,
) -> Beside:
    """Return what the options ask for; what they leave open, a settings file may say.

    Raises:
        CommandError: the file's ring is no duration.
    """
    if written is not None:
        upload = upload or written.upload
        remove_local = remove_local or written.remove_local
        triggers = triggers or written.ring_on
        if ring_ns is None and written.ring is not None:
            try:
                ring_ns = read_duration_ns(written.ring)
            except ValueError as error:
                raise CommandError(f"[recording], ring: {error}.") from error
    if triggers and ring_ns is None:
        raise CommandError("--on says what a --ring keeps: give its length, such as --ring 15m.")
    return Beside(upload, remove_local, ring_ns, triggers or DEFAULT_TRIGGERS)
