"""Which messages of a recording faults can befall, and how far each has to be followed.

Theory. A fault in a message is shown by those after it: by the next number, the next checksum, the
next statement of the whole. So each trial plays only a window, from the message to the last of the
next few that speak of the same things; where the venue sends checksums, to the second one after it.
Of what nobody else speaks, the connection's next messages are the window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from replay.fault_content import ContentReader
from replay.fault_payload import checksums_in
from venues.channel import Channel
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    FrameSequence,
    GameResult,
    Liquidation,
    Quote,
    Ticker,
    Trade,
)
from venues.frame import Frame
from venues.registry import venue_named
from venues.traits import Continuity, VenueTraits

FOLLOWERS = 8
ROW_FOLLOWERS = 2
CHECKSUM_FOLLOWERS = 2
WINDOW_FRAMES_MAX = 4_000

_CHANNELS: dict[type, Channel] = {
    BookDelta: Channel.BOOK,
    BookSnapshot: Channel.BOOK,
    Trade: Channel.TRADES,
    Quote: Channel.QUOTES,
    Liquidation: Channel.LIQUIDATIONS,
    Ticker: Channel.TICKERS,
    GameResult: Channel.RESULTS,
}

Topic = tuple[str, str, Channel]
"""Venue, symbol and channel of what a message speaks of."""


class Hashed(NamedTuple):
    """A checksum of what a topic is about."""

    topic: Topic


class Content(NamedTuple):
    """What one message says, as far as trials need to know.

    Attributes:
        topics: what it speaks of.
        numbered: those of them that its own number places: changes of books, trades.
        hashed: those books that it brings a checksum of.
        counted: whether the frame itself is numbered among all of its connection.
    """

    topics: frozenset[Topic]
    numbered: frozenset[Topic]
    hashed: frozenset[Topic]
    counted: bool


NOTHING = Content(frozenset(), frozenset(), frozenset(), counted=False)


class Survey:
    """The contents of `frames`, by position; `reader` knows what their references mean."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.reader = ContentReader()
        self.frames = frames
        self.contents = [_content(frame.venue, self.reader.events(frame)) for frame in frames]
        self._hashed = {topic for content in self.contents for topic in content.hashed}

    def window_end(self, position: int) -> int:
        """Return the position behind the window of the message at `position`."""
        frame, content = self.frames[position], self.contents[position]
        left: Counter[Topic | Hashed | int] = Counter()
        for topic in content.topics:
            left[topic] = FOLLOWERS if topic[2] is Channel.BOOK else ROW_FOLLOWERS
        left += Counter({Hashed(topic): CHECKSUM_FOLLOWERS for topic in self._hashed & left.keys()})
        if content.counted or not content.topics:
            # A count shows a hole once it can no longer be filled by what comes late.
            reorder_max = venue_named(frame.venue).traits.sequence_reorder_max
            left[frame.connection_id] = max(ROW_FOLLOWERS, reorder_max + 2)
        last = min(len(self.frames), position + WINDOW_FRAMES_MAX)
        for after in range(position + 1, last):
            self._count(left, after)
            if not left:
                return after + 1
        return last

    def _count(self, left: Counter[Topic | Hashed | int], position: int) -> None:
        content, frame = self.contents[position], self.frames[position]
        seen: list[Topic | Hashed | int] = [*content.topics, *map(Hashed, content.hashed)]
        if frame.received:
            seen.append(frame.connection_id)
        for key in seen:
            if key in left:
                left[key] -= 1
                if not left[key]:
                    del left[key]

    def content_of(self, frame: Frame) -> Content:
        """Return what a frame says that a fault befell."""
        return _content(frame.venue, self.reader.glance(frame))


def _content(venue: str, events: Sequence[Event]) -> Content:
    if not events:
        return NOTHING
    topics, numbered, hashed = set(), set(), set()
    counted = False
    for event in events:
        counted = counted or isinstance(event, FrameSequence)
        channel = _CHANNELS.get(type(event))
        if channel is None:
            continue
        topic = (venue, event.symbol, channel)
        topics.add(topic)
        if _placed(event, venue_named(venue).traits):
            numbered.add(topic)
        if checksums_in([event]):
            hashed.add(topic)
    return Content(frozenset(topics), frozenset(numbered), frozenset(hashed), counted)


def _placed(event: Event, traits: VenueTraits) -> bool:
    """Say whether a number of its own places a message; that of a snapshot begins a count."""
    if isinstance(event, BookDelta):
        return event.sequence is not None and traits.continuity is not Continuity.NONE
    return isinstance(event, Trade) and event.trade_number is not None
