"""Anything the engine noticed that a reader of the data must know, as values.

A finding is never an exception: bad data is data. Each names the frame that showed it. The log
keeps the first findings of each kind and counts all; a chain of hashes over all of them lets the
state digest cover even those that are not kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

import msgspec

from book.hash_chain import BEGINNING, chained
from venues.frame import Frame


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


def finding_about(
    frame: Frame,
    kind: FindingKind,
    symbol: str,
    text: str,
    expected: object,
    received: object,
    missing: int | None,
) -> Finding:
    """Return a finding that a frame shows, its texts cut to what is quoted at most."""
    return Finding(
        kind,
        frame.venue,
        symbol[:TEXT_CHARACTERS_MAX],
        frame.frame_number,
        frame.connection_id,
        frame.receive_time_ns,
        text[:TEXT_CHARACTERS_MAX],
        None if expected is None else str(expected)[:TEXT_CHARACTERS_MAX],
        None if received is None else str(received)[:TEXT_CHARACTERS_MAX],
        missing,
    )


class FindingsParts(msgspec.Struct, frozen=True, array_like=True):
    """A log of findings, for a checkpoint."""

    counts: dict[FindingKind, int]
    kept: list[Finding]
    chain: str


class FindingLog:
    """All findings counted, the first of each kind kept; `chain` is a hash over all, in order."""

    __slots__ = ("_kept_max", "chain", "counts", "kept")

    def __init__(self, kept_max: int) -> None:
        self._kept_max = kept_max
        self.chain = BEGINNING
        self.counts: Counter[FindingKind] = Counter()
        self.kept: list[Finding] = []

    def add(self, finding: Finding) -> None:
        """Take a finding in."""
        self.counts[finding.kind] += 1
        if self.counts[finding.kind] <= self._kept_max:
            self.kept.append(finding)
        self.chain = chained(self.chain, msgspec.json.encode(finding))

    def __iter__(self) -> Iterator[Finding]:
        """Iterate over the kept findings, in the order in which they came."""
        return iter(self.kept)

    def __len__(self) -> int:
        """Count all findings, kept or not."""
        return self.counts.total()

    def parts(self) -> FindingsParts:
        """Return the log, for a checkpoint."""
        return FindingsParts(dict(self.counts), list(self.kept), self.chain)

    def take_parts(self, parts: FindingsParts) -> None:
        """Be what a checkpoint says."""
        self.counts = Counter(parts.counts)
        self.kept = list(parts.kept)
        self.chain = parts.chain
