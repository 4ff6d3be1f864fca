"""The one time of a fake exchange, by which all its clients are played to.

Theory. It is a virtual clock that runs only while three things hold: it was started, nobody paused
it, and somebody is played to (`attended`). While nobody is, it stands still, so that a client that
was cut off and comes back has missed nothing. At speed `max` there is no clock: nothing waits but
for a pause, and every client goes at its own pace.

Whoever waits is woken by every change, so that a pause, a speed or a new beginning holds at once.
A server's clock need not be finer than the event loop's: whatever is due by the time that a waiting
client wakes is sent together, and no processor time is spent on waiting.
"""

from __future__ import annotations

import asyncio
from fractions import Fraction

from replay.speed import Speed
from replay.virtual_clock import VirtualClock


class ServedTime:
    """Virtual time, and how to wait for it."""

    def __init__(self, speed: Speed, *, paused: bool = False) -> None:
        """Stand still until `start`; `paused`, also after it until `resume`."""
        self._speed = speed
        self._paused = paused
        self._attended = False
        self._started = False
        self._clock = VirtualClock(Fraction(1) if speed is None else speed, paused=True)
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def speed(self) -> Speed:
        """Played seconds in a passing one; None for max."""
        return self._speed

    @property
    def paused(self) -> bool:
        """Whether somebody paused it."""
        return self._paused

    @property
    def started(self) -> bool:
        """Whether it has begun."""
        return self._started

    @property
    def now_ns(self) -> int | None:
        """Virtual time; None at max, where every client has its own, and before the start."""
        return self._clock.now_ns if self._started and self._speed is not None else None

    def is_ahead(self, due_ns: int, already: bool) -> bool:
        """Return whether a client is up to time: it waits for `due_ns`, or `already` was."""
        return self._speed is not None and (already or self._clock.now_ns < due_ns)

    def start(self, virtual_ns: int) -> None:
        """Begin, or begin anew, at `virtual_ns`."""
        self._started = True
        self._clock.start(virtual_ns)
        self._changed()

    def stop(self) -> None:
        """Stand still until the next `start`."""
        self._started = False
        self._attended = False
        self._changed()

    def attend(self, attended: bool) -> None:
        """Say whether somebody is played to."""
        if attended is not self._attended:
            self._attended = attended
            self._changed()

    def pause(self) -> None:
        """Stand still until `resume`."""
        self._paused = True
        self._changed()

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        self._changed()

    def set_speed(self, speed: Speed, from_ns: int) -> None:
        """Go at `speed`; where there was no clock (max), time is `from_ns` now."""
        if speed is not None:
            if self._speed is None:
                self._clock.start(from_ns)
            self._clock.set_rate(speed)
        self._speed = speed
        self._changed()

    async def until(self, due_ns: int) -> int | None:
        """Wait until virtual time is `due_ns`; return what it is then, None at max."""
        while True:
            left_s = self._left_s(due_ns)
            if left_s is None or left_s > 0:
                await self._wait(left_s)
            else:
                return None if self._speed is None else max(due_ns, self._clock.now_ns)

    def _left_s(self, due_ns: int) -> float | None:
        """Return how long to wait; None: until something changes."""
        if self._paused or not self._started:
            return None
        if self._speed is None or self._clock.now_ns >= due_ns:
            return 0
        steady_ns = self._clock.steady_time_at(due_ns)
        return None if steady_ns is None else (steady_ns - self._clock.steady.now_ns()) / 1e9

    async def _wait(self, limit_s: float | None) -> None:
        loop = asyncio.get_running_loop()
        changed: asyncio.Future[None] = loop.create_future()
        timer = None if limit_s is None else loop.call_later(limit_s, _finish, changed)
        self._waiting.add(changed)
        try:
            await changed
        finally:
            self._waiting.discard(changed)
            if timer is not None:
                timer.cancel()

    def _changed(self) -> None:
        if self._started and self._attended and not self._paused and self._speed is not None:
            self._clock.resume()
        else:
            self._clock.pause()
        for changed in self._waiting:
            _finish(changed)


def _finish(changed: asyncio.Future[None]) -> None:
    if not changed.done():
        changed.set_result(None)
