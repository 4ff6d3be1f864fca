"""What the recorder says of itself in the recording, counted and told in the log.

Theory. Every change of a connection, every loss, every step of a clock and every answer over HTTP
becomes a frame of the recording. So whoever watches those frames knows all of it, in order, in the
words of the recording itself, secrets already removed; nothing has to be told twice.

It is a sink, and only looks: at each frame's kind, and into the few that no exchange sent.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import (
    ClockReading,
    Closed,
    HttpResponse,
    Lost,
    MarkerError,
    Opened,
    read_http,
    read_marker,
)

log = logging.getLogger("tickreel.recording")
# Each line is at INFO or below: what a person must read, the parts themselves say.

_RECEIVED = frozenset({FrameKind.TEXT, FrameKind.BINARY, FrameKind.SENT})
HTTP_OK = 200


class CauseTally(msgspec.Struct):
    """What was lost by one cause: LOST frames, and the frames and bytes of those that say."""

    losses: int = 0
    frames: int = 0
    bytes: int = 0


class MarkerTally:
    """Counts what the recorder says of itself.

    Attributes:
        losses: by cause.
        clock_steps: how often the wall clock stepped; `last_clock_step_ns` is by how much.
    """

    def __init__(self) -> None:
        self.losses: dict[str, CauseTally] = {}
        self.clock_steps = 0
        self.last_clock_step_ns = 0
        self._streams: dict[int, str] = {}

    def accept(self, frames: Sequence[Frame]) -> None:
        """Look at frames that are being recorded."""
        for frame in frames:
            if frame.kind not in _RECEIVED:
                try:
                    self._take(frame)
                except MarkerError as error:  # a kind that a later version has
                    log.debug("%s", error)

    def _take(self, frame: Frame) -> None:
        kind = frame.kind
        if kind is FrameKind.OPENED:
            opened = read_marker(frame, Opened)
            self._streams[frame.connection_id] = opened.stream
            self._tell(frame, "opened", attempt=opened.attempt, url=opened.url)
        elif kind is FrameKind.CLOSED:
            self._closed(frame, read_marker(frame, Closed))
        elif kind is FrameKind.LOST:
            self._lost(frame, read_marker(frame, Lost))
        elif kind is FrameKind.CLOCK:
            self._clock(frame, read_marker(frame, ClockReading))
        elif kind is FrameKind.HTTP:
            head, body = read_http(frame)
            self._answered(frame, head, len(body))
        else:
            self._tell(frame, kind.name.lower(), detail=frame.payload.decode("utf-8", "replace"))

    def _closed(self, frame: Frame, closed: Closed) -> None:
        self._tell(
            frame,
            "closed",
            code=closed.code,
            reason=closed.reason,
            by_us=closed.by_us,
            stopped=closed.stopped,
        )
        self._streams.pop(frame.connection_id, None)

    def _lost(self, frame: Frame, lost: Lost) -> None:
        tally = self.losses.setdefault(lost.cause, CauseTally())
        tally.losses += 1
        tally.frames += lost.frames or 0
        tally.bytes += lost.bytes or 0
        self._tell(
            frame,
            "lost",
            cause=lost.cause,
            frames=lost.frames,
            bytes=lost.bytes,
            from_ns=lost.from_ns,
            to_ns=lost.to_ns,
            detail=lost.detail,
        )

    def _clock(self, frame: Frame, reading: ClockReading) -> None:
        if reading.step_ns:
            self.clock_steps += 1
            self.last_clock_step_ns = reading.step_ns
            self._tell(frame, "clock step", step_ns=reading.step_ns)

    def _answered(self, frame: Frame, head: HttpResponse, body_bytes: int) -> None:
        self._tell(
            frame,
            head.purpose,
            symbol=head.symbol or None,
            status=head.status,
            error=head.error,
            bytes=body_bytes,
        )

    def _tell(self, frame: Frame, event: str, **fields: object) -> None:
        if not log.isEnabledFor(logging.INFO):
            return
        stream = self._streams.get(frame.connection_id)
        log.info(
            "%s: %s",
            stream or frame.venue,
            event,
            extra={
                "event": event,
                "venue": None if frame.venue == RECORDER else frame.venue,
                "stream": stream,
                "connection": frame.connection_id or None,
                "frame_number": frame.frame_number,
                **fields,
            },
        )
