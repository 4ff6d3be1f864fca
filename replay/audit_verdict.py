"""What makes a recording unclean, and what a reader should merely know.

A *fault* puts in doubt what the recording says happened: something is missing, wrong, or cannot be
checked. A *note* does not: it was noticed, it is told, and the evidence stands.

- Faults: gaps, failed checksums, crossed books, quotes that contradict the book, deltas without
  their number, frames or numbers that cannot be read, missing trades, frames lost, connections that
  broke (what came in between is nowhere), subscriptions and logins refused, clock steps, unknown
  venues, venues of whose messages none was understood, damaged files, books that end in doubt or
  that nothing can prove (in a part, also those that only the whole recording could) or could for a
  time, dead channels, recordings into which no message ever came, and those whose end is missing.
- Notes: messages that came twice or late, a bridge or a snapshot that was tried again, an
  announced disconnection, a request for something else (instruments) that failed, rows that repeat
  the past or cannot be priced, receive times out of order by less than a step (two connections,
  stamped as their bytes came), messages of kinds not known beside those that are, offsets between
  the clocks, time without any connection (a capture that was stopped and goes on later), and
  silences. A quiet symbol is silent, and its recording is clean; a channel that
  speaks all the time and then never again is dead, and that is a fault: `venues.channel_pulse`
  draws the line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from book.book_state import BookState
from book.counters import MarketCounters
from book.coverage import UNPROVABLE
from book.finding import FindingKind
from replay.audit_report import (
    BookAudit,
    ClockAudit,
    ClockOffset,
    Integrity,
    Recognised,
    Silence,
    SuspectTime,
)
from replay.due_time import STEP_LIMIT_NS
from replay.written_time import utc_text

FAULT_KINDS = frozenset(
    {
        FindingKind.GAP,
        FindingKind.CHECKSUM_FAILED,
        FindingKind.CROSSED,
        FindingKind.QUOTE_MISMATCH,
        FindingKind.UNNUMBERED,
        FindingKind.UNDECODABLE,
        FindingKind.BAD_NUMBER,
        FindingKind.TRADE_GAP,
        FindingKind.REJECTED,
        FindingKind.LOGIN_REFUSED,
        FindingKind.DISCONNECTED,
        FindingKind.LOST,
        FindingKind.CLOCK_STEP,
        FindingKind.UNKNOWN_VENUE,
    }
)

CLOCK_SET_BACK = "clock set back"
DAMAGED_FILE = "damaged file"
DEAD_CHANNEL = "dead channel"
MISSING_END = "missing end"
NOTHING_RECEIVED = "nothing received"
NOTHING_UNDERSTOOD = "nothing understood"
UNRESOLVED_BOOK = "unresolved book"
UNVERIFIABLE_BOOK = "unverifiable book"

NS_PER_S = 1_000_000_000
PAUSE_MIN_NS = NS_PER_S
"""So long without a connection is told of; a reconnection in less is told of as one."""

_UNRESOLVED = frozenset({BookState.EMPTY, BookState.BRIDGING, BookState.SUSPECT})


def faults(
    counts: Mapping[FindingKind, int],
    books: Sequence[BookAudit],
    clock: ClockAudit,
    silences: Sequence[Silence],
    recognised: Sequence[Recognised],
    integrity: Integrity | None,
    *,
    silent: bool,
    endless: bool,
) -> dict[str, int]:
    """Return what makes the recording unclean, by kind, with how often; empty if it is clean.

    `silent` says that it is all of a recording on disk, and that no message is in it; `endless`
    that what its recorder wrote last is not there.
    """
    found: Counter[str] = Counter()
    for kind in sorted(FAULT_KINDS):
        found[kind.value] = counts.get(kind, 0)
    if clock.largest_backwards_ns > STEP_LIMIT_NS:
        found[CLOCK_SET_BACK] = 1
    found[DEAD_CHANNEL] = sum(silence.dead for silence in silences)
    found[MISSING_END] = int(endless)
    found[NOTHING_RECEIVED] = int(silent)
    found[NOTHING_UNDERSTOOD] = sum(bool(venue.unknown) and not venue.known for venue in recognised)
    found[UNRESOLVED_BOOK] = sum(book.state in _UNRESOLVED for book in books)
    found[UNVERIFIABLE_BOOK] = sum(
        book.state == BookState.UNVERIFIABLE or bool(unprovable_windows(book)) for book in books
    )
    if integrity is not None:
        found[DAMAGED_FILE] = len(integrity.faults)
    return {kind: count for kind, count in found.items() if count}


def unprovable_windows(book: BookAudit) -> list[SuspectTime]:
    """Return when a book followed messages that brought nothing to prove them by."""
    return [window for window in book.suspect_windows if window.reason in UNPROVABLE]


def notes(
    clock: ClockAudit, silences: Sequence[Silence], recognised: Sequence[Recognised], unbooked: int
) -> list[str]:
    """Return the sentences that a reader should know, most general first."""
    said = [_behind(offset) for offset in _worst_by_venue(clock.offsets)]
    if clock.backwards and clock.largest_backwards_ns <= STEP_LIMIT_NS:
        said.append(
            f"{clock.backwards:,} frames were received before an earlier one, by up to "
            f"{clock.largest_backwards_ns / 1e6:.3f} ms: their connections were stamped apart."
        )
    living = [silence for silence in silences if not silence.dead]
    if living:
        longest = max(living, key=lambda silence: silence.longest_ns)
        said.append(
            f"channels that fell silent for longer than their limit: {len(living):,}; the longest, "
            f"{longest.venue} {longest.symbol} {longest.channel}, for "
            f"{longest.longest_ns / 1e9:.1f} s."
        )
    said += [
        f"{venue.venue}: messages of no kind known to tickreel, which were not judged: "
        f"{venue.unknown:,}; understood: {venue.known:,}."
        for venue in recognised
        if venue.unknown
    ]
    if unbooked:
        symbols = "symbol has" if unbooked == 1 else "symbols have"
        said.append(f"{unbooked:,} {symbols} no book in this recording.")
    return said


def notes_of_pauses(pauses_ns: Sequence[tuple[int, int]]) -> list[str]:
    """Return the sentence about the time in which nothing was listened to."""
    long_ns = [(from_ns, to_ns) for from_ns, to_ns in pauses_ns if to_ns - from_ns >= PAUSE_MIN_NS]
    if not long_ns:
        return []
    from_ns, to_ns = max(long_ns, key=lambda each: each[1] - each[0])
    total_s = sum(to_ns - from_ns for from_ns, to_ns in long_ns) / 1e9
    times = "once" if len(long_ns) == 1 else f"{len(long_ns):,} times"
    return [
        f"no connection was open {times}, for {total_s:.1f} s in all, and nothing of that time is "
        f"here; the longest is {utc_text(from_ns, 0)} to {utc_text(to_ns, 0)}."
    ]


def notes_of_rows(counters: Sequence[MarketCounters]) -> list[str]:
    """Return the sentences about rows that are counted, and are on no tape or in no sum."""
    history = sum(each.trades_history + each.liquidations_history for each in counters)
    unpriced = sum(each.liquidations_unpriced for each in counters)
    said = []
    if history:
        said.append(
            f"trades and liquidations that the exchange repeated of the time before the "
            f"subscription, which are on no tape: {history:,}."
        )
    if unpriced:
        said.append(
            f"liquidations in contracts whose size is not in this recording, so that they are in "
            f"no sum: {unpriced:,}."
        )
    return said


def _worst_by_venue(offsets: Sequence[ClockOffset]) -> list[ClockOffset]:
    worst: dict[str, ClockOffset] = {}
    for offset in offsets:
        held = worst.get(offset.venue)
        if offset.min_ns is None or offset.min_ns >= 0:
            continue
        if held is None or held.min_ns is None or offset.min_ns < held.min_ns:
            worst[offset.venue] = offset
    return list(worst.values())


def _behind(offset: ClockOffset) -> str:
    behind_ns = -(offset.min_ns or 0)
    size = f"{behind_ns / 1e9:.2f} s" if behind_ns >= 10**8 else f"{behind_ns / 1e6:.3f} ms"
    return (
        f"{offset.venue}: receive times are before exchange times by up to {size}: "
        "the recorder's clock was behind the exchange's."
    )
