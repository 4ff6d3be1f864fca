"""A venue's order book, and when it may be trusted.

Theory of operation. A book is in one of these states:

    EMPTY         no snapshot yet. Deltas are held, where a snapshot is going to join them.
    BRIDGING      an unjoined snapshot is in, and no delta has joined it yet.
    PROVEN        every message since the last snapshot is accounted for.
    UNVERIFIABLE  it follows the feed, and a loss could not be seen: the venue numbers and hashes
                  nothing, or the last message had none of what is to prove it.
    SUSPECT       something was lost, or a check failed. Nothing is applied any more; the levels are
                  those of the last frame before, or what a bad number left of them. Deltas are held
                  as in EMPTY.
    ENDED         we stopped listening. The levels are those of the last frame.

    any --snapshot in band--> PROVEN (or UNVERIFIABLE)
    EMPTY, SUSPECT, ENDED --unjoined snapshot--> BRIDGING --first delta joins--> PROVEN
    PROVEN --message without proof--> UNVERIFIABLE --proof of the whole book--> PROVEN
    PROVEN, BRIDGING --gap, failed check, bad number, loss--> SUSPECT
    PROVEN, ENDED --message of a newer connection--> SUSPECT
    any but SUSPECT --we close the connection--> ENDED

A book follows one connection, the newest that spoke of it. What an older one still says (two may
overlap for a while) is passed over, until the book's own is closed. A snapshot by HTTP is of no
connection, since numbers alone join it; but the answer to a connection that is gone comes too late.
One that was asked for on the socket is its connection's, as the deltas are, and so is one whose
number is a time, to which anything later would join.

Some channels send whole books and nothing else; a connection may carry one beside a channel of
deltas of the same symbol. Such a book leaves the state UNVERIFIABLE, and is passed over once
deltas, or a snapshot that deltas go on from, came on the connection.

What may not happen: a delta is applied to a state that it does not follow; a book goes on from
SUSPECT without a fresh snapshot; a held delta outlives the snapshot that it was held for.

The rule on losses is the exchanges' own (Binance: "How to manage a local order book correctly";
OKX, Bybit, Kraken: resubscribe): stop, take a fresh snapshot, go on from there; never stitch.
"""

from __future__ import annotations

import msgspec

from book.book_parts import BookParts
from book.book_state import BookState
from book.checked_book import CheckedBook
from book.counters import MarketCounters
from book.exact import NotANumberError, NumbersSeen
from book.finding import FindingKind, Report
from book.frame_time import FrameTime
from book.sequence import IN_ORDER, JOINTS, JUDGES, Joint, Judgement, Verdict
from book.settings import EngineSettings
from venues.event import BookDelta, BookSnapshot, Row, RowSequences
from venues.frame import Frame, FrameKind
from venues.traits import BridgeRule, Continuity, DepthKeeper, SnapshotSource, VenueTraits


class VenueBook(CheckedBook):
    """The book of one symbol at one venue.

    `depth_kept` cuts it where the venue leaves that to its clients.
    """

    __slots__ = ("_counts", "_joint", "_judge", "_late_sequence", "_outlives", "depth_kept")

    def __init__(
        self,
        symbol: str,
        traits: VenueTraits,
        counters: MarketCounters,
        report: Report,
        settings: EngineSettings,
        time: FrameTime,
        numbers: NumbersSeen | None = None,
    ) -> None:
        numbers = numbers or NumbersSeen()
        super().__init__(symbol, traits, counters, report, settings, time, numbers)
        self.depth_kept = traits.depth
        self._judge = JUDGES[traits.continuity]
        self._counts = traits.continuity is Continuity.COUNTER
        self._joint = JOINTS[traits.continuity]
        # By HTTP a snapshot is nobody's, but where its numbers are times that join anything later.
        rule, requested = traits.bridge, traits.snapshot_source is SnapshotSource.REQUESTED
        self._outlives = rule is not None and rule.joins_at is not None and not requested
        self._late_sequence: int | None = None

    # What the venue sends.

    def take_snapshot(self, snapshot: BookSnapshot, frame: Frame) -> bool:
        """Take a snapshot in; return whether the book changed."""
        self.counters.snapshots += 1
        if snapshot.unjoined:
            return self._take_unjoined(snapshot, frame)
        if frame.connection_id != self.connection_id and not self._adopt(frame):
            return False
        self.coverage.observe(frame.frame_number, "no snapshot yet")
        if snapshot.alone:
            return self._take_alone(snapshot, frame)
        self._alone = False
        unnumbered = snapshot.sequence is None and self._traits.continuity is not Continuity.NONE
        by_checksums = self._traits.numbers_may_be_absent and snapshot.checksum is not None
        if unnumbered and not by_checksums:
            text = "a snapshot without the number that deltas go on from"
            self._report(FindingKind.UNNUMBERED, self.symbol, text)
            self.doubt("unnumbered", frame)
            return False
        self._held.drop()
        if self.following and self._counts:
            self._look_back(snapshot.sequence)
        if not self._load(snapshot, frame):
            return False
        self._rest_on_checksums(unnumbered)
        self._prove(frame)
        if snapshot.checksum is not None and self._traits.checksum is not None:
            self._verify(snapshot.checksum, frame)
        else:
            self._pass_over()
        return True

    def take_delta(self, delta: BookDelta, frame: Frame) -> bool:
        """Take a delta in; return whether the book changed."""
        counters = self.counters
        counters.deltas += 1
        counters.level_updates += len(delta.bids) + len(delta.asks)
        if frame.connection_id != self.connection_id and not self._adopt(frame):
            return False
        if self._alone is not False:
            self._begin_chain(frame)
        return self.place(delta, frame)

    # The steps.

    def place(self, delta: BookDelta, frame: Frame) -> bool:
        """Put a delta that has been counted where it belongs; return whether the book changed."""
        if self.following:
            return self._follow(delta, frame)
        if self.state is BookState.BRIDGING:
            return self._join(delta, frame)
        self._held.hold(delta)
        return False

    def _follow(self, delta: BookDelta, frame: Frame) -> bool:
        last = self.sequence
        judgement = IN_ORDER if last is None else self._judge(last, delta)
        if judgement is not IN_ORDER:
            return self._object(judgement, delta, frame)
        return self._change(delta, frame)

    def _change(self, delta: BookDelta, frame: Frame) -> bool:
        try:
            self.apply(delta.bids, delta.asks)
        except NotANumberError as error:
            self._refuse(error, frame)
            return False
        self.sequence = delta.sequence
        if self._traits.depth_keeper is DepthKeeper.CLIENT and self.depth_kept is not None:
            self.trim(self.depth_kept)
        if self._traits.checksum is not None:
            self._verify(delta.checksum, frame)
        return True

    def _object(self, judgement: Judgement, delta: BookDelta, frame: Frame) -> bool:
        verdict, expected, received, missing = judgement
        if verdict is Verdict.DUPLICATE:
            self.counters.duplicates += 1
            kind, text = FindingKind.DUPLICATE, "the same delta again; ignored"
        elif verdict is Verdict.LATE and not self._restarted(delta):
            self.counters.late += 1
            kind, text = FindingKind.LATE, "older than the book; ignored"
        elif verdict is Verdict.UNNUMBERED:
            kind, text = FindingKind.UNNUMBERED, "a delta without the number that places it"
        else:
            self.counters.gaps += 1
            kind, text = FindingKind.GAP, "messages are missing before this delta"
        self._report(kind, self.symbol, text, expected=expected, received=received, missing=missing)
        if kind is FindingKind.GAP or kind is FindingKind.UNNUMBERED:
            self.doubt(kind.value, frame)
            self._held.hold(delta)
        return False

    def _restarted(self, delta: BookDelta) -> bool:
        # One late delta is late. If the next one follows it, the exchange numbers anew, and what
        # was lost in between cannot be told.
        last, self._late_sequence = self._late_sequence, delta.sequence
        return last is not None and self._judge(last, delta) is IN_ORDER

    def _look_back(self, sequence: int | None) -> None:
        """Tell what a snapshot shows to be missing before it: numbers that no message had."""
        last = self.sequence
        if last is None or sequence is None or sequence <= last + 1:
            return
        self.counters.gaps += 1
        self._report(
            FindingKind.GAP,
            self.symbol,
            "messages are missing before this snapshot",
            expected=last + 1,
            received=sequence,
            missing=sequence - last - 1,
        )

    def _take_alone(self, snapshot: BookSnapshot, frame: Frame) -> bool:
        if self._alone is False:
            self._pass_over()
            return False
        self._alone = True
        self._held.drop()
        if not self._load(snapshot, frame):
            return False
        self.state = self._clean = BookState.UNVERIFIABLE
        self.needs_snapshot = False
        self.coverage.doubt(frame.frame_number, "whole books alone")
        if snapshot.checksum is not None and self._traits.checksum is not None:
            self._verify(snapshot.checksum, frame)
        return True

    def _begin_chain(self, frame: Frame) -> None:
        if self._alone:
            # These deltas go on from a snapshot of their own, which did not come yet.
            self.doubt("deltas beside whole books", frame)
        self._alone = False

    def _take_unjoined(self, snapshot: BookSnapshot, frame: Frame) -> bool:
        rule, sequence = self._traits.bridge, snapshot.sequence
        if rule is None or sequence is None or self.following:
            return False
        if self._gone and frame.connection_id <= self.connection_id:
            return False
        if frame.connection_id != self.connection_id and not self._speaks_for(frame):
            return False
        self.coverage.observe(frame.frame_number, "no snapshot yet")
        beyond = self._held.first_beyond(rule, sequence)
        if beyond is not None:
            self._miss(rule, sequence, beyond)
            return False
        if not self._load(snapshot, frame):
            return False
        self.state = BookState.BRIDGING
        self.needs_snapshot = False
        if snapshot.checksum is not None and self._traits.checksum is not None:
            self._verify(snapshot.checksum, frame)
        for delta in self._held.take():
            self.place(delta, frame)
        return True

    def _speaks_for(self, frame: Frame) -> bool:
        nobodys = self._outlives and frame.kind is FrameKind.HTTP
        return (nobodys and frame.connection_id < self.connection_id) or self._adopt(frame)

    def _join(self, delta: BookDelta, frame: Frame) -> bool:
        rule, sequence = self._traits.bridge, self.sequence
        assert rule is not None
        assert sequence is not None
        where = self._joint(rule, sequence, delta)
        if where is Joint.BEFORE:
            self._pass_over()
            return False
        if where is Joint.BEYOND:
            self._miss(rule, sequence, delta)
            self.doubt("bridge failed", frame)
            self._held.hold(delta)
            return False
        self.counters.bridges += 1
        self._prove(frame)
        if delta.row_sequences is not None:
            delta = _after(delta, delta.row_sequences, sequence)
        return self._change(delta, frame)

    def _miss(self, rule: BridgeRule, sequence: int, delta: BookDelta) -> None:
        first = delta.sequence if delta.first_sequence is None else delta.first_sequence
        needed = (
            "numbered deltas" if first is None else f"a snapshot at {first - (rule.joins_at or 0)}"
        )
        self.counters.bridges_failed += 1
        self.needs_snapshot = True
        text = "the snapshot is older than the first delta held; a newer one is needed"
        self._report(
            FindingKind.BRIDGE_FAILED,
            self.symbol,
            text,
            expected=f"{needed} or later",
            received=sequence,
        )

    def _load(self, snapshot: BookSnapshot, frame: Frame) -> bool:
        try:
            self.replace(snapshot.bids, snapshot.asks)
        except NotANumberError as error:
            self.clear()
            self._refuse(error, frame)
            return False
        self.sequence = snapshot.sequence
        self._late_sequence = None
        self.quote_check.forget()
        return True

    def _adopt(self, frame: Frame) -> bool:
        """Follow another connection from now on; return False for an older one than the book's."""
        if self.outran(frame.connection_id):
            self.counters.overlapping += 1
            self._pass_over()
            return False
        self.coverage.observe(frame.frame_number, "no snapshot yet")
        if self.state is not BookState.BRIDGING or not self._outlives:
            # Nothing says that the new one goes on where the old one, or its held deltas, ended.
            self.doubt("new connection", frame)
        self.connection_id = frame.connection_id
        self._gone = False
        self._alone = None
        return True

    def book_state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        return [
            self.state,
            self.sequence,
            self.connection_id,
            self._gone,
            self._late_sequence,
            self.needs_snapshot,
            self.depth_kept,
            list(self.bids),
            list(self.asks),
            self._held.sequences(),
            self.quote_check.state(),
        ]

    def parts(self) -> BookParts:
        """Return the book, for a checkpoint."""
        return BookParts(
            bids=list(self.bids),
            asks=list(self.asks),
            state=self.state,
            clean=self._clean,
            checksums_prove=self._checksums_prove,
            sequence=self.sequence,
            late_sequence=self._late_sequence,
            connection_id=self.connection_id,
            gone=self._gone,
            needs_snapshot=self.needs_snapshot,
            depth_kept=self.depth_kept,
            held=self._held.parts(),
            coverage=self.coverage.parts(),
            quote_check=self.quote_check.parts(),
            alone=self._alone,
        )

    def take_parts(self, parts: BookParts) -> None:
        """Be what a checkpoint says."""
        self.replace(parts.bids, parts.asks)
        self.state = parts.state
        self._clean = parts.clean
        self._checksums_prove = parts.checksums_prove
        self.sequence = parts.sequence
        self._late_sequence = parts.late_sequence
        self.connection_id = parts.connection_id
        self._gone = parts.gone
        self.needs_snapshot = parts.needs_snapshot
        self.depth_kept = parts.depth_kept
        self._held.take_parts(parts.held)
        self.coverage.take_parts(parts.coverage)
        self.quote_check.take_parts(parts.quote_check)
        self._alone = parts.alone


def _after(delta: BookDelta, numbers: RowSequences, sequence: int) -> BookDelta:
    """Return the delta without the rows that a snapshot at `sequence` has already."""
    bids, asks = numbers
    return msgspec.structs.replace(
        delta,
        bids=_rows_after(delta.bids, bids, sequence),
        asks=_rows_after(delta.asks, asks, sequence),
    )


def _rows_after(rows: list[Row], numbers: list[int], sequence: int) -> list[Row]:
    return [row for row, number in zip(rows, numbers, strict=True) if number > sequence]
