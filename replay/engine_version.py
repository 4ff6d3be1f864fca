"""Which engine this is: a hash of all that decides what a frame does to a state.

Theory. A checkpoint stands for the frames before it only while decoders and books do with them what
they did. A version number is raised when someone thinks of it; so what is hashed is the code of
`book` and `venues` itself, and any change of either makes older checkpoints somebody else's.
Where there is no source beside the code, the tool's version has to do.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import book
import venues
from book import checkpoint, state_digest
from recorder.description import tool_version


@cache
def engine_version() -> str:
    """Return the hash (hex, 64 characters), the same as long as this process runs."""
    hasher = hashlib.sha256(
        f"{tool_version()} {checkpoint.VERSION} {state_digest.VERSION}".encode()
    )
    for package in (book, venues):
        for root in package.__path__:
            for path in sorted(Path(root).rglob("*.py")):
                hasher.update(path.relative_to(root).as_posix().encode() + b"\0")
                hasher.update(hashlib.sha256(path.read_bytes()).digest())
    return hasher.hexdigest()
