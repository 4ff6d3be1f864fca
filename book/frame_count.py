"""The exchange's count of all the frames that it sent on a connection.

Theory. Where the numbers run over a connection and not over a symbol, each frame says its own, and
a number that never comes is a lost frame: of whom, nobody knows. `expected` is the lowest number
that has not come; the first frame's number is taken as it is. Some exchanges write frames a little
out of order, so that a number may come after up to `reorder_max` greater ones. `early` are the
numbers beyond `expected` that came already; they are as many as greater numbers came, so that

    a number is missing as soon as more than `reorder_max` greater ones have come

is the same as: `early` may never hold more than that. It is the law of this file, and what bounds
its memory. With 0 every hole is a gap at the next frame.

A number below `expected` came before or was given up. The same as the last one is a duplicate, as
is one that waits in `early`; of others it is not known which of the two they are: they are late.
Late ones that follow one another, more than frames can be out of order by (with 0: two), are the
exchange's counting anew: a gap, of which nobody knows the size.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from book.sequence import Verdict


class CountGap(NamedTuple):
    """Numbers that never came: from `expected` on, up to before `received`.

    `missing` is how many; None where the exchange began to count anew.
    """

    expected: int
    received: int
    missing: int | None


class FrameCountParts(msgspec.Struct, frozen=True, array_like=True):
    """A count, for a checkpoint."""

    expected: int | None
    last: int | None
    late_run: int
    early: list[int]
    gaps: list[CountGap]


_ANEW_MIN = 2
"""One late frame is late; a second one that follows it is a count, where order is kept."""


class FrameCount:
    """The count of one connection.

    Attributes:
        expected: the lowest number that has not come; None before the first frame.
        last: the number that came last.
    """

    __slots__ = ("_early", "_gaps", "_late_run", "_reorder_max", "expected", "last")

    def __init__(self, reorder_max: int) -> None:
        self._reorder_max = reorder_max
        self._early: set[int] = set()
        self._gaps: list[CountGap] = []
        self._late_run = 0
        self.expected: int | None = None
        self.last: int | None = None

    @property
    def whole(self) -> bool:
        """Whether every number up to the greatest that came has come or was given up."""
        return not self._early

    def judge(self, number: int) -> Verdict:
        """Take a frame's number in.

        It is IN_ORDER also where it fills a hole, or leaves one that may still be filled. Where it
        is a GAP, the gaps that it shows are to be taken by `take_gaps`.
        """
        last, self.last = self.last, number
        expected = self.expected
        if expected is None or (number == expected and not self._early):
            self.expected = number + 1
            return Verdict.IN_ORDER
        if number == last or number in self._early:
            return Verdict.DUPLICATE
        if number < expected:
            return self._late(number, expected, last)
        self._early.add(number)
        self._close_up()
        return Verdict.GAP if len(self._early) > self._reorder_max else Verdict.IN_ORDER

    def _late(self, number: int, expected: int, last: int | None) -> Verdict:
        # One in order before it has a greater number: only a late one is followed by this.
        self._late_run = self._late_run + 1 if last == number - 1 else 1
        if self._late_run < self._reorder_max + _ANEW_MIN:
            return Verdict.LATE
        self._late_run = 0
        self._early.clear()
        self.expected = number + 1
        self._gaps.append(CountGap(expected, number, None))
        return Verdict.GAP

    def take_gaps(self) -> list[CountGap]:
        """Give up the numbers that are missing by now, and return them."""
        found, self._gaps = self._gaps, []
        while len(self._early) > self._reorder_max:
            expected = self.expected
            assert expected is not None
            self.expected = received = min(self._early)
            found.append(CountGap(expected, received, received - expected))
            self._close_up()
        return found

    def _close_up(self) -> None:
        assert self.expected is not None
        while self.expected in self._early:
            self._early.remove(self.expected)
            self.expected += 1

    def state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        return [self.expected, self.last, self._late_run, sorted(self._early)]

    def parts(self) -> FrameCountParts:
        """Return the count, for a checkpoint."""
        early = sorted(self._early)
        return FrameCountParts(self.expected, self.last, self._late_run, early, list(self._gaps))

    def take_parts(self, parts: FrameCountParts) -> None:
        """Be what a checkpoint says."""
        self.expected = parts.expected
        self.last = parts.last
        self._late_run = parts.late_run
        self._early = set(parts.early)
        self._gaps = list(parts.gaps)
