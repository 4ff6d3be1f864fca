"""What an audit says: plain values, the same in JSON as in Python.

Times are receive times, UTC, in ns since 1970; durations are in ns. What is unknown is None (null),
never 0. Prices and sizes are the exchange's own digits.
"""

from __future__ import annotations

import msgspec


class SuspectTime(msgspec.Struct, frozen=True, kw_only=True):
    """A bounded time in which a book was in doubt; `to_*` are None if it never ended."""

    reason: str
    from_frame: int
    from_ns: int
    to_frame: int | None
    to_ns: int | None


class BookAudit(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol's book.

    Attributes:
        state: as the recording leaves it: `proven`, `ended` (proven, and we stopped listening),
            `suspect`, `unverifiable`, ...
        cut: whether it began before this part of a recording, which has no snapshot of it.
        level_updates: the rows of all deltas that came.
        missing_updates: how many of the venue's numbers the gaps skipped, as far as it says.
        checksums_unverifiable: could be checked neither way; they are not among the verified.
        coverage: share of the observed time in which it was proven, 0 to 1; None without any.
        suspect_windows: when it was not.
        suspect_windows_count: how many those are, shown or not.
        best_bid: price and size.
        best_ask: price and size.
    """

    venue: str
    symbol: str
    state: str
    cut: bool
    snapshots: int
    deltas: int
    level_updates: int
    gaps: int
    missing_updates: int
    duplicates: int
    late: int
    bridges: int
    bridges_failed: int
    checksums_verified: int
    checksums_failed: int
    checksums_unverifiable: int
    crossed: int
    quote_checks: int
    quote_matches: int
    best_bid: tuple[str, str] | None
    best_ask: tuple[str, str] | None
    bid_levels: int
    ask_levels: int
    coverage: float | None
    observed_ns: int
    proven_ns: int
    suspect_windows: list[SuspectTime]
    suspect_windows_count: int


class Rows(msgspec.Struct, frozen=True):
    """How many rows of one kind a symbol had."""

    venue: str
    symbol: str
    rows: int


class Recognised(msgspec.Struct, frozen=True):
    """How many of a venue's messages held an event, and how many were of no kind known to us.

    Acknowledgements, heartbeats and what cannot be decoded are neither.
    """

    venue: str
    known: int
    unknown: int


class TradeHole(msgspec.Struct, frozen=True):
    """Trades that the venue's own numbering says are missing."""

    venue: str
    symbol: str
    holes: int
    missing: int


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """One connection, from the first to the last of its frames.

    `opened_ns` and `closed_ns` are None where the recording has no such marker. `code` is the
    WebSocket close code, `by_us` whether we ended it; both are None while it was not closed.
    """

    connection_id: int
    venue: str
    stream: str
    url: str
    frames: int
    payload_bytes: int
    first_ns: int
    last_ns: int
    opened_ns: int | None
    closed_ns: int | None
    code: int | None
    reason: str
    by_us: bool | None


class ClockOffset(msgspec.Struct, frozen=True, kw_only=True):
    """Receive minus exchange time of one channel's messages, signed.

    Negative where the recorder's clock was behind the exchange's. `width_ns` is how exactly median
    and p99 are known; count, least and greatest are exact.
    """

    venue: str
    channel: str
    count: int
    min_ns: int | None
    median_ns: int | None
    p99_ns: int | None
    max_ns: int | None
    width_ns: int


class ClockAudit(msgspec.Struct, frozen=True, kw_only=True):
    """What the recorder's clock did.

    `steps` are those that the recorder noted itself; `backwards` the frames received earlier than
    one before them, which two connections do to each other by some microseconds.
    """

    offsets: list[ClockOffset]
    steps: int
    largest_step_ns: int
    backwards: int
    largest_backwards_ns: int


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that was silent for longer than its limit, once or more.

    `dead` says that it ended so, and that such a silence is not usual for it: see
    `venues.channel_pulse`.
    """

    venue: str
    symbol: str
    channel: str
    times: int
    longest_ns: int
    longest_from_ns: int
    dead: bool


class Losses(msgspec.Struct, frozen=True, kw_only=True):
    """Frames that are known not to be in the recording.

    `frames` and `bytes` are what is known of them; `unknown` counts the losses of unknown size.
    """

    frames: int
    bytes: int
    unknown: int


class Integrity(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the files are what was written. `faults` are sentences, each about one file."""

    segments: int
    segments_whole: int
    faults: list[str]


class AuditFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing noticed in one frame. `fault` says whether it makes the recording unclean."""

    kind: str
    fault: bool
    venue: str
    symbol: str
    frame: int
    connection: int
    time_ns: int
    text: str
    expected: str | None
    received: str | None
    missing: int | None


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found.

    Attributes:
        clean: whether nothing was found that puts the recording in doubt: `faults` is empty.
        faults: what makes it unclean, by kind, with how often.
        finding_counts: everything the engine noticed, faults and notes, by kind.
        findings: the first of each kind, in the order of the frames.
        notes: sentences about what a reader should know and need not doubt.
        connections: how many connections there were; `epochs` tells of each.
        integrity: of the files; None where what was audited has none.
        state_digest: hex sha256 over the engine's state after the last frame.
    """

    clean: bool
    frames: int
    frames_by_kind: dict[str, int]
    payload_bytes: int
    first_receive_time_ns: int | None
    last_receive_time_ns: int | None
    connections: int
    epochs: list[Epoch]
    books: list[BookAudit]
    trades: list[Rows]
    liquidations: list[Rows]
    quotes: list[Rows]
    trade_holes: list[TradeHole]
    undecodable: int
    recognised: list[Recognised]
    lost: Losses
    clock: ClockAudit
    silences: list[Silence]
    integrity: Integrity | None
    faults: dict[str, int]
    finding_counts: dict[str, int]
    findings: list[AuditFinding]
    notes: list[str]
    state_digest: str

    def to_json(self) -> bytes:
        """Return the report as one JSON object."""
        return msgspec.json.encode(self)
