"""The deltas that wait for the snapshot which they will be joined to.

Theory. They are all of one connection, in the order in which they came, and bounded: where too many
wait, the oldest is let go, and a snapshot that would have needed it no longer joins. Only what can
ever be joined is held: nothing where the venue has no snapshots to join, no delta without a number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from book.sequence import JOINTS, Joint
from venues.event import BookDelta
from venues.traits import BridgeRule, VenueTraits


class HeldDeltas:
    """Deltas of one book. `let_go` is told how many were let go without having been applied."""

    __slots__ = ("_deltas", "_joint", "_let_go", "_rule")

    def __init__(self, traits: VenueTraits, held_max: int, let_go: Callable[[int], None]) -> None:
        self._rule = traits.bridge
        self._joint = JOINTS[traits.continuity]
        self._let_go = let_go
        self._deltas: deque[BookDelta] = deque(maxlen=held_max)

    def hold(self, delta: BookDelta) -> None:
        """Hold a delta, where it can ever be joined."""
        deltas = self._deltas
        if self._rule is None or delta.sequence is None:
            self._let_go(1)
            return
        if len(deltas) == deltas.maxlen:
            self._let_go(1)
        deltas.append(delta)

    def drop(self) -> None:
        """Let all go."""
        self._let_go(len(self._deltas))
        self._deltas.clear()

    def first_beyond(self, rule: BridgeRule, sequence: int) -> BookDelta | None:
        """Return the first delta not in a snapshot at `sequence` if it doesn't join it either."""
        for delta in self._deltas:
            where = self._joint(rule, sequence, delta)
            if where is not Joint.BEFORE:
                return delta if where is Joint.BEYOND else None
        return None

    def take(self) -> Sequence[BookDelta]:
        """Hand out all, to be placed one after the other; none is held afterwards."""
        taken = list(self._deltas)
        self._deltas.clear()
        return taken

    def sequences(self) -> list[int | None]:
        """Return their numbers, for the digest."""
        return [delta.sequence for delta in self._deltas]

    def parts(self) -> list[BookDelta]:
        """Return them all, for a checkpoint; they stay held."""
        return list(self._deltas)

    def take_parts(self, deltas: Sequence[BookDelta]) -> None:
        """Hold what a checkpoint says."""
        self._deltas.clear()
        self._deltas.extend(deltas)
