"""One pass through what is served: its time, and where its clients are.

Theory. A fake exchange that goes at a speed has one time for all clients. The first one to
subscribe starts it; whoever comes later joins at what the time is then, as at an exchange, and is
told of a book what was said before (`Feed.openings`). A client that was cut off by a recorded
disconnect is parked: back at the same path for the same topics it goes on where it was, and what
fell due meanwhile comes at once. When all was played and nobody is being played to any more, the
next client starts a new pass.

At speed max nobody shares a time: every client plays from the start of its own.

Where an exchange numbers all that it sends on a connection, a later client cannot leave out what
came before it, or the numbers would have a hole: it is sent everything from the start at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from replay.feed import Feed
from replay.recorded_connection import counts_connection
from replay.served_time import ServedTime
from replay.time_move import TimeMove
from venues.venue import Venue

PARKED_MAX = 64


class Played(Protocol):
    """A client that is played to."""

    path: str
    feed: Feed
    topics: set[str]

    @property
    def playing(self) -> bool:
        """Whether something is still to be sent to it."""


@dataclass(frozen=True)
class _Parked:
    path: str
    topics: frozenset[str]
    feed: Feed


class Playback:
    """The clients of one pass.

    Attributes:
        time: the time of all of them.
        origin_ns: where it begins.
        times: by how much the times in messages are moved.
        clients: those that subscribed to something and are connected.
    """

    def __init__(
        self,
        time: ServedTime,
        origin_ns: int,
        times: TimeMove,
        new_feed: Callable[[Venue], Feed],
    ) -> None:
        self.time = time
        self.origin_ns = origin_ns
        self.times = times
        self.clients: list[Played] = []
        self._new_feed = new_feed
        self._leads = True
        self._parked: deque[_Parked] = deque(maxlen=PARKED_MAX)
        self._front: dict[str, Feed] = {}

    @property
    def over(self) -> bool:
        """Whether all was played of what was begun, and nobody waits to go on."""
        if self._parked or not self._front or any(each.playing for each in self.clients):
            return False
        return all(feed.ended for feed in self._front.values())

    def front(self, venue: Venue) -> Feed | None:
        """Return the feed that is furthest on; None where none was begun."""
        feeds = [each.feed for each in self.clients if each.feed.venue is venue]
        left = self._front.get(venue.name)
        if left is not None:
            feeds.append(left)
        return max(feeds, key=lambda feed: feed.position, default=None)

    def feed(self, venue: Venue) -> Feed:
        """Return a feed from the start."""
        return self._new_feed(venue)

    async def enter(self, client: Played, topics: frozenset[str]) -> bool:
        """Give `client` its place, with its first subscription; return whether it was parked."""
        kept = self._take_up(client.path, topics)
        if kept is not None:
            client.feed = kept
        else:
            client.feed = await self._joining(client.feed)
        self.clients.append(client)
        self._note(client.feed)
        return kept is not None

    def attend(self) -> None:
        """Let time go on where somebody is played to, and stand still where nobody is."""
        if not self._leads:
            return
        if not self.time.started and any(each.playing for each in self.clients):
            self.time.start(self.origin_ns)
        self.time.attend(any(each.playing for each in self.clients))

    def leave_time(self) -> None:
        """Leave time to the pass that follows; clients of this one may stay connected."""
        self._leads = False

    def park(self, client: Played) -> None:
        """Keep the feed of a client that is being cut off."""
        self._parked.append(_Parked(client.path, frozenset(client.topics), client.feed))

    def leave(self, client: Played) -> None:
        """Forget a client that is gone; its place is remembered if nobody is further on."""
        if client in self.clients:
            self.clients.remove(client)
            self._note(client.feed)
        self.attend()

    async def _joining(self, fresh: Feed) -> Feed:
        """Return a feed that begins at what the time is now."""
        now_ns = self.time.now_ns
        if now_ns is None:
            await fresh.pass_by(self.origin_ns)
            return fresh
        if counts_connection(fresh.venue):
            return fresh
        front = self.front(fresh.venue)
        feed = fresh if front is None else front.branch()
        await feed.pass_by(now_ns)
        return feed

    def _take_up(self, path: str, topics: frozenset[str]) -> Feed | None:
        for parked in self._parked:
            if parked.path == path and topics <= parked.topics:
                self._parked.remove(parked)
                return parked.feed
        return None

    def _note(self, feed: Feed) -> None:
        front = self._front.get(feed.venue.name)
        if front is None or feed.position >= front.position:
            self._front[feed.venue.name] = feed
