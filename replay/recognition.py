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
        said = [event for event in events if not isinstance(event, FrameSequence)]
        for event in said:
            if isinstance(event, Subscribed):
                routes[event.reference] = event
        if not said or all(map(_unspecific, said)):
            self._unknown[frame.venue] += 1
        elif not _only_notices(said):
            self._known[frame.venue] += 1

    def by_venue(self) -> list[Recognised]:
        """Return the counts."""
        return [
            Recognised(venue, self._known[venue], self._unknown[venue])
            for venue in sorted(self._known.keys() | self._unknown.keys())
        ]


def _unspecific(event: Event) -> bool:
    return isinstance(event, Notice) and event.kind is NoticeKind.INFORMATION


def _only_notices(events: Sequence[Event]) -> bool:
    return all(isinstance(event, Notice | Subscribed) for event in events)
