"""`--shift-time`: recorded times moved to the present, all by one constant.

The constant is whole seconds, so that every unit and fraction of a venue's times moves by exactly
the same, and it is fixed when it is first needed: what was recorded at the beginning then carries
the time that it is sent at. It stays the same for the whole pass, at every speed. Nothing else in a
message changes (see `venues.time_shift`), and so prices, numbers and checksums stay what they were.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from venues.errors import TickreelError
from venues.venue import Dialect, Venue

NS_PER_S = 1_000_000_000


class UnmovableTimesError(TickreelError):
    """A venue of which nobody said where its messages carry times."""

    def __init__(self, venue: str) -> None:
        self.venue = venue
        super().__init__(
            f"the times in the messages of {venue} cannot be moved: it is not known where they "
            "are. Serve it without --shift-time, or only another venue with --venue; "
            "`tickreel venues NAME` says whose times can be moved."
        )


class TimeMove:
    """By how much times are moved.

    Attributes:
        wanted: whether they are moved at all.
    """

    def __init__(
        self, origin_ns: int, *, wanted: bool, wall_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._origin_ns = origin_ns
        self.wanted = wanted
        self._wall_ns = wall_ns
        self._shift_s: int | None = None

    @property
    def shift_s(self) -> int | None:
        """The constant; None where nothing is moved. Fixed with the first look at it."""
        if not self.wanted:
            return None
        if self._shift_s is None:
            self._shift_s = (self._wall_ns() - self._origin_ns) // NS_PER_S
        return self._shift_s

    def moved(self, dialect: Dialect, payload: bytes) -> bytes:
        """Return `payload` with its times moved."""
        shift_s = self.shift_s
        if shift_s is None:
            return payload
        moved = dialect.shifted(payload, shift_s)
        return payload if moved is None else moved


def check_movable(venue: Venue) -> None:
    """Check that the venue says where its times are.

    Raises:
        UnmovableTimesError: it does not.
    """
    if not times_movable(venue):
        raise UnmovableTimesError(venue.name)


def times_movable(venue: Venue) -> bool:
    """Return whether the venue says where in its messages times are."""
    return venue.dialect.shifted(b"{}", 0) is not None
