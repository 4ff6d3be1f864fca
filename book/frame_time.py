"""The engine's now: what windows, silences and coverage are measured against.

It is the receive time of the frames, but never runs back: where a wall clock did, now stands still
until the frames have caught up. So whatever is measured by it comes in order, and a look at it in
between changes nothing.
"""

from __future__ import annotations

from venues.frame import Frame


class FrameTime:
    """The greatest receive time among the frames applied so far."""

    __slots__ = ("now_ns",)

    def __init__(self) -> None:
        self.now_ns = 0


def stepped_back(previous: Frame, frame: Frame) -> bool:
    """Say whether the wall clock ran back between two frames.

    A frame that a recorder put in late, as it waited for its place among those of another line,
    is behind by the steady clock too, and no clock stepped.
    """
    if frame.receive_time_ns >= previous.receive_time_ns:
        return False
    steady_ns, previous_ns = frame.monotonic_time_ns, previous.monotonic_time_ns
    return steady_ns is None or previous_ns is None or steady_ns >= previous_ns
