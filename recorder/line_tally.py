"""Which line brought which frame, which one was first, and how far apart they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from venues.marker import Lines, LineShare

RUNS_MAX = 5_000
"""Of a marker; with more it would be large, and is due at once."""
APART_MAX = 2_000
"""Of so many frames the median is taken; beyond, of every other one, and so on."""


class _Share:
    def __init__(self) -> None:
        self.first = 0
        self.only = 0
        self.later = 0
        self.apart_ns: list[int] = []
        self.apart_ns_max: int | None = None
        self._step = 1

    def came_later(self, apart_ns: int) -> None:
        self.later += 1
        self.apart_ns_max = max(apart_ns, self.apart_ns_max or 0)
        if self.later % self._step == 0:
            self.apart_ns.append(apart_ns)
            if len(self.apart_ns) > APART_MAX:
                self.apart_ns = self.apart_ns[::2]
                self._step *= 2

    def share(self, line: int) -> LineShare:
        ordered = sorted(self.apart_ns)
        median_ns = ordered[len(ordered) // 2] if ordered else None
        return LineShare(line, self.first, self.only, self.later, median_ns, self.apart_ns_max)


class LineTally:
    """Counts since the last `take`.

    Attributes:
        first: by line, how many frames it brought first, since the beginning.
    """

    def __init__(self) -> None:
        self.first: defaultdict[int, int] = defaultdict(int)
        self._clear()

    def _clear(self) -> None:
        self._shares: defaultdict[int, _Share] = defaultdict(_Share)
        self._only: list[tuple[int, int, int]] = []
        self._first_frame: int | None = None
        self._last_frame = 0

    @property
    def full(self) -> bool:
        """Whether it should be taken now."""
        return len(self._only) >= RUNS_MAX

    def brought(self, frame_number: int, lines: Sequence[tuple[int, int]]) -> None:
        """Note a frame and the lines that brought it, the first one first, with their times."""
        if self._first_frame is None:
            self._first_frame = frame_number
        (first, first_ns), *later = lines
        self.first[first] += 1
        share = self._shares[first]
        share.first += 1
        for line, time_ns in later:
            self._shares[line].came_later(time_ns - first_ns)
        if not later:
            share.only += 1
            self._run(first, frame_number)
        self._last_frame = frame_number

    def take(self, lines: Sequence[int]) -> Lines | None:
        """Return what was counted, and begin anew; None where nothing was."""
        if self._first_frame is None:
            return None
        marker = Lines(
            [self._shares[line].share(line) for line in sorted(set(lines))],
            self._first_frame,
            self._last_frame,
            self._only,
        )
        self._clear()
        return marker

    def _run(self, line: int, frame_number: int) -> None:
        """Lengthen the last run, where no frame of both lines lies between."""
        only = self._only
        if only and only[-1][0] == line and only[-1][2] == self._last_frame:
            only[-1] = (line, only[-1][1], frame_number)
        else:
            only.append((line, frame_number, frame_number))
