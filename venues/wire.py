"""What a field on the wire may be, and what becomes of bytes that are none of it.

Integers are bounded where they are decoded, so that nothing behind has to ask whether a sequence
is negative or a time overflows: a number outside is a decoding error, said by msgspec.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Context, Decimal
from functools import lru_cache
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

Shape = TypeVar("Shape")

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_US = 1_000

Seconds = Annotated[int, Meta(ge=0, le=9_223_372_036)]
"""A time in s since 1970 whose nanoseconds fit 64 bits."""

Milliseconds = Annotated[int, Meta(ge=0, le=9_223_372_036_854)]
"""A time in ms since 1970 whose nanoseconds fit 64 bits. Times in us are refused by it."""

Microseconds = Annotated[int, Meta(ge=0, le=9_223_372_036_854_775)]
"""A time in us since 1970 whose nanoseconds fit 64 bits."""

Nanoseconds = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""A time in ns since 1970."""

Counter = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""A venue's number of an update, a state or a trade."""

Crc32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
"""An unsigned checksum."""

_NUMBER = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")
_ISO_SECOND = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_EXACT = Context(prec=160)


def exact_number(text: str) -> Decimal:
    """Return the number that `text` is.

    Raises:
        ValueError: it is no decimal number of at most 40 digits before and after the point, and
            two of an exponent (JSON numbers below 0.000001 come with one).
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


def exact_sum(one_text: str, other_text: str) -> str:
    """Return the sum of two numbers, unrounded, as a plain text.

    Raises:
        ValueError: one of them is not a plain decimal number.
    """
    return f"{_EXACT.add(exact_number(one_text), exact_number(other_text)):f}"


def seconds_ns(text: str) -> int:
    """Return the time in ns that a decimal text of seconds since 1970 says, exactly.

    Raises:
        ValueError: it is none, has more than 9 decimals, or does not fit 64 bits.
    """
    whole, point, fraction = text.partition(".")
    if not (whole.isdecimal() and len(whole) <= 10 and text.isascii()):
        raise ValueError(f"{text[:48]!r} is not a time in seconds")
    return _fitting(int(whole) * NS_PER_S + (_fraction_ns(fraction, text) if point else 0), text)


def iso_time_ns(text: str) -> int:
    """Return the time in ns that an RFC 3339 text says, exactly (`2021-07-22T22:36:07.865Z`).

    Raises:
        ValueError: it is none, has more than 9 decimals of a second, or does not fit 64 bits.
    """
    rest = text[19:]
    fraction, zone = (rest[:-1], "Z") if rest[-1:] in ("Z", "z") else (rest[:-6], rest[-6:])
    second_ns = _second_ns(text[:19], zone)
    if not fraction:
        return _fitting(second_ns, text)
    if fraction[0] != ".":
        raise ValueError(f"{text[:48]!r} is not a time as in RFC 3339")
    return _fitting(second_ns + _fraction_ns(fraction[1:], text), text)


@lru_cache(maxsize=256)
def _second_ns(second: str, zone: str) -> int:
    # Messages that follow each other share their second, and reading it is what costs.
    if _ISO_SECOND.fullmatch(second + zone) is None:
        raise ValueError(f"{second + zone!r} is not a time as in RFC 3339")
    return int(datetime.fromisoformat(f"{second}{zone}").timestamp()) * NS_PER_S


def _fraction_ns(digits: str, text: str) -> int:
    if not (digits.isdecimal() and digits.isascii() and len(digits) <= 9):
        raise ValueError(f"{text[:48]!r} is a time with no 1 to 9 decimals")
    return int(digits.ljust(9, "0"))


def _fitting(time_ns: int, text: str) -> int:
    if not 0 <= time_ns < 1 << 63:
        raise ValueError(f"{text[:48]!r} is no time since 1970 that fits 64 bits")
    return time_ns


DecimalPlaces = Annotated[int, Meta(ge=0, le=40)]
"""How many digits a price or size may have behind the point."""


def decimal_step(places: int) -> str:
    """Return the smallest step of a number with so many digits behind the point."""
    return f"0.{'1':0>{places}}" if places else "1"


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


def number_text(token: object) -> str:
    """Return the digits of a price or size as they were sent, as a number or in quotes.

    Its field has type `Any` and its decoder `float_hook=str`: so a fraction comes here as it was
    written, and an integer as an integer, which loses nothing.

    Raises:
        ValueError: it is neither.
    """
    if type(token) is str:
        return token
    if type(token) is int:
        return str(token)
    raise ValueError(f"{token!r:.48} is not a number")


def decoded_or_none(decoder: msgspec.json.Decoder[Shape], payload: bytes) -> Shape | None:
    """Return what `decoder` reads, None for bytes that it cannot."""
    try:
        return decoder.decode(payload)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
