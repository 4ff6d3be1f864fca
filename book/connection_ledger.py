"""The connections in the frames: when each came and went, and what was lost.

Theory. A recorder runs for months, and some exchange closes every connection that it accepts: so
the ledger is bounded. The latest connections are kept one by one; of the older ones there is their
number, and one hash over what was known of each when it was let go.
"""

from __future__ import annotations

import msgspec

from book.hash_chain import BEGINNING, chained
from venues.frame import Frame
from venues.marker import Closed, Lost, Opened


class ConnectionRecord(msgspec.Struct):
    """One connection. Times are receive times; what is None was not recorded (yet)."""

    venue: str
    first_frame: int
    first_ns: int
    opened: Opened | None = None
    closed: Closed | None = None
    closed_ns: int | None = None


class LedgerParts(msgspec.Struct, frozen=True, array_like=True):
    """A ledger, for a checkpoint."""

    chain: str
    let_go: int
    current: int
    records: list[tuple[int, ConnectionRecord]]
    lost_frames: int
    lost_bytes: int
    lost_unknown: int


class ConnectionLedger:
    """The latest connections by id, how many there were in all, and the losses.

    `lost_frames` and `lost_bytes` sum up what is known; `lost_unknown` counts the losses of unknown
    size.
    """

    RECORDS_MAX = 4_096

    __slots__ = (
        "_chain",
        "_let_go",
        "current",
        "lost_bytes",
        "lost_frames",
        "lost_unknown",
        "records",
    )

    def __init__(self) -> None:
        self._chain = BEGINNING
        self._let_go = 0
        self.current = 0
        self.records: dict[int, ConnectionRecord] = {}
        self.lost_frames = 0
        self.lost_bytes = 0
        self.lost_unknown = 0

    def switch(self, frame: Frame) -> None:
        """Note that a frame is of another connection than the one before it."""
        self.current = frame.connection_id
        if frame.connection_id and frame.connection_id not in self.records:
            self.records[frame.connection_id] = ConnectionRecord(
                frame.venue, frame.frame_number, frame.receive_time_ns
            )
            if len(self.records) > self.RECORDS_MAX:
                self._let_oldest_go()

    def _let_oldest_go(self) -> None:
        oldest = next(iter(self.records))
        item = msgspec.json.encode([oldest, self.records.pop(oldest)])
        self._chain = chained(self._chain, item)
        self._let_go += 1

    def opened(self, frame: Frame, opened: Opened) -> None:
        """Note that a connection is up."""
        if frame.connection_id in self.records:
            self.records[frame.connection_id].opened = opened

    def closed(self, frame: Frame, closed: Closed) -> None:
        """Note that a connection is gone."""
        record = self.records.get(frame.connection_id)
        if record is not None:
            record.closed, record.closed_ns = closed, frame.receive_time_ns

    def lost(self, lost: Lost) -> None:
        """Note a loss."""
        if lost.frames is None:
            self.lost_unknown += 1
        self.lost_frames += lost.frames or 0
        self.lost_bytes += lost.bytes or 0

    def __len__(self) -> int:
        """Count all connections, kept or not."""
        return self._let_go + len(self.records)

    def state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        losses = [self.lost_frames, self.lost_bytes, self.lost_unknown]
        older = [self._let_go, self._chain]
        return [
            losses,
            older,
            [[number, record] for number, record in sorted(self.records.items())],
        ]

    def parts(self) -> LedgerParts:
        """Return the ledger, for a checkpoint."""
        return LedgerParts(
            self._chain,
            self._let_go,
            self.current,
            list(self.records.items()),
            self.lost_frames,
            self.lost_bytes,
            self.lost_unknown,
        )

    def take_parts(self, parts: LedgerParts) -> None:
        """Be what a checkpoint says."""
        self._chain = parts.chain
        self._let_go = parts.let_go
        self.current = parts.current
        self.records = dict(parts.records)
        self.lost_frames = parts.lost_frames
        self.lost_bytes = parts.lost_bytes
        self.lost_unknown = parts.lost_unknown
