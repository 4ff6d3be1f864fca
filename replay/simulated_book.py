"""The book of a simulated market: what the exchange itself holds, and the part that it publishes.

Theory. The market holds more levels than it publishes: each side has a reserve behind the
published window of `depth` levels. Every change is made to the whole book; what clients are told
is the difference between the window before and after. So when a level leaves the window a delete
is sent for it, and when one comes into it (because a better one went away) it is sent in full,
as an exchange does that keeps its clients' books at a depth for them.

What may not happen, and `check()` looks for: a crossed or locked book, a level without size, a
side with fewer levels than the window, a price off the tick. Prices are integers in units of the
instrument's last decimal, sizes likewise; digits are made of them only on the way out.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from venues.event import Row, Side


@dataclass(frozen=True, slots=True)
class Instrument:
    """A simulated instrument; prices and sizes are integers in units of their last decimal.

    Attributes:
        symbol: the venue's spelling.
        price_decimals: how many decimals a price is written with.
        size_decimals: how many decimals a size is written with.
        tick: the smallest price step.
        start_price: about where the market opens.
        level_size_max: the largest size of a fresh level.
        first_sequence: the sequence of the book at the opening.
    """

    symbol: str
    price_decimals: int
    size_decimals: int
    tick: int
    start_price: int
    level_size_max: int
    first_sequence: int = 1

    def price_text(self, price: int) -> str:
        """Return the price in the exchange's digits, trailing zeros and all."""
        return _digits(price, self.price_decimals)

    def size_text(self, size: int) -> str:
        """Return the size in the exchange's digits; a deletion is a bare 0."""
        return _digits(size, self.size_decimals) if size else "0"

    def size_worth(self, notional: int, price: int) -> int:
        """Return the smallest size that is worth at least `notional` whole quote units."""
        units: int = notional * 10 ** (self.price_decimals + self.size_decimals)
        return -(-units // price)

    def rows(self, levels: Iterable[tuple[int, int]]) -> list[Row]:
        """Return levels as rows of digits."""
        return [(self.price_text(price), self.size_text(size)) for price, size in levels]


def _digits(value: int, decimals: int) -> str:
    if not decimals:
        return str(value)
    whole, fraction = divmod(value, 10**decimals)
    return f"{whole}.{fraction:0{decimals}d}"


class SimulatedSide:
    """One side, best level first: `_keys` are prices, negated for bids, in ascending order."""

    def __init__(self, side: Side) -> None:
        self._sign = -1 if side is Side.BUY else 1
        self._keys: list[int] = []
        self._sizes: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def best(self) -> int:
        """The best price."""
        return self._sign * self._keys[0]

    @property
    def worst(self) -> int:
        """The price of the last level of the reserve."""
        return self._sign * self._keys[-1]

    def price_at(self, rank: int) -> int:
        """Return the price of the level at `rank`, 0 being the best."""
        return self._sign * self._keys[rank]

    def size_at(self, price: int) -> int:
        """Return the size resting at `price`, 0 where there is none."""
        return self._sizes.get(price, 0)

    def set_size(self, price: int, size: int) -> None:
        """Let exactly `size` rest at `price`; 0 takes the level away."""
        key = self._sign * price
        held = price in self._sizes
        if size:
            self._sizes[price] = size
            if not held:
                insort(self._keys, key)
        elif held:
            del self._sizes[price]
            del self._keys[bisect_left(self._keys, key)]

    def top(self, levels: int) -> list[tuple[int, int]]:
        """Return the best `levels` as (price, size)."""
        return [
            (price, self._sizes[price])
            for price in (self._sign * key for key in islice(self._keys, levels))
        ]

    def behind(self, price: int, distance: int) -> int:
        """Return the price that is `distance` worse than `price`."""
        return price + self._sign * distance


class SimulatedBook:
    """Both sides of a market, the published window of each, and the sequence of its state."""

    def __init__(self, instrument: Instrument, depth: int) -> None:
        self.instrument = instrument
        self.depth = depth
        self.sequence = instrument.first_sequence
        self.bids = SimulatedSide(Side.BUY)
        self.asks = SimulatedSide(Side.SELL)
        self._published: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def side(self, side: Side) -> SimulatedSide:
        """Return the orders resting on `side`."""
        return self.bids if side is Side.BUY else self.asks

    @property
    def spread(self) -> int:
        """Best ask minus best bid."""
        return self.asks.best - self.bids.best

    def window(self, levels: int | None = None) -> tuple[list[Row], list[Row]]:
        """Return the published bids and asks (or the best `levels` of them) in digits."""
        rows, levels = self.instrument.rows, self.depth if levels is None else levels
        return rows(self.bids.top(levels)), rows(self.asks.top(levels))

    def open_window(self) -> None:
        """Take the window as it is for published, without a delta: the market has just opened."""
        self._published = (dict(self.bids.top(self.depth)), dict(self.asks.top(self.depth)))

    def publish(self) -> tuple[list[Row], list[Row]] | None:
        """Return what changed in the window since it was last published, as rows of a delta.

        The sequence counts up by one; None, and no count, where nothing within it changed.
        """
        held_bids, held_asks = self._published
        bids, asks = dict(self.bids.top(self.depth)), dict(self.asks.top(self.depth))
        if bids == held_bids and asks == held_asks:
            return None
        self._published = (bids, asks)
        self.sequence += 1
        rows = self.instrument.rows
        return (
            rows(sorted(_difference(held_bids, bids), reverse=True)),
            rows(sorted(_difference(held_asks, asks))),
        )

    def check(self) -> None:
        """Assert what may not happen; for tests, after every step.

        Raises:
            AssertionError: the book is not one that an exchange could hold.
        """
        assert self.bids.best < self.asks.best, "crossed or locked"
        for side in (self.bids, self.asks):
            assert len(side) >= self.depth, "fewer levels than the window"
            levels = side.top(len(side))
            assert all(size > 0 for _, size in levels), "a level without size"
            assert all(price % self.instrument.tick == 0 for price, _ in levels), "off the tick"


def _difference(before: dict[int, int], after: dict[int, int]) -> Iterable[tuple[int, int]]:
    for price in before.keys() - after.keys():
        yield price, 0
    for price, size in after.items():
        if before.get(price) != size:
            yield price, size
