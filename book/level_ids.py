"""Levels that an exchange names by ids, and a book that is told of them in those names.

Theory. A row that changes or deletes a level may say only its id: the price is the one that the
snapshot or the insert gave. So each side keeps, by id, the level's price and size, and by price the
id that stands there now. A row becomes plain rows of prices:

- price '' means the level's price, size '' its size; a level that leaves them both is not touched;
- a level whose price changes is deleted at the old one, then set at the new one;
- a level that leaves a price deletes it only where no other level has taken the price meanwhile;
- a row without a price, or a delete, of an id that is not held cannot be placed: a level was lost.

That last one is the only sign of loss that such a feed gives (BitMEX: take the partial, then
insert, update and delete by id), so it is a gap of unknown size. A row with both price and size
enters its level, where that is not held.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from book.book_parts import BookParts, SideIdsParts
from book.counters import MarketCounters
from book.exact import NotANumberError, NumbersSeen
from book.finding import FindingKind, Report
from book.frame_time import FrameTime
from book.settings import EngineSettings
from book.venue_book import VenueBook
from venues.event import BookDelta, BookSnapshot, LevelIds, Row
from venues.frame import Frame
from venues.traits import VenueTraits

_NO_IDS: LevelIds = ([], [])


class UnknownLevelError(Exception):
    """A change of a level that is not held. The book turns it into a finding."""

    def __init__(self, level_id: str) -> None:
        self.level_id = level_id
        super().__init__(f"a change of a level that is not held: {level_id}")


class SideIds:
    """The named levels of one side."""

    __slots__ = ("_ids", "_levels", "_numbers")

    def __init__(self, numbers: NumbersSeen) -> None:
        self._numbers = numbers
        self._levels: dict[str, Row] = {}
        self._ids: dict[Decimal, str] = {}

    def replace(self, rows: Sequence[Row], ids: Sequence[str]) -> None:
        """Forget all levels and name these.

        Raises:
            NotANumberError: a price or a size is none.
        """
        self._levels.clear()
        self._ids.clear()
        for row, level_id in zip(rows, ids, strict=False):
            self._set(level_id, row, [])

    def rows(self, rows: Sequence[Row], ids: Sequence[str]) -> list[Row]:
        """Take named changes in, and return the same as changes of prices.

        Raises:
            UnknownLevelError: a row cannot be placed; those before it were taken in.
            NotANumberError: a price or a size is none; the same.
        """
        plain: list[Row] = []
        for row, level_id in zip(rows, ids, strict=True):
            self._change(level_id, row, plain)
        return plain

    def _change(self, level_id: str, row: Row, plain: list[Row]) -> None:
        held = self._levels.get(level_id)
        price, size = row
        if size and not self._numbers.above_zero[size]:
            if held is None:
                raise UnknownLevelError(level_id)
            self._leave(level_id, held[0], plain)
            return
        if held is None:
            if not (price and size):
                raise UnknownLevelError(level_id)
            self._set(level_id, row, plain)
            return
        changed = (price or held[0], size or held[1])
        if changed == held:
            return
        if changed[0] != held[0]:
            self._leave(level_id, held[0], plain)
        self._set(level_id, changed, plain)

    def _set(self, level_id: str, row: Row, plain: list[Row]) -> None:
        self._ids[self._numbers.prices[row[0]]] = level_id
        self._levels[level_id] = row
        plain.append(row)

    def _leave(self, level_id: str, price: str, plain: list[Row]) -> None:
        del self._levels[level_id]
        number = self._numbers.prices[price]
        if self._ids.get(number) == level_id:
            del self._ids[number]
            plain.append((price, "0"))

    def state(self) -> dict[str, Row]:
        """Return the canonical state, for the digest."""
        return self._levels

    def parts(self) -> SideIdsParts:
        """Return them, for a checkpoint."""
        ids = [(str(price), level_id) for price, level_id in self._ids.items()]
        return SideIdsParts(list(self._levels.items()), ids)

    def take_parts(self, parts: SideIdsParts) -> None:
        """Be what a checkpoint says."""
        self._levels = dict(parts.levels)
        self._ids = {Decimal(price): level_id for price, level_id in parts.ids}


class NamedLevelBook(VenueBook):
    """A book whose messages name its levels."""

    __slots__ = ("_ask_ids", "_bid_ids")

    def __init__(
        self,
        symbol: str,
        traits: VenueTraits,
        counters: MarketCounters,
        report: Report,
        settings: EngineSettings,
        time: FrameTime,
        numbers: NumbersSeen | None = None,
    ) -> None:
        numbers = numbers or NumbersSeen()
        super().__init__(symbol, traits, counters, report, settings, time, numbers)
        self._bid_ids, self._ask_ids = SideIds(numbers), SideIds(numbers)

    def _load(self, snapshot: BookSnapshot, frame: Frame) -> bool:
        bids, asks = snapshot.level_ids or _NO_IDS
        try:
            self._bid_ids.replace(snapshot.bids, bids)
            self._ask_ids.replace(snapshot.asks, asks)
        except NotANumberError as error:
            self.clear()
            self._refuse(error, frame)
            return False
        return super()._load(snapshot, frame)

    def _change(self, delta: BookDelta, frame: Frame) -> bool:
        if delta.level_ids is None:
            return super()._change(delta, frame)
        bids, asks = delta.level_ids
        try:
            plain = msgspec.structs.replace(
                delta,
                bids=self._bid_ids.rows(delta.bids, bids),
                asks=self._ask_ids.rows(delta.asks, asks),
            )
        except NotANumberError as error:
            self._refuse(error, frame)
            return False
        except UnknownLevelError as error:
            self.counters.gaps += 1
            text = "a change of a level that is not held"
            self._report(FindingKind.GAP, self.symbol, text, received=error.level_id)
            self.doubt(FindingKind.GAP.value, frame)
            return False
        return super()._change(plain, frame)

    def book_state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        return [*super().book_state(), self._bid_ids.state(), self._ask_ids.state()]

    def parts(self) -> BookParts:
        """Return the book, for a checkpoint."""
        sides = self._bid_ids.parts(), self._ask_ids.parts()
        return msgspec.structs.replace(super().parts(), sides=sides)

    def take_parts(self, parts: BookParts) -> None:
        """Be what a checkpoint says."""
        super().take_parts(parts)
        if parts.sides is not None:
            self._bid_ids.take_parts(parts.sides[0])
            self._ask_ids.take_parts(parts.sides[1])
