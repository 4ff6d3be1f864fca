"""Frames with the events they decode to, one after the other, references of connections known.

Theory. Decoding is stateless, but for what a connection's references mean (`book.route_table`): so
frames are decoded in their order here, whatever is done with them then. A frame whose venue is not
known, or that is not what its venue's protocol says, has no events and is told apart from one that
says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from book.route_table import RouteTable
from venues.errors import UNDECODABLE, UnknownVenueError
from venues.event import Event, Subscribed
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import MarkerError, read_http
from venues.registry import venue_named


class Decoded(NamedTuple):
    """A frame and its events; `understood` is False where it could not be decoded."""

    frame: Frame
    events: Sequence[Event]
    understood: bool


class FrameDecoder:
    """Decodes frames of any venues, in their order."""

    def __init__(self) -> None:
        self._tables: dict[str, RouteTable | None] = {}

    def decode(self, frame: Frame) -> Decoded:
        """Decode the next frame; markers and what we said have no events."""
        kind = frame.kind
        if kind is FrameKind.CLOSED:
            table = self._tables.get(frame.venue)
            if table is not None:
                table.forget(frame.connection_id)
        if not frame.received and not (kind is FrameKind.HTTP and _answered(frame)):
            return Decoded(frame, (), True)
        table = self._table(frame.venue)
        if table is None:
            return Decoded(frame, (), False)
        try:
            events = table.decode(frame)
        except UNDECODABLE:
            return Decoded(frame, (), False)
        for event in events:
            if type(event) is Subscribed:
                table.add(event, frame.connection_id)
        return Decoded(frame, events, True)

    def _table(self, name: str) -> RouteTable | None:
        if name not in self._tables:
            try:
                self._tables[name] = None if name == RECORDER else RouteTable(venue_named(name))
            except UnknownVenueError:
                self._tables[name] = None
        return self._tables[name]


def decoded(frames: Iterable[Frame]) -> Iterator[Decoded]:
    """Yield each frame with its events."""
    decode = FrameDecoder().decode
    for frame in frames:
        yield decode(frame)


def _answered(frame: Frame) -> bool:
    try:
        return read_http(frame)[0].status == 200
    except MarkerError:
        return False
