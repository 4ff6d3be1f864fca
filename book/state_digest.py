"""One hash of all the engine's state.

Canonical bytes: JSON of plain values in a fixed order (keys sorted, times as integers, numbers as
the texts that the exchanges sent), so that neither the process, the platform, the hash seed nor the
time zone can show. Two engines with one digest saw the same frames, for all that anyone can tell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

VERSION = 3
"""Part of what is hashed: a change of what the state holds is never taken for a change of data."""


def digest(parts: Iterable[object]) -> str:
    """Return the hex SHA-256 over the parts, in order."""
    hasher = hashlib.sha256(f"tickreel state {VERSION}\n".encode("ascii"))
    encode = msgspec.json.Encoder(order="sorted", decimal_format="string").encode
    for part in parts:
        hasher.update(encode(part))
        hasher.update(b"\n")
    return hasher.hexdigest()
