"""A book put together from recorded messages, for an exchange's side to state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from venues.event import Row


class StatedBook(NamedTuple):
    """Both sides, best levels first, the number of that state, and the time of it."""

    bids: Sequence[Row]
    asks: Sequence[Row]
    sequence: int
    time_ms: int


BookOf = Callable[[str], StatedBook | None]
"""From a symbol to its book; None where nobody vouches for it."""
