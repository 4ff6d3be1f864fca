"""A recording as a feed: what the exchange sent, and where it cut the connection.

What the steps are, and how they are read once for all clients, is `step_chain`; what a client that
comes later has to be told of a book, `book_history`; what is answered to requests, `rest_answers`.
`RecordedMatter` is what the clients of one venue have in common, `RecordedFeed` what each has.

Reading and decompressing happens in a thread, a batch at a time, so that one client's reading does
not delay another's sending.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from itertools import islice

from replay.book_history import BookHistory
from replay.feed import Cutting, Sending, Step, TopicStanding
from replay.frame_source import FrameSource
from replay.rest_answers import JUMP_FRAMES, RestAnswers
from replay.source_survey import SourceSurvey
from replay.step_chain import StepBatch, StepChain
from venues.frame import Frame, FrameKind
from venues.venue import ClientRequest, Venue

AHEAD_STEPS_MAX = 20_000
"""How far is looked for what a client that begins here will be sent."""


class RecordedMatter:
    """One venue's part of a recording, as all its clients play it."""

    def __init__(self, source: FrameSource, surveyed: SourceSurvey, venue: Venue) -> None:
        self.source = source
        self.surveyed = surveyed
        self.venue = venue
        self.history = BookHistory(source, venue)
        self._chain: StepChain | None = None

    def feed(self, from_ns: int | None = None) -> RecordedFeed:
        """Return a feed from the start, or from the first frame received at `from_ns` or later."""
        if from_ns is not None:
            return self._begun(StepChain(self.source, self.venue, from_ns))
        if self._chain is None or self._chain.head is None:
            self._chain = StepChain(self.source, self.venue)
        return self._begun(self._chain)

    def _begun(self, chain: StepChain) -> RecordedFeed:
        head = chain.head
        assert head is not None, "nothing was read yet, or little"
        return RecordedFeed(self, chain, head)


class RecordedFeed:
    """A position in one venue's part of a recording."""

    def __init__(self, matter: RecordedMatter, chain: StepChain, batch: StepBatch) -> None:
        """Begin behind `batch`."""
        self._matter = matter
        self._venue = matter.venue
        self._chain = chain
        self._batch = batch
        self._ahead: deque[Step] = deque()
        self._ended = False
        self._answers = RestAnswers(matter.source, matter.venue)
        self._sent_number = -1
        self._over: set[int] = set()

    def branch(self) -> RecordedFeed:
        """Return another feed at this position."""
        other = RecordedFeed(self._matter, self._chain, self._batch)
        other._ahead.extend(self._ahead)
        other._ended = self._ended
        other._sent_number = self._sent_number
        other._over |= self._over
        return other

    @property
    def venue(self) -> Venue:
        """The venue that is played."""
        return self._venue

    @property
    def position(self) -> int:
        """The number of the frame that was taken last."""
        return self._sent_number

    @property
    def ended(self) -> bool:
        """Whether it was read to the end, and all of it was taken."""
        return self._ended and not self._ahead

    async def due_ns(self) -> int | None:
        """Return when the next step is due, on the recording's time line."""
        while not self._ahead and not self._ended:
            await self._read()
        return self._ahead[0].due_ns if self._ahead else None

    async def pass_by(self, until_ns: int) -> None:
        """Take what is due before `until_ns`."""
        while (due_ns := await self.due_ns()) is not None and due_ns < until_ns:
            self.take(until_ns - 1)

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
        if taken:
            self._sent_number = taken[-1].position
        return taken

    def give_back(self, steps: Sequence[Step]) -> None:
        """Put `steps` back before what is ahead."""
        self._ahead.extendleft(reversed(steps))
        self._over.difference_update(
            step.connection_id for step in steps if isinstance(step, Cutting)
        )
        if steps:
            self._sent_number = steps[0].position - 1

    def standing(self, topic: str) -> TopicStanding:
        """Return whether the recording has messages of `topic`."""
        return self._matter.surveyed.standing(self._venue.name, topic)

    async def openings(self, topics: Collection[str]) -> AsyncIterator[Sequence[Sending]]:
        """Tell what came of the books of `topics` so far; nothing of what is still to come.

        Far into a recording, a book that its venue can state is stated as it is.
        """
        await self.due_ns()
        position = self._sent_number
        stated: list[Sending] = []
        for topic in topics if position >= JUMP_FRAMES else ():
            message = await asyncio.to_thread(self._answers.opening, topic, position)
            if message is not None:
                carrier = await self.carrier((topic,))
                stated.append(Sending(0, topic, message, False, carrier or 0, position))
        yield stated
        untold = set(topics) - {each.topic for each in stated}
        told = self._matter.history.messages(untold, position)
        while (batch := await asyncio.to_thread(next, told, None)) is not None:
            yield batch

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
        await self.due_ns()
        return await asyncio.to_thread(self._answers.body, path_and_query, self._sent_number)

    async def snapshot_message(self, request: ClientRequest) -> str | bytes | None:
        """Return the recorded answer, or the book as the recording has it by now."""
        return await asyncio.to_thread(self._answers.message, request, self._sent_number)

    async def _look_ahead(self, found: Callable[[], bool]) -> None:
        while not found() and not self._ended and len(self._ahead) < AHEAD_STEPS_MAX:
            await self._read()

    def _acknowledgement(self, topic: str) -> Frame | None:
        connections = self._chain.connections
        for connection_id in sorted(connections.keys() - self._over):
            frames = connections[connection_id].acknowledgements.get(topic)
            if frames:
                given = [each for each in frames if each.frame_number <= self._sent_number]
                return given[-1] if given else frames[0]
        return None

    async def _read(self) -> None:
        batch = self._batch
        following = batch.following
        if following is None:
            following = await asyncio.to_thread(self._chain.after, batch)
        if self._batch is not batch:
            return  # another task that asks this feed was here first
        if following is None:
            self._ended = True
            return
        if self._sent_number < 0:
            self._sent_number = following.first_number - 1
        self._batch = following
        self._ahead.extend(following.steps)


def _sending(frame: Frame, topic: str) -> Sending:
    binary = frame.kind is FrameKind.BINARY
    number = frame.frame_number
    return Sending(0, topic, frame.payload, binary, frame.connection_id, number, acknowledges=True)
