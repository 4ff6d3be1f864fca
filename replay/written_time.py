"""Durations and times, as people write them in a command or an address, and as they read them.

What cannot be read says how it is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

NS_PER_S = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_S
_UNITS_S = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "min": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86_400),
}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d)\s*", re.ASCII)
_DAY_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?", re.ASCII)
_EPOCH = re.compile(r"(\d{9,10})(?:\.(\d{1,9}))?|(\d{13})|(\d{16})|(\d{19})", re.ASCII)
_RFC_3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})?)?",
    re.ASCII,
)


def read_duration_ns(text: str) -> int:
    """Read `90s`, `15m`, `8h`, `1h30m`, `250ms`, `2d` as nanoseconds.

    Raises:
        ValueError: it is none, or it is no time at all.
    """
    duration_ns = _read_length_ns(text)
    if duration_ns <= 0:
        raise ValueError(f"{text!r} is no time at all: give a duration above zero, such as 90s")
    return duration_ns


def _read_length_ns(text: str) -> int:
    position = 0
    total_s = Fraction(0)
    stripped = text.strip()
    while position < len(stripped):
        part = _DURATION_PART.match(stripped, position)
        if part is None:
            break
        total_s += Fraction(part[1]) * _UNITS_S[part[2]]
        position = part.end()
    if not stripped or position < len(stripped):
        raise ValueError(
            f"{text!r} is no duration: write a number and its unit, such as 90s, 15m, 8h or 1h30m"
        )
    return int(total_s * NS_PER_S)


@dataclass(frozen=True, slots=True)
class RecordingTime:
    """A moment in a recording, as the user wrote it; what it means depends on the recording.

    Exactly one of the three is set: `moment_ns` since 1970, `offset_ns` from the first frame, or
    `day_time_ns` since midnight UTC.
    """

    text: str
    moment_ns: int | None = None
    offset_ns: int | None = None
    day_time_ns: int | None = None

    def resolve(self, first_ns: int) -> int:
        """Return ns since 1970, in a recording whose first frame came at `first_ns`.

        A time of day is the first such time not before the recording's start, so that 02:14 in a
        recording of the night is in the morning that follows.
        """
        if self.moment_ns is not None:
            return self.moment_ns
        if self.offset_ns is not None:
            return first_ns + self.offset_ns
        assert self.day_time_ns is not None
        moment_ns = first_ns - first_ns % NS_PER_DAY + self.day_time_ns
        # 02:14:00 means a recording's first second too, where that began at 02:14:00.4.
        return moment_ns if moment_ns > first_ns - NS_PER_S else moment_ns + NS_PER_DAY


def read_recording_time(text: str) -> RecordingTime:
    """Read RFC 3339 (UTC where no offset is given), `HH:MM:SS`, `+90s` or time since 1970.

    A date alone is its midnight. Time since 1970 is in seconds, or, by the count of its digits, in
    ms (13), us (16) or ns (19).

    Raises:
        ValueError: it is none of these.
    """
    stripped = text.strip()
    if stripped.startswith("+") and len(stripped) > 1:
        return RecordingTime(text, offset_ns=_read_length_ns(stripped[1:]))
    if epoch := _EPOCH.fullmatch(stripped):
        whole = next(group for group in (epoch[1], *epoch.groups()[2:]) if group)
        unit_ns = 10 ** (19 - len(whole)) if len(whole) > 10 else NS_PER_S
        return RecordingTime(text, moment_ns=int(whole) * unit_ns + _fraction_ns(epoch[2]))
    if day_time := _DAY_TIME.fullmatch(stripped):
        hour, minute, second = int(day_time[1]), int(day_time[2]), int(day_time[3] or 0)
        if hour < 24 and minute < 60 and second < 60:
            seconds = hour * 3600 + minute * 60 + second
            return RecordingTime(text, day_time_ns=seconds * NS_PER_S + _fraction_ns(day_time[4]))
    if moment := _RFC_3339.fullmatch(stripped):
        try:
            whole = datetime.fromisoformat(
                f"{moment[1]}T{moment[2] or '00:00'}{moment[4] or 'Z'}".upper()
            )
        except ValueError:
            pass
        else:
            since = whole - datetime(1970, 1, 1, tzinfo=UTC)
            seconds = since.days * 86_400 + since.seconds
            return RecordingTime(text, moment_ns=seconds * NS_PER_S + _fraction_ns(moment[3]))
    raise ValueError(
        f"{text!r} is no time: write 2026-11-22T02:14:00Z, 02:14:00 (of the recording's day, UTC), "
        "1763777640 (seconds since 1970) or +90s (after its start)"
    )


def _fraction_ns(digits: str | None) -> int:
    return int((digits or "").ljust(9, "0"))


def utc_text(time_ns: int, digits: int = 3) -> str:
    """Return ns since 1970 as RFC 3339 in UTC, cut (never rounded up) to `digits` decimals."""
    seconds, rest_ns = divmod(time_ns, NS_PER_S)
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{rest_ns:09d}"[: digits + 1] if digits else ""
    return f"{moment}{fraction}Z"
