"""A published best bid and offer held against the book of the same number.

Where a quote carries the number of a book state (Binance: bookTicker's `u` is a depth event's
`u`), the book's best levels at that number must equal it, price and size, in every case. The two
come on different channels in either order, so whichever comes first is held, boundedly, until the
other one comes. Numbers that only one of them names are no check and no fault: a venue publishes
quotes between two book events, and not every change of the top.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import NamedTuple

import msgspec

from book.exact import exact
from venues.event import Quote, Row


class Top(NamedTuple):
    """The best row of each side, None where it is empty."""

    bid: Row | None
    ask: Row | None

    def __str__(self) -> str:
        """Return `price x size / price x size`, `-` for an empty side."""
        return " / ".join("-" if row is None else " x ".join(row) for row in self)


class QuoteOutcome(NamedTuple):
    """One check: a quote, the top of the book with its number, and whether they are equal."""

    quote: Quote
    top: Top
    equal: bool

    @property
    def quoted(self) -> str:
        """What the venue quoted, as text."""
        quote = self.quote
        bid = f"{quote.bid_price_text} x {quote.bid_size_text}"
        return f"{bid} / {quote.ask_price_text} x {quote.ask_size_text}"

    @property
    def booked(self) -> str:
        """What the book had, as text."""
        return str(self.top)


def _same(row: Row | None, price: str, size: str) -> bool:
    if row is None:
        return not price
    if row == (price, size):
        return True
    return bool(price) and exact(row[0]) == exact(price) and exact(row[1]) == exact(size)


def compare(quote: Quote, top: Top) -> QuoteOutcome:
    """Hold a quote against the top of the book with the same number.

    Raises:
        NotANumberError: the quote's texts are no numbers.
    """
    equal = _same(top.bid, quote.bid_price_text, quote.bid_size_text) and _same(
        top.ask, quote.ask_price_text, quote.ask_size_text
    )
    return QuoteOutcome(quote, top, equal)


class QuoteCheckParts(msgspec.Struct, frozen=True, array_like=True):
    """What waits, for a checkpoint."""

    quotes: list[tuple[int, Quote]]
    tops: list[tuple[int, Top]]


class QuoteCheck:
    """The quotes and tops of one market that still wait for each other.

    Quotes come in the order of their numbers, so those that the book has passed are in front. One
    that comes out of order is at worst not checked.
    """

    __slots__ = ("_held_max", "_quotes", "_tops")

    def __init__(self, held_max: int) -> None:
        self._held_max = held_max
        self._quotes: deque[tuple[int, Quote]] = deque(maxlen=held_max)
        self._tops: OrderedDict[int, Top] = OrderedDict()

    def hold(self, quote: Quote, sequence: int) -> None:
        """Hold a quote until the book comes to its number."""
        self._quotes.append((sequence, quote))

    def late(self, quote: Quote, sequence: int) -> QuoteOutcome | None:
        """Return the check of a quote whose number the book has passed, if its top is held."""
        top = self._tops.pop(sequence, None)
        return None if top is None else compare(quote, top)

    def booked(self, sequence: int, top: Top) -> QuoteOutcome | None:
        """Take in that the proven book is at `sequence`; return the check if a quote waits."""
        quotes = self._quotes
        while quotes and quotes[0][0] <= sequence:
            number, quote = quotes.popleft()
            if number == sequence:
                return compare(quote, top)
        tops = self._tops
        tops[sequence] = top
        if len(tops) > self._held_max:
            tops.popitem(last=False)
        return None

    def forget(self) -> None:
        """Drop the tops: the book that they were of is no longer trusted."""
        self._tops.clear()

    def state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        return [[number for number, _ in self._quotes], list(self._tops)]

    def parts(self) -> QuoteCheckParts:
        """Return what waits, for a checkpoint."""
        return QuoteCheckParts(list(self._quotes), list(self._tops.items()))

    def take_parts(self, parts: QuoteCheckParts) -> None:
        """Be what a checkpoint says."""
        self._quotes.clear()
        self._quotes.extend(parts.quotes)
        self._tops = OrderedDict(parts.tops)
