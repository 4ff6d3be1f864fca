"""The fewest frames that still show something: delta debugging that leaves a recording behind.

Theory. What shows it is asked of a whole (a command over a recording, say), and may be true of a
part for reasons of its own, so nothing is assumed: a part is kept only if it was tried and showed
it. Parts are made by leaving frames out together with all that mean nothing without them
(`replay.frame_dependencies`), so each is a recording whose books begin with their snapshots and
miss no message that they did not miss before. In turn:

1. the shortest beginning that shows it is found by halving: without its last frame it does not, so
   that frame is needed, and all that it needs;
2. whole symbols of which nothing is needed are left out, one after the other;
3. of what is not known to be needed, a run of frames is left out, at first half of it, then a
   quarter ..., the last run first. A single frame that cannot be left out is needed, with all that
   it needs: these are not tried again, as what is not shown without a frame is taken to be shown
   without that frame and others neither.

It ends when every frame that is left is needed, or after so many tries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from replay.errors import ReplayError
from replay.frame_dependencies import FrameDependencies
from venues.frame import Frame

Shows = Callable[[Sequence[Frame]], bool]


class NothingShownError(ReplayError):
    """The whole does not show what its parts are to be searched for; `instead` is what came."""

    def __init__(self, instead: str = "") -> None:
        self.instead = instead
        super().__init__(
            "the recording as it is does not show it: the command has to end with 0 for it"
            f"{instead and f', and {instead}'}. Nothing was written."
        )


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What is left: `frames`, after `tries`; `least` is False where tries ran out before."""

    frames: list[Frame]
    tries: int
    least: bool


class _OutOfTriesError(Exception):
    """No more tries."""


class _Search:
    def __init__(self, frames: Sequence[Frame], shows: Shows, tries_max: int) -> None:
        self.frames = frames
        self.shows = shows
        self.tries_max = tries_max
        self.tries = 0
        self.dependencies = FrameDependencies(frames)
        self.kept = list(range(len(frames)))
        self.needed: set[int] = set()

    def without(self, left_out: set[int]) -> bool:
        """Try to leave out these frames and what needs them; keep it so if that still shows it."""
        part = self.dependencies.closed(place for place in self.kept if place not in left_out)
        if not part or not self.needed <= set(part):
            return False
        if self.tries >= self.tries_max:
            raise _OutOfTriesError
        self.tries += 1
        if not self.shows([self.frames[place] for place in part]):
            return False
        self.kept = part
        return True

    def need(self, place: int) -> None:
        """Take note that a frame is needed, and all that it needs."""
        waiting = [place]
        while waiting:
            place = waiting.pop()
            if place not in self.needed:
                self.needed.add(place)
                waiting += self.dependencies.needs[place]

    def beginning(self) -> None:
        """Keep the shortest beginning that shows it."""
        low = 0
        while low + 1 < len(self.kept):
            middle = (low + len(self.kept)) // 2
            if not self.without(set(self.kept[middle:])):
                low = middle
        self.need(self.kept[-1])

    def by_symbol(self) -> None:
        """Leave out whole symbols."""
        groups = self.dependencies.groups
        if len(groups) > 1:
            for group in sorted(groups.values(), key=len, reverse=True):
                left_out = set(group).intersection(self.kept)
                if left_out and not left_out & self.needed:
                    self.without(left_out)

    def by_runs(self) -> None:
        """Leave out runs of what is not needed, shorter and shorter."""
        length = len(self.kept)
        while free := [place for place in self.kept if place not in self.needed]:
            length = max(1, min(length // 2, len(free)))
            for end in range(len(free), 0, -length):
                run = {each for each in free[max(0, end - length) : end] if each not in self.needed}
                run.intersection_update(self.kept)
                if run and not self.without(run) and len(run) == 1:
                    self.need(run.pop())


def shrink(frames: Sequence[Frame], shows: Shows, *, tries_max: int = 1_000) -> Shrunk:
    """Return the fewest of the frames that were found to show it still, with their own numbers.

    Raises:
        NothingShownError: all of them together do not.
    """
    if not shows(frames):
        raise NothingShownError
    search = _Search(frames, shows, tries_max)
    try:
        search.beginning()
        search.by_symbol()
        search.by_runs()
    except _OutOfTriesError:
        return Shrunk([frames[place] for place in search.kept], search.tries + 1, least=False)
    return Shrunk([frames[place] for place in search.kept], search.tries + 1, least=True)
