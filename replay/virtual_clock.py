"""Time that can be paused, sped up and moved: two bases and an exact rate.

Theory. The whole state is one sentence: "when the steady clock said `steady_base_ns`, virtual time
was `virtual_base_ns`, and since then it goes `rate` times as fast". `start`, `pause`, `resume`,
`set_rate` and `jump` write a new such sentence; nothing else changes it, and reading the time
changes nothing.

Rules:

- Nanoseconds are integers and the rate is a fraction. The base in virtual time is a fraction too,
  so a thousand changes of the rate lose nothing: what is read is rounded down, what is kept is not.
- Virtual time never goes back. A jump to an earlier time is refused (`ClockBackwardsError`); only
  `start`, which is a new beginning, sets any time at all.
- Pausing stops virtual time where it is; it is not the same as a rate of zero, which is refused
  because nothing would ever come back from it.
- The steady clock is injected. The clock never looks at the time of day.

It may be paused or set from another thread or task than the one that waits on it: the sentence is
replaced whole, and `sleep_until` reads it anew after every `SLICE_NS` of waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from replay.steady_clock import SLICE_NS, SteadyClock, SystemSteadyClock
from venues.errors import TickreelError


class ClockBackwardsError(TickreelError):
    """A jump to a virtual time that has already passed."""

    def __init__(self, now_ns: int, target_ns: int) -> None:
        self.now_ns = now_ns
        self.target_ns = target_ns
        super().__init__(
            f"virtual time cannot go back from {now_ns} ns to {target_ns} ns. "
            "Start a new playback from the earlier time instead."
        )


class ClockRateError(TickreelError):
    """A rate at which time would stand still or go back."""

    def __init__(self, rate: Fraction) -> None:
        self.rate = rate
        super().__init__(
            f"virtual time cannot go at {rate} times the steady clock. Give a rate above zero, "
            "and pause the clock to stop it."
        )


class _Sentence(NamedTuple):
    """When the steady clock said this, virtual time was that, and goes on so fast."""

    steady_base_ns: int
    virtual_base_ns: Fraction
    rate: Fraction
    paused: bool

    def virtual_at(self, steady_ns: int) -> Fraction:
        if self.paused:
            return self.virtual_base_ns
        return self.virtual_base_ns + (steady_ns - self.steady_base_ns) * self.rate

    def steady_at(self, virtual_ns: int) -> int | None:
        if self.paused:
            return None
        # Whole numbers only, as this is asked for every frame: rounded up, so never too early.
        base, rate = self.virtual_base_ns, self.rate
        behind = (base.numerator - virtual_ns * base.denominator) * rate.denominator
        return self.steady_base_ns - behind // (base.denominator * rate.numerator)


class VirtualClock:
    """A clock whose time is set by the playback. It shows 0 until `start`.

    Attributes:
        steady: the clock below it.
    """

    def __init__(
        self,
        rate: Fraction = Fraction(1),
        *,
        steady: SteadyClock | None = None,
        paused: bool = False,
    ) -> None:
        """Make a clock that goes at `rate`, unless it is `paused`.

        Raises:
            ClockRateError: the rate is not above zero.
        """
        self.steady: SteadyClock = SystemSteadyClock() if steady is None else steady
        self._sentence = _Sentence(self.steady.now_ns(), Fraction(0), _checked(rate), paused)

    @property
    def now_ns(self) -> int:
        """Virtual time, rounded down to a nanosecond."""
        return _floor(self._sentence.virtual_at(self.steady.now_ns()))

    @property
    def rate(self) -> Fraction:
        """How many virtual seconds pass in a steady one while the clock is not paused."""
        return self._sentence.rate

    @property
    def paused(self) -> bool:
        """Whether virtual time stands still."""
        return self._sentence.paused

    def start(self, virtual_ns: int) -> None:
        """Set virtual time, to any value: a new beginning. A paused clock stays paused."""
        self._sentence = self._sentence._replace(
            steady_base_ns=self.steady.now_ns(), virtual_base_ns=Fraction(virtual_ns)
        )

    def pause(self) -> None:
        """Stop virtual time where it is."""
        self._sentence = self._based_now()._replace(paused=True)

    def resume(self) -> None:
        """Let virtual time go on from where it stands."""
        self._sentence = self._based_now()._replace(paused=False)

    def set_rate(self, rate: Fraction) -> None:
        """Go `rate` times as fast as the steady clock from now on.

        Raises:
            ClockRateError: the rate is not above zero.
        """
        self._sentence = self._based_now()._replace(rate=_checked(rate))

    def jump(self, virtual_ns: int) -> None:
        """Move forward to `virtual_ns`; what was due in between is due at once.

        Raises:
            ClockBackwardsError: that time has already passed.
        """
        based = self._based_now()
        if virtual_ns < based.virtual_base_ns:
            raise ClockBackwardsError(_floor(based.virtual_base_ns), virtual_ns)
        self._sentence = based._replace(virtual_base_ns=Fraction(virtual_ns))

    def steady_time_at(self, virtual_ns: int) -> int | None:
        """Return the first steady time at which virtual time is `virtual_ns`; None while paused."""
        return self._sentence.steady_at(virtual_ns)

    def sleep_until(self, virtual_ns: int, interrupted: Callable[[], bool] | None = None) -> None:
        """Block until virtual time is `virtual_ns`, however it comes to be that.

        Or until `interrupted` says so, which is asked at least every `SLICE_NS`.
        """
        while (left_ns := self._left_ns(virtual_ns)) > 0:
            if interrupted is not None and interrupted():
                return
            self.steady.sleep_ns(left_ns)

    async def sleep_until_async(
        self, virtual_ns: int, interrupted: Callable[[], bool] | None = None
    ) -> None:
        """Let other tasks run until virtual time is `virtual_ns`; the rest as `sleep_until`."""
        while (left_ns := self._left_ns(virtual_ns)) > 0:
            if interrupted is not None and interrupted():
                return
            await self.steady.sleep_async_ns(left_ns)

    def _based_now(self) -> _Sentence:
        sentence, steady_ns = self._sentence, self.steady.now_ns()
        return sentence._replace(
            steady_base_ns=steady_ns, virtual_base_ns=sentence.virtual_at(steady_ns)
        )

    def _left_ns(self, virtual_ns: int) -> int:
        sentence = self._sentence
        due_ns = sentence.steady_at(virtual_ns)
        if due_ns is None:
            return SLICE_NS if sentence.virtual_base_ns < virtual_ns else 0
        return due_ns - self.steady.now_ns()


def _checked(rate: Fraction) -> Fraction:
    exact = Fraction(rate)
    if exact <= 0:
        raise ClockRateError(exact)
    return exact


def _floor(value: Fraction) -> int:
    return value.numerator // value.denominator
