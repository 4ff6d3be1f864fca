"""A venue's order book, and when it may be trusted.

Theory of operation. A book is in one of these states:

    EMPTY         no snapshot yet. Deltas are held, where a REST snapshot is going to join them.
    BRIDGING      a REST snapshot is in, and no delta has joined it yet.
    PROVEN        every message since the last snapshot is accounted for.
    UNVERIFIABLE  the venue numbers nothing and hashes nothing: a loss could not be seen.
    SUSPECT       something was lost, or a check failed. Nothing is applied any more; the levels are
                  those of the last frame before, or what a bad number left of them. Deltas are held
                  as in EMPTY.
    ENDED         we stopped listening. The levels are those of the last frame.

    any --snapshot in band--> PROVEN (or UNVERIFIABLE)
    EMPTY, SUSPECT, ENDED --REST snapshot--> BRIDGING --first delta joins--> PROVEN
    PROVEN, BRIDGING --gap, failed check, bad number, loss--> SUSPECT
    PROVEN, ENDED --message of a newer connection--> SUSPECT
    any but SUSPECT --we close the connection--> ENDED

A book follows one connection, the newest that spoke of it. What an older one still says (two may
overlap for a while) is passed over, until the book's own is closed. A REST snapshot is of no
connection, since numbers alone join it; but the answer to a connection that is gone comes too late.

What may not happen: a delta is applied to a state that it does not follow; a book goes on from
SUSPECT without a fresh snapshot; a held delta outlives the snapshot that it was held for.

The rule on losses is the exchanges' own (Binance: "How to manage a local order book correctly";
OKX, Bybit, Kraken: resubscribe): stop, take a fresh snapshot, go on from there; never stitch.
"""

from __future__ import annotations

from book.book_state import BookState
from book.checksum import book_checksum
from book.counters import MarketCounters
from book.coverage import Coverage
from book.exact import NotANumberError, NumbersSeen
from book.finding import FindingKind, Report
from book.frame_time import FrameTime
from book.held_deltas import HeldDeltas
from book.order_book import OrderBook
from book.quote_check import QuoteCheck, QuoteOutcome, Top
from book.sequence import IN_ORDER, JUDGES, Joint, Judgement, Verdict, joint
from book.settings import EngineSettings
from venues.event import BookDelta, BookSnapshot, Quote
from venues.frame import Frame
from venues.traits import BridgeRule, Continuity, DepthKeeper, VenueTraits


class VenueBook(OrderBook):
    """The book of one symbol at one venue.

    `depth` cuts it where the venue leaves that to its clients; `needs_snapshot` is True when a
    fresh snapshot should be asked for, until whoever asks sets it back.
    """

    __slots__ = (
        "_clean",
        "_gone",
        "_held",
        "_judge",
        "_late_sequence",
        "_report",
        "_traits",
        "connection_id",
        "counters",
        "coverage",
        "depth_kept",
        "needs_snapshot",
        "quote_check",
        "sequence",
        "state",
        "symbol",
    )

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
        super().__init__(numbers)
        self.symbol = symbol
        self.state = BookState.EMPTY
        self.sequence: int | None = None
        self.connection_id = 0
        self.needs_snapshot = False
        self.depth_kept = traits.depth
        self.counters = counters
        self.coverage = Coverage(settings.windows_kept_max, time)
        self.quote_check = QuoteCheck(settings.quotes_held_max)
        self._traits = traits
        self._report = report
        self._judge = JUDGES[traits.continuity]
        self._gone = False
        self._late_sequence: int | None = None
        unseen = traits.continuity is Continuity.NONE and traits.checksum is None
        self._clean = BookState.UNVERIFIABLE if unseen else BookState.PROVEN
        self._held = HeldDeltas(traits.bridge, settings.deltas_held_max, self._pass_over)

    @property
    def proven(self) -> bool:
        """Whether every message since the last snapshot is accounted for."""
        return self.state is BookState.PROVEN

    @property
    def following(self) -> bool:
        """Whether the book follows the feed: it is proven, or there is nothing to prove it by."""
        return self.state is self._clean

    @property
    def listening(self) -> bool:
        """Whether a connection is open that has spoken of this book."""
        return self.connection_id != 0 and not self._gone

    # What the venue sends.

    def take_snapshot(self, snapshot: BookSnapshot, frame: Frame) -> bool:
        """Take a snapshot in; return whether the book changed."""
        self.counters.snapshots += 1
        if snapshot.unjoined:
            return self._take_rest_snapshot(snapshot, frame)
        if frame.connection_id != self.connection_id and not self._adopt(frame):
            return False
        self.coverage.observe(frame.frame_number, "no snapshot yet")
        if snapshot.sequence is None and self._traits.continuity is not Continuity.NONE:
            text = "a snapshot without the number that deltas go on from"
            self._report(FindingKind.UNNUMBERED, self.symbol, text)
            self.doubt("unnumbered", frame)
            return False
        self._held.drop()
        if not self._load(snapshot, frame):
            return False
        self._prove(frame)
        if self._traits.checksum is not None:
            self._verify(snapshot.checksum, frame)
        return True

    def take_delta(self, delta: BookDelta, frame: Frame) -> bool:
        """Take a delta in; return whether the book changed."""
        counters = self.counters
        counters.deltas += 1
        counters.level_updates += len(delta.bids) + len(delta.asks)
        if frame.connection_id != self.connection_id and not self._adopt(frame):
            return False
        return self._place(delta, frame)

    def take_quote(self, quote: Quote, sequence: int, frame: Frame) -> None:
        """Hold a quote against the book of the same number, now or when that comes."""
        passed = self.sequence
        if passed is not None and sequence <= passed and self.proven:
            self._judge_quote(self.quote_check.late(quote, sequence), frame)
        else:
            self.quote_check.hold(quote, sequence)

    def settle(self, frame: Frame) -> None:
        """Look at the book once all changes of the frame are in: is it crossed, is it quoted."""
        if not self.following:
            return
        top = Top(self.bids.best(), self.asks.best())
        if self.crosses(*top):
            self.counters.crossed += 1
            text = f"best bid above best ask after a whole frame: {top}"
            self._report(FindingKind.CROSSED, self.symbol, text)
            self.doubt("crossed", frame)
        elif self._traits.quote_shares_sequence and self.sequence is not None:
            self._judge_quote(self.quote_check.booked(self.sequence, top), frame)

    # What happens around it.

    def doubt(self, reason: str, frame: Frame) -> None:
        """Stop trusting the book from this frame on, and wish for a fresh snapshot."""
        if self.state is not BookState.EMPTY:
            self.state = BookState.SUSPECT
        self.coverage.doubt(frame.frame_number, reason)
        self.quote_check.forget()
        self._held.drop()
        self.needs_snapshot = True

    def disconnect(self, frame: Frame) -> None:
        """Note that the connection is gone. On the next one the exchange begins anew."""
        self.doubt("disconnected", frame)
        self.needs_snapshot = False
        self._gone = True

    def end(self, frame: Frame) -> None:
        """Note that we stopped listening: no loss, and no proof of anything after it."""
        self._gone = True
        if self.state is not BookState.SUSPECT:
            self.state = BookState.ENDED
        self.coverage.rest(frame.frame_number)
        self._held.drop()
        self.needs_snapshot = False

    # The steps.

    def _place(self, delta: BookDelta, frame: Frame) -> bool:
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

    def _pass_over(self, deltas: int = 1) -> None:
        if self._traits.checksum is not None:
            self.counters.checksums_unverifiable += deltas

    def _take_rest_snapshot(self, snapshot: BookSnapshot, frame: Frame) -> bool:
        rule, sequence = self._traits.bridge, snapshot.sequence
        if rule is None or sequence is None or self.following:
            return False
        if self._gone and frame.connection_id <= self.connection_id:
            return False
        if frame.connection_id > self.connection_id:
            self._adopt(frame)
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
            self._place(delta, frame)
        return True

    def _join(self, delta: BookDelta, frame: Frame) -> bool:
        rule, sequence = self._traits.bridge, self.sequence
        assert rule is not None
        assert sequence is not None
        where = joint(rule, sequence, delta)
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
        return self._change(delta, frame)

    def _miss(self, rule: BridgeRule, sequence: int, delta: BookDelta) -> None:
        first = delta.sequence if delta.first_sequence is None else delta.first_sequence
        needed = (
            "numbered deltas" if first is None else f"a snapshot at {first - (rule.joins_at or 0)}"
        )
        self.counters.bridges_failed += 1
        self.needs_snapshot = True
        text = "the REST snapshot is older than the first delta held; a newer one is needed"
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

    def _prove(self, frame: Frame) -> None:
        self.state = self._clean
        self.needs_snapshot = False
        if self._clean is BookState.PROVEN:
            self.coverage.prove(frame.frame_number)

    def _refuse(self, error: NotANumberError, frame: Frame) -> None:
        self._report(FindingKind.BAD_NUMBER, self.symbol, str(error), received=error.text)
        self.doubt("bad number", frame)

    def _adopt(self, frame: Frame) -> bool:
        """Follow another connection from now on; return False for an older one than the book's."""
        if frame.connection_id < self.connection_id and not self._gone:
            self.counters.overlapping += 1
            self._pass_over()
            return False
        self.coverage.observe(frame.frame_number, "no snapshot yet")
        if self.state is not BookState.BRIDGING:
            # Nothing says that the new one goes on where the old one, or its held deltas, ended.
            self.doubt("new connection", frame)
        self.connection_id = frame.connection_id
        self._gone = False
        return True

    def _verify(self, checksum: int | None, frame: Frame) -> None:
        rule = self._traits.checksum
        assert rule is not None
        if checksum is None:
            self.counters.checksums_unverifiable += 1
            return
        computed = book_checksum(self, rule)
        if computed == checksum:
            self.counters.checksums_verified += 1
            return
        self.counters.checksums_failed += 1
        self._report(
            FindingKind.CHECKSUM_FAILED,
            self.symbol,
            "the book is not the exchange's book",
            expected=checksum,
            received=computed,
        )
        self.doubt("checksum failed", frame)

    def _judge_quote(self, outcome: QuoteOutcome | None, frame: Frame) -> None:
        if outcome is None:
            return
        self.counters.quote_checks += 1
        if outcome.equal:
            self.counters.quote_matches += 1
            return
        self._report(
            FindingKind.QUOTE_MISMATCH,
            self.symbol,
            f"the book's top differs from the quote numbered {outcome.quote.sequence} as well",
            expected=outcome.quoted,
            received=outcome.booked,
        )
        self.doubt("quote mismatch", frame)

    def book_state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        return [
            self.state,
            self.sequence,
            self.connection_id,
            self._gone,
            self._late_sequence,
            self.needs_snapshot,
            list(self.bids),
            list(self.asks),
            self._held.sequences(),
            self.quote_check.state(),
        ]
