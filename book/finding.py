"""Anything the engine noticed that a reader of the data must know, as values.

A finding is never an exception: bad data is data. Each names the frame that showed it. The log
keeps the first findings of each kind and counts all; a running hash over all of them lets the
state digest cover even those that are not kept.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

import msgspec


class FindingKind(StrEnum):
    """What was noticed."""

    GAP = "gap"
    CHECKSUM_FAILED = "checksum failed"
    CROSSED = "crossed"
    QUOTE_MISMATCH = "quote mismatch"
    BRIDGE_FAILED = "bridge failed"
    DUPLICATE = "duplicate"
    LATE = "late"
    UNNUMBERED = "unnumbered"
    UNDECODABLE = "undecodable"
    BAD_NUMBER = "bad number"
    TRADE_GAP = "trade gap"
    REJECTED = "rejected"
    LOGIN_REFUSED = "login refused"
    WILL_DISCONNECT = "will disconnect"
    DISCONNECTED = "disconnected"
    LOST = "lost"
    SNAPSHOT_FAILED = "snapshot failed"
    REQUEST_FAILED = "request failed"
    STALE = "stale"
    TIME_BACKWARDS = "time backwards"
    CLOCK_STEP = "clock step"
    MARKET_REFUSED = "market refused"
    UNKNOWN_VENUE = "unknown venue"


TEXT_CHARACTERS_MAX = 500
"""Of what a message says, a finding quotes no more: findings are kept, and messages can be huge."""


class Report(Protocol):
    """Takes a finding about one symbol; the frame is known to whoever takes it."""

    def __call__(
        self,
        kind: FindingKind,
        symbol: str,
        text: str,
        *,
        expected: object = None,
        received: object = None,
        missing: int | None = None,
    ) -> None:
        """Report it."""


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One thing that was noticed.

    Attributes:
        kind: what it is.
        venue: where; `recorder` for the recorder's own.
        symbol: of which symbol; '' where it is about a whole connection.
        frame_number: the frame that showed it.
        connection_id: the connection of that frame.
        receive_time_ns: the receive time of that frame.
        expected: what should have come, as text; None where that says nothing.
        received: what came instead, as text.
        missing: how many numbers are missing; None where that can't be known or says nothing.
        text: the sentence for people.
    """

    kind: FindingKind
    venue: str
    symbol: str
    frame_number: int
    connection_id: int
    receive_time_ns: int
    text: str
    expected: str | None = None
    received: str | None = None
    missing: int | None = None


class FindingLog:
    """All findings counted, the first of each kind kept."""

    __slots__ = ("_chain", "_kept_max", "counts", "kept")

    def __init__(self, kept_max: int) -> None:
        self._kept_max = kept_max
        self._chain = hashlib.sha256()
        self.counts: Counter[FindingKind] = Counter()
        self.kept: list[Finding] = []

    def add(self, finding: Finding) -> None:
        """Take a finding in."""
        self.counts[finding.kind] += 1
        if self.counts[finding.kind] <= self._kept_max:
            self.kept.append(finding)
        self._chain.update(msgspec.json.encode(finding))

    @property
    def chain(self) -> str:
        """A hash over all findings so far, in order."""
        return self._chain.hexdigest()

    def __iter__(self) -> Iterator[Finding]:
        """Iterate over the kept findings, in the order in which they came."""
        return iter(self.kept)

    def __len__(self) -> int:
        """Count all findings, kept or not."""
        return self.counts.total()
