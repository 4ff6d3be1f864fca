"""A book of the engine as plain numbers, to hold against one that a test rebuilt itself."""

from __future__ import annotations

from decimal import Decimal

from book.order_book import OrderBook

Rows = list[tuple[Decimal, Decimal]]


def book_rows(book: OrderBook) -> tuple[Rows, Rows]:
    """Return price and size of all bids and all asks, best first."""
    bids, asks = book.depth(1_000_000)
    return (
        [(level.price, level.size) for level in bids],
        [(level.price, level.size) for level in asks],
    )
