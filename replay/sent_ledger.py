"""What was sent to one client: the other half of a test that compares it with what was kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
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
        self.add_all([(topic, payload)])

    def add_all(self, messages: Sequence[tuple[str | None, bytes]]) -> None:
        """Enter messages, each with its topic, that are handed over together."""
        topics = self.topics
        hashed: list[bytes] = []
        for topic, payload in messages:
            topics[topic] += 1
            hashed.append(len(payload).to_bytes(8, "little"))
            hashed.append(payload)
        whole = b"".join(hashed)
        self.frames += len(messages)
        self.payload_bytes += len(whole) - 8 * len(messages)
        self._hash.update(whole)
        room = self.frames_max - len(self.kept)
        if room > 0:
            self.kept.extend(Sent(*message) for message in messages[:room])

    @property
    def complete(self) -> bool:
        """Whether every message was kept."""
        return len(self.kept) == self.frames

    def digest(self) -> str:
        """Return the SHA-256 over each payload's length (8 bytes, little endian) and bytes."""
        return self._hash.hexdigest()
