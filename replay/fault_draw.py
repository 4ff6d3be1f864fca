"""Which faults are done where: drawn by a hash, so that they are the same everywhere.

Theory. A draw depends on the seed, on the number of the frame and on the kind of fault, and on
nothing else: not on the draws before it, the part of the recording that is played, the process, or
the version of Python (whose own generators have changed what they give from a seed).

One frame gets one fault at most, the first in the order of `FaultKind` whose turn it is.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from replay.fault_kind import FaultKind
from replay.fault_settings import FaultSettings

FaultPlan = Callable[[int], FaultKind | None]
"""Says which fault befalls the frame of a number, if any."""

_BYTES = 5
_WHOLE = 1 << (8 * _BYTES)
_PLACES = {kind: place * _BYTES for place, kind in enumerate(FaultKind)}


def drawn_plan(settings: FaultSettings) -> FaultPlan:
    """Return the plan that draws each fault by its probability."""
    prefix = f"{settings.seed}:".encode()
    limits = [
        (kind, _PLACES[kind], _PLACES[kind] + _BYTES, int(chance * _WHOLE))
        for kind, chance in settings.probabilities.items()
    ]

    def drawn(frame_number: int) -> FaultKind | None:
        digest = blake2b(prefix + str(frame_number).encode()).digest()
        for kind, begin, end, limit in limits:
            if int.from_bytes(digest[begin:end], "big") < limit:
                return kind
        return None

    return drawn


def draw(seed: int, frame_number: int, purpose: str, below: int) -> int:
    """Return a number from 0 to `below` minus one, drawn for one frame and one purpose."""
    text = f"{seed}:{frame_number}:{purpose}".encode()
    return int.from_bytes(blake2b(text, digest_size=16).digest(), "big") % below
