"""What messages say, for those who do faults to them: decoded as the engine decodes them."""

from __future__ import annotations

from collections.abc import Sequence

from book.route_table import RouteTable
from venues.errors import UNDECODABLE, UnknownVenueError
from venues.event import Event, Subscribed
from venues.frame import Frame, FrameKind
from venues.marker import MarkerError, read_http
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
        if frame.kind is FrameKind.CLOSED:
            table = self._tables.get(frame.venue)
            if table is not None:
                table.forget(frame.connection_id)
        elif frame.received and self._routed(frame.venue):
            self.events(frame)

    def events(self, frame: Frame) -> Sequence[Event]:
        """Return what a frame says; nothing where it cannot be read, or is not the exchange's."""
        table = self._table(frame.venue)
        if table is None or not _says_something(frame):
            return ()
        try:
            events = table.decode(frame)
        except UNDECODABLE:
            return ()
        for event in events:
            if isinstance(event, Subscribed):
                table.add(event, frame.connection_id)
        return events

    def _table(self, name: str) -> RouteTable | None:
        if name not in self._tables:
            try:
                self._tables[name] = RouteTable(venue_named(name))
            except UnknownVenueError:
                self._tables[name] = None
        return self._tables[name]

    def _routed(self, name: str) -> bool:
        return self._table(name) is not None and venue_named(name).traits.routed


def _says_something(frame: Frame) -> bool:
    if frame.kind is not FrameKind.HTTP:
        return frame.received
    try:
        return read_http(frame)[0].status == 200
    except MarkerError:
        return False
