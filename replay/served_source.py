"""What a fake exchange serves: a recording or a simulation, and the feeds that play it."""

from __future__ import annotations

from urllib.parse import urlsplit

from replay.feed import Feed
from replay.frame_source import FrameSource
from replay.market_simulator import SimulationSettings
from replay.recorded_feed import RecordedMatter
from replay.simulated_feed import SimulatedFeed, begun
from replay.simulated_messages import VENUE as SIMULATED_VENUE
from replay.source_survey import SourceSurvey, VenueSurvey, survey
from venues.errors import TickreelError
from venues.registry import venue_named
from venues.venue import StreamRequest, Venue


class NothingToServeError(TickreelError):
    """A source without a single frame of a venue."""

    def __init__(self, venue: str | None) -> None:
        self.venue = venue
        what = "any venue" if venue is None else venue
        super().__init__(
            f"the recording has no frame of {what}, so there is nothing to serve. "
            "`tickreel info` says what is in it."
        )


class ServedSource:
    """The source, what is in it, and feeds of it.

    Attributes:
        surveyed: what was met in it; nothing before `look`.
    """

    def __init__(self, source: FrameSource | SimulationSettings, only: str | None) -> None:
        """Serve `source`, and of several venues only the one called `only`."""
        self.surveyed = SourceSurvey()
        self._source = source
        self._only = only
        self._matters: dict[str, RecordedMatter] = {}
        self._settings = source if isinstance(source, SimulationSettings) else None

    def look(self) -> None:
        """Look through it.

        Raises:
            NothingToServeError: there is no frame of a venue in it.
            UnknownVenueError: it has frames of a venue that this version does not know.
            ReplayError: it cannot be read.
        """
        self.surveyed = self._survey()
        if not self.surveyed.venues:
            raise NothingToServeError(self._only)

    def begin(self) -> None:
        """Begin a new pass: a simulation with live clocks opens its markets now."""
        if isinstance(self._source, SimulationSettings):
            self._settings = begun(self._source)

    def feed(self, venue: Venue, from_ns: int | None = None) -> Feed:
        """Return a feed of one venue, from the start or as it is played from `from_ns` on."""
        if self._settings is not None:
            return SimulatedFeed(self._settings)
        assert not isinstance(self._source, SimulationSettings), "it has no settings"
        matter = self._matters.get(venue.name)
        if matter is None:
            matter = RecordedMatter(self._source, self.surveyed, venue)
            self._matters[venue.name] = matter
        return matter.feed(from_ns)

    def _survey(self) -> SourceSurvey:
        if isinstance(self._source, SimulationSettings):
            venue = venue_named(SIMULATED_VENUE)
            symbols = tuple(each.symbol for each in self._source.instruments)
            plans = venue.plan(StreamRequest(venue.name, symbols, venue.traits.default_channels))
            met = VenueSurvey(venue, paths=[urlsplit(plan.url).path for plan in plans])
            return SourceSurvey({SIMULATED_VENUE: met}, complete=True)
        surveyed = survey(self._source)
        if self._only is not None:
            surveyed.venues = {k: v for k, v in surveyed.venues.items() if k == self._only}
        return surveyed
