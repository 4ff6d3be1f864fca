"""What was sent to one client: the other half of a test that compares it with what was kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

UNASSIGNED = ""
"""The topic of a recorded message of which nobody can say what it is."""


class Sent(NamedTuple):
    """A message that was sent. `topic` is None for an answer of the server's own."""

    topic: str | None
    payload: bytes


@dataclass
class SentLedger:
    """All that one session sent, in order.

    Attributes:
        path: the path and query that the client connected to.
        venue: the registry name of the venue that was played.
        frames_max: how many messages are kept; the rest is counted and hashed only.
        kept: the first messages.
        frames: how many there were.
        payload_bytes: how long their payloads were altogether.
        topics: how many there were of each topic; the server's own answers under None.
    """

    path: str
    venue: str
    frames_max: int = 0
    kept: list[Sent] = field(default_factory=list)
    frames: int = 0
    payload_bytes: int = 0
    topics: Counter[str | None] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, topic: str | None, payload: bytes) -> None:
        """Enter a message that was handed to the connection."""
        self.frames += 1
        self.payload_bytes += len(payload)
        self.topics[topic] += 1
        self._hash.update(len(payload).to_bytes(8, "little"))
        self._hash.update(payload)
        if len(self.kept) < self.frames_max:
            self.kept.append(Sent(topic, payload))

    @property
    def complete(self) -> bool:
        """Whether every message was kept."""
        return len(self.kept) == self.frames

    def digest(self) -> str:
        """Return the SHA-256 over each payload's length (8 bytes, little endian) and bytes."""
        return self._hash.hexdigest()
