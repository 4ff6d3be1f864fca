"""Judges a recording: can it be trusted, and where not.

Theory. An audit plays the recording at max speed into one engine, the same that runs live, and
lists what that engine noticed. To it come what only an audit looks at: the files themselves
(checksums of segments, the chain of the manifest), connections, clocks, silences. It plays around
damage instead of stopping at it: what cannot be read is a loss, and a loss is a fault.

The report holds no float but the shares of time, nothing of the machine and nothing of today: the
same recording gives the same report.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from book.book_state import BookState
from book.engine import Engine
from book.finding import Finding, FindingKind
from book.market import Market
from book.order_book import Level
from book.settings import EngineSettings
from replay.audit_listener import AuditListener
from replay.audit_report import (
    AuditFinding,
    AuditReport,
    BookAudit,
    Integrity,
    Losses,
    Recognised,
    Rows,
    Silence,
    SuspectTime,
    TradeHole,
)
from replay.audit_verdict import (
    FAULT_KINDS,
    faults,
    notes,
    notes_of_pauses,
    notes_of_rows,
)
from replay.cut_recording import CUT_NOTE, begins_cut, ends_cut
from replay.engine_settings import recorded_settings
from replay.epoch_ledger import EpochLedger
from replay.file_integrity import integrity_of
from replay.frame_source import FrameSource
from replay.player import Player
from replay.recognition import Recognition
from replay.removal_note import removal_note
from venues.channel import Channel

_FRAMES_BETWEEN_REPORTS = 16_384

OnProgress = Callable[[Player], None]
"""Called now and then while an audit runs."""


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """What is audited, and how the engine is set: None for as it was beside the recorder.

    Only frames with `from_ns <= receive_time_ns < to_ns` of the venues `streams` are judged; a part
    that begins in the middle has no book until its first snapshot.
    """

    engine: EngineSettings | None = None
    from_ns: int | None = None
    to_ns: int | None = None
    streams: Collection[str] | None = None


def audit(
    source: FrameSource,
    settings: AuditSettings | None = None,
    *,
    on_progress: OnProgress | None = None,
) -> AuditReport:
    """Play `source` and return what was found; the files of a recording are verified as well.

    Raises:
        TickreelError: it cannot be played at all.
    """
    chosen = settings or AuditSettings()
    engine = Engine(chosen.engine or recorded_settings(source))
    listener = AuditListener(engine)
    ledger = EpochLedger()
    recognition = Recognition()
    removed: list[str] = []
    told: str | None = None
    player = Player(
        source,
        from_ns=chosen.from_ns,
        to_ns=chosen.to_ns,
        streams=chosen.streams,
        skip_damaged=True,
    )
    for frame in player:
        before = listener.events
        engine.apply(frame)
        ledger.add(frame)
        told = removal_note(frame)
        if told:
            removed.append(told)
        if frame.received:
            recognition.add(frame, told=listener.events != before)
        if on_progress is not None and player.frames_played % _FRAMES_BETWEEN_REPORTS == 0:
            on_progress(player)
    recognised = recognition.by_venue()
    integrity = integrity_of(source)
    whole = chosen.from_ns is None and chosen.to_ns is None and chosen.streams is None
    silent = whole and integrity is not None and not ledger.received
    return _report(
        engine,
        listener,
        ledger,
        recognised,
        integrity,
        removed,
        cut=begins_cut(source),
        silent=silent,
        endless=whole and told is None and ends_cut(source, ledger),
    )


def _report(
    engine: Engine,
    listener: AuditListener,
    ledger: EpochLedger,
    recognised: list[Recognised],
    integrity: Integrity | None,
    removed: list[str],
    *,
    cut: bool,
    silent: bool,
    endless: bool,
) -> AuditReport:
    markets = list(engine.markets.values())
    books = [_book(market, listener, cut=cut) for market in markets if _has_book(market)]
    cut_books = {(book.venue, book.symbol, Channel.BOOK) for book in books if book.cut}
    silences = [
        silence
        for silence in _silences(engine, listener, ledger)
        if (silence.venue, silence.symbol, silence.channel) not in cut_books
    ]
    clock = listener.clock()
    found = faults(
        engine.findings.counts,
        books,
        clock,
        silences,
        recognised,
        integrity,
        silent=silent,
        endless=endless,
    )
    return AuditReport(
        clean=not found,
        frames=engine.frames,
        frames_by_kind={kind.name.lower(): count for kind, count in ledger.kinds.items()},
        payload_bytes=ledger.payload_bytes,
        first_receive_time_ns=ledger.first_ns,
        last_receive_time_ns=ledger.last_ns,
        connections=len(engine.connections),
        epochs=ledger.epochs(engine.connections),
        books=books,
        trades=_rows(markets, lambda market: market.counters.trades),
        liquidations=_rows(markets, lambda market: market.counters.liquidations),
        quotes=_rows(markets, lambda market: market.counters.quotes),
        trade_holes=_trade_holes(markets, listener),
        undecodable=engine.undecodable,
        recognised=recognised,
        lost=Losses(
            frames=engine.connections.lost_frames,
            bytes=engine.connections.lost_bytes,
            unknown=engine.connections.lost_unknown,
        ),
        clock=clock,
        silences=silences,
        integrity=integrity,
        faults=found,
        finding_counts={
            kind.value: count for kind, count in sorted(engine.findings.counts.items())
        },
        findings=[_finding(finding) for finding in engine.findings],
        notes=[
            *removed,
            *([CUT_NOTE] if cut else ()),
            *notes_of_pauses(ledger.pauses_ns()),
            *notes(clock, silences, recognised, len(markets) - len(books)),
            *notes_of_rows([market.counters for market in markets]),
        ],
        state_digest=engine.state_digest(),
    )


def _has_book(market: Market) -> bool:
    counters = market.counters
    return bool(counters.snapshots or counters.deltas or Channel.BOOK in market.watches)


def _book(market: Market, listener: AuditListener, *, cut: bool) -> BookAudit:
    book, counters, coverage = market.book, market.counters, market.coverage
    began_before = cut and not counters.snapshots
    return BookAudit(
        venue=market.venue,
        symbol=market.symbol,
        state=(BookState.UNVERIFIABLE if began_before else _state(market)).value,
        cut=began_before,
        snapshots=counters.snapshots,
        deltas=counters.deltas,
        level_updates=counters.level_updates,
        gaps=counters.gaps,
        missing_updates=listener.missing[FindingKind.GAP, market.venue, market.symbol],
        duplicates=counters.duplicates,
        late=counters.late,
        bridges=counters.bridges,
        bridges_failed=counters.bridges_failed,
        checksums_verified=counters.checksums_verified,
        checksums_failed=counters.checksums_failed,
        checksums_unverifiable=counters.checksums_unverifiable,
        crossed=counters.crossed,
        quote_checks=counters.quote_checks,
        quote_matches=counters.quote_matches,
        best_bid=_level(book.best_bid),
        best_ask=_level(book.best_ask),
        bid_levels=len(book.bids),
        ask_levels=len(book.asks),
        coverage=coverage.share,
        observed_ns=coverage.observed_ns,
        proven_ns=coverage.proven_ns,
        suspect_windows=[
            SuspectTime(
                reason=window.reason,
                from_frame=window.from_frame,
                from_ns=window.from_ns,
                to_frame=window.to_frame,
                to_ns=window.to_ns,
            )
            for window in coverage.windows
        ],
        suspect_windows_count=coverage.windows_count,
    )


def _state(market: Market) -> BookState:
    """Return the state that the recording leaves a book in.

    One that nothing could prove stays unverifiable, also when nobody listens to it any more.
    """
    book, coverage = market.book, market.coverage
    never_proven = coverage.observed_ns > 0 and coverage.proven_ns == 0
    if book.state is BookState.ENDED and (never_proven or not book.verifiable):
        return BookState.UNVERIFIABLE
    return book.state


def _level(level: Level | None) -> tuple[str, str] | None:
    return None if level is None else (level.price_text, level.size_text)


def _rows(markets: list[Market], count: Callable[[Market], int]) -> list[Rows]:
    return [Rows(market.venue, market.symbol, count(market)) for market in markets if count(market)]


def _trade_holes(markets: list[Market], listener: AuditListener) -> list[TradeHole]:
    return [
        TradeHole(
            market.venue,
            market.symbol,
            market.counters.trade_gaps,
            listener.missing[FindingKind.TRADE_GAP, market.venue, market.symbol],
        )
        for market in markets
        if market.counters.trade_gaps
    ]


def _silences(engine: Engine, listener: AuditListener, ledger: EpochLedger) -> list[Silence]:
    found = []
    for key, times in sorted(listener.stale.items()):
        venue, symbol, channel = key
        until_ns = ledger.listened_until_ns(venue)
        pulse = listener.pulses.get(key)
        if pulse is None:
            # Subscribed, and never heard of: a book in this state is unresolved, all else is quiet.
            first_ns = ledger.first_ns or 0
            longest_ns, longest_from_ns, dead = until_ns - first_ns, first_ns, False
        else:
            longest_ns, longest_from_ns = pulse.longest_silence_ns, pulse.longest_silence_from_ns
            if until_ns - pulse.last_ns > longest_ns:
                longest_ns, longest_from_ns = until_ns - pulse.last_ns, pulse.last_ns
            dead = pulse.dead_at(until_ns, listener.stale_limits_ns[key])
        watch = engine.markets[venue, symbol].watches.get(channel)
        if watch is not None and not watch.stale and pulse is not None:
            # It speaks again, to a book that cannot follow: that book is unresolved, not its feed.
            dead = False
            last_ns = watch.last_ns
            if longest_from_ns == pulse.last_ns and longest_from_ns < last_ns:
                longest_ns = max(pulse.longest_silence_ns, last_ns - pulse.last_ns)
        found.append(
            Silence(
                venue=venue,
                symbol=symbol,
                channel=channel,
                times=times,
                longest_ns=longest_ns,
                longest_from_ns=longest_from_ns,
                dead=dead,
            )
        )
    return found


def _finding(finding: Finding) -> AuditFinding:
    return AuditFinding(
        kind=finding.kind.value,
        fault=finding.kind in FAULT_KINDS,
        venue=finding.venue,
        symbol=finding.symbol,
        frame=finding.frame_number,
        connection=finding.connection_id,
        time_ns=finding.receive_time_ns,
        text=finding.text,
        expected=finding.expected,
        received=finding.received,
        missing=finding.missing,
    )
