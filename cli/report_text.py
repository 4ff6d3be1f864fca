"""Counts, sizes, times and feed text, as a user reads them.

Whatever an exchange sent is escaped before it reaches a terminal: a symbol or a reason that
holds an escape sequence could otherwise rewrite what the user believes to have seen.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping, Sequence

_BETWEEN = "  "
_FOLDED_WIDTH_MIN = 20
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def printable(text: str) -> str:
    """Return `text` with control, format and unpaired surrogate characters escaped."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else character
        for character in text
    )


def printable_lines(text: str) -> str:
    """Return `text` with its own line breaks, and nothing else that a terminal obeys."""
    return "\n".join(printable(line) for line in text.split("\n"))


def system_text(error: OSError) -> str:
    """Return what the system refused, and of which file, as a sentence."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."


def count_text(count: int) -> str:
    """Return a count with thousands separators: `918,203`."""
    return f"{count:,}"


def counted(count: int, noun: str, nouns: str = "") -> str:
    """Return a count and its noun: `1 gap`, `3 gaps`, `2 crossed`; `nouns` where it is no -s."""
    plural = noun if count == 1 or noun.endswith("ed") else nouns or f"{noun}s"
    return f"{count:,} {plural}"


def kept_count(kinds: Mapping[str, int]) -> int:
    """Return how many of a recording's frames came from outside; `kinds` counts all, by kind."""
    return sum(kinds.get(kind, 0) for kind in ("text", "binary", "http"))


def lost_text(kinds: Mapping[str, int], lost: int) -> str:
    """Return the balance of a recording: what was lost, of what was received, and what is kept."""
    if not lost:
        return "0 frames"
    kept = kept_count(kinds)
    return f"{counted(lost, 'frame')} of {kept + lost:,} received, {kept:,} kept"


def byte_text(size_bytes: float) -> str:
    """Return a size in bytes with the decimal unit that suits it: `41 MB`, `3.4 GB`."""
    size = float(size_bytes)
    for unit in _BYTE_UNITS:
        if abs(size) < 999.5 or unit == _BYTE_UNITS[-1]:
            break
        size /= 1000
    if unit == "B" or abs(size) >= 99.95:
        return f"{size:,.0f} {unit}"
    return f"{size:.1f} {unit}".replace(".0 ", " ")


def clock_text(seconds: float) -> str:
    """Return elapsed seconds as `HH:MM:SS`; hours go on past 99."""
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def span_text(seconds: float) -> str:
    """Return a length of time in the units that say most: `8 h 3 min`, `41.2 s`, `118 ms`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s"


def day_time_text(time_ns: int, digits: int = 3) -> str:
    """Return the time of day alone, UTC: `02:14:07.118`."""
    # Here, because `--help` writes no time and loads nothing of another package for it.
    from replay.written_time import utc_text

    return utc_text(time_ns, digits)[11:-1]


def digest_text(digest: str) -> str:
    """Return a digest short enough for a line: `7f3a…c1`."""
    return f"{digest[:4]}…{digest[-2:]}" if len(digest) > 8 else digest


def aligned(
    rows: Sequence[Sequence[str]],
    right: Sequence[int] = (),
    *,
    width: int | None = None,
    keys: int = 0,
) -> list[str]:
    """Return rows of cells as lines of aligned columns; those in `right` are flush right.

    Columns that do not fit into `width` follow in a table of their own, behind the first `keys`
    columns, which say what a row is about; None is as wide as it gets.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines: list[str] = []
    for columns in _columns_that_fit(widths, width, keys):
        lines += [""] if lines else []
        for row in rows:
            cells = (
                row[each].rjust(widths[each]) if each in right else row[each].ljust(widths[each])
                for each in columns
            )
            lines.append(_BETWEEN.join(cells).rstrip())
    return lines


def _columns_that_fit(widths: Sequence[int], width: int | None, keys: int) -> list[list[int]]:
    first = list(range(keys))
    tables = [first]
    for column in range(keys, len(widths)):
        taken = sum(widths[each] + len(_BETWEEN) for each in tables[-1])
        if width is not None and len(tables[-1]) > keys and taken + widths[column] > width:
            tables.append([*first, column])
        else:
            tables[-1] = [*tables[-1], column]
    return tables


def folded(line: str, width: int | None, indent: int) -> list[str]:
    """Return a line as lines of up to `width`, cut between words; the later ones set in."""
    if width is None or len(line) <= width:
        return [line]
    return textwrap.wrap(
        line,
        max(width, indent + _FOLDED_WIDTH_MIN),
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
