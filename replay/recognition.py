"""Which received messages said something that tickreel understands.

An engine passes over what its venue does not know: a channel beyond ours, another version of the
protocol. That is right for an engine, and would be a lie in an audit if nobody told: a recording of
which nothing was understood has no gaps and no failed checksums, and is not clean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from replay.audit_report import Recognised
from venues.errors import UNDECODABLE, UnknownVenueError
from venues.event import Event, FrameSequence, Notice, NoticeKind, Subscribed
from venues.frame import Frame
from venues.registry import venue_named


class Recognition:
    """Received messages by venue: with an event in them, or with nothing known.

    Notices (acknowledgements, heartbeats) and what cannot be decoded are neither.
    """

    def __init__(self) -> None:
        self._known: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._routes: dict[tuple[str, int], dict[str, Subscribed]] = {}

    def add(self, frame: Frame, *, told: bool) -> None:
        """Count a received frame; `told` says that the engine told of an event in it.

        The engine tells of no event that changed nothing (a delta held for a snapshot, a trade that
        came before), so a frame of which it told nothing is looked at once more.
        """
        if told:
            self._known[frame.venue] += 1
            return
        routes = self._routes.setdefault((frame.venue, frame.connection_id), {})
        try:
            events = venue_named(frame.venue).decode(frame, routes)
        except (*UNDECODABLE, UnknownVenueError):
            return  # The engine has said so.
        for event in events:
            if isinstance(event, Subscribed):
                routes[event.reference] = event
        self._unknown[frame.venue] += unknown(events)
        self._known[frame.venue] += about_markets(events)

    def by_venue(self) -> list[Recognised]:
        """Return the counts."""
        return [
            Recognised(venue, self._known[venue], self._unknown[venue])
            for venue in sorted(self._known.keys() | self._unknown.keys())
            if self._known[venue] or self._unknown[venue]
        ]


def unknown(events: Sequence[Event]) -> bool:
    """Return whether a message of these events is of no kind that its venue knows."""
    return all(isinstance(event, FrameSequence) or _unspecific(event) for event in events)


def about_markets(events: Sequence[Event]) -> bool:
    """Return whether a message of these events says more than an answer or a heartbeat does."""
    return not all(isinstance(event, FrameSequence | Notice | Subscribed) for event in events)


def _unspecific(event: Event) -> bool:
    return isinstance(event, Notice) and event.kind is NoticeKind.INFORMATION
