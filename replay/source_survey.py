"""What there is in a recording to be served: its venues, their topics and their paths.

Found by reading the frames from the start, up to a limit: a recording of weeks is not read through
before the first client is served. `complete` says whether the end was reached; where it was not,
a topic that was not met may still come, and so is not refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from replay.feed import TopicStanding
from replay.frame_source import FrameSource
from venues.errors import DecodeError
from venues.event import OrderUpdate, PositionUpdate, WalletUpdate
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import MarkerError, Opened, read_marker
from venues.registry import venue_named
from venues.venue import Venue

FRAMES_MAX = 200_000


@dataclass
class VenueSurvey:
    """What was met of one venue. `paths` are those that the recording client connected to."""

    venue: Venue
    topics: dict[str, TopicStanding] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)


@dataclass
class SourceSurvey:
    """What was met in a source, venues in order of appearance."""

    venues: dict[str, VenueSurvey] = field(default_factory=dict)
    first_time_ns: int = 0
    complete: bool = False

    def standing(self, venue: str, topic: str) -> TopicStanding:
        """Return what is known of a topic; not met in a part of the source is not unknown."""
        absent = TopicStanding.UNKNOWN if self.complete else TopicStanding.PUBLIC
        return self.venues[venue].topics.get(topic, absent)


def survey(source: FrameSource, frames_max: int = FRAMES_MAX) -> SourceSurvey:
    """Read up to `frames_max` frames of `source` and say what there is.

    Raises:
        UnknownVenueError: a frame is of a venue that this version does not know.
        ReplayError: the source cannot be read.
    """
    found = SourceSurvey()
    number = -1
    for number, frame in enumerate(source.frames()):
        if number == 0:
            found.first_time_ns = frame.receive_time_ns
        if number >= frames_max:
            return found
        if frame.venue != RECORDER:
            _note(found, frame)
    found.complete = True
    return found


def _note(found: SourceSurvey, frame: Frame) -> None:
    met = found.venues.get(frame.venue)
    if met is None:
        met = found.venues[frame.venue] = VenueSurvey(venue_named(frame.venue))
    if frame.kind is FrameKind.OPENED:
        path = _opened_path(frame)
        if path not in met.paths:
            met.paths.append(path)
    elif frame.received:
        topic = met.venue.dialect.topic(frame.payload)
        if topic is not None and topic not in met.topics:
            met.topics[topic] = _standing(met.venue, frame)


def _opened_path(frame: Frame) -> str:
    try:
        return urlsplit(read_marker(frame, Opened).url).path or "/"
    except (MarkerError, ValueError):
        return "/"


def _standing(venue: Venue, frame: Frame) -> TopicStanding:
    """Tell a private topic by what its messages say: no venue has to declare them for this."""
    try:
        events = venue.decode(frame)
    except (DecodeError, msgspec.MsgspecError):
        return TopicStanding.PUBLIC
    private = any(
        isinstance(event, OrderUpdate | PositionUpdate | WalletUpdate) for event in events
    )
    return TopicStanding.PRIVATE if private else TopicStanding.PUBLIC
