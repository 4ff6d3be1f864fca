"""The trade tape: trades in order, with rolling figures, in frame time.

The window holds the trades of the last `window_s` seconds before now, at most `trades_max` of
them. Now is the engine's time (`book.frame_time`), never a clock's: a replay gives the same figures
at any speed. A trade is in the window by the time at which it was taken in, which never runs back;
so the window is in order, and looking at it in between changes nothing. All sums are exact.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from functools import reduce

import msgspec

from book.exact import EXACT, RATIO, ZERO, NumbersSeen, plain
from book.settings import EngineSettings, nanoseconds
from venues.event import Side, Trade


class _Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    time_ns: int
    size: Decimal
    notional: Decimal
    bought: bool


class TapeParts(msgspec.Struct, frozen=True, array_like=True):
    """A tape, for a checkpoint.

    `entries` are the trades of the longer one of the two windows. Both windows end with the latest
    trade, so that each is the last so many of them: `kept`, and `recent`.
    """

    entries: list[_Entry]
    kept: int
    recent: int
    notional: Decimal
    buy: Decimal
    sell: Decimal
    recent_size: Decimal
    now_ns: int
    known_from_ns: int
    trades: int
    buy_size_total: Decimal
    sell_size_total: Decimal


def _last(entries: list[_Entry], count: int) -> deque[_Entry]:
    return deque(entries[max(0, len(entries) - count) :])


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    return reduce(EXACT.add, numbers, ZERO)


class TradeTape:
    """The trades of one market.

    `trades`, `buy_size_total` and `sell_size_total` run from the first frame on; everything else is
    about the window.
    """

    __slots__ = (
        "_buy",
        "_entries",
        "_known_from_ns",
        "_notional",
        "_now_ns",
        "_numbers",
        "_recent",
        "_recent_size",
        "_sell",
        "_settings",
        "_spike_ns",
        "_window_ns",
        "buy_size_total",
        "sell_size_total",
        "trades",
    )

    def __init__(
        self,
        settings: EngineSettings | None = None,
        numbers: NumbersSeen | None = None,
    ) -> None:
        self._settings = settings or EngineSettings()
        self._window_ns = nanoseconds(self._settings.tape_window_s)
        self._spike_ns = nanoseconds(self._settings.spike_window_s)
        self._numbers = numbers or NumbersSeen()
        self._entries: deque[_Entry] = deque()
        self._recent: deque[_Entry] = deque()
        self._notional = self._buy = self._sell = self._recent_size = ZERO
        self._now_ns = 0
        self._known_from_ns = 0
        self.trades = 0
        self.buy_size_total = ZERO
        self.sell_size_total = ZERO

    def add(self, trade: Trade, now_ns: int | None = None) -> None:
        """Take a trade in, now or (where that is not said) at its receive time.

        Raises:
            NotANumberError: its price or size is none; the tape is then unchanged.
        """
        size = self._numbers.sizes[trade.size_text]
        notional = EXACT.multiply(self._numbers.prices[trade.price_text], size)
        bought = trade.aggressor_side is Side.BUY
        now_ns = trade.receive_time_ns if now_ns is None else now_ns
        if now_ns < self._now_ns:
            now_ns = self._now_ns
        entry = _Entry(now_ns, size, notional, bought)
        add = EXACT.add
        if bought:
            self._buy = add(self._buy, size)
            self.buy_size_total = add(self.buy_size_total, size)
        else:
            self._sell = add(self._sell, size)
            self.sell_size_total = add(self.sell_size_total, size)
        self._notional = add(self._notional, notional)
        self._recent_size = add(self._recent_size, size)
        if not self.trades:
            self._known_from_ns = now_ns
        self._entries.append(entry)
        self._recent.append(entry)
        self.trades += 1
        self.advance(now_ns)

    def advance(self, now_ns: int) -> None:
        """Let what is older than the window at `now_ns` drop out of it; now never runs back."""
        if now_ns < self._now_ns:
            now_ns = self._now_ns
        self._now_ns = now_ns
        recent, since_ns = self._recent, now_ns - self._spike_ns
        while recent and recent[0].time_ns < since_ns:
            self._recent_size = EXACT.subtract(self._recent_size, recent.popleft().size)
        entries, since_ns = self._entries, now_ns - self._window_ns
        while entries and entries[0].time_ns < since_ns:
            self._drop(entries.popleft())
        surplus = len(entries) - self._settings.tape_trades_max
        if surplus > 0:
            for _ in range(surplus):
                self._drop(entries.popleft())
            self._known_from_ns = entries[0].time_ns if entries else now_ns

    def _drop(self, entry: _Entry) -> None:
        if entry.bought:
            self._buy = EXACT.subtract(self._buy, entry.size)
        else:
            self._sell = EXACT.subtract(self._sell, entry.size)
        self._notional = EXACT.subtract(self._notional, entry.notional)
        if self._recent and self._recent[0] is entry:
            self._recent_size = EXACT.subtract(self._recent_size, self._recent.popleft().size)

    def __len__(self) -> int:
        """Count the trades in the window."""
        return len(self._entries)

    def buy_size(self) -> Decimal:
        """Return the size bought by aggressors in the window."""
        return self._buy

    def sell_size(self) -> Decimal:
        """Return the size sold by aggressors in the window."""
        return self._sell

    def net_delta(self) -> Decimal:
        """Return aggressor-bought minus aggressor-sold size in the window."""
        return EXACT.subtract(self._buy, self._sell)

    def cvd(self) -> Decimal:
        """Return the cumulative volume delta: bought minus sold size since the first frame."""
        return EXACT.subtract(self.buy_size_total, self.sell_size_total)

    def vwap(self) -> Decimal | None:
        """Return sum(price x size) / sum(size) over the window, to 34 digits; None without size."""
        size = EXACT.add(self._buy, self._sell)
        return RATIO.divide(self._notional, size) if size else None

    def volume_spike(self) -> bool:
        """Say whether the last `spike_window_s` traded far more than the window's mean.

        True if its size is more than `spike_ratio` times the mean size of such a part of the
        window. The mean is over the time that the tape knows of: until the window is full, from the
        first trade on; where `tape_trades_max` cut the window, from the oldest trade kept. So
        nothing is a spike before there is more than `spike_ratio` times as long to compare it with.
        """
        total = EXACT.add(self._buy, self._sell)
        known_ns = min(self._window_ns, self._now_ns - self._known_from_ns)
        scaled_recent = EXACT.multiply(self._recent_size, Decimal(known_ns))
        limit = EXACT.multiply(total, Decimal(self._spike_ns * self._settings.spike_ratio))
        return bool(total) and scaled_recent > limit

    def state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        window = [[e.time_ns, plain(e.size), plain(e.notional)] for e in self._entries]
        sums = (self.buy_size_total, self.sell_size_total, self._buy, self._sell, self._recent_size)
        known_ns = min(self._window_ns, self._now_ns - self._known_from_ns) if window else None
        return [self.trades, known_ns, window, [plain(each) for each in sums]]

    def parts(self) -> TapeParts:
        """Return the tape, for a checkpoint."""
        recent_is_longer = len(self._recent) > len(self._entries)
        return TapeParts(
            list(self._recent if recent_is_longer else self._entries),
            len(self._entries),
            len(self._recent),
            self._notional,
            self._buy,
            self._sell,
            self._recent_size,
            self._now_ns,
            self._known_from_ns,
            self.trades,
            self.buy_size_total,
            self.sell_size_total,
        )

    def take_parts(self, parts: TapeParts) -> None:
        """Be what a checkpoint says."""
        self._entries = _last(parts.entries, parts.kept)
        self._recent = _last(parts.entries, parts.recent)
        self._notional = parts.notional
        self._buy = parts.buy
        self._sell = parts.sell
        self._recent_size = parts.recent_size
        self._now_ns = parts.now_ns
        self._known_from_ns = parts.known_from_ns
        self.trades = parts.trades
        self.buy_size_total = parts.buy_size_total
        self.sell_size_total = parts.sell_size_total

    def _check(self) -> None:
        """Assert what must always hold; for tests, after every operation."""
        assert self._buy == _sum(e.size for e in self._entries if e.bought)
        assert self._sell == _sum(e.size for e in self._entries if not e.bought)
        assert self._notional == _sum(e.notional for e in self._entries)
        assert self._recent_size == _sum(e.size for e in self._recent)
        assert len(self._entries) <= self._settings.tape_trades_max
