"""A book that listens to an exchange's history, the law asserted after every message.

The law: whenever a book is proven, its levels are those that the exchange's book had at the book's
sequence. Where there are no numbers, they are those of some state that the checksum is of.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from book.counters import MarketCounters
from book.frame_time import FrameTime
from book.settings import EngineSettings
from book.venue_book import VenueBook
from tests.book.exchange_history import History, Scheme, traits
from tests.book.made_events import Reports, frame
from venues.event import BookDelta, BookSnapshot
from venues.frame import Frame

BRIDGED = (Scheme.COUNTER, Scheme.SPOT, Scheme.FUTURES)


class Listener:
    """A book, and the law asserted after every message."""

    def __init__(self, history: History, held_max: int = 10_000) -> None:
        self.history = history
        self.reports = Reports()
        self.counters = MarketCounters()
        self.time = FrameTime()
        self.book = VenueBook(
            "S",
            traits(history.scheme),
            self.counters,
            self.reports,
            EngineSettings(deltas_held_max=held_max),
            self.time,
        )
        self.connection_id = 1
        self._numbers = count()

    def frame(self) -> Frame:
        self.time.now_ns += 1
        return frame(next(self._numbers), self.connection_id, self.time.now_ns)

    def take(self, message: BookSnapshot | BookDelta) -> None:
        now = self.frame()
        book = self.book
        if isinstance(message, BookSnapshot):
            changed = book.take_snapshot(message, now)
        else:
            changed = book.take_delta(message, now)
        if changed:
            book.settle(now)
        self.check()

    def check(self) -> None:
        book = self.book
        book._check()
        if book.coverage._since_ns is not None:
            assert (book.coverage._open is None) == book.proven
        if not book.proven:
            return
        assert not book.needs_snapshot
        held = list(book.bids), list(book.asks)
        if self.history.scheme is Scheme.CHECKSUM:
            assert held in self.history.states()
        else:
            assert book.sequence is not None
            assert held == self.history.state(book.sequence)


Fault = Callable[[list[BookDelta], int], list[BookDelta]]


def dropped(deltas: list[BookDelta], at: int) -> list[BookDelta]:
    return deltas[:at] + deltas[at + 1 :]


def doubled(deltas: list[BookDelta], at: int) -> list[BookDelta]:
    return deltas[: at + 1] + deltas[at:]


def swapped(deltas: list[BookDelta], at: int) -> list[BookDelta]:
    return deltas[:at] + deltas[at : at + 2][::-1] + deltas[at + 2 :]


def late(deltas: list[BookDelta], at: int) -> list[BookDelta]:
    return deltas[:at] + deltas[at + 1 : at + 5] + [deltas[at]] + deltas[at + 5 :]


def repeated_run(deltas: list[BookDelta], at: int) -> list[BookDelta]:
    return deltas[: at + 3] + deltas[at:]


FAULTS = (dropped, doubled, swapped, late, repeated_run)


def simple_history(scheme: Scheme) -> History:
    return History(scheme, [[(1, True, ("98", str(size)))] for size in range(1, 9)])
