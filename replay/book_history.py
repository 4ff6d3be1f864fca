"""How a book that began earlier is told to a client that subscribes only now.

Theory. A book with snapshots in band is right from its last snapshot on: whoever is sent that
snapshot and every delta after it holds the book, and holds it in the exchange's own words, with
its own numbers and checksums. So a client that comes in between is sent just that at once: the
messages of its topic from the last snapshot before its position up to there, byte for byte.
Nothing is made up, and nothing but books is told again. (Far into a recording that would take too
long: there a venue whose dialect can state a book states it; see `RecordedFeed.openings`.)

Where a book begins by REST (or by a request on the socket) there is nothing to tell: the client
asks for it, and is answered as of its position. A snapshot is found by decoding the recording up
to the position once; what was found is kept for the next one who comes.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator

from replay.feed import Sending
from replay.frame_source import FrameSource
from replay.recorded_connection import RecordedConnection, read_events
from venues.event import BookDelta, BookSnapshot
from venues.frame import Frame, FrameKind
from venues.traits import SnapshotSource
from venues.venue import Venue

BATCH_MESSAGES = 512
_IN_BAND = (SnapshotSource.IN_BAND, SnapshotSource.FIRST_DELTA)


class _Begun:
    """The last snapshot of a topic, so far."""

    __slots__ = ("connection_id", "number", "receive_time_ns")

    def __init__(self, frame: Frame) -> None:
        self.number = frame.frame_number
        self.receive_time_ns = frame.receive_time_ns
        self.connection_id = frame.connection_id


class BookHistory:
    """The books of one venue's part of a recording. Safe to be asked from several threads."""

    def __init__(self, source: FrameSource, venue: Venue) -> None:
        self._source = source
        self._venue = venue
        self._in_band = venue.traits.snapshot_source in _IN_BAND
        self._first_is_whole = venue.traits.snapshot_source is SnapshotSource.FIRST_DELTA
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._read_to = -1
        self._frames = self._source.frames(streams={self._venue.name})
        self._ahead: Frame | None = None
        self._begun: dict[str, _Begun] = {}
        self._connections: dict[int, RecordedConnection] = {}

    def messages(self, topics: Collection[str], position: int) -> Iterator[list[Sending]]:
        """Return what tells the books of `topics` as of frame number `position`, in batches.

        Raises:
            ReplayError: the recording cannot be read.
        """
        if not self._in_band or position < 0 or not topics:
            return
        with self._lock:
            if position < self._read_to:
                self._begin()
            self._read(position)
            begun = {topic: self._begun[topic] for topic in topics if topic in self._begun}
        if not begun:
            return
        from_ns = min(each.receive_time_ns for each in begun.values())
        batch: list[Sending] = []
        for frame in self._source.frames(from_ns=from_ns, streams={self._venue.name}):
            if frame.frame_number > position:
                break
            topic = self._told(frame, begun) if frame.received else None
            if topic is not None:
                batch.append(_sending(frame, topic))
            if len(batch) >= BATCH_MESSAGES:
                yield batch
                batch = []
        yield batch

    def _told(self, frame: Frame, begun: dict[str, _Begun]) -> str | None:
        """Return the topic of a message that has to be told, None for all others."""
        connection = self._connections.get(frame.connection_id)
        routes = {} if connection is None else connection.routes
        topic = self._venue.dialect.topic(frame.payload, routes)
        since = None if topic is None else begun.get(topic)
        if since is None or frame.connection_id != since.connection_id:
            return None
        return topic if frame.frame_number >= since.number else None

    def _read(self, position: int) -> None:
        while True:
            frame = self._ahead or next(self._frames, None)
            self._ahead = None
            if frame is None:
                return
            if frame.frame_number > position:
                self._ahead = frame
                return
            self._read_to = frame.frame_number
            self._note(frame)

    def _note(self, frame: Frame) -> None:
        if frame.kind is FrameKind.CLOSED:
            self._forget(frame.connection_id)
        elif frame.received:
            connection = self._connections.get(frame.connection_id)
            if connection is None:
                connection = RecordedConnection(self._venue)
                self._connections[frame.connection_id] = connection
            topic = connection.hear(frame).topic
            if topic is not None and self._begins(topic, frame, connection):
                self._begun[topic] = _Begun(frame)

    def _begins(self, topic: str, frame: Frame, connection: RecordedConnection) -> bool:
        whole: type = BookSnapshot
        if self._first_is_whole:
            known = self._begun.get(topic)
            if known is not None and known.connection_id == frame.connection_id:
                return False
            whole = BookDelta
        events = read_events(self._venue, frame, connection.routes)
        return any(type(event) is whole for event in events)

    def _forget(self, connection_id: int) -> None:
        """Forget the books of a connection that ended: nothing continues them."""
        self._begun = {
            topic: each
            for topic, each in self._begun.items()
            if each.connection_id != connection_id
        }


def _sending(frame: Frame, topic: str) -> Sending:
    binary = frame.kind is FrameKind.BINARY
    number = frame.frame_number
    return Sending(0, topic, frame.payload, binary, frame.connection_id, number)
