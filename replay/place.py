"""A place in a recording: between two frames, before a frame number or before a receive time.

The place of a time is before the first frame that was received then or later, in the order of the
frames; so that where a wall clock stepped back, what came after it and bears an earlier time is
still ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

from venues.frame import Frame


@dataclass(frozen=True, slots=True)
class Place:
    """Before a frame number, or before a receive time; with neither of them, at the end."""

    frame_number: int | None = None
    time_ns: int | None = None

    def is_before(self, frame: Frame) -> bool:
        """Return whether the first frame after the place is this one or lies before it."""
        if self.frame_number is not None:
            return frame.frame_number >= self.frame_number
        return self.time_ns is not None and frame.receive_time_ns >= self.time_ns

    def is_after(self, frame_number: int, latest_ns: int) -> bool:
        """Return whether a frame lies before it, and all before that, received by `latest_ns`."""
        if self.frame_number is not None:
            return frame_number < self.frame_number
        return self.time_ns is None or latest_ns < self.time_ns
