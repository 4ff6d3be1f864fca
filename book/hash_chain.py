"""A chain of hashes: one hash over a growing row of items, which can be gone on from later.

Theory. Each link is the SHA-256 of the link before it and the item's own bytes, so that a chain is
all of its state: a checkpoint holds 64 characters, and what goes on from there comes to the same
end as what never stopped. (A running SHA-256 over the items cannot be written down.)
"""

from __future__ import annotations

import hashlib

BEGINNING = hashlib.sha256(b"").hexdigest()
"""The chain of nothing yet."""


def chained(chain: str, item: bytes) -> str:
    """Return the chain with one more item."""
    return hashlib.sha256(chain.encode("ascii") + item).hexdigest()
