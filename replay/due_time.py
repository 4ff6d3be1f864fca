"""When each frame is due, on the time line of the recording.

Theory. At 1x a recording takes as long as it took. The receive times say how long that was, except
where the wall clock was set while it ran: a clock set back by an hour would let the next hour rush
past at once, and one set forward would stall the playback for an hour in which nothing happened.

So due time is receive time less `shift_ns`, the sum of the steps met so far, and never goes back:

- Where the frames carry the steady clock too, a change of wall minus steady time by more than
  `STEP_LIMIT_NS` between two frames is a step, in either direction, and is taken into the shift.
- Across a boot of the machine nothing can be compared, so the next frame begins a new comparison:
  where the readings of the clocks name the boot, when the name changes; where they don't (in
  recordings made before they did), when the steady time went back.
- Several recordings as one carry no steady clock: theirs have nothing to do with one another.
- A receive time that goes back by more than `STEP_LIMIT_NS` where the steady clock says nothing is
  a step too: time goes on from where it was.
- Whatever else goes back does so by little (two connections stamped out of order, a slewed clock):
  the frame is due at once, which is the running maximum, and the shift stays 0, so that a thousand
  such frames add up to no drift.

A silence, however long, is no step: it keeps its length. Neither the order nor the content of the
frames is touched here; receive times are read and never written.
"""

from __future__ import annotations

from venues.frame import Frame, FrameKind
from venues.marker import ClockReading, MarkerError, read_marker

STEP_LIMIT_NS = 1_000_000_000
"""A clock that moves by less within a second or two is being slewed, not set."""


class DueTimes:
    """Gives each frame of one playback, in order, the time at which it is due."""

    def __init__(self) -> None:
        self.shift_ns = 0
        self._due_ns: int | None = None
        self._steady_ns: int | None = None
        self._boot = ""
        self._offset_ns = 0

    def due_ns(self, frame: Frame) -> int:
        """Return when `frame` is due: never before the frame that came before it."""
        receive_time_ns = frame.receive_time_ns
        if frame.kind is FrameKind.CLOCK:
            self._take_boot(frame)
        if frame.monotonic_time_ns is not None:
            self._compare(receive_time_ns, frame.monotonic_time_ns)
        due_ns = receive_time_ns - self.shift_ns
        if self._due_ns is not None and due_ns < self._due_ns:
            if self._due_ns - due_ns > STEP_LIMIT_NS:
                self.shift_ns = receive_time_ns - self._due_ns
            due_ns = self._due_ns
        self._due_ns = due_ns
        return due_ns

    def _take_boot(self, frame: Frame) -> None:
        """Forget the steady time of another boot."""
        try:
            boot = read_marker(frame, ClockReading).boot
        except MarkerError:  # a finding of the engine's
            return
        if boot and self._boot and boot != self._boot:
            self._steady_ns = None
        self._boot = boot or self._boot

    def _compare(self, receive_time_ns: int, steady_ns: int) -> None:
        offset_ns = receive_time_ns - steady_ns
        rebooted = self._steady_ns is None or steady_ns < self._steady_ns - STEP_LIMIT_NS
        if not rebooted and abs(offset_ns - self._offset_ns) > STEP_LIMIT_NS:
            self.shift_ns += offset_ns - self._offset_ns
        self._steady_ns = steady_ns
        self._offset_ns = offset_ns
