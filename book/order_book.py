"""An order book of price levels (L2), exact, in the exchange's own digits.

It holds whatever it was told and judges nothing: whether it may be trusted is `venue_book`'s
to say. All changes of one frame are applied before anyone looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from book.exact import EXACT, NumbersSeen, exact
from book.price_levels import PriceLevels
from venues.event import Row, Side

HALF = Decimal("0.5")


class Level(msgspec.Struct, frozen=True, gc=False):
    """One price on one side with its total size."""

    price_text: str
    size_text: str

    @property
    def price(self) -> Decimal:
        """The price, exact."""
        return Decimal(self.price_text)

    @property
    def size(self) -> Decimal:
        """The size, exact."""
        return Decimal(self.size_text)


class OrderBook:
    """Bids and asks by price. `prices` and `sizes` may be shared with other books."""

    __slots__ = ("_prices", "asks", "bids")

    def __init__(self, numbers: NumbersSeen | None = None) -> None:
        numbers = numbers or NumbersSeen()
        self._prices = numbers.prices
        self.bids = PriceLevels(bids=True, sizes=numbers.above_zero)
        self.asks = PriceLevels(bids=False, sizes=numbers.above_zero)

    def replace(self, bids: Sequence[Row], asks: Sequence[Row]) -> None:
        """Take a snapshot: forget everything, then hold these levels.

        Raises:
            NotANumberError: a price or a size is none; the book is then incomplete.
        """
        self.bids.replace(bids)
        self.asks.replace(asks)

    def apply(self, bids: Sequence[Row], asks: Sequence[Row]) -> None:
        """Apply a delta's changes in order; a size of zero deletes the level.

        Raises:
            NotANumberError: a price or a size is none; the book is then incomplete.
        """
        if bids:
            self.bids.apply(bids)
        if asks:
            self.asks.apply(asks)

    def clear(self) -> None:
        """Forget all levels."""
        self.replace((), ())

    def trim(self, depth: int) -> None:
        """Cut both sides to the best `depth` levels."""
        self.bids.trim(depth)
        self.asks.trim(depth)

    @property
    def best_bid(self) -> Level | None:
        """The highest bid, None where there is none."""
        row = self.bids.best()
        return None if row is None else Level(*row)

    @property
    def best_ask(self) -> Level | None:
        """The lowest ask, None where there is none."""
        row = self.asks.best()
        return None if row is None else Level(*row)

    @property
    def mid(self) -> Decimal | None:
        """The average of best bid and best ask; None if one side is empty."""
        bid, ask = self.bids.best(), self.asks.best()
        if bid is None or ask is None:
            return None
        return EXACT.multiply(EXACT.add(exact(bid[0]), exact(ask[0])), HALF)

    @property
    def spread(self) -> Decimal | None:
        """Best ask minus best bid; None if one side is empty."""
        bid, ask = self.bids.best(), self.asks.best()
        if bid is None or ask is None:
            return None
        return EXACT.subtract(exact(ask[0]), exact(bid[0]))

    @property
    def crossed(self) -> bool:
        """Whether the best bid is above the best ask. Equal prices make a locked book only."""
        return self.crosses(self.bids.best(), self.asks.best())

    def crosses(self, bid: Row | None, ask: Row | None) -> bool:
        """Say whether a bid's price is above an ask's; False where there is no such level."""
        prices = self._prices
        return bid is not None and ask is not None and prices[bid[0]] > prices[ask[0]]

    def depth(self, count: int) -> tuple[list[Level], list[Level]]:
        """Return at most `count` levels of each side, best first: (bids, asks)."""
        return (
            [Level(*row) for row in self.bids.top(count)],
            [Level(*row) for row in self.asks.top(count)],
        )

    def size_at(self, side: Side, price: Decimal) -> Decimal | None:
        """Return the size at `price` on one side, None where there is no level."""
        levels = self.bids if side is Side.BUY else self.asks
        text = levels.size_at(price)
        return None if text is None else exact(text)

    def _check(self) -> None:
        """Assert what must always hold; for tests, after every operation."""
        self.bids._check()
        self.asks._check()
