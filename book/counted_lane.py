"""A venue that counts the frames of a connection instead of the messages of a book.

Theory. `book.frame_count` says what a frame's number means; here is what follows from it.

- A gap may have been anyone's: all books of the connection are doubted, and asked for again.
- A frame that comes twice is taken once: of the second there is only a finding.
- While a hole may still be filled, books that are spoken of are followed without proof. When it is
  filled they have it back; when it is given up they are doubted.
- A book message in a frame without a number proves nothing, and neither does what follows it, until
  the next snapshot (an exchange that was not asked to number its frames).
- Frames may come out of order, but what they say of one book has an order: what is older than the
  book's snapshot is in it already; what is older than another delta comes too late, as that one is
  applied. Deltas that come before the snapshot that they follow are held until it fills its hole:
  only those are, whose number is beyond a hole, and these are as few as may come early.
- A snapshot is no beginning where something newer of its book was taken or passed over already, or
  where it was given up as missing: what was given up with it may have changed its book.

Where deltas have numbers of their own, those prove the book, and the last three are not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter

import msgspec

from book.coverage import NO_FRAME_NUMBER
from book.finding import FindingKind, Report
from book.frame_count import FrameCount, FrameCountParts
from book.frame_time import FrameTime
from book.market import Market
from book.sequence import Verdict
from book.settings import EngineSettings
from book.staleness import StalenessGuard
from book.venue_lane import VenueLane
from venues.event import BookDelta, BookSnapshot, Event, FrameSequence
from venues.frame import Frame
from venues.traits import Continuity, SequenceScope
from venues.venue import Venue

CONNECTIONS_MAX = 256
"""The oldest one is forgotten when there are more; its next frame begins a count."""


class PlaceParts(msgspec.Struct, frozen=True, array_like=True):
    """A book's place in a connection's count, for a checkpoint."""

    symbol: str
    snapshot: int
    latest: int
    ahead: list[tuple[int, BookDelta]]


class CountedParts(msgspec.Struct, frozen=True, array_like=True):
    """One counted connection, for a checkpoint; `waiting` are symbols."""

    connection_id: int
    count: FrameCountParts
    places: list[PlaceParts]
    waiting: list[str]


class _BookPlace:
    """Where a book is in the count of its connection; -1 where nothing was said of it yet.

    Attributes:
        snapshot: the frame number of its latest snapshot.
        latest: that of its latest message that is not held.
        ahead: the deltas that are held for a snapshot, with their frame numbers.
    """

    __slots__ = ("ahead", "latest", "snapshot")

    def __init__(self) -> None:
        self.ahead: list[tuple[int, BookDelta]] = []
        self.snapshot = -1
        self.latest = -1

    def state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        return [self.snapshot, self.latest, [number for number, _ in self.ahead]]


class _Counted:
    """One connection: its count, its books' places in it, and the books that wait for proof."""

    __slots__ = ("count", "places", "waiting")

    def __init__(self, reorder_max: int) -> None:
        self.count = FrameCount(reorder_max)
        self.places: dict[str, _BookPlace] = {}
        self.waiting: dict[str, Market] = {}


class CountedLane(VenueLane):
    """A lane whose frames are counted by connection."""

    __slots__ = ("_connections", "_current", "_decode_frame", "_late", "_number", "_numbers_prove")

    def __init__(
        self,
        venue: Venue,
        settings: EngineSettings,
        time: FrameTime,
        guard: StalenessGuard,
        report: Report,
    ) -> None:
        super().__init__(venue, settings, time, guard, report)
        self._connections: dict[int, _Counted] = {}
        self._current = _Counted(0)
        self._number: int | None = None
        self._late = False
        self._numbers_prove = venue.traits.continuity is Continuity.NONE
        self._decode_frame: Callable[[Frame], Sequence[Event]] = self.decode
        self.decode = self._decode_counted

    def _decode_counted(self, frame: Frame) -> Sequence[Event]:
        self._number = None
        events = self._decode_frame(frame)
        if events and isinstance(first := events[0], FrameSequence):
            return self._count(first.sequence, events, frame)
        return events

    def _count(self, number: int, events: Sequence[Event], frame: Frame) -> Sequence[Event]:
        counted = self._connections.get(frame.connection_id)
        if counted is None:
            counted = self._connections[frame.connection_id] = self._begin()
        self._current, self._number = counted, number
        verdict = counted.count.judge(number)
        self._late = verdict is Verdict.LATE
        if verdict is Verdict.GAP:
            self._give_up(counted, frame)
        elif verdict is not Verdict.IN_ORDER:
            self._object(verdict, counted.count.expected, number)
        if counted.waiting and counted.count.whole:
            for market in counted.waiting.values():
                market.book.reprove(frame)
            counted.waiting.clear()
        return events[:1] if verdict is Verdict.DUPLICATE else events

    def _begin(self) -> _Counted:
        if len(self._connections) >= CONNECTIONS_MAX:
            del self._connections[next(iter(self._connections))]
        return _Counted(self.venue.traits.sequence_reorder_max)

    def _give_up(self, counted: _Counted, frame: Frame) -> None:
        for gap in counted.count.take_gaps():
            anew = gap.missing is None
            self._report(
                FindingKind.GAP,
                "",
                "the exchange counts its frames anew" if anew else "frames are missing before this",
                expected=gap.expected,
                received=gap.received,
                missing=gap.missing,
            )
            if anew:
                counted.places.clear()
        counted.waiting.clear()
        self.doubt(FindingKind.GAP.value, frame, frame.connection_id)

    def _object(self, verdict: Verdict, expected: int | None, number: int) -> None:
        if verdict is Verdict.DUPLICATE:
            kind, text = FindingKind.DUPLICATE, "the same frame again; ignored"
        else:
            kind, text = FindingKind.LATE, "a frame that came before, or was given up as missing"
        self._report(kind, "", text, expected=expected, received=number)

    def _take_snapshot(self, snapshot: BookSnapshot, frame: Frame) -> bool:
        if not self._numbers_prove or snapshot.unjoined:
            return super()._take_snapshot(snapshot, frame)
        market, number = self.market(snapshot.symbol), self._number
        if number is None:
            return self._proof_shown(market, super()._take_snapshot(snapshot, frame), frame)
        place = self._place(market)
        if number < place.latest or self._late:
            market.counters.snapshots += 1
            return self._too_late(market, number > place.snapshot, frame)
        place.snapshot = place.latest = number
        changed = super()._take_snapshot(snapshot, frame)
        ahead, place.ahead = place.ahead, []
        for held_number, delta in sorted(ahead, key=itemgetter(0)):
            if held_number > number and market.book.following:
                place.latest = held_number
                market.book.place(delta, frame)
        return self._proof_shown(market, changed, frame)

    def _take_delta(self, delta: BookDelta, frame: Frame) -> bool:
        if not self._numbers_prove:
            return super()._take_delta(delta, frame)
        market, number = self.markets.get(delta.symbol) or self.market(delta.symbol), self._number
        if number is None:
            return self._proof_shown(market, super()._take_delta(delta, frame), frame)
        place = self._place(market)
        following = market.book.following and market.book.connection_id == frame.connection_id
        if following and number < place.latest:
            market.counters.deltas += 1
            return self._too_late(market, number > place.snapshot, frame)
        count = self._current.count
        if following or count.whole:
            place.latest = max(number, place.latest)
        else:
            assert count.expected is not None
            place.ahead = [each for each in place.ahead if each[0] >= count.expected]
            place.ahead.append((number, delta))
        return self._proof_shown(market, super()._take_delta(delta, frame), frame)

    def _place(self, market: Market) -> _BookPlace:
        places = self._current.places
        place = places.get(market.symbol)
        if place is None:
            place = places[market.symbol] = _BookPlace()
        return place

    def _too_late(self, market: Market, harmful: bool, frame: Frame) -> bool:
        market.counters.late += 1
        if harmful:
            text = "a book message behind one that the exchange sent after it"
            self._report(FindingKind.LATE, market.symbol, text, received=self._number)
            market.book.doubt("out of order", frame)
            self._ask(market)
        return False

    def _proof_shown(self, market: Market, changed: bool, frame: Frame) -> bool:
        if self._number is None:
            market.book.unprove(NO_FRAME_NUMBER, frame)
            for counted in self._connections.values():
                counted.waiting.pop(market.symbol, None)
        elif not self._current.count.whole and market.book.unprove("frames out of order", frame):
            self._current.waiting[market.symbol] = market
        return changed

    def skip(self, frame: Frame) -> set[int]:
        """Note that what came next was left out on purpose: counting begins anew."""
        ended = super().skip(frame)
        self._connections.clear()
        return ended

    def _forget(self, connection_id: int | None) -> None:
        super()._forget(connection_id)
        if connection_id is None:
            self._connections.clear()
        else:
            self._connections.pop(connection_id, None)

    def state(self) -> list[object]:
        """Return the canonical state apart from the markets, for the digest."""
        counts = [
            [
                number,
                each.count.state(),
                [[symbol, *at.state()] for symbol, at in sorted(each.places.items())],
                sorted(each.waiting),
            ]
            for number, each in sorted(self._connections.items())
        ]
        return [*super().state(), counts]

    def counted_parts(self) -> list[CountedParts]:
        """Return the counts of the connections, for a checkpoint."""
        return [
            CountedParts(
                connection_id,
                each.count.parts(),
                [
                    PlaceParts(symbol, at.snapshot, at.latest, at.ahead)
                    for symbol, at in each.places.items()
                ],
                list(each.waiting),
            )
            for connection_id, each in self._connections.items()
        ]

    def take_counted_parts(self, parts: Sequence[CountedParts]) -> None:
        """Be what a checkpoint says; the markets are there already."""
        self._connections.clear()
        for said in parts:
            counted = _Counted(self.venue.traits.sequence_reorder_max)
            counted.count.take_parts(said.count)
            for at in said.places:
                place = counted.places[at.symbol] = _BookPlace()
                place.snapshot, place.latest, place.ahead = at.snapshot, at.latest, list(at.ahead)
            counted.waiting = {symbol: self.markets[symbol] for symbol in said.waiting}
            self._connections[said.connection_id] = counted


def lane_of(venue: Venue) -> type[VenueLane]:
    """Return the kind of lane that a venue's numbers need."""
    if venue.traits.sequence_scope is SequenceScope.CONNECTION:
        return CountedLane
    return VenueLane
