"""A venue's book as plain values, for a checkpoint.

Ghosts of levels (`book.price_levels`) are left out: nothing that can be asked of a book depends on
them. What waits in `held` and `quote_check` is there whole.
"""

from __future__ import annotations

import msgspec

from book.book_state import BookState
from book.coverage import CoverageParts
from book.quote_check import QuoteCheckParts
from venues.event import BookDelta, Row


class SideIdsParts(msgspec.Struct, frozen=True, array_like=True):
    """The named levels of one side; `ids` says, by the price's text, which one stands there."""

    levels: list[tuple[str, Row]]
    ids: list[tuple[str, str]]


class BookParts(msgspec.Struct, frozen=True, array_like=True):
    """A book. `sides` are the named levels of the bids and the asks, where levels have names."""

    bids: list[Row]
    asks: list[Row]
    state: BookState
    clean: BookState
    checksums_prove: bool
    sequence: int | None
    late_sequence: int | None
    connection_id: int
    gone: bool
    needs_snapshot: bool
    depth_kept: int | None
    held: list[BookDelta]
    coverage: CoverageParts
    quote_check: QuoteCheckParts
    sides: tuple[SideIdsParts, SideIdsParts] | None = None
    alone: bool | None = None
