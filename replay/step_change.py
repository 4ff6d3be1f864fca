"""The seam between a feed and its client: steps go through a function before they are sent.

Theory. A `StepChange` gets the steps that fell due, in order, each exactly once, and returns what
is sent in their place: fewer, more, others, a `Cutting`. Whatever it returns is sent in the order
of `due_ns`, and in the order returned where that is the same. So a delay is a later `due_ns`, and
two messages change places by having the same one.

A client has a change of its own, made when its feed is; one that was cut off and comes back to its
feed comes back to its change too. Steps that the session gives back were changed already and are
not changed again. At max speed time is what the feed's own steps say: one that is delayed is sent
behind all those that are due before it. Once the feed has ended it is called without any step, and
returns what it has kept back.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from replay.feed import Feed, Sending, Step, TopicStanding
from venues.venue import ClientRequest, Venue

StepChange = Callable[[Sequence[Step]], Sequence[Step]]
"""From the steps that fell due to those that are sent instead; see the module's theory."""


class ChangedFeed:
    """A feed, the steps of which go through a change."""

    def __init__(self, feed: Feed, new_change: Callable[[], StepChange]) -> None:
        self._feed = feed
        self._new_change = new_change
        self._change = new_change()
        self._back: deque[Step] = deque()
        self._held: list[tuple[int, int, Step]] = []
        self._order = 0
        self._over = False

    @property
    def venue(self) -> Venue:
        """The venue that is played."""
        return self._feed.venue

    @property
    def position(self) -> int:
        """How far the feed below is."""
        return self._feed.position

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self._feed.ended and not self._back and not self._held

    async def due_ns(self) -> int | None:
        """Return when the next step is due, a changed one or one that is still to be changed."""
        if self._back:
            return self._back[0].due_ns
        due_ns = await self._feed.due_ns()
        if due_ns is None and not self._over:
            self._over = True
            self._hold(self._change(()))
        if not self._held:
            return due_ns
        return self._held[0][0] if due_ns is None else min(due_ns, self._held[0][0])

    def take(self, until_ns: int | None) -> Sequence[Step]:
        """Take the changed steps due by then; maybe none."""
        if self._back:
            given = list(self._back)
            self._back.clear()
            return given
        taken = () if self._feed.ended else self._feed.take(until_ns)
        if taken:
            self._hold(self._change(taken))
        if until_ns is None and not self._feed.ended:
            until_ns = taken[-1].due_ns if taken else 0
        ready: list[Step] = []
        while self._held and (until_ns is None or self._held[0][0] <= until_ns):
            ready.append(heapq.heappop(self._held)[2])
        return ready

    def _hold(self, steps: Sequence[Step]) -> None:
        for step in steps:
            heapq.heappush(self._held, (step.due_ns, self._order, step))
            self._order += 1

    def give_back(self, steps: Sequence[Step]) -> None:
        """Keep changed `steps` for the next time."""
        self._back.extendleft(reversed(steps))

    def branch(self) -> Feed:
        """Return a feed that begins where this one is, with a change of its own."""
        return ChangedFeed(self._feed.branch(), self._new_change)

    async def pass_by(self, until_ns: int) -> None:
        """Leave out what was due before `until_ns`."""
        await self._feed.pass_by(until_ns)

    def standing(self, topic: str) -> TopicStanding:
        """Return whether `topic` can be subscribed to."""
        return self._feed.standing(topic)

    def openings(self, topics: Collection[str]) -> AsyncIterator[Sequence[Sending]]:
        """Return what subscriptions to `topics` begin with here, unchanged."""
        return self._feed.openings(topics)

    async def greetings(self) -> Sequence[Sending]:
        """Return what the next connection began with."""
        return await self._feed.greetings()

    async def acknowledgement(self, topic: str) -> Sending | None:
        """Return the recorded answer to a subscription."""
        return await self._feed.acknowledgement(topic)

    async def carrier(self, topics: Collection[str]) -> int | None:
        """Return the connection by which the next message of `topics` comes."""
        return await self._feed.carrier(topics)

    async def acknowledgements_ahead(self) -> int:
        """Return how many recorded answers are about to be played."""
        return await self._feed.acknowledgements_ahead()

    async def http_body(self, path_and_query: str) -> bytes | None:
        """Return the answer to an HTTP request, unchanged."""
        return await self._feed.http_body(path_and_query)

    async def snapshot_message(self, request: ClientRequest) -> str | bytes | None:
        """Return the answer to a SNAPSHOT request, unchanged."""
        return await self._feed.snapshot_message(request)
