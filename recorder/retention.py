"""How long a recording's segments are kept: `30d`, `500GB`, or both.

Theory. Only what is sealed is ever removed, whole journal numbers at a time and oldest first, so
that what is left is one piece. `recorder.removals` does it: the line that tells of it first, then
the files; the manifest keeps its lines, so its chain stays whole and says what there was.

- By age: a number goes once its newest frame is older than the limit, seen from the newest sealed
  frame. Not from the clock: one that is set wrong must not wipe out a recording.
- By size: the oldest go until segments and journals together are within the limit.
- Where the recording is uploaded, a number goes only once the store was seen to hold all of it.

It is done after each sealing, at the start and at the end, under the sealing lock.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from recorder.manifest import ManifestEntry, read_manifest
from recorder.recording_folder import RecordingFolder, is_locked
from recorder.removals import RETENTION, Removed, present, remove_numbers
from recorder.upload_ledger import LEDGER_NAME, read_uploads

UPLOAD_LOCK_NAME = ".upload-lock"

_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)")
_NS_OF = {"m": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9, "w": 7 * 86_400 * 10**9}
_BYTES_OF = {
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", 1)},
}


class Keep(NamedTuple):
    """One limit, by age or by size; the other is None."""

    text: str
    age_ns: int | None = None
    bytes: int | None = None


def read_keep(text: str) -> Keep:
    """Read `30d` (m, h, d, w) or `500GB` (kB, MB, GB, TB; KiB, MiB, GiB, TiB).

    Raises:
        ValueError: it is neither, or nothing at all.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match and match[2] in _NS_OF:
        keep = Keep(text, age_ns=int(Fraction(match[1]) * _NS_OF[match[2]]))
    elif match and match[2].lower() in _BYTES_OF:
        keep = Keep(text, bytes=int(Fraction(match[1]) * _BYTES_OF[match[2].lower()]))
    else:
        raise ValueError(f"{text!r} is neither an age, such as 30d, nor a size, such as 500GB")
    if not (keep.age_ns or keep.bytes):
        raise ValueError(f"{text!r} would keep nothing")
    return keep


def read_size_bytes(text: str) -> int:
    """Read `500MB`, or a number of bytes.

    Raises:
        ValueError: it is none.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match and match[2].lower() in _BYTES_OF:
        return int(Fraction(match[1]) * _BYTES_OF[match[2].lower()])
    if text.strip().isdecimal():
        return int(text)
    raise ValueError(f"{text!r} is no size: write a number and its unit, such as 500MB or 2GiB")


def apply_keeps(folder: RecordingFolder, keeps: Sequence[Keep]) -> Removed:
    """Remove what is beyond any of the limits.

    Raises:
        DamagedManifestError: the manifest cannot be believed; nothing was removed.
        OSError: the disk refused.
    """
    if not keeps:
        return Removed(0, 0)
    entries = present(folder, read_manifest(folder.manifest).entries)
    journals = folder.journal_numbers()
    sealed = _by_number(entries, journals)
    journal_bytes = 0
    for number in journals:
        with contextlib.suppress(FileNotFoundError):  # sealed meanwhile
            journal_bytes += folder.journal(number).stat().st_size
    count = max(_overdue(sealed, keep, journal_bytes) for keep in keeps)
    numbers = _uploaded(folder, list(sealed.items())[:count])
    if not numbers:
        return Removed(0, 0)
    return remove_numbers(folder, numbers, RETENTION, time.time_ns())


def _by_number(
    entries: Iterable[ManifestEntry], journals: Collection[int]
) -> dict[int, list[ManifestEntry]]:
    """Return the sealed segments by number, oldest first, up to the first that has a journal."""
    limit = min(journals, default=None)
    numbers: dict[int, list[ManifestEntry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.number):
        if limit is None or entry.number < limit:
            numbers.setdefault(entry.number, []).append(entry)
    return numbers


def _overdue(sealed: dict[int, list[ManifestEntry]], keep: Keep, journal_bytes: int) -> int:
    """Return how many of the oldest numbers are beyond a limit."""
    newest_ns = [max(entry.max_receive_time_ns for entry in of) for of in sealed.values()]
    sizes = [sum(entry.file_bytes for entry in of) for of in sealed.values()]
    count = 0
    if keep.age_ns is not None:
        oldest_ns = min(time.time_ns(), max(newest_ns, default=0)) - keep.age_ns
        while count < len(newest_ns) and newest_ns[count] < oldest_ns:
            count += 1
    if keep.bytes is not None:
        left = sum(sizes) + journal_bytes
        while count < len(sizes) and left > keep.bytes:
            left -= sizes[count]
            count += 1
    return count


def _uploaded(
    folder: RecordingFolder, oldest: Iterable[tuple[int, list[ManifestEntry]]]
) -> list[int]:
    """Return the oldest numbers, up to the first that an upload has still to take."""
    wanted = (folder.path / LEDGER_NAME).exists() or is_locked(folder.path / UPLOAD_LOCK_NAME)
    held = {(one.path, one.sha256) for one in read_uploads(folder.path)} if wanted else set()
    numbers: list[int] = []
    for number, entries in oldest:
        if wanted and any((entry.path, entry.sha256) not in held for entry in entries):
            break
        numbers.append(number)
    return numbers
