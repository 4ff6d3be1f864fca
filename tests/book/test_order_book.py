"""Both sides together: best, mid, spread, depth, crossed."""

from __future__ import annotations

import decimal
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from book.order_book import OrderBook
from tests.book.number_texts import rows
from tests.book.plain_book import PlainBook
from venues.event import Row, Side

steps = st.lists(st.tuples(st.booleans(), rows, rows), max_size=6)


@given(changes=steps, precision=st.integers(1, 40))
@settings(max_examples=80)
def test_every_figure_is_what_a_plain_book_gives(
    changes: list[tuple[bool, list[Row], list[Row]]], precision: int
) -> None:
    book, plain = OrderBook(), PlainBook()
    with decimal.localcontext() as context:
        context.prec = precision
        for anew, bids, asks in changes:
            for each in (book, plain):
                (each.replace if anew else each.apply)(bids, asks)
            book._check()
        figures = book.mid, book.spread, book.crossed
    bids_held, asks_held = plain.rows()
    depth_bids, depth_asks = book.depth(4)
    assert [(each.price, each.size) for each in depth_bids] == _decimals(bids_held[:4])
    assert [(each.price, each.size) for each in depth_asks] == _decimals(asks_held[:4])
    if not bids_held or not asks_held:
        assert figures == (None, None, False)
        return
    best_bid, best_ask = Decimal(bids_held[0][0]), Decimal(asks_held[0][0])
    assert figures == ((best_bid + best_ask) / 2, best_ask - best_bid, best_bid > best_ask)
    assert book.size_at(Side.BUY, best_bid) == Decimal(bids_held[0][1])
    assert book.size_at(Side.SELL, best_ask) == Decimal(asks_held[0][1])


def _decimals(held: list[Row]) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(price), Decimal(size)) for price, size in held]


def test_a_locked_book_is_not_crossed() -> None:
    book = OrderBook()
    book.replace([("1.0", "1")], [("1.00", "1")])
    assert not book.crossed
    book.apply([("1.01", "1")], [])
    assert book.crossed


def test_an_empty_book_has_no_figures() -> None:
    book = OrderBook()
    assert (book.best_bid, book.best_ask, book.mid, book.spread) == (None, None, None, None)
    assert not book.crossed
    assert book.size_at(Side.BUY, Decimal(1)) is None
    assert book.depth(5) == ([], [])
