"""The two clocks of the recorder, read together, and what they say about each other.

Theory. The wall clock says when, for people and for comparing with the exchange; it may be set
at any moment. The steady clock says how long, and never steps. Both are read at once for every
chunk of bytes; where the wall clock has moved more than 100 ms against the steady one since the
last reading, that is a step, and is told of before any frame that bears the new time. A plain
reading at least every 10 s keeps a slow adjustment (NTP moves 0.5 ms a second at most) from ever
looking like a step, and lets the engine's time go on while the exchange is silent.

All deadlines are measured on the steady clock. It begins anew with each boot of the machine, so
every reading names the boot (`recorder.boot`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from venues.marker import ClockReading

STEP_LIMIT_NS = 100_000_000
READING_INTERVAL_NS = 10_000_000_000


class ClockWatch:
    """Reads both clocks, and tells `on_reading` of steps and of time going on."""

    def __init__(
        self,
        on_reading: Callable[[ClockReading], None],
        boot: str = "",
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._on_reading = on_reading
        self._boot = boot
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._offset_ns = wall_ns() - monotonic_ns()
        self._last_reading_ns: int | None = None

    def read(self) -> tuple[int, int]:
        """Return wall and steady clock in ns, after telling of a step if there was one."""
        wall_time_ns = self._wall_ns()
        monotonic_time_ns = self._monotonic_ns()
        step_ns = wall_time_ns - monotonic_time_ns - self._offset_ns
        if step_ns > STEP_LIMIT_NS or step_ns < -STEP_LIMIT_NS:
            self._confirm_step()
        return wall_time_ns, monotonic_time_ns

    def tick(self) -> None:
        """Give a plain reading if one is due; to be called every second or so."""
        wall_time_ns, monotonic_time_ns = self.read()
        last_ns = self._last_reading_ns
        if last_ns is None or monotonic_time_ns - last_ns >= READING_INTERVAL_NS:
            self._tell(wall_time_ns, monotonic_time_ns, 0)

    def _confirm_step(self) -> None:
        # The process may have been held up between the two readings; two readings in a row are
        # not both torn by the same amount.
        wall_time_ns, monotonic_time_ns = self._wall_ns(), self._monotonic_ns()
        step_ns = wall_time_ns - monotonic_time_ns - self._offset_ns
        if abs(step_ns) > STEP_LIMIT_NS:
            self._tell(wall_time_ns, monotonic_time_ns, step_ns)

    def _tell(self, wall_time_ns: int, monotonic_time_ns: int, step_ns: int) -> None:
        self._offset_ns = wall_time_ns - monotonic_time_ns
        self._last_reading_ns = monotonic_time_ns
        self._on_reading(ClockReading(wall_time_ns, monotonic_time_ns, step_ns, self._boot))
