"""What a field on the wire may be, and what becomes of bytes that are none of it.

Integers are bounded where they are decoded, so that nothing behind has to ask whether a sequence
is negative or a time overflows: a number outside is a decoding error, said by msgspec.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Annotated

from msgspec import Meta

NS_PER_MS = 1_000_000

Milliseconds = Annotated[int, Meta(ge=0, le=9_223_372_036_854)]
"""A time in ms since 1970 whose nanoseconds fit 64 bits. Times in us are refused by it."""

Counter = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""A venue's number of an update, a state or a trade."""

Crc32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
"""An unsigned checksum."""

_NUMBER = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?")
_EXACT = Context(prec=160)


def exact_number(text: str) -> Decimal:
    """Return the number that `text` is.

    Raises:
        ValueError: it is no plain decimal number of at most 40 digits before and after the point.
    """
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{text[:48]!r} is not a plain decimal number")
    return Decimal(text)


def exact_product(price_text: str, size_text: str) -> Decimal:
    """Return price times size, unrounded.

    Raises:
        ValueError: one of them is not a plain decimal number.
    """
    return _EXACT.multiply(exact_number(price_text), exact_number(size_text))


def leading_text(payload: bytes, beginning: bytes) -> str | None:
    """Return the JSON string right behind `beginning`; None where it is not so plainly written.

    `beginning` ends in the opening quote. Nothing behind the string is looked at.
    """
    if not payload.startswith(beginning):
        return None
    start = len(beginning)
    end = payload.find(b'"', start)
    text = payload[start:end] if end != -1 else b"\\"
    return text.decode() if text.isascii() and b"\\" not in text else None


def unreadable(error: Exception) -> str:
    """Return why bytes could not be read, in the words of a `DecodeError`'s reason."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply to be read"
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 ({error.reason})"
    return str(error)
