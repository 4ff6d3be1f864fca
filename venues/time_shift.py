"""Times in a message, moved by a constant without touching another byte.

A message is not decoded for this: what stands behind a key that is known to be a time is found in
the bytes, and its digits are replaced by as many others. The unit is told by the number of digits
(10 are seconds, 13 milliseconds, 16 microseconds, 19 nanoseconds: so it is from 2001 to 2286); a
number of any other length is no time, and stays. Whole seconds are added, so that every unit and
every fraction can be moved by exactly the same.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache

_UNITS = {10: 1, 13: 10**3, 16: 10**6, 19: 10**9}
_ISO_SECONDS = "%Y-%m-%dT%H:%M:%S"


def shifted_epochs(payload: bytes, keys: frozenset[str], shift_s: int) -> bytes:
    """Return `payload` with the epoch times behind `keys`, numbers or texts, moved."""

    def moved(found: re.Match[bytes]) -> bytes:
        unit = _UNITS.get(len(found[2]))
        if unit is None:
            return found[0]
        return found[1] + str(int(found[2]) + shift_s * unit).encode()

    return _epochs(keys).sub(moved, payload)


def shifted_iso_times(payload: bytes, keys: frozenset[str], shift_s: int) -> bytes:
    """Return `payload` with the ISO 8601 times behind `keys` moved; fractions stay as they are."""

    def moved(found: re.Match[bytes]) -> bytes:
        try:
            seconds = datetime.strptime(found[2].decode(), _ISO_SECONDS)
            later = seconds + timedelta(seconds=shift_s)
        except (ValueError, OverflowError):
            return found[0]
        return found[1] + later.strftime(_ISO_SECONDS).encode()

    return _iso_times(keys).sub(moved, payload)


@cache
def _epochs(keys: frozenset[str]) -> re.Pattern[bytes]:
    return re.compile(rb'("(?:%s)"\s*:\s*"?)([0-9]{10,19})(?=["\s,}\]])' % _any_of(keys))


@cache
def _iso_times(keys: frozenset[str]) -> re.Pattern[bytes]:
    seconds = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
    return re.compile(rb'("(?:%s)"\s*:\s*")(%s)(?=[.Z"+-])' % (_any_of(keys), seconds))


def _any_of(keys: frozenset[str]) -> bytes:
    return "|".join(map(re.escape, sorted(keys))).encode()
