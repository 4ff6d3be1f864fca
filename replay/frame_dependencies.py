"""Which frames of a recording mean nothing without which others.

Theory. A frame can be taken out of a recording and leave a recording behind only with all that
follow from it:

- whatever a connection carries needs its opening;
- a delta needs the book message before it, back to the snapshot in band that began the book; where
  a snapshot is asked for apart, back to the first message of the connection, as deltas that wait
  for a snapshot belong to it;
- where an exchange counts all that it sends on a connection, a message needs the one before it;
- where messages mean their subscription by a reference, they need the answers that gave it;
- what comes after a loss needs the marker that tells of it, or it would look whole.

Trades, quotes, liquidations, notices and what we sent need nothing more, and nothing needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from replay.decoded_frames import Decoded, decoded
from venues.event import BookDelta, BookSnapshot, FrameSequence, Subscribed
from venues.frame import RECORDER, Frame, FrameKind


@dataclass(slots=True)
class _Connection:
    opening: int | None = None
    counted: int | None = None
    answers: list[int] = field(default_factory=list)
    books: dict[str, int] = field(default_factory=dict)


class FrameDependencies:
    """The frames that each frame needs, by their places in the list, from 0.

    Attributes:
        needs: for each frame, the places of those that it needs directly: all before its own.
        groups: the places of the frames about one symbol, by (venue, symbol).
    """

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.needs: list[tuple[int, ...]] = []
        self.groups: dict[tuple[str, str], list[int]] = {}
        self._connections: dict[tuple[str, int], _Connection] = {}
        self._lost: int | None = None
        for place, each in enumerate(decoded(frames)):
            self.needs.append(tuple(sorted(set(self._of(place, each)))))

    def _of(self, place: int, each: Decoded) -> Iterable[int]:
        frame = each.frame
        if frame.venue == RECORDER and frame.kind is not FrameKind.LOST:
            return
        connection = self._connections.setdefault((frame.venue, frame.connection_id), _Connection())
        if frame.kind is FrameKind.LOST:
            self._lost = place
        elif self._lost is not None:
            yield self._lost
        if frame.kind is FrameKind.OPENED:
            connection.opening = place
        elif connection.opening is not None:
            yield connection.opening
        if frame.received:
            yield from connection.answers
        yield from self._by_events(place, each, connection)

    def _by_events(self, place: int, each: Decoded, connection: _Connection) -> Iterable[int]:
        for event in each.events:
            symbol = event.symbol
            if symbol:
                group = self.groups.setdefault((each.frame.venue, symbol), [])
                if not group or group[-1] != place:
                    group.append(place)
            if isinstance(event, BookDelta) or (isinstance(event, BookSnapshot) and event.unjoined):
                if symbol in connection.books:
                    yield connection.books[symbol]
                connection.books[symbol] = place
            elif isinstance(event, BookSnapshot):
                connection.books[symbol] = place
            elif isinstance(event, FrameSequence):
                if connection.counted is not None:
                    yield connection.counted
                connection.counted = place
            elif isinstance(event, Subscribed) and event.reference:
                connection.answers.append(place)

    def closed(self, wanted: Iterable[int]) -> list[int]:
        """Return those of the wanted frames whose needs are all wanted, and met, too."""
        kept: set[int] = set()
        result: list[int] = []
        for place in sorted(wanted):
            if all(need in kept for need in self.needs[place] if need != place):
                kept.add(place)
                result.append(place)
        return result
