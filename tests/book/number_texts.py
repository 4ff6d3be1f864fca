"""Prices and sizes as exchanges write them: many texts for few numbers, so that they meet."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from venues.event import Row


def _texts(draw: st.DrawFn, number: Decimal) -> str:
    text = format(number, "f")
    if draw(st.booleans()):
        return text
    if draw(st.booleans()):
        zeros = "0" * draw(st.integers(1, 20))
        return text + zeros if "." in text else f"{text}.{zeros}"
    shift = draw(st.integers(-20, 20))
    return f"{format(number.scaleb(shift), 'f')}e{-shift}"


@st.composite
def price_texts(draw: st.DrawFn) -> str:
    """A price with 0 to 20 decimals, some with trailing zeros or an exponent, some below zero."""
    decimals = draw(st.sampled_from((0, 1, 2, 2, 2, 8, 12, 13, 20)))
    number = Decimal(draw(st.integers(-3, 12))).scaleb(-decimals)
    return _texts(draw, number)


@st.composite
def size_texts(draw: st.DrawFn) -> str:
    """A size, often zero in one of its many texts."""
    if draw(st.booleans()):
        return draw(st.sampled_from(("0", "0.0", "0.00000000", "0e5", "-0", "-0.00", "00")))
    return _texts(draw, Decimal(draw(st.integers(1, 50))).scaleb(-draw(st.integers(0, 8))))


rows: st.SearchStrategy[list[Row]] = st.lists(st.tuples(price_texts(), size_texts()), max_size=12)

BAD_NUMBERS = (
    "",
    " 1",
    "1 ",
    "+1",
    "1.",
    ".5",
    "1,5",
    "1_000",
    "0x1",
    "NaN",
    "sNaN",
    "Infinity",
    "-inf",
    "1e",
    "1e100",
    "--1",
    "\u0661",
    "\uff11",
    "1\n",
    "\x001",
    "9" * 65,
    "true",
    "\ud800",
)
"""What no exchange's number looks like, though `int`, `float` or `Decimal` would take some."""
