"""The states of a venue's book."""

from __future__ import annotations

from enum import StrEnum


class BookState(StrEnum):
    """Whether a book may be trusted; `book.venue_book` has the theory."""

    EMPTY = "empty"
    BRIDGING = "bridging"
    PROVEN = "proven"
    UNVERIFIABLE = "unverifiable"
    SUSPECT = "suspect"
    ENDED = "ended"
