"""The results of one game of chance: a rolling window, and whether they are what chance would give.

The window holds the results of the last `games_window_s` seconds of the engine's time, at most
`games_results_max` of them; a result is in it by the time at which it was taken in. A coin's heads
are 1 and its tails 0, so that the mean of a coin is its share of heads. All sums are exact;
divisions and roots are rounded to 34 digits, always alike.

Drift: how far the window's results are from what the rules of the game promise, measured in
standard errors under the hypothesis that they hold. With n results:

- CRASH with a house edge e: P(multiplier >= m) = (1 - e) / m, so that a bet on any m loses e of its
  stake on average. Observed is the share of results of at least 2, a yes-or-no of the probability
  p = (1 - e) / 2; its standard error is sqrt(p (1 - p) / n). A multiplier has no finite
  variance under that law, so that the mean of multipliers proves nothing and is given for reading.
- COINFLIP: observed is the share of heads, p = 1/2, the standard error 1 / (2 sqrt(n)). The edge
  of a coin is in what it pays, and does not show in its results.
- DICE: N numbers from `dice_low` to `dice_high`, `dice_step` apart, all equally likely. Observed is
  the mean, expected (low + high) / 2, and the standard error step sqrt((N^2 - 1) / 12 / n).

About one window in twenty is more than two standard errors away by chance alone, one in 370 more
than three.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, Decimal
from itertools import groupby
from typing import NamedTuple

import msgspec
from sortedcontainers import SortedList

from book.contract_value import plain_number
from book.exact import EXACT, RATIO, ZERO, NotANumberError, plain
from book.settings import EngineSettings, nanoseconds
from venues.event import Game, GameResult

ONE, TWO, TWELVE = Decimal(1), Decimal(2), Decimal(12)


class NotAnOutcomeError(NotANumberError):
    """A coin that shows neither of its sides. The engine turns it into a finding."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.args = (f"neither heads nor tails: {self.text!r}",)


class Drift(NamedTuple):
    """What the rules promise, what came, and the standard error of that if the rules hold."""

    expected: Decimal
    observed: Decimal
    standard_error: Decimal

    @property
    def difference(self) -> Decimal:
        """Observed minus expected."""
        return RATIO.subtract(self.observed, self.expected)

    @property
    def standard_errors(self) -> Decimal | None:
        """The difference in standard errors; None where nothing can differ (a die of one face)."""
        if not self.standard_error:
            return None
        return RATIO.divide(self.difference, self.standard_error)


def _coin(text: str) -> Decimal:
    side = text.lower()
    if side not in ("heads", "tails"):
        raise NotAnOutcomeError(text)
    return ONE if side == "heads" else ZERO


_READ: Mapping[Game, Callable[[str], Decimal]] = {
    Game.CRASH: plain_number,
    Game.COINFLIP: _coin,
    Game.DICE: plain_number,
}


class GameParts(msgspec.Struct, frozen=True, array_like=True):
    """A game's results, for a checkpoint."""

    game: Game
    results: int
    entries: list[tuple[int, Decimal]]
    sum: Decimal
    now_ns: int


class GameMonitor:
    """The results of one game; `results` counts all of them, everything else is about the window.

    Attributes:
        game: which game it is.
        results: how many results came since the first frame.
    """

    __slots__ = (
        "_entries",
        "_now_ns",
        "_ordered",
        "_settings",
        "_sum",
        "_window_ns",
        "game",
        "results",
    )

    def __init__(self, game: Game, settings: EngineSettings | None = None) -> None:
        self.game = game
        self.results = 0
        self._settings = settings or EngineSettings()
        self._window_ns = nanoseconds(self._settings.games_window_s)
        self._entries: deque[tuple[int, Decimal]] = deque()
        self._ordered: SortedList[Decimal] = SortedList()
        self._sum = ZERO
        self._now_ns = 0

    def add(self, result: GameResult, now_ns: int | None = None) -> None:
        """Take a result in, now or (where that is not said) at its receive time.

        Raises:
            NotANumberError: its outcome is none; it is then not counted.
        """
        outcome = _READ[self.game](result.outcome_text)
        self.results += 1
        now_ns = max(result.receive_time_ns if now_ns is None else now_ns, self._now_ns)
        self._entries.append((now_ns, outcome))
        self._ordered.add(outcome)
        self._sum = EXACT.add(self._sum, outcome)
        if len(self._entries) > self._settings.games_results_max:
            self._drop()
        self.advance(now_ns)

    def advance(self, now_ns: int) -> None:
        """Let what is older than the window at `now_ns` drop out of it; now never runs back."""
        self._now_ns = now_ns = max(now_ns, self._now_ns)
        since_ns = now_ns - self._window_ns
        while self._entries and self._entries[0][0] < since_ns:
            self._drop()

    def _drop(self) -> None:
        _, outcome = self._entries.popleft()
        self._ordered.remove(outcome)
        self._sum = EXACT.subtract(self._sum, outcome)

    def __len__(self) -> int:
        """Count the results in the window."""
        return len(self._entries)

    def mean(self) -> Decimal | None:
        """Return the mean outcome, to 34 digits (of a coin: its share of heads); None without."""
        return RATIO.divide(self._sum, Decimal(len(self))) if self._entries else None

    def heads_share(self) -> Decimal | None:
        """Return the share of heads, to 34 digits; None without any, and for what is no coin."""
        return self.mean() if self.game is Game.COINFLIP else None

    def share_from(self, outcome: Decimal) -> Decimal | None:
        """Return the share of results of at least `outcome`, to 34 digits; None without any."""
        if not self._entries:
            return None
        above = len(self) - self._ordered.bisect_left(outcome)
        return RATIO.divide(Decimal(above), Decimal(len(self)))

    def quantile(self, share: Decimal) -> Decimal | None:
        """Return the least outcome that at least `share` of the results do not exceed.

        It is one of the outcomes, never between two. None without any result.

        Raises:
            ValueError: `share` is not from 0 to 1.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"a share is from 0 to 1, {share} is not")
        if not self._entries:
            return None
        rank = EXACT.multiply(share, Decimal(len(self))).to_integral_value(ROUND_CEILING)
        return self._ordered[max(int(rank), 1) - 1]

    def distribution(self) -> list[tuple[Decimal, int]]:
        """Return how often each outcome came, the least outcome first."""
        return [(outcome, sum(1 for _ in same)) for outcome, same in groupby(self._ordered)]

    def observed_edge(self) -> Decimal | None:
        """Return the house edge that the share of crashes at 2 or above amounts to; else None."""
        share = self.share_from(TWO) if self.game is Game.CRASH else None
        return None if share is None else RATIO.subtract(ONE, RATIO.multiply(TWO, share))

    def drift(self) -> Drift | None:
        """Return how far the results are from the rules of the game; None without any result."""
        count = Decimal(len(self))
        if not count:
            return None
        if self.game is Game.DICE:
            return self._dice_drift(count)
        if self.game is Game.COINFLIP:
            chance, observed = RATIO.divide(ONE, TWO), self.mean()
        else:
            edge = self._settings.games_edge
            chance, observed = RATIO.divide(RATIO.subtract(ONE, edge), TWO), self.share_from(TWO)
        assert observed is not None
        variance = RATIO.multiply(chance, RATIO.subtract(ONE, chance))
        return Drift(chance, observed, RATIO.sqrt(RATIO.divide(variance, count)))

    def _dice_drift(self, count: Decimal) -> Drift:
        settings = self._settings
        low, high, step = settings.dice_low, settings.dice_high, settings.dice_step
        faces = RATIO.add(RATIO.divide(RATIO.subtract(high, low), step), ONE)
        spread = RATIO.divide(RATIO.subtract(RATIO.multiply(faces, faces), ONE), TWELVE)
        error = RATIO.multiply(step, RATIO.sqrt(RATIO.divide(spread, count)))
        middle = RATIO.divide(RATIO.add(low, high), TWO)
        return Drift(middle, RATIO.divide(self._sum, count), error)

    def state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        window = [[time_ns, plain(outcome)] for time_ns, outcome in self._entries]
        return [self.game, self.results, plain(self._sum), window]

    def parts(self) -> GameParts:
        """Return it, for a checkpoint."""
        return GameParts(self.game, self.results, list(self._entries), self._sum, self._now_ns)

    def take_parts(self, parts: GameParts) -> None:
        """Be what a checkpoint says."""
        self.game = parts.game
        self.results = parts.results
        self._entries = deque(parts.entries)
        self._ordered = SortedList(outcome for _, outcome in parts.entries)
        self._sum = parts.sum
        self._now_ns = parts.now_ns

    def _check(self) -> None:
        """Assert what must always hold; for tests, after every operation."""
        assert list(self._ordered) == sorted(outcome for _, outcome in self._entries)
        assert self._sum == sum((outcome for _, outcome in self._entries), ZERO)
        assert len(self) <= self._settings.games_results_max
