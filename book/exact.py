"""Numbers as the exchange wrote them, and as exact decimals; never floats.

Two arithmetic contexts of our own, because the thread's current decimal context belongs to the
user and would make results depend on it. RATIO is for divisions, which can't be exact, and always
rounds alike. EXACT raises where a result would have to be rounded, which none of ours has: a number
of 64 characters has digits between 10^160 and 10^-160 (its exponent has two digits), a product of
two between 10^320 and 10^-320, and the rest is room for the sums of more of them than there are.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Clamped, Context, Decimal, Inexact, InvalidOperation, Overflow

EXACT = Context(prec=800, traps=[Inexact, InvalidOperation, Overflow, Clamped])
RATIO = Context(prec=34, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])

ZERO = Decimal(0)

TEXT_CHARACTERS_MAX = 64
"""Longer than any price; bounds what a hostile message can make us compute."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)


class NotANumberError(ValueError):
    """A text that is no plain decimal number. The engine turns it into a finding."""

    def __init__(self, text: str) -> None:
        self.text = text[:TEXT_CHARACTERS_MAX]
        super().__init__(f"not a number: {self.text!r}")


def exact(text: str) -> Decimal:
    """Return the number that `text` writes, with its own count of decimals.

    Raises:
        NotANumberError: it is not a JSON-like decimal number of at most 64 characters.
    """
    if len(text) > TEXT_CHARACTERS_MAX or _NUMBER.fullmatch(text) is None:
        raise NotANumberError(text)
    return Decimal(text)


class ExactNumbers(dict[str, Decimal]):
    """The numbers seen lately, by text. Feeds repeat a few texts over and over.

    Some 200 bytes each, so the markets of a venue share one. Bounded: it starts anew when it is
    full. Looking up what is no number raises NotANumberError.
    """

    ENTRIES_MAX = 65_536

    def __missing__(self, text: str) -> Decimal:
        """Read a text not seen lately."""
        number = self.read(text)
        if len(self) >= self.ENTRIES_MAX:
            self.clear()
        self[text] = number
        return number

    @staticmethod
    def read(text: str) -> Decimal:
        """Read a price, which may be below zero (spreads are)."""
        return exact(text)


class ExactSizes(ExactNumbers):
    """The sizes seen lately, by text. A size below zero is none."""

    @staticmethod
    def read(text: str) -> Decimal:
        """Read a size."""
        number = exact(text)
        if number < 0:
            raise NotANumberError(text)
        return number


def plain(number: Decimal) -> str:
    """Return the digits of `number` without an exponent: one text for equal digits."""
    return format(number, "f")
