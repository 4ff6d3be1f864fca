"""Liquidations of one market: rolling worth, dominant side, cascades, in the engine's time.

The window is of time that never runs back (`book.frame_time`): a liquidation is in it by the time
at which it was taken in. A cascade is reported when the liquidations of the last
`cascade_window_s` are worth at least `cascade_notional`, and none was reported in the last
`cascade_cooldown_s`. The dominant side is the liquidated one: LONG where longs were closed.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import NamedTuple

import msgspec

from book.exact import EXACT, ZERO, plain
from book.settings import EngineSettings, nanoseconds
from venues.event import LiquidatedSide, Liquidation

ENTRIES_MAX = 10_000
"""At most so many liquidations are in the window, the latest ones: a feed may send without end."""


class Cascade(msgspec.Struct, frozen=True, gc=False):
    """Liquidations over the threshold. `notional` is in the quote currency."""

    symbol: str
    receive_time_ns: int
    notional: Decimal
    liquidations: int
    dominant_side: LiquidatedSide
    window_ns: int


class _Entry(NamedTuple):
    time_ns: int
    notional: Decimal
    side: LiquidatedSide


class LiquidationParts(msgspec.Struct, frozen=True, array_like=True):
    """A monitor, for a checkpoint."""

    entries: list[_Entry]
    long: Decimal
    short: Decimal
    now_ns: int
    liquidations: int
    notional_total: Decimal
    cascades: int
    last_cascade_ns: int | None


class LiquidationMonitor:
    """The liquidations of one market; all but the totals are about the window."""

    __slots__ = (
        "_cooldown_ns",
        "_entries",
        "_long",
        "_now_ns",
        "_short",
        "_threshold",
        "_window_ns",
        "cascades",
        "last_cascade_ns",
        "liquidations",
        "notional_total",
    )

    def __init__(self, settings: EngineSettings | None = None) -> None:
        settings = settings or EngineSettings()
        self._window_ns = nanoseconds(settings.cascade_window_s)
        self._cooldown_ns = nanoseconds(settings.cascade_cooldown_s)
        self._threshold = settings.cascade_notional
        self._entries: deque[_Entry] = deque()
        self._long = self._short = ZERO
        self._now_ns = 0
        self.liquidations = 0
        self.notional_total = ZERO
        self.cascades = 0
        self.last_cascade_ns: int | None = None

    def add(self, liquidation: Liquidation, now_ns: int | None = None) -> Cascade | None:
        """Take a liquidation in, now or (where that is not said) at its receive time.

        Return the cascade that it completes, if it does.
        """
        now_ns = max(liquidation.receive_time_ns if now_ns is None else now_ns, self._now_ns)
        self.liquidations += 1
        side, notional = liquidation.liquidated_side, liquidation.notional
        if notional is None:
            return None
        self._entries.append(_Entry(now_ns, notional, side))
        self._sum(side, notional)
        self.notional_total = EXACT.add(self.notional_total, notional)
        self.advance(now_ns)
        if len(self._entries) > ENTRIES_MAX:
            self._drop(self._entries.popleft())
        return self._cascade(liquidation.symbol, now_ns)

    def _cascade(self, symbol: str, now_ns: int) -> Cascade | None:
        side = self.dominant_side
        if side is None or self.notional < self._threshold:
            return None
        if self.last_cascade_ns is not None and now_ns - self.last_cascade_ns < self._cooldown_ns:
            return None
        self.cascades += 1
        self.last_cascade_ns = now_ns
        return Cascade(symbol, now_ns, self.notional, len(self._entries), side, self._window_ns)

    def advance(self, now_ns: int) -> None:
        """Let what is older than the window at `now_ns` drop out of it; now never runs back."""
        self._now_ns = now_ns = max(now_ns, self._now_ns)
        entries, since_ns = self._entries, now_ns - self._window_ns
        while entries and entries[0].time_ns < since_ns:
            self._drop(entries.popleft())

    def _drop(self, entry: _Entry) -> None:
        self._sum(entry.side, EXACT.minus(entry.notional))

    def _sum(self, side: LiquidatedSide, notional: Decimal) -> None:
        if side is LiquidatedSide.LONG:
            self._long = EXACT.add(self._long, notional)
        else:
            self._short = EXACT.add(self._short, notional)

    @property
    def notional(self) -> Decimal:
        """The worth of all liquidations in the window."""
        return EXACT.add(self._long, self._short)

    @property
    def long_notional(self) -> Decimal:
        """The worth of longs closed in the window."""
        return self._long

    @property
    def short_notional(self) -> Decimal:
        """The worth of shorts closed in the window."""
        return self._short

    @property
    def dominant_side(self) -> LiquidatedSide | None:
        """The side of which more was closed in the window; None without any.

        Where both are worth the same, the side of the latest one.
        """
        if self._long == self._short:
            return self._entries[-1].side if self._entries else None
        return LiquidatedSide.LONG if self._long > self._short else LiquidatedSide.SHORT

    def __len__(self) -> int:
        """Count the liquidations in the window."""
        return len(self._entries)

    def state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        window = [[e.time_ns, plain(e.notional), e.side] for e in self._entries]
        return [
            self.liquidations,
            plain(self.notional_total),
            self.cascades,
            self.last_cascade_ns,
            window,
        ]

    def parts(self) -> LiquidationParts:
        """Return it, for a checkpoint."""
        return LiquidationParts(
            list(self._entries),
            self._long,
            self._short,
            self._now_ns,
            self.liquidations,
            self.notional_total,
            self.cascades,
            self.last_cascade_ns,
        )

    def take_parts(self, parts: LiquidationParts) -> None:
        """Be what a checkpoint says."""
        self._entries = deque(parts.entries)
        self._long = parts.long
        self._short = parts.short
        self._now_ns = parts.now_ns
        self.liquidations = parts.liquidations
        self.notional_total = parts.notional_total
        self.cascades = parts.cascades
        self.last_cascade_ns = parts.last_cascade_ns
