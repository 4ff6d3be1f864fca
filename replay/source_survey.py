"""What there is in a recording to be served: its venues, their topics and their paths.

Found by reading the frames from the start, up to a limit: a recording of weeks is not read through
before the first client is served. `complete` says whether the end was reached; where it was not,
a topic that was not met may still come, and so is not refused.

A topic is known that the recording has a message of, that the recording client subscribed to, or
that the venue offers for a symbol met: a market without liquidations still has their channel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from recorder.redaction import STANDIN
from replay.feed import TopicStanding
from replay.frame_source import FrameSource
from replay.recorded_connection import RecordedConnection, read_events
from venues.errors import UnknownChannelError, UnknownSymbolError
from venues.event import Event, MarketEvent, PrivateEvent
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import MarkerError, Opened, read_marker
from venues.registry import venue_named
from venues.venue import ConnectionPlan, RequestKind, StreamRequest, Venue

FRAMES_MAX = 200_000
_REDACTED = f"={STANDIN.decode()}"


@dataclass
class VenueSurvey:
    """What was met of one venue.

    Attributes:
        venue: the venue.
        symbols: those that market data is about.
        carried: topics that there are messages of.
        topics: all topics known, and whether they need a login.
        paths: those that the recording client connected to, without its tokens.
        public_paths: those at which the venue offers market data of the symbols met.
        connections: what was read of each recorded connection.
    """

    venue: Venue
    symbols: set[str] = field(default_factory=set)
    carried: set[str] = field(default_factory=set)
    topics: dict[str, TopicStanding] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    public_paths: list[str] = field(default_factory=list)
    connections: dict[int, RecordedConnection] = field(default_factory=dict)

    @property
    def addresses(self) -> list[str]:
        """The paths to connect to: recorded ones that are still the venue's, or else its own."""
        serves = self.venue.dialect.serves_path
        recorded = [path for path in self.paths if serves(path.partition("?")[0])]
        return recorded or self.public_paths

    def connection(self, connection_id: int) -> RecordedConnection:
        """Return the recorded connection of that number."""
        met = self.connections.get(connection_id)
        if met is None:
            met = self.connections[connection_id] = RecordedConnection(self.venue)
        return met


@dataclass
class SourceSurvey:
    """What was met in a source, venues in order of appearance.

    `last_time_ns` is the greatest receive time; None where the end was not reached, or is none.
    """

    venues: dict[str, VenueSurvey] = field(default_factory=dict)
    first_time_ns: int = 0
    last_time_ns: int | None = None
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
    latest_ns = 0
    for number, frame in enumerate(source.frames()):
        if number == 0:
            found.first_time_ns = frame.receive_time_ns
        if number >= frames_max:
            break
        latest_ns = max(latest_ns, frame.receive_time_ns)
        if frame.venue != RECORDER:
            _note(found, frame)
    else:
        found.complete = True
        found.last_time_ns = latest_ns
    for met in found.venues.values():
        _know_offers(met)
    return found


def _note(found: SourceSurvey, frame: Frame) -> None:
    met = found.venues.get(frame.venue)
    if met is None:
        met = found.venues[frame.venue] = VenueSurvey(venue_named(frame.venue))
    dialect = met.venue.dialect
    if frame.received:
        connection = met.connection(frame.connection_id)
        topic = connection.hear(frame).topic
        if topic is not None and topic not in met.carried:
            met.carried.add(topic)
            _note_topic(met, topic, read_events(met.venue, frame, connection.routes))
    elif frame.kind is FrameKind.OPENED:
        path = _opened_path(frame)
        if path not in met.paths:
            met.paths.append(path)
        _know(met, dialect.connect_topics(path))
    elif frame.kind is FrameKind.SENT:
        request = dialect.read_request(frame.payload)
        if request.kind is RequestKind.SUBSCRIBE:
            _know(met, request.topics)


def _note_topic(met: VenueSurvey, topic: str, events: tuple[Event, ...]) -> None:
    """Tell a private topic by what its messages say, and a public one's symbol."""
    private = any(isinstance(event, PrivateEvent) for event in events)
    met.topics[topic] = TopicStanding.PRIVATE if private else TopicStanding.PUBLIC
    if not private:
        met.symbols.update(event.symbol for event in events if isinstance(event, MarketEvent))


def _know(met: VenueSurvey, topics: Iterable[str]) -> None:
    for topic in topics:
        met.topics.setdefault(topic, TopicStanding.PUBLIC)


def _know_offers(met: VenueSurvey) -> None:
    """Know what the venue offers: all channels of each symbol met, at the venue's own depth."""
    venue = met.venue
    for symbol in sorted(met.symbols):
        try:
            plans = venue.plan(
                StreamRequest(venue.name, (symbol,), tuple(sorted(venue.traits.channels)))
            )
        except (UnknownSymbolError, UnknownChannelError):
            continue
        for plan in plans:
            path = urlsplit(plan.url).path or "/"
            if not plan.private and path not in met.public_paths:
                met.public_paths.append(path)
        public = _asked_for(venue, (plan for plan in plans if not plan.private))
        private = _asked_for(venue, (plan for plan in plans if plan.private))
        met.topics.update(dict.fromkeys(private - public, TopicStanding.PRIVATE))
        _know(met, public)


def _asked_for(venue: Venue, plans: Iterable[ConnectionPlan]) -> set[str]:
    """Return the topics that these connections carry."""
    topics: set[str] = set()
    for plan in plans:
        url = urlsplit(plan.url)
        topics.update(venue.dialect.connect_topics(f"{url.path}?{url.query}"))
        for message in plan.subscribe_messages:
            topics.update(venue.dialect.read_request(message.encode()).topics)
    return topics


def _opened_path(frame: Frame) -> str:
    """Return the path and query that the recording client connected to."""
    try:
        url = urlsplit(read_marker(frame, Opened).url)
    except (MarkerError, ValueError):
        return "/"
    shown = "&".join(each for each in url.query.split("&") if not each.endswith(_REDACTED))
    return f"{url.path or '/'}?{shown}" if shown else url.path or "/"
