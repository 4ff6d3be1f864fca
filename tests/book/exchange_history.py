"""What really happened in an exchange's book, and the messages that tell of it.

The truth is a list of single updates, each with an id. A delta tells of a run of them; what numbers
it carries is the scheme's affair. `state(sequence)` is the book when that number was reached, which
is what a proven book with this sequence must hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from zlib import crc32

from hypothesis import strategies as st

from book.finding import FindingKind
from tests.book.made_events import delta, snapshot
from tests.book.plain_book import PlainBook
from venues.event import BookDelta, BookSnapshot, Row
from venues.traits import (
    BridgeRule,
    ChecksumLayout,
    ChecksumRule,
    Continuity,
    SnapshotSource,
    VenueTraits,
)

State = tuple[list[Row], list[Row]]

BIDS, ASKS = ("97", "98", "99"), ("101", "102", "103")
SIZES = ("0", "1", "2.0", "3")


class Scheme(Enum):
    """The numberings that exist, with the REST rule of each."""

    COUNTER = "counter"
    CHAIN = "chain"
    SPOT = "id range, contiguous"
    FUTURES = "id range, naming the last id before"
    CHECKSUM = "no number, but a checksum over all levels"


CHECKSUM = ChecksumRule(ChecksumLayout.INTERLEAVED, levels=25, signed=False, separator="|")

_CONTINUITY = {
    Scheme.COUNTER: Continuity.COUNTER,
    Scheme.CHAIN: Continuity.CHAIN,
    Scheme.SPOT: Continuity.ID_RANGE,
    Scheme.FUTURES: Continuity.ID_RANGE,
    Scheme.CHECKSUM: Continuity.NONE,
}
_BRIDGES = {
    Scheme.COUNTER: BridgeRule(drop_below=1, joins_at=1),
    Scheme.SPOT: BridgeRule(drop_below=1, joins_at=1),
    Scheme.FUTURES: BridgeRule(drop_below=0, joins_at=0),
}

NUMBER_FINDINGS = frozenset({FindingKind.GAP, FindingKind.BRIDGE_FAILED, FindingKind.LATE})


def traits(scheme: Scheme) -> VenueTraits:
    """A venue of this scheme; with a REST bridge where the scheme has one."""
    return VenueTraits(
        channels=frozenset(),
        default_channels=(),
        continuity=_CONTINUITY[scheme],
        snapshot_source=SnapshotSource.REST if scheme in _BRIDGES else SnapshotSource.IN_BAND,
        bridge=_BRIDGES.get(scheme),
        checksum=CHECKSUM if scheme is Scheme.CHECKSUM else None,
    )


def checksum(state: State) -> int:
    """The rule of the reference protocol, written again from its words."""
    bids, asks = state[0][:25], state[1][:25]
    parts: list[str] = []
    for rank in range(25):
        parts += [":".join(side[rank]) for side in (bids, asks) if rank < len(side)]
    return crc32("|".join(parts).encode())


@dataclass(frozen=True)
class _Update:
    number: int
    bid: bool
    row: Row


class History:
    """A book's true course, told in deltas under one scheme."""

    def __init__(self, scheme: Scheme, runs: Sequence[Sequence[tuple[int, bool, Row]]]) -> None:
        self.scheme = scheme
        self._states: dict[int, State] = {}
        self.deltas: list[BookDelta] = []
        self.ids: list[int] = []
        book, number, last = PlainBook(), 1000, 1000
        self._states[number] = book.rows()
        self.ids.append(number)
        for run in runs:
            updates = []
            for step, bid, row in run:
                number += 1 if scheme is Scheme.SPOT else step
                updates.append(_Update(number, bid, row))
                book.apply([row] if bid else [], [] if bid else [row])
                self._states[number] = book.rows()
                self.ids.append(number)
            self.deltas.append(self._delta(updates, last))
            last = number
        self.last = self._sequence(len(runs))

    def _sequence(self, deltas: int) -> int | None:
        return self.deltas[deltas - 1].sequence if deltas else 1000

    def _delta(self, updates: list[_Update], last: int) -> BookDelta:
        bids = [each.row for each in updates if each.bid]
        asks = [each.row for each in updates if not each.bid]
        first, sequence = updates[0].number, updates[-1].number
        if self.scheme is Scheme.CHECKSUM:
            return delta(bids, asks, None, checksum=checksum(self._states[sequence]))
        if self.scheme is Scheme.SPOT:
            return delta(bids, asks, sequence, first=first)
        if self.scheme is Scheme.FUTURES:
            return delta(bids, asks, sequence, first=first, previous=last)
        if self.scheme is Scheme.CHAIN:
            return delta(bids, asks, sequence, previous=last)
        counter = 1001 + len(self.deltas)
        if counter != sequence:
            self._states[counter] = self._states[sequence]
        return delta(bids, asks, counter)

    def state(self, sequence: int) -> State:
        """The book as it was at this number."""
        return self._states[max(number for number in self._states if number <= sequence)]

    def states(self) -> list[State]:
        """Every book that a delta ended in, and the one at the beginning."""
        return [self.after(count) for count in range(len(self.deltas) + 1)]

    def after(self, deltas: int) -> State:
        """The book after so many deltas."""
        return self._deltas_states[deltas]

    @property
    def _deltas_states(self) -> list[State]:
        book = PlainBook()
        states = [book.rows()]
        for each in self.deltas:
            book.apply(each.bids, each.asks)
            states.append(book.rows())
        return states

    def in_band(self, deltas: int) -> BookSnapshot:
        """A snapshot as the socket brings it after so many deltas."""
        state = self.after(deltas)
        if self.scheme is Scheme.CHECKSUM:
            return snapshot(*state, None, checksum=checksum(state))
        return snapshot(*state, self._sequence(deltas))

    def rest(self, number: int) -> BookSnapshot:
        """A snapshot as HTTP brings it: at any number, in the middle of a delta too."""
        return snapshot(*self.state(number), number, unjoined=True)


def _updates(scheme: Scheme) -> st.SearchStrategy[tuple[int, bool, Row]]:
    # A counter counts deltas, so that each of its updates is a delta of its own.
    step = st.just(1) if scheme is Scheme.COUNTER else st.integers(1, 3)
    bid = st.tuples(step, st.just(True), st.tuples(st.sampled_from(BIDS), st.sampled_from(SIZES)))
    ask = st.tuples(step, st.just(False), st.tuples(st.sampled_from(ASKS), st.sampled_from(SIZES)))
    return st.one_of(bid, ask)


def histories(scheme: Scheme) -> st.SearchStrategy[History]:
    """Histories of 6 to 14 deltas under one scheme."""
    most = 1 if scheme is Scheme.COUNTER else 3
    run = st.lists(_updates(scheme), min_size=1, max_size=most)
    return st.lists(run, min_size=6, max_size=14).map(lambda runs: History(scheme, runs))
