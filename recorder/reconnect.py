"""When to connect again: pure policy, with the clock and the chance handed in.

Theory. Two questions are asked before each attempt, and both must say yes.

1. `Backoff`, one a connection: how long does *this* connection rest after it was lost? 1 s
   doubling to 60 s, and of that a random part between nothing and all ("full jitter"), so that
   connections cut together do not come back together. Only a connection that stood for 30 s
   begins again at 1 s: an exchange that accepts and hangs up at once is not hammered.
2. `HostGate`, one a host: may *anyone* connect to it now?
   - Budget: never more than 80 % of what the exchange allows in any window of that length,
     exactly (a log of the attempts, since a refilled bucket allows twice as many in some window).
   - One knocks for all: after a failure that says the host is down, one connection at a time
     tries, and the others wait for what it finds. So an outage costs a few attempts however many
     connections there are, and the budget is there when the host is back.
   - Wishes: a Retry-After is obeyed by all connections to the host.

No function here sleeps or reads a clock; `now_s` is any steady clock.
"""

from __future__ import annotations

import random
from collections import deque

from venues.traits import ConnectionLimits

BACKOFF_FIRST_S = 1.0
BACKOFF_LIMIT_S = 60.0
STABLE_AFTER_S = 30.0
BUDGET_SHARE = 0.8
RETURN_SPREAD_S = 3.0
"""Over how long those who waited for a host come back to it."""
PROBE_LIMIT_S = 30.0
"""After so long without a word, the one that knocks is taken to have gone."""


class Backoff:
    """How long one connection rests before its next attempt."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._losses = 0

    def lost(self, stood_s: float) -> float:
        """Return the rest in seconds, after a connection that stood for `stood_s` (0: never)."""
        if stood_s >= STABLE_AFTER_S:
            self._losses = 0
        longest_s = min(BACKOFF_LIMIT_S, BACKOFF_FIRST_S * 2.0 ** min(self._losses, 16))
        self._losses += 1
        return self._chance.uniform(0.0, longest_s)


class HostBudget:
    """At most `share` of `attempts_max` in any window of `window_s`."""

    def __init__(self, attempts_max: int, window_s: float, share: float = BUDGET_SHARE) -> None:
        self.attempts_max = max(1, int(attempts_max * share))
        self.window_s = window_s
        self._attempts_s: deque[float] = deque()

    def wait_s(self, now_s: float, part: float = 1.0) -> float:
        """Return how long until an attempt is allowed; 0.0 if it is now.

        With `part` below 1 it is one that leaves the rest of the budget to others.
        """
        allowed = max(1, int(self.attempts_max * part))
        if len(self._attempts_s) < allowed:
            return 0.0
        return max(0.0, self._attempts_s[-allowed] + self.window_s - now_s)

    def narrow(self, attempts_max: int) -> None:
        """Allow no more than `attempts_max` from now on."""
        self.attempts_max = max(1, min(self.attempts_max, attempts_max))
        while len(self._attempts_s) > self.attempts_max:
            self._attempts_s.popleft()

    def spend(self, now_s: float) -> None:
        """Write down an attempt, which `wait_s` must have allowed."""
        assert self.wait_s(now_s) == 0.0, "an attempt beyond the budget"
        if len(self._attempts_s) == self.attempts_max:
            self._attempts_s.popleft()
        self._attempts_s.append(now_s)


class HostGate:
    """All connections to one host pass here before each attempt.

    States: open (anyone within the budget may go), and closed after `failed` until `reached`.
    While it is closed, at most one connection is under way, the knocker.
    """

    def __init__(self, limits: ConnectionLimits, chance: random.Random) -> None:
        self._limits = {limits}
        self._budgets = [HostBudget(limits.connects_max, limits.connects_window_s)]
        self._chance = chance
        self._backoff = Backoff(chance)
        self._closed = False
        self._knocker: object | None = None
        self._knocked_s = 0.0
        self._not_before_s = 0.0

    def obey(self, limits: ConnectionLimits) -> None:
        """Keep within `limits` too: those of another venue at the same host."""
        if limits not in self._limits:
            self._limits.add(limits)
            self._budgets.append(HostBudget(limits.connects_max, limits.connects_window_s))

    @property
    def open(self) -> bool:
        """Whether the host is not known to be down."""
        return not self._closed

    def ask(self, who: object, now_s: float) -> float:
        """Return 0.0 if `who` may connect now, else after how many seconds to ask again.

        A 0.0 is an attempt: it is taken from the budget, and `failed` or `reached` must follow.
        """
        if now_s < self._not_before_s:
            return self._not_before_s - now_s + self._spread_s()
        if self._closed and self._somebody_knocks(now_s):
            return self._spread_s()
        wait_s = max(budget.wait_s(now_s) for budget in self._budgets)
        if wait_s > 0.0:
            return wait_s + self._spread_s()
        for budget in self._budgets:
            budget.spend(now_s)
        if self._closed:
            self._knocker, self._knocked_s = who, now_s
        return 0.0

    def failed(self, who: object, now_s: float, retry_after_s: float | None = None) -> None:
        """Say that an attempt found the host down, or was told to come back later."""
        if retry_after_s is not None:
            self._not_before_s = max(self._not_before_s, now_s + retry_after_s)
        if not self._closed or self._knocker is who:
            self._closed = True
            self._knocker = None
            self._not_before_s = max(self._not_before_s, now_s + self._backoff.lost(0.0))

    def reached(self, who: object) -> None:
        """Say that an attempt reached the host, whatever became of the connection."""
        self._closed = False
        self._knocker = None
        self._backoff = Backoff(self._chance)

    def _somebody_knocks(self, now_s: float) -> bool:
        return self._knocker is not None and now_s - self._knocked_s < PROBE_LIMIT_S

    def _spread_s(self) -> float:
        return self._chance.uniform(0.0, RETURN_SPREAD_S) + 0.001
