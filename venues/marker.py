"""What a recording says that no exchange sent: the payloads of marker and HTTP frames.

A marker's payload is one JSON object. An HTTP frame's payload is one JSON object on a line of its
own, then the response's body, byte for byte. None of them ever holds a secret: URLs are given
without the values of keys, tokens and signatures.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from venues.channel import Subscription
from venues.errors import TickreelError
from venues.frame import Frame


class Opened(msgspec.Struct, frozen=True, omit_defaults=True):
    """A connection is up. `stream` names what the user asked for; `attempt` counts from 1."""

    stream: str
    url: str
    subscriptions: list[Subscription] = []
    attempt: int = 1


class Closed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A connection is gone. `code` is the WebSocket close code, None without a close frame.

    `reason` is the exchange's word or ours; `by_us` whether we ended it. `stopped` says that we
    left for good, so that nothing is missing because of it: we were told to stop, or were refused
    (which is a finding of its own). One that we gave up as dead is ended by us, and not stopped.
    """

    code: int | None
    reason: str
    by_us: bool = False
    stopped: bool = False


CRASH = "crash"
"""The cause of a loss whose recorder did not live to count it: nobody listened after it."""


STALL = "stall"
"""The cause of a loss that nobody saw: where messages should have come, there was silence."""

LATE_LINE = "late line"
"""The cause of a loss by order: a message that only a slow line brought, too late for its place."""

DROPPED = "dropped"
"""The cause of a loss that is none: frames that were recorded, and removed because we wanted to."""


class Lost(msgspec.Struct, frozen=True, omit_defaults=True):
    """Frames that came, or may have come, and are not in the recording.

    `frames` and `bytes` are None where the size of the loss is unknown. The interval is in
    receive time. `cause` is a word: `backpressure`, `oversize`, `crash`, `damage`, `stall`,
    `late line`. `subscriptions` are those of the connection that it befell; empty for all.
    """

    frames: int | None
    bytes: int | None
    from_ns: int
    to_ns: int
    cause: str
    detail: str = ""
    subscriptions: list[Subscription] = []

    @property
    def sentence(self) -> str:
        """What was lost and why, for people."""
        count = "an unknown number of" if self.frames is None else f"{self.frames:,}"
        return f"{count} frame{'' if self.frames == 1 else 's'} lost: {self.cause}"


class ClockReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """The wall clock against the steady clock.

    `step_ns` is how far the wall clock moved against the steady one since the last reading: a
    step where it is large, and 0 for a plain reading that only says that time went on. `boot` names
    the boot of the machine within which steady times can be compared; '' where none is known.
    """

    wall_time_ns: int
    monotonic_time_ns: int
    step_ns: int = 0
    boot: str = ""


class HttpResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The head of an HTTP frame: the request that was made and the status that came.

    `url` is '' where an import does not know it. `symbol` is the instrument asked about, as some
    exchanges' answers do not say. `status` is None where no answer came: `error` says why.
    """

    method: str
    url: str
    status: int | None
    purpose: str
    symbol: str = ""
    error: str = ""


class LineShare(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line's part: `first` frames came on it first, `only` of them on no other line.

    `later` frames came on it after another line had brought them, `apart_ns_median` and
    `apart_ns_max` after that one (None without any).
    """

    line: int
    first: int = 0
    only: int = 0
    later: int = 0
    apart_ns_median: int | None = None
    apart_ns_max: int | None = None


class Lines(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the lines of one connection brought since its last such marker, or a change of them.

    Of the frames of this connection numbered `first_frame` to `last_frame`, every line in `lines`
    brought each, but for `only`: runs `[line, first, last]` that came on that line alone. `change`
    is `up`, `joined` or `down` of the line `line`; `reason` is why it went down.
    """

    lines: list[LineShare] = []
    first_frame: int | None = None
    last_frame: int | None = None
    only: list[tuple[int, int, int]] = []
    change: str = ""
    line: int | None = None
    reason: str = ""


Marker = Opened | Closed | Lost | ClockReading | Lines
MarkerType = TypeVar("MarkerType", Opened, Closed, Lost, ClockReading, Lines)


class MarkerError(TickreelError):
    """A marker frame whose payload cannot be read: the recording is damaged or not ours."""

    def __init__(self, frame: Frame, reason: str) -> None:
        self.frame_number = frame.frame_number
        self.kind = frame.kind
        super().__init__(f"frame {frame.frame_number:,} ({frame.kind.name}) unreadable: {reason}")


def marker_payload(marker: Marker) -> bytes:
    """Return the payload bytes of a marker frame."""
    return msgspec.json.encode(marker)


def read_marker(frame: Frame, kind: type[MarkerType]) -> MarkerType:
    """Read a marker frame's payload as `kind`.

    Raises:
        MarkerError: the payload is not one.
    """
    try:
        return msgspec.json.decode(frame.payload, type=kind)
    except ValueError as error:  # msgspec's errors are, and that of bytes that are not UTF-8
        raise MarkerError(frame, str(error)) from error


def http_payload(head: HttpResponse, body: bytes) -> bytes:
    """Return the payload bytes of an HTTP frame."""
    return msgspec.json.encode(head) + b"\n" + body


def read_http(frame: Frame) -> tuple[HttpResponse, bytes]:
    """Split an HTTP frame's payload into its head and the untouched body.

    Raises:
        MarkerError: the payload has no head line.
    """
    head, separator, body = frame.payload.partition(b"\n")
    if not separator:
        raise MarkerError(frame, "no line break after the head")
    try:
        return msgspec.json.decode(head, type=HttpResponse), body
    except ValueError as error:  # msgspec's errors are, and that of bytes that are not UTF-8
        raise MarkerError(frame, str(error)) from error
