"""What the fake exchange says of itself to one client: greeting, answers, heartbeats.

Each is the dialect's, said by the session's own order, unless the recording has what was really
said and the client needs just that: the acknowledgement that later messages refer to, and whatever
is counted among the messages of a connection. See `recorded_connection`.
"""

from __future__ import annotations

from collections.abc import Sequence

from replay.feed import Feed, Sending
from replay.recorded_connection import carries_number, counts_connection, read_events
from replay.session_outlet import SessionOutlet
from venues.event import Subscribed
from venues.frame import Frame, FrameKind
from venues.venue import ClientRequest


class SessionVoice:
    """Speaks for the exchange, beside what is played. `ConnectionClosed` passes through.

    Attributes:
        references: the topics that this client may mean by a reference, which it was given.
    """

    def __init__(self, feed: Feed, outlet: SessionOutlet) -> None:
        self.references: dict[str, str] = {}
        self._outlet = outlet
        self._venue = feed.venue
        self._dialect = feed.venue.dialect
        self._counted = counts_connection(feed.venue)
        self._left_to_recording = 0

    async def greet(self, feed: Feed) -> None:
        """Say what the exchange says before it is asked anything."""
        recorded = await feed.greetings() if self._counted else ()
        if recorded:
            await self._outlet.send(recorded)
        else:
            await self._outlet.answer(self._dialect.greeting())

    async def beat(self, time_ms: int) -> None:
        """Say that the exchange lives. Where that is counted, only the recording can."""
        message = self._dialect.heartbeat(time_ms)
        if message is not None:
            await self._outlet.answer(self._uncounted([message]))

    async def answer(self, request: ClientRequest, refused: str | None) -> None:
        """Answer a request that no recorded message answers."""
        await self._outlet.answer(self._uncounted(self._dialect.answer(request, refused)))

    async def acknowledge(self, request: ClientRequest, feed: Feed) -> None:
        """Answer a subscription that is taken."""
        if self._venue.traits.routed:
            recorded = [await feed.acknowledgement(topic) for topic in request.topics]
            known = [each for each in recorded if each is not None]
            if known and len(known) == len(recorded):
                await self._outlet.send(known)
                self._learn(known)
                return
        if self._counted and self._left_to_recording < await feed.acknowledgements_ahead():
            self._left_to_recording += 1
        else:
            await self.answer(request, None)

    def _learn(self, acknowledgements: Sequence[Sending]) -> None:
        for each in acknowledgements:
            kind = FrameKind.BINARY if each.binary else FrameKind.TEXT
            frame = Frame(0, each.connection_id, self._venue.name, kind, 0, None, each.payload)
            for event in read_events(self._venue, frame, {}):
                if isinstance(event, Subscribed) and each.topic is not None:
                    self.references[event.reference] = each.topic

    async def state_book(self, request: ClientRequest, feed: Feed) -> None:
        """Answer a request for a book on the socket, or refuse it where none can be vouched for."""
        message = await feed.snapshot_message(request)
        if message is None:
            await self.answer(request, "no snapshot of this book can be vouched for now")
        else:
            await self._outlet.answer([message])

    def _uncounted(self, messages: Sequence[str | bytes]) -> Sequence[str | bytes]:
        """Leave out what a client would count: it has no place in the recorded numbers."""
        if not self._counted:
            return messages
        return [message for message in messages if not carries_number(self._venue, message)]
