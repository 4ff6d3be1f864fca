"""One side of an order book: price levels in order, best last.

Theory. `_held` holds each level's size by the text of its price, which is how feeds repeat them:
nearly every change of a level is one look-up. `_order` holds those same texts by an integer, the
price times ten to the power of `_decimals`, with its sign turned round for asks, so that on both
sides the best level has the greatest key.

A size of zero deletes a level. Feeds delete and re-enter the same few prices thousands of times,
and removing a key from sorted order costs far more than overwriting a value, so a deleted level
stays behind with size zero, a *ghost*. Ghosts are purged when they may outnumber the levels by far.

What may not happen: a ghost is counted, shown, or taken for the best level; two texts of one price
("1.5" and "1.50") are held as two levels; a price loses digits because the keys have too few
decimals (all keys are rescaled instead).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from sortedcontainers import SortedDict

from book.exact import EXACT, TEXT_CHARACTERS_MAX, SizesAboveZero, exact
from venues.event import Row

DECIMALS = 12
"""Decimals of the keys at the start: enough for nearly every price that is quoted."""

GHOSTS_MAX = 64
"""So many ghosts are not worth a purge, however small the book."""

RowTexts = Callable[[Sequence[Row]], list[str]]

CROWDED = 4
"""Ghosts are purged when there are so many times as many texts as levels."""

MANY = 50
"""So many rows of a snapshot are worth being put in order together."""

FEW = 16
"""Up to one in so many is struck out of the order one by one; for more, the order is made anew."""


class PriceLevels:
    """The levels of one side. `bids` says which side it is."""

    __slots__ = ("_decimals", "_held", "_order", "_purge_at", "_sign", "_sizes", "_texts")

    def __init__(self, *, bids: bool, sizes: SizesAboveZero | None = None) -> None:
        self._sign = 1 if bids else -1
        self._decimals = DECIMALS
        self._sizes = SizesAboveZero() if sizes is None else sizes
        self._held: dict[str, str] = {}
        self._order: SortedDict[int, str] = SortedDict()
        self._purge_at = GHOSTS_MAX
        self._texts: tuple[int, RowTexts, list[str]] | None = None

    def replace(self, rows: Sequence[Row]) -> None:
        """Forget all levels and take these.

        Raises:
            NotANumberError: a price or a size is none; the levels are then incomplete.
        """
        self._held = {}
        self._order = SortedDict()
        self._purge_at = GHOSTS_MAX
        if len(rows) < MANY or not self._fill(rows):
            self.apply(rows)

    def _fill(self, rows: Sequence[Row]) -> bool:
        """Take rows that are all levels, each once, at one go; return False where they are not."""
        sizes = self._sizes
        if not all(sizes[size] for _, size in rows):
            return False
        decimals = self._decimals
        order = {self._key(price): price for price, _ in rows}
        if len(order) < len(rows) or self._decimals != decimals:
            return False
        self._texts = None
        self._held = dict(rows)
        self._order = SortedDict(order)
        if len(self._held) > self._purge_at:
            self._purge()
        return True

    def apply(self, rows: Sequence[Row]) -> None:
        """Apply changes in their order: each size is the level's new size, zero deletes it.

        Raises:
            NotANumberError: a price or a size is none; changes before it have been applied.
        """
        self._texts = None
        held, sizes = self._held, self._sizes
        for price, size in rows:
            there = sizes[size]
            if price in held:
                held[price] = size
            elif there:
                self._enter(price, size)
            else:
                self._leave(price)
        if len(held) > self._purge_at:
            self._purge()

    def _enter(self, price: str, size: str) -> None:
        key = self._key(price)
        other_text = self._order.get(key)
        if other_text is not None:
            del self._held[other_text]
        self._order[key] = price
        self._held[price] = size

    def _leave(self, price: str) -> None:
        # Deleting a level that is not held is normal: feeds speak of levels beyond a snapshot.
        # The key comes first: to find it may put another order in place of the present one.
        key = self._key(price)
        other_text = self._order.pop(key, None)
        if other_text is not None:
            del self._held[other_text]

    def _key(self, text: str) -> int:
        whole, point, fraction = text.partition(".")
        missing = self._decimals - len(fraction)
        plain = text.isascii() and whole.isdecimal() and (fraction.isdecimal() or not point)
        if plain and missing >= 0 and len(text) <= TEXT_CHARACTERS_MAX:
            return int(whole + fraction + "0" * missing) * self._sign
        return self._key_of_odd_text(text)

    def _key_of_odd_text(self, text: str) -> int:
        price = exact(text)
        scaled = EXACT.scaleb(price, self._decimals)
        key = int(scaled)
        if key != scaled:
            self._rescale(-int(price.normalize(EXACT).as_tuple().exponent))
            key = int(EXACT.scaleb(price, self._decimals))
        return key * self._sign

    def _rescale(self, decimals: int) -> None:
        factor = 10 ** (decimals - self._decimals)
        self._order = SortedDict((key * factor, text) for key, text in self._order.items())
        self._decimals = decimals

    def trim(self, depth: int) -> None:
        """Cut the levels beyond the best `depth`, as a client must where the venue does not."""
        if len(self._held) <= depth:
            return
        self._purge()
        self._texts = None
        while len(self._order) > depth:
            _, text = self._order.popitem(0)
            del self._held[text]

    def best(self) -> Row | None:
        """Return the best row, None where the side is empty."""
        order, held, sizes = self._order, self._held, self._sizes
        while order:
            key, text = order.peekitem(-1)
            size = held[text]
            if sizes[size]:
                return text, size
            # A ghost at the touch would be met again at every look.
            del order[key]
            del held[text]
        return None

    def top(self, count: int) -> list[Row]:
        """Return at most `count` rows, best first."""
        found = self._look(2 * count)
        if len(found) < count < len(self._held):
            # Ghosts crowd the top: without them, `count` keys are `count` rows.
            self._purge()
            found = self._look(count)
        return found[:count]

    def _look(self, keys_max: int) -> list[Row]:
        """Return the rows, best first, among so many of the best keys."""
        order, held, sizes = self._order, self._held, self._sizes
        keys = order.islice(max(0, len(order) - keys_max), None, reverse=True)
        return [(text, size) for key in keys if sizes[size := held[text := order[key]]]]

    def top_texts(self, count: int, texts_of: RowTexts) -> list[str]:
        """Return what `texts_of` makes of the best `count` rows, kept until this side changes.

        A checksum covers both sides, and most deltas change one.
        """
        kept = self._texts
        if kept is not None and kept[0] == count and kept[1] is texts_of:
            return kept[2]
        texts = texts_of(self.top(count))
        self._texts = count, texts_of, texts
        return texts

    def size_at(self, price: Decimal) -> str | None:
        """Return the size text at `price`, None where there is no level."""
        key = self._key(format(price, "f"))
        text = self._order.get(key)
        if text is None:
            return None
        size = self._held[text]
        return size if self._sizes[size] else None

    def __iter__(self) -> Iterator[Row]:
        """Iterate over the rows, best first."""
        order, held, sizes = self._order, self._held, self._sizes
        for key in reversed(order):
            text = order[key]
            size = held[text]
            if sizes[size]:
                yield text, size

    def __len__(self) -> int:
        """Count the levels."""
        sizes = self._sizes
        return sum(1 for size in self._held.values() if sizes[size])

    def _purge(self) -> None:
        held, sizes = self._held, self._sizes
        ghosts = {text for text, size in held.items() if not sizes[size]}
        if ghosts:
            for text in ghosts:
                del held[text]
            self._strike(ghosts)
        self._purge_at = max(GHOSTS_MAX, CROWDED * len(held))

    def _strike(self, ghosts: set[str]) -> None:
        if len(ghosts) * FEW <= len(self._order):
            for text in ghosts:
                del self._order[self._key(text)]
        else:
            self._order = SortedDict(item for item in self._order.items() if item[1] not in ghosts)

    def _check(self) -> None:
        """Assert what must always hold; for tests, after every operation."""
        keys = list(self._order)
        assert keys == sorted(set(keys))
        assert sorted(self._order.values()) == sorted(self._held)
        scale = EXACT.power(Decimal(10), self._decimals)
        for key, text in self._order.items():
            assert key * self._sign == EXACT.multiply(exact(text), scale)
            assert exact(self._held[text]) >= 0
        assert len(self) == len(list(self))
