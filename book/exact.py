"""Numbers as the exchange wrote them, and as exact decimals; never floats.

Two arithmetic contexts of our own, because the thread's current decimal context belongs to the
user and would make results depend on it. RATIO is for divisions, which can't be exact, and always
rounds alike. EXACT raises where a result would have to be rounded, which none of ours has: a number
of 64 characters has digits between 10^160 and 10^-160 (its exponent has two digits), a product of
two between 10^320 and 10^-320, and the rest is room for the sums of more of them than there are.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from decimal import ROUND_HALF_EVEN, Clamped, Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import TypeVar

EXACT = Context(prec=800, traps=[Inexact, InvalidOperation, Overflow, Clamped])
RATIO = Context(prec=34, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])

ZERO = Decimal(0)

Meaning = TypeVar("Meaning")

TEXT_CHARACTERS_MAX = 64
"""Longer than any price; bounds what a hostile message can make us compute."""

_PLAIN = re.compile(r"[0-9]{1,31}(?:\.[0-9]{1,31})?", re.ASCII)
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


class _SeenTexts(dict[str, Meaning]):
    """What the texts seen lately mean. Feeds repeat a few texts over and over.

    Bounded: it starts anew when it is full. Looking up what is no number raises NotANumberError.
    """

    ENTRIES_MAX = 65_536

    def __missing__(self, text: str) -> Meaning:
        """Read a text not seen lately."""
        meaning = self.read(text)
        if len(self) >= self.ENTRIES_MAX:
            self.clear()
        self[text] = meaning
        return meaning

    @staticmethod
    @abstractmethod
    def read(text: str) -> Meaning:
        """Read a text."""


class ExactNumbers(_SeenTexts[Decimal]):
    """The numbers seen lately. Some 200 bytes each, so the markets of a venue share one."""

    @staticmethod
    def read(text: str) -> Decimal:
        """Read a price, which may be below zero (spreads are)."""
        return exact(text)


class ExactSizes(_SeenTexts[Decimal]):
    """The sizes seen lately. A size below zero is none."""

    @staticmethod
    def read(text: str) -> Decimal:
        """Read a size."""
        number = exact(text)
        if number < 0:
            raise NotANumberError(text)
        return number


class SizesAboveZero(_SeenTexts[bool]):
    """Whether each size seen lately is above zero: all that a book asks of a size.

    It asks for every level of every delta, where fetching a number from memory costs more than the
    answer is worth.
    """

    @staticmethod
    def read(text: str) -> bool:
        """Read a size."""
        if _PLAIN.fullmatch(text) is not None:  # as nearly all are: no need of its decimal
            return text.strip("0.") != ""
        return bool(ExactSizes.read(text))


class NumbersSeen:
    """What the markets of one venue have read lately, together."""

    __slots__ = ("above_zero", "prices", "sizes")

    def __init__(self) -> None:
        self.prices = ExactNumbers()
        self.sizes = ExactSizes()
        self.above_zero = SizesAboveZero()


def plain(number: Decimal) -> str:
    """Return the digits of `number` without an exponent: one text for equal digits."""
    return format(number, "f")
