"""The engine's now: what windows, silences and coverage are measured against.

It is the receive time of the frames, but never runs back: where a wall clock did, now stands still
until the frames have caught up. So whatever is measured by it comes in order, and a look at it in
between changes nothing.
"""

from __future__ import annotations


class FrameTime:
    """The greatest receive time among the frames applied so far."""

    __slots__ = ("now_ns",)

    def __init__(self) -> None:
        self.now_ns = 0
