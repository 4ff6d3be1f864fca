"""What one client of the fake exchange is played, step by step.

A feed is a position in a recording or in a simulation. It has no sockets: it says when its next
step is due, hands it out, and takes back what could not be sent yet. A session owns exactly one;
when the exchange cuts a client off, its feed waits for it and goes on where it was. Another client
that comes meanwhile gets a branch of it: its own, from the same position. `step_change` is what
may stand between a feed and its client.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from enum import Enum
from typing import Protocol

import msgspec

from venues.venue import ClientRequest, Venue


class Sending(msgspec.Struct, frozen=True, gc=False):
    """A message to send to whoever subscribed to `topic`.

    `topic` is None for a message that no subscription brings, or of which nobody can say what it
    is: it goes to everyone who is on the connection that it came by. One that is a `greeting` is
    said when a client connects, and not played again. `acknowledges` marks a recorded answer to a
    subscription that is played where it stands (see `recorded_connection`).
    """

    due_ns: int
    topic: str | None
    payload: bytes
    binary: bool
    connection_id: int
    position: int
    greeting: bool = False
    acknowledges: bool = False


class Cutting(msgspec.Struct, frozen=True, gc=False):
    """The end of a connection. `code` is None where it broke without a close frame.

    `by_client` is True where it was the recording client that ended it.
    """

    due_ns: int
    code: int | None
    reason: str
    by_client: bool
    connection_id: int
    position: int = 0


Step = Sending | Cutting


class TopicStanding(Enum):
    """Whether a client may subscribe to a topic."""

    PUBLIC = "public"
    PRIVATE = "private"
    UNKNOWN = "unknown"


class Feed(Protocol):
    """A position in what is served."""

    @property
    def venue(self) -> Venue:
        """The venue that is played."""

    @property
    def position(self) -> int:
        """How far it is; only to be compared with another feed of the same source."""

    @property
    def ended(self) -> bool:
        """Whether it is known that no step is left."""

    async def due_ns(self) -> int | None:
        """Return when the next step is due, in the feed's own time; None at the end."""

    def take(self, until_ns: int | None) -> Sequence[Step]:
        """Take the steps due by then, or (None) as many as are at hand; at least one."""

    def give_back(self, steps: Sequence[Step]) -> None:
        """Put back what was taken last and not sent; it comes next."""

    def standing(self, topic: str) -> TopicStanding:
        """Return whether `topic` can be subscribed to, and whether it needs a login."""

    def branch(self) -> Feed:
        """Return another feed that begins where this one is."""

    async def pass_by(self, until_ns: int) -> None:
        """Take what is due before `until_ns`, and forget it."""

    def openings(self, topics: Collection[str]) -> AsyncIterator[Sequence[Sending]]:
        """Return what subscriptions to `topics` begin with, some messages at a time.

        Only what is not among the steps to come: the snapshot of a book that began before.
        """

    async def greetings(self) -> Sequence[Sending]:
        """Return what the next connection began with, where that has to be said as it was."""

    async def acknowledgement(self, topic: str) -> Sending | None:
        """Return the recorded answer to a subscription that later messages refer to."""

    async def carrier(self, topics: Collection[str]) -> int | None:
        """Return the connection by which the next message of `topics` comes; None: not soon."""

    async def acknowledgements_ahead(self) -> int:
        """Return how many recorded answers to subscriptions are about to be played."""

    async def http_body(self, path_and_query: str) -> bytes | None:
        """Return the answer to an HTTP request, for a book as of now; None if it has none."""

    async def snapshot_message(self, request: ClientRequest) -> str | bytes | None:
        """Return the answer to a SNAPSHOT request, as of now; None if it has none."""
