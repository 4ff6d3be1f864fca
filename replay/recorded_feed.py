"""A recording as a feed: what the exchange sent, and where it cut the connection.

Which frames are steps: messages that were received, as `recorded_connection` understands them, and
the ends of connections. Acknowledgements, heartbeats and other notices are none (the fake exchange
gives its own), unless they are counted. What we sent, what came by HTTP and the recorder's own
markers are none. A message that is neither market data nor a notice is one that nobody can assign:
it was sent all the same, and is sent again.

Reading and decompressing happens in a thread, `BATCH_FRAMES` at a time, so that one client's
reading does not delay another's sending.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice

from replay.due_time import DueTimes
from replay.feed import Cutting, Sending, Step, TopicStanding
from replay.frame_source import FrameSource
from replay.recorded_connection import RecordedConnection
from replay.rest_answers import RestAnswers
from replay.source_survey import SourceSurvey
from venues.frame import Frame, FrameKind
from venues.marker import Closed, MarkerError, read_marker
from venues.venue import ClientRequest, Venue

BATCH_FRAMES = 512
AHEAD_STEPS_MAX = 20_000
"""How far is looked for what a client that begins here will be sent."""


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
        self._connections: dict[int, RecordedConnection] = {}
        self._over: set[int] = set()

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
        self._over.update(step.connection_id for step in taken if isinstance(step, Cutting))
        last = next((step for step in reversed(taken) if isinstance(step, Sending)), None)
        if last is not None:
            self._sent_number = last.position
        return taken

    def give_back(self, steps: Sequence[Step]) -> None:
        """Put `steps` back before what is ahead."""
        self._ahead.extendleft(reversed(steps))
        self._over.difference_update(
            step.connection_id for step in steps if isinstance(step, Cutting)
        )
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

    async def greetings(self) -> Sequence[Sending]:
        """Return the counted messages with which the next connection began."""
        await self.due_ns()
        greetings: list[Sending] = []
        for step in self._ahead:
            if not isinstance(step, Sending) or not step.greeting:
                break
            if greetings and step.connection_id != greetings[0].connection_id:
                break
            greetings.append(step)
        return greetings

    async def acknowledgement(self, topic: str) -> Sending | None:
        """Return the recorded acknowledgement of `topic`, of the first connection not yet over."""
        await self._look_ahead(lambda: self._acknowledgement(topic) is not None)
        found = self._acknowledgement(topic)
        return None if found is None else _sending(found, topic)

    async def carrier(self, topics: Collection[str]) -> int | None:
        """Return the connection by which the next message of `topics` comes; None: not soon."""
        looked, found = 0, None

        def met() -> bool:
            nonlocal looked, found
            for step in islice(self._ahead, looked, None):
                if isinstance(step, Sending) and step.topic in topics:
                    found = step.connection_id
                    return True
            looked = len(self._ahead)
            return False

        await self._look_ahead(met)
        return found

    async def acknowledgements_ahead(self) -> int:
        """Return how many counted acknowledgements are about to be played."""
        await self.due_ns()
        return sum(isinstance(step, Sending) and step.acknowledges for step in self._ahead)

    async def http_body(self, path_and_query: str) -> bytes | None:
        """Return the recorded answer, or the book as the recording has it by now."""
        return await asyncio.to_thread(self._answers.body, path_and_query, self._sent_number)

    async def snapshot_message(self, request: ClientRequest) -> str | bytes | None:
        """Return the recorded answer, or the book as the recording has it by now."""
        return await asyncio.to_thread(self._answers.message, request, self._sent_number)

    async def _look_ahead(self, found: Callable[[], bool]) -> None:
        while not found() and not self._ended and len(self._ahead) < AHEAD_STEPS_MAX:
            await asyncio.to_thread(self._read)

    def _acknowledgement(self, topic: str) -> Frame | None:
        for connection_id in sorted(self._connections.keys() - self._over):
            frame = self._connections[connection_id].acknowledgements.get(topic)
            if frame is not None:
                return frame
        return None

    def _read(self) -> None:
        frames = list(islice(self._frames, BATCH_FRAMES))
        self._ended = not frames
        for frame in frames:
            step = self._step(frame, self._due_times.due_ns(frame))
            if step is not None:
                self._ahead.append(step)

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
        elif frame.kind is FrameKind.CLOSED and frame.venue == self._venue.name:
            closed = _closed(frame)
            return Cutting(due_ns, closed.code, closed.reason, closed.by_us, frame.connection_id)
        return None

    def _connection(self, frame: Frame) -> RecordedConnection:
        connection = self._connections.get(frame.connection_id)
        if connection is None:
            connection = self._connections[frame.connection_id] = RecordedConnection(self._venue)
        return connection


def _sending(frame: Frame, topic: str) -> Sending:
    binary = frame.kind is FrameKind.BINARY
    number = frame.frame_number
    return Sending(0, topic, frame.payload, binary, frame.connection_id, number, acknowledges=True)


def _closed(frame: Frame) -> Closed:
    try:
        return read_marker(frame, Closed)
    except MarkerError:
        return Closed(code=None, reason="")
