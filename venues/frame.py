"""One complete WebSocket message, HTTP body or marker, untouched.

Theory: a recording is a sequence of frames. `frame_number` is given on arrival, from 0, without
a hole, and is the total order of a recording; no clock is. `connection_id` counts connections
within a recording from 1; a reconnect is a new connection and begins a new continuity domain.
Connection 0 is nobody's: it carries what the recorder says about itself (a clock step, a loss
that befell no single connection), whose venue is `RECORDER`, and HTTP answers that belong to no
connection (access, which is asked for before there is one, and instruments), under their venue.

The payload of a received frame is exactly the bytes that came. The payload of a marker (opened,
closed, lost, clock, lines) is JSON, and that of an HTTP response a line of JSON and then the body:
see `venues.marker`.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

RECORDER = "recorder"
"""The `venue` of frames that belong to no exchange."""


class FrameKind(IntEnum):
    """What a frame is. The numbers are part of the recording format and never change."""

    OPENED = 1
    TEXT = 2
    BINARY = 3
    SENT = 4
    HTTP = 5
    CLOSED = 6
    LOST = 7
    CLOCK = 8
    LINES = 9


class Frame(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A frame with its place in the recording and the times at which it came.

    Attributes:
        frame_number: position in the recording, from 0.
        connection_id: the connection within the recording, from 1; 0 for none.
        venue: the registry name of the venue, such as `bybit-linear`; `RECORDER` for our own.
        kind: what the payload is.
        receive_time_ns: UTC wall clock as the bytes left the socket, ns since 1970. To compare by.
        monotonic_time_ns: the steady clock at the same instant; None where an import has none.
        payload: the bytes, untouched.
    """

    frame_number: int
    connection_id: int
    venue: str
    kind: FrameKind
    receive_time_ns: int
    monotonic_time_ns: int | None
    payload: bytes

    @property
    def received(self) -> bool:
        """Whether the exchange sent it over the socket."""
        return self.kind is FrameKind.TEXT or self.kind is FrameKind.BINARY
