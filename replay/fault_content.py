"""What messages say, for those who do faults to them: decoded as the engine decodes them."""

from __future__ import annotations

from collections.abc import Sequence

from book.route_table import RouteTable
from venues.errors import UNDECODABLE, UnknownVenueError
from venues.event import Event, Subscribed
from venues.frame import Frame
from venues.registry import venue_named


class ContentReader:
    """Decodes frames, knowing what the references of their connections mean.

    Frames of a venue whose messages mean their subscription by a reference have to be read in
    order, all of them (`note`); those of the others can be read at any time.
    """

    def __init__(self) -> None:
        self._tables: dict[str, RouteTable | None] = {}

    def note(self, frame: Frame) -> None:
        """Take note of a frame that need not be read; cheap where there is nothing to note."""
        if frame.received and self._routed(frame.venue):
            self.events(frame)

    def events(self, frame: Frame) -> Sequence[Event]:
        """Return what a frame says; nothing where it cannot be read, or is not the exchange's."""
        events = self.glance(frame)
        for event in events:
            if isinstance(event, Subscribed):
                table = self._table(frame.venue)
                assert table is not None, "its frame was decoded by it"
                table.add(event, frame.connection_id)
        return events

    def glance(self, frame: Frame) -> Sequence[Event]:
        """Return what `events` does, and take no note of it."""
        table = self._table(frame.venue)
        if table is None or not frame.received:
            return ()
        try:
            return table.decode(frame)
        except UNDECODABLE:
            return ()

    def _table(self, name: str) -> RouteTable | None:
        if name not in self._tables:
            try:
                self._tables[name] = RouteTable(venue_named(name))
            except UnknownVenueError:
                self._tables[name] = None
        return self._tables[name]

    def _routed(self, name: str) -> bool:
        return self._table(name) is not None and venue_named(name).traits.routed
