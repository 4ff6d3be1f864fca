"""What one recorded connection said, read in order: whose each message is, and what it answers.

Theory. A recorded message is one of these:

- Sent by subscription: the dialect names its topic. Where a venue is `routed`, messages mean their
  subscription by a reference that its acknowledgement gave on this connection, so acknowledgements
  have to be read, and kept: a client that subscribes is sent the recorded one, because the
  references in the messages that follow are those of the recorded connection and of no other.
- Part of the conversation: a greeting, an acknowledgement, a heartbeat. The fake exchange says its
  own to each client, and these are not sent again; unless they are *counted*.
- Counted: where the exchange numbers all that it sends on a connection
  (`SequenceScope.CONNECTION`), a notice with a number is one of the messages without which the
  numbers have a hole. It is sent as it was recorded, where it was recorded, and the fake exchange
  says nothing in its place: what it would make up has no number, or one that is taken. What was
  said before the client spoke is the greeting of the connection, sent when a client connects.
- Anything else: neither market data nor a notice. It was sent all the same, and is sent again to
  everyone on its connection.

It follows that a client which asks for less than the recording client did sees holes in the
numbers: the recording knows what that client was sent, and not what another would have been.
"""

from __future__ import annotations

from dataclasses import dataclass

from venues.errors import UNDECODABLE
from venues.event import Event, FrameSequence, NoticeKind, Subscribed
from venues.frame import Frame, FrameKind
from venues.traits import SequenceScope
from venues.venue import Venue


@dataclass(frozen=True, slots=True)
class Heard:
    """What a received message is; see the module's theory.

    Attributes:
        topic: the topic that it was sent for, None for all that is not sent by subscription.
        played: whether it is sent again where it stands; else the fake exchange speaks instead.
        greeting: whether it was said before the client said anything.
        acknowledges: whether it takes a subscription.
    """

    topic: str | None
    played: bool = True
    greeting: bool = False
    acknowledges: bool = False


class RecordedConnection:
    """Reads the messages of one connection, each once and in order.

    Attributes:
        acknowledgements: the recorded acknowledgements of each topic, of venues with routes.
    """

    def __init__(self, venue: Venue) -> None:
        self.acknowledgements: dict[str, list[Frame]] = {}
        self._venue = venue
        self._routes: dict[str, Subscribed] = {}
        self._routed = venue.traits.routed
        self._counted = counts_connection(venue)
        self._spoken = False

    @property
    def routes(self) -> dict[str, Subscribed]:
        """What the references of the connection mean, so far."""
        return self._routes

    def spoke(self) -> None:
        """Note that the client said something."""
        self._spoken = True

    def hear(self, frame: Frame) -> Heard:
        """Understand the next received message."""
        topic = self._venue.dialect.topic(frame.payload, self._routes)
        if topic is not None:
            self._spoken = True
            return Heard(topic, acknowledges=self._counted and self._acknowledges(frame))
        notice = self._venue.read_notice(frame.payload)
        acknowledges = notice is not None and notice.kind is NoticeKind.ACKNOWLEDGED
        counted = False
        if self._routed or self._counted:
            events = read_events(self._venue, frame, self._routes)
            counted = any(type(event) is FrameSequence for event in events)
            self._learn(frame, events)
        if notice is not None and not counted:
            return Heard(None, played=False, acknowledges=acknowledges)
        return Heard(None, greeting=counted and not self._spoken, acknowledges=acknowledges)

    def _acknowledges(self, frame: Frame) -> bool:
        notice = self._venue.read_notice(frame.payload)
        return notice is not None and notice.kind is NoticeKind.ACKNOWLEDGED

    def _learn(self, frame: Frame, events: tuple[Event, ...]) -> None:
        for event in events:
            if type(event) is Subscribed and event.reference:
                self._routes[event.reference] = event
                self.acknowledgements.setdefault(event.topic, []).append(frame)


def counts_connection(venue: Venue) -> bool:
    """Return whether the exchange numbers all that it sends on a connection."""
    return venue.traits.sequence_scope is SequenceScope.CONNECTION


def carries_number(venue: Venue, message: str | bytes) -> bool:
    """Return whether a message would be counted by a client of `venue`."""
    payload = message.encode() if isinstance(message, str) else message
    kind = FrameKind.TEXT if isinstance(message, str) else FrameKind.BINARY
    events = read_events(venue, Frame(0, 1, venue.name, kind, 0, None, payload), {})
    return any(type(event) is FrameSequence for event in events)


def read_events(venue: Venue, frame: Frame, routes: dict[str, Subscribed]) -> tuple[Event, ...]:
    """Return the events of a frame, none where it cannot be decoded."""
    try:
        return tuple(venue.decode(frame, routes))
    except UNDECODABLE:
        return ()
