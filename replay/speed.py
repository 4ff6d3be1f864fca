"""Speeds as people write them: `max`, `1x`, `0.25x`, `10x`, `2/3x`.

A speed is an exact ratio of played time to passing time, or None for as fast as it goes.
"""

from __future__ import annotations

import re
from fractions import Fraction

from venues.errors import TickreelError

Speed = Fraction | None
"""Played seconds in a passing one; None where nothing waits at all (`max`)."""

RATE_MAX = 1_000_000
RATE_MIN = Fraction(1, RATE_MAX)

_WRITTEN = re.compile(r"(\d{1,18}(?:\.\d{1,18})?|\.\d{1,18})(?:/(\d{1,18}))?x?", re.ASCII)


class SpeedError(TickreelError):
    """A text or number that is no speed at which a recording can be played."""

    def __init__(self, written: object, reason: str) -> None:
        self.written = written
        self.reason = reason
        shown = repr(written) if isinstance(written, str) else str(written)
        super().__init__(
            f"{shown} cannot be a speed: {reason}. "
            "Give 1x for the recording's own speed, another ratio such as 0.25x, 10x or 2/3x, "
            "or max for as fast as it goes."
        )


def parse_speed(written: str) -> Speed:
    """Read a speed: `max`, or a decimal or a fraction, with or without the `x`.

    Raises:
        SpeedError: it is none, or not above zero, or beyond a million times either way.
    """
    text = written.strip().lower()
    if text == "max":
        return None
    if not text:
        raise SpeedError(written, "it is empty")
    if text.startswith("-"):
        raise SpeedError(written, "a recording cannot be played backwards")
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise SpeedError(written, "it is neither a ratio nor max")
    numerator, denominator = Fraction(match[1]), int(match[2] or 1)
    if denominator == 0:
        raise SpeedError(written, "nothing can be divided by zero")
    return _in_range(written, numerator / denominator)


def speed_of(speed: str | int | Fraction | None) -> Speed:
    """Return the speed that a caller gave as text, number, exact ratio or None (`max`).

    Raises:
        SpeedError: it is none.
    """
    if speed is None:
        return None
    if isinstance(speed, str):
        return parse_speed(speed)
    try:
        rate = Fraction(speed)
    except (ValueError, OverflowError, TypeError) as fault:  # a float that is nan or inf, say
        raise SpeedError(speed, "it is neither a ratio nor max") from fault
    return _in_range(speed, rate)


def speed_text(speed: Speed) -> str:
    """Return the text that `parse_speed` reads as exactly this speed."""
    if speed is None:
        return "max"
    return f"{_decimal_text(speed) or speed}x"


def _in_range(written: object, rate: Fraction) -> Fraction:
    if rate < 0:
        raise SpeedError(written, "a recording cannot be played backwards")
    if rate == 0:
        raise SpeedError(written, "time would stand still")
    if not RATE_MIN <= rate <= RATE_MAX:
        raise SpeedError(written, f"it is beyond {RATE_MAX:,}x or below 1/{RATE_MAX:,}x")
    return rate


def _decimal_text(rate: Fraction) -> str | None:
    """Return the decimal that is exactly `rate`, None where it takes more than six places."""
    scaled = rate * 10**6
    if scaled.denominator != 1:
        return None
    whole, places = divmod(scaled.numerator, 10**6)
    return f"{whole}.{places:06d}".rstrip("0").rstrip(".")
