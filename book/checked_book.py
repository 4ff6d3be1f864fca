"""A book's state, and the checks that it is put to: checksums, quotes, bid and ask crossed.

Theory. What a book is in a state to claim is `state`, and `coverage` has the time for which it was
PROVEN; this file is the only one that changes either. Proof comes from numbers (`book.venue_book`,
`book.counted_lane`) or from checksums; a book is PROVEN while every message is accounted for by at
least one of them, and a check that fails takes the proof away, whatever else there is.

- Numbers per symbol: PROVEN between a snapshot and the first gap. Checksums are checked besides.
- Numbers per connection: the same, while they come (`unprove` where they don't).
- Checksums alone: PROVEN from a snapshot (a full statement) or a verified checksum on, up to the
  first message that brings none: it may follow a lost one.
- Neither: UNVERIFIABLE at best.
- Numbers by the traits, but none in the snapshot, where that may be: as checksums alone.
- Whole books alone, each time anew: UNVERIFIABLE, whatever they carry, as a lost one never shows.

A crossed book is one that has lost a message, so it is doubted and told; but where the exchange
itself sends books that are crossed for a moment (`may_cross`), it is neither: it is only counted.
"""

from __future__ import annotations

from book.book_state import BookState
from book.checksum import book_checksum
from book.counters import MarketCounters
from book.coverage import NO_CHECKSUM, Coverage
from book.exact import NotANumberError, NumbersSeen
from book.finding import FindingKind, Report
from book.frame_time import FrameTime
from book.held_deltas import HeldDeltas
from book.order_book import OrderBook
from book.quote_check import QuoteCheck, QuoteOutcome, Top
from book.settings import EngineSettings
from venues.event import Quote
from venues.frame import Frame
from venues.traits import Continuity, SequenceScope, VenueTraits


class CheckedBook(OrderBook):
    """The levels of one symbol at one venue, and whether they may be trusted.

    `needs_snapshot` is True when a fresh snapshot should be asked for, until whoever asks sets it
    back. `state` is one of `book.book_state`; what they mean is in `book.venue_book`.
    """

    __slots__ = (
        "_alone",
        "_checksums_prove",
        "_clean",
        "_gone",
        "_held",
        "_numbered",
        "_provable",
        "_report",
        "_traits",
        "connection_id",
        "counters",
        "coverage",
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
        numbers: NumbersSeen,
    ) -> None:
        super().__init__(numbers)
        self.symbol = symbol
        self.state = BookState.EMPTY
        self.sequence: int | None = None
        self.connection_id = 0
        self.needs_snapshot = False
        self.counters = counters
        self.coverage = Coverage(settings.windows_kept_max, time)
        self.quote_check = QuoteCheck(settings.quotes_held_max)
        self._traits = traits
        self._report = report
        self._gone = False
        self._alone: bool | None = None
        self._numbered = numbered = (
            traits.continuity is not Continuity.NONE
            or traits.sequence_scope is SequenceScope.CONNECTION
        )
        self._checksums_prove = not numbered and traits.checksum is not None
        self._provable = BookState.UNVERIFIABLE
        if numbered or self._checksums_prove:
            self._provable = BookState.PROVEN
        self._clean = self._provable
        self._held = HeldDeltas(traits, settings.deltas_held_max, self._pass_over)

    @property
    def proven(self) -> bool:
        """Whether every message since the last snapshot is accounted for."""
        return self.state is BookState.PROVEN

    @property
    def following(self) -> bool:
        """Whether the book follows the feed, proven or not."""
        return self.state is self._clean

    @property
    def verifiable(self) -> bool:
        """Whether every message was accounted for while the book last followed the feed."""
        return self._clean is BookState.PROVEN

    @property
    def listening(self) -> bool:
        """Whether a connection is open that has spoken of this book."""
        return self.connection_id != 0 and not self._gone

    def outran(self, connection_id: int) -> bool:
        """Say whether the book follows a newer connection than this one, which still stands."""
        return connection_id < self.connection_id and not self._gone

    # The checks.

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
            self._crossed(top, frame)
        elif self._traits.quote_shares_sequence and self.sequence is not None:
            self._judge_quote(self.quote_check.booked(self.sequence, top), frame)

    def _crossed(self, top: Top, frame: Frame) -> None:
        self.counters.crossed += 1
        if self._traits.may_cross:
            return
        text = f"best bid above best ask after a whole frame: {top}"
        self._report(FindingKind.CROSSED, self.symbol, text)
        self.doubt("crossed", frame)

    def _verify(self, checksum: int | None, frame: Frame) -> None:
        rule = self._traits.checksum
        assert rule is not None
        if checksum is None:
            self.counters.checksums_unverifiable += 1
            if self._checksums_prove:
                self.unprove(NO_CHECKSUM, frame)
            return
        computed = book_checksum(self, rule)
        if computed == checksum:
            self.counters.checksums_verified += 1
            if self.state is BookState.UNVERIFIABLE and not self._alone:
                self.reprove(frame)
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

    # What they lead to, and what happens around the book.

    def doubt(self, reason: str, frame: Frame) -> None:
        """Stop trusting the book from this frame on, and wish for a fresh snapshot."""
        if self.state is not BookState.EMPTY:
            self.state = BookState.SUSPECT
        self.coverage.doubt(frame.frame_number, reason)
        self.quote_check.forget()
        self._held.drop()
        self.needs_snapshot = True

    def unprove(self, reason: str, frame: Frame) -> bool:
        """Go on following the feed without proof: nothing is known to be lost, but it may be.

        Return whether there was a proof to give up.
        """
        if self.state is not BookState.PROVEN:
            return False
        self.state = self._clean = BookState.UNVERIFIABLE
        self.coverage.doubt(frame.frame_number, reason)
        return True

    def reprove(self, frame: Frame) -> None:
        """Take the proof up again where `unprove` left it: what was in doubt has been shown."""
        if self.state is BookState.UNVERIFIABLE and self._provable is BookState.PROVEN:
            self._prove(frame)

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

    def _rest_on_checksums(self, unnumbered: bool) -> None:
        alone = unnumbered or not self._numbered
        self._checksums_prove = alone and self._traits.checksum is not None

    def _prove(self, frame: Frame) -> None:
        self.state = self._clean = self._provable
        self.needs_snapshot = False
        if self._clean is BookState.PROVEN:
            self.coverage.prove(frame.frame_number)

    def _refuse(self, error: NotANumberError, frame: Frame) -> None:
        self._report(FindingKind.BAD_NUMBER, self.symbol, str(error), received=error.text)
        self.doubt("bad number", frame)

    def _pass_over(self, deltas: int = 1) -> None:
        if self._traits.checksum is not None:
            self.counters.checksums_unverifiable += deltas
