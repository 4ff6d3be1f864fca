"""The steps of one venue's part of a recording, read once for all clients that play it.

Theory. Steps are read in batches, and each batch leads to the next, which is read when the first
client needs it. A client holds the batch that it is at: those behind the last client are forgotten
by themselves, those ahead of the first are not read yet. `head` is kept as long as all that was
read is small, so that clients that come a little later, or one after another, share the reading.

Which frames are steps: messages that were received, as `recorded_connection` understands them, and
the ends of connections. Acknowledgements, heartbeats and other notices are none (the fake exchange
gives its own), unless they are counted. What we sent, what came by HTTP and the recorder's own
markers are none. A message that is neither market data nor a notice is one that nobody can assign:
it was sent all the same, and is sent again.

Reading happens in a thread; a batch is asked for by any number of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice

from replay.due_time import DueTimes
from replay.feed import Cutting, Sending, Step
from replay.frame_source import FrameSource
from replay.recorded_connection import RecordedConnection
from venues.frame import Frame, FrameKind
from venues.marker import Closed, MarkerError, read_marker
from venues.venue import Venue

BATCH_FRAMES = 512
KEPT_BYTES_MAX = 64 * 1024 * 1024
_STEP_BYTES = 200


class StepBatch:
    """Some steps, and the way to those after them.

    Attributes:
        steps: in order.
        first_number: the number of the first frame that was read for it.
    """

    __slots__ = ("first_number", "following", "steps")

    def __init__(self, steps: list[Step], first_number: int) -> None:
        self.steps = steps
        self.first_number = first_number
        self.following: StepBatch | None = None


class StepChain:
    """Reads the steps of `venue`, from `from_ns` on where that is given.

    Attributes:
        connections: what was read of each recorded connection so far.
    """

    def __init__(self, source: FrameSource, venue: Venue, from_ns: int | None = None) -> None:
        self.venue = venue
        self.connections: dict[int, RecordedConnection] = {}
        self._frames: Iterator[Frame] = source.frames(from_ns=from_ns, streams={venue.name})
        self._due_times = DueTimes()
        self._lock = threading.Lock()
        self._kept_bytes = 0
        self._head: StepBatch | None = StepBatch([], -1)

    @property
    def head(self) -> StepBatch | None:
        """What stands before the first batch; None once too much was read to keep it."""
        return self._head

    def after(self, batch: StepBatch) -> StepBatch | None:
        """Return the batch after `batch`, reading it where nobody did; None at the end.

        Raises:
            ReplayError: the recording cannot be read.
        """
        with self._lock:
            if batch.following is None:
                batch.following = self._read()
            return batch.following

    def _read(self) -> StepBatch | None:
        frames = list(islice(self._frames, BATCH_FRAMES))
        if not frames:
            return None
        steps = [
            step
            for frame in frames
            if (step := self._step(frame, self._due_times.due_ns(frame))) is not None
        ]
        self._kept_bytes += sum(len(frame.payload) + _STEP_BYTES for frame in frames)
        if self._kept_bytes > KEPT_BYTES_MAX:
            self._head = None
        return StepBatch(steps, frames[0].frame_number)

    def _step(self, frame: Frame, due_ns: int) -> Step | None:
        if frame.received:
            heard = self._connection(frame).hear(frame)
            if not heard.played:
                return None
            binary = frame.kind is FrameKind.BINARY
            return Sending(
                due_ns,
                heard.topic,
                frame.payload,
                binary,
                frame.connection_id,
                frame.frame_number,
                heard.greeting,
                heard.acknowledges,
            )
        if frame.kind is FrameKind.SENT:
            self._connection(frame).spoke()
        elif frame.kind is FrameKind.CLOSED and frame.venue == self.venue.name:
            closed = _closed(frame)
            connection_id, number = frame.connection_id, frame.frame_number
            return Cutting(due_ns, closed.code, closed.reason, closed.by_us, connection_id, number)
        return None

    def _connection(self, frame: Frame) -> RecordedConnection:
        connection = self.connections.get(frame.connection_id)
        if connection is None:
            connection = self.connections[frame.connection_id] = RecordedConnection(self.venue)
        return connection


def _closed(frame: Frame) -> Closed:
    try:
        return read_marker(frame, Closed)
    except MarkerError:
        return Closed(code=None, reason="")
