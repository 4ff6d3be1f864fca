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


class Lost(msgspec.Struct, frozen=True, omit_defaults=True):
    """Frames that came, or may have come, and are not in the recording.

    `frames` and `bytes` are None where the size of the loss is unknown. The interval is in
    receive time. `cause` is a word: `backpressure`, `oversize`, `crash`, `damage`.
    """

    frames: int | None
    bytes: int | None
    from_ns: int
    to_ns: int
    cause: str
    detail: str = ""


class ClockReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """The wall clock against the steady clock.

    `step_ns` is how far the wall clock moved against the steady one since the last reading: a
    step where it is large, and 0 for a plain reading that only says that time went on.
    """

    wall_time_ns: int
    monotonic_time_ns: int
    step_ns: int = 0


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


Marker = Opened | Closed | Lost | ClockReading
MarkerType = TypeVar("MarkerType", Opened, Closed, Lost, ClockReading)


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
