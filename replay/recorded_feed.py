"""A recording as a feed: what the exchange sent, and where it cut the connection.

Which frames are steps: messages that were received, but for acknowledgements, heartbeats and other
notices (the fake exchange gives its own), and the ends of connections. What we sent, what came by
HTTP and the recorder's own markers are none. A message that is neither market data nor a notice
is one that nobody can assign: it was sent all the same, and is sent again.

Reading and decompressing happens in a thread, `BATCH_FRAMES` at a time, so that one client's
reading does not delay another's sending.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from replay.due_time import DueTimes
from replay.feed import Cutting, Sending, Step, TopicStanding
from replay.frame_source import FrameSource
from replay.rest_answers import RestAnswers
from replay.source_survey import SourceSurvey
from venues.frame import Frame, FrameKind
from venues.marker import Closed, MarkerError, read_marker
from venues.venue import Venue

BATCH_FRAMES = 512


class RecordedFeed:
    """A position in one venue's part of a recording."""

    def __init__(self, source: FrameSource, surveyed: SourceSurvey, venue: Venue) -> None:
        self._venue = venue
        self._surveyed = surveyed
        self._due_times = DueTimes()
        self._frames: Iterator[Frame] = source.frames(streams={venue.name})
        self._ahead: deque[Step] = deque()
        self._ended = False
        self._answers = RestAnswers(source, venue)
        self._sent_number = -1

    @property
    def venue(self) -> Venue:
        """The venue that is played."""
        return self._venue

    @property
    def position(self) -> int:
        """The number of the frame that was taken last."""
        return self._sent_number

    async def due_ns(self) -> int | None:
        """Return when the next step is due, on the recording's time line."""
        while not self._ahead and not self._ended:
            await asyncio.to_thread(self._read)
        return self._ahead[0].due_ns if self._ahead else None

    def take(self, until_ns: int | None) -> Sequence[Step]:
        """Take the steps due by then, or all that have been read."""
        ahead = self._ahead
        if until_ns is None or (ahead and ahead[-1].due_ns <= until_ns):
            taken = list(ahead)
            ahead.clear()
        else:
            taken = []
            while ahead and ahead[0].due_ns <= until_ns:
                taken.append(ahead.popleft())
        last = next((step for step in reversed(taken) if isinstance(step, Sending)), None)
        if last is not None:
            self._sent_number = last.position
        return taken

    def give_back(self, steps: Sequence[Step]) -> None:
        """Put `steps` back before what is ahead."""
        self._ahead.extendleft(reversed(steps))
        first = next((step for step in steps if isinstance(step, Sending)), None)
        if first is not None:
            self._sent_number = first.position - 1

    def standing(self, topic: str) -> TopicStanding:
        """Return whether the recording has messages of `topic`."""
        return self._surveyed.standing(self._venue.name, topic)

    def opening(self, topic: str) -> Sending | None:
        """Return nothing: the recorded snapshot comes where it came."""
        del topic
        return None

    async def snapshot_body(self, path_and_query: str) -> bytes | None:
        """Return the recorded answer, or the book as the recording has it by now."""
        return await asyncio.to_thread(self._answers.body, path_and_query, self._sent_number)

    def _read(self) -> None:
        frames = list(islice(self._frames, BATCH_FRAMES))
        self._ended = not frames
        for frame in frames:
            step = self._step(frame, self._due_times.due_ns(frame))
            if step is not None:
                self._ahead.append(step)

    def _step(self, frame: Frame, due_ns: int) -> Step | None:
        if frame.received:
            topic = self._venue.dialect.topic(frame.payload)
            if topic is None and self._venue.read_notice(frame.payload) is not None:
                return None
            binary = frame.kind is FrameKind.BINARY
            connection_id = frame.connection_id
            return Sending(due_ns, topic, frame.payload, binary, connection_id, frame.frame_number)
        if frame.kind is FrameKind.CLOSED and frame.venue == self._venue.name:
            closed = _closed(frame)
            return Cutting(due_ns, closed.code, closed.reason, closed.by_us, frame.connection_id)
        return None


def _closed(frame: Frame) -> Closed:
    try:
        return read_marker(frame, Closed)
    except MarkerError:
        return Closed(code=None, reason="")
