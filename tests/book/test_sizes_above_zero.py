"""Whether a size is above zero is told without its decimal, and as its decimal tells it."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from book.exact import ExactSizes, NotANumberError, SizesAboveZero

NUMBER_LIKE = st.text("0123456789.-+eE_ \u0661", max_size=70)
PLAIN = st.from_regex(r"[0-9]{1,40}(\.[0-9]{1,40})?", fullmatch=True)
ZEROS = st.from_regex(r"0{1,40}(\.0{1,40})?", fullmatch=True)


@settings(max_examples=500)
@given(NUMBER_LIKE | PLAIN | ZEROS | st.text())
@example("0")
@example("0.00000001")
@example("10")
@example("-0")
@example("1e-8")
@example("0e5")
@example(".")
@example("0.")
@example("")
@example("1\n")
def test_a_size_is_above_zero_where_its_decimal_is(text: str) -> None:
    try:
        number = ExactSizes.read(text)
    except NotANumberError:
        with pytest.raises(NotANumberError):
            SizesAboveZero.read(text)
    else:
        assert SizesAboveZero.read(text) is (number > 0)
