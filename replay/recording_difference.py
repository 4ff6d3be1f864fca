"""Which frames differ between two recordings.

Frames are one where venue, kind, receive time (or not, as asked) and payload are: numbers and
connection ids are a recording's own affair. Both are read once, side by side. Where they part, so
many frames of both as `WINDOW` are looked at for the nearest place where they go on as one; what
lies before it is in one of them alone. A frame that moved further than that counts twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from replay.frame_source import FrameSource
from venues.frame import Frame

WINDOW = 4_096
KEPT_MAX = 20

Which = Literal["first", "second"]


@dataclass(slots=True)
class FramesDifference:
    """What was found: counts, and the first frames that are in one recording alone."""

    same: int = 0
    only_in_first: int = 0
    only_in_second: int = 0
    kept: list[tuple[Which, Frame]] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Whether a frame is in one of them alone."""
        return bool(self.only_in_first or self.only_in_second)

    def note(self, which: Which, frame: Frame) -> None:
        """Take note of a frame that is in one alone."""
        if which == "first":
            self.only_in_first += 1
        else:
            self.only_in_second += 1
        if len(self.kept) < KEPT_MAX:
            self.kept.append((which, frame))


class _Side:
    """The frames of one recording that are not yet judged."""

    def __init__(self, frames: Iterator[Frame], which: Which, *, times: bool) -> None:
        self._frames = frames
        self._which: Which = which
        self._times = times
        self.waiting: deque[tuple[object, Frame]] = deque()

    def fill(self, count: int) -> None:
        while len(self.waiting) < count and (frame := next(self._frames, None)) is not None:
            time_ns = frame.receive_time_ns if self._times else None
            self.waiting.append(((frame.payload, frame.venue, frame.kind, time_ns), frame))

    def drop(self, count: int, found: FramesDifference) -> None:
        for _ in range(count):
            found.note(self._which, self.waiting.popleft()[1])


def frames_difference(
    first: FrameSource, second: FrameSource, *, times: bool = True
) -> FramesDifference:
    """Compare the frames of two sources; without `times`, receive times may differ.

    Raises:
        ReplayError: one cannot be read.
    """
    found = FramesDifference()
    one = _Side(first.frames(), "first", times=times)
    other = _Side(second.frames(), "second", times=times)
    while True:
        one.fill(1)
        other.fill(1)
        if not one.waiting or not other.waiting:
            break
        if one.waiting[0][0] == other.waiting[0][0]:
            one.waiting.popleft()
            other.waiting.popleft()
            found.same += 1
        else:
            one.fill(WINDOW)
            other.fill(WINDOW)
            before, after = _nearest(one, other)
            one.drop(before, found)
            other.drop(after, found)
    for side in (one, other):
        while side.waiting:
            side.drop(len(side.waiting), found)
            side.fill(WINDOW)
    return found


def _nearest(one: _Side, other: _Side) -> tuple[int, int]:
    """Return how many frames of each lie before the nearest place where they are one again."""
    places: dict[object, int] = {}
    for place, (key, _) in enumerate(other.waiting):
        places.setdefault(key, place)
    best: tuple[int, int] | None = None
    for place, (key, _) in enumerate(one.waiting):
        if best is not None and place >= sum(best):
            break
        at = places.get(key)
        if at is not None and (best is None or place + at < sum(best)):
            best = (place, at)
    return best or (len(one.waiting), len(other.waiting))
