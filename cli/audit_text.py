"""An audit, as a person reads it: a line a book, what was found, the clock, the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from cli.engine_summary import share_text
from cli.report_text import (
    aligned,
    count_text,
    counted,
    day_time_text,
    folded,
    lost_text,
    printable,
    span_text,
)
from replay.audit_report import AuditFinding, AuditReport, BookAudit, ClockOffset, SuspectTime
from replay.audit_verdict import MISSING_END, unprovable_windows
from replay.written_time import utc_text

SHOWN_PER_KIND = 5
_INDENT = 6
_UNRESOLVED = {
    "empty": "no snapshot of it came",
    "bridging": "its deltas have not met a snapshot",
    "suspect": "no snapshot came since it was doubted",
}


def audit_lines(report: AuditReport, width: int | None) -> list[str]:
    """Return the report's lines, no wider than `width`, the verdict last."""
    sentences = [
        *_finding_lines(report),
        *_damage_lines(report),
        *_clock_lines(report),
        *(f"note: {printable(note)}" for note in report.notes),
        *_harmless_lines(report),
        _verdict(report),
    ]
    told = [line for sentence in sentences for line in folded(sentence, width, _INDENT)]
    return [*_span_lines(report), *_book_lines(report, width), *told]


def _span_lines(report: AuditReport) -> Iterator[str]:
    text = f"{counted(report.frames, 'frame')} on {counted(report.connections, 'connection')}"
    first_ns, last_ns = report.first_receive_time_ns, report.last_receive_time_ns
    if first_ns is not None and last_ns is not None:
        text += f", {utc_text(first_ns)} and {span_text((last_ns - first_ns) / 1e9)} on"
    yield text
    if report.lost.frames:
        yield f"lost: {lost_text(report.frames_by_kind, report.lost.frames)}"


def _book_lines(report: AuditReport, width: int | None) -> list[str]:
    rows = [
        (
            f"{printable(book.venue)} {printable(book.symbol)}",
            _proof_text(book),
            _checks_text(book),
            _troubles_text(book),
        )
        for book in report.books
    ]
    lines = aligned(rows) if rows else ["no books"]
    if width is None or max(map(len, lines)) <= width:
        return lines
    heads = aligned([row[:2] for row in rows])
    column = max(map(len, heads)) + 2
    return [
        line
        for head, (*_, checks, troubles) in zip(heads, rows, strict=True)
        for line in (
            *folded(f"{head:<{column}}{checks}", width, column),
            *folded(f"{'':<{column}}{troubles}", width, column),
        )
    ]


def _proof_text(book: BookAudit) -> str:
    if book.state == "unverifiable":
        return "unverifiable"
    return f"proven {share_text(book.coverage)}"


def _checks_text(book: BookAudit) -> str:
    parts = [counted(book.deltas, "delta")]
    if book.checksums_verified:
        parts.append(f"{counted(book.checksums_verified, 'checksum')} verified")
    if book.quote_checks:
        parts.append(f"{count_text(book.quote_matches)} of {counted(book.quote_checks, 'quote')}")
    return ", ".join(parts)


def _troubles_text(book: BookAudit) -> str:
    troubles = (
        (book.gaps, "gap"),
        (book.checksums_failed, "failed checksum"),
        (book.crossed, "crossed book"),
        (book.quote_checks - book.quote_matches, "contradicting quote"),
        (book.bridges_failed, "failed bridge"),
        (book.duplicates, "duplicate"),
        (book.late, "late message"),
    )
    found = [counted(count, noun) for count, noun in troubles if count]
    return ", ".join(found) if found else "no gaps"


def _finding_lines(report: AuditReport) -> Iterator[str]:
    shown: dict[str, int] = {}
    for finding in report.findings:
        if not finding.fault:
            continue
        count = shown.get(finding.kind, 0)
        shown[finding.kind] = count + 1
        if count < SHOWN_PER_KIND:
            yield _finding_text(finding, report.books)
    for kind, count in shown.items():
        more = report.faults.get(kind, count) - SHOWN_PER_KIND
        if more > 0:
            yield f"  {kind}: {count_text(more)} more; --json has them"


def _finding_text(finding: AuditFinding, books: list[BookAudit]) -> str:
    place = f"connection {finding.connection}, frame {count_text(finding.frame)}"
    text = f"  {finding.kind} at {day_time_text(finding.time_ns)} ({place}"
    window = _window(finding, books)
    if window is not None and window.to_ns is not None:
        text += f", resynced after {span_text((window.to_ns - window.from_ns) / 1e9)}"
    text += ")"
    about = f"{finding.venue} {finding.symbol}".strip()
    text += f": {printable(about)}, {printable(finding.text)}"
    if finding.expected is not None and finding.received is not None:
        text += f" (expected {printable(finding.expected)}, came {printable(finding.received)})"
    return text


def _window(finding: AuditFinding, books: list[BookAudit]) -> SuspectTime | None:
    for book in books:
        if (book.venue, book.symbol) == (finding.venue, finding.symbol):
            for window in book.suspect_windows:
                if window.from_frame == finding.frame:
                    return window
    return None


def _damage_lines(report: AuditReport) -> Iterator[str]:
    if report.integrity is not None:
        for fault in report.integrity.faults:
            yield f"  damaged file: {printable(fault)}"
    if MISSING_END in report.faults:
        yield (
            f"  {MISSING_END}: connections stand where it ends, and no recorder ends so: what it "
            "wrote after that is not here"
        )
    for silence in report.silences:
        if silence.dead:
            about = f"{silence.venue} {silence.symbol} {silence.channel}"
            yield (
                f"  dead channel: {printable(about)}, silent from "
                f"{day_time_text(silence.longest_from_ns)} to the end"
            )
    yield from _unproved_lines(report.books)
    for book in report.books:
        windows = unprovable_windows(book)
        if windows:
            first, times = windows[0], len(windows)
            yield (
                f"  unverifiable book: {printable(book.venue)} {printable(book.symbol)} had "
                f"nothing to be proven by ({printable(first.reason)}) from "
                f"{day_time_text(first.from_ns)}"
                + ("" if first.to_ns is None else f" to {day_time_text(first.to_ns)}")
                + ("" if times == 1 else f", the first of {times:,} times")
            )
        if book.cut:
            about = f"{printable(book.venue)} {printable(book.symbol)}"
            yield (
                f"  unverifiable book: {about} began before the cut, and no snapshot of it came "
                "after; audit the whole recording"
            )
        if book.state in _UNRESOLVED:
            about = f"{printable(book.venue)} {printable(book.symbol)}"
            yield (
                f"  unresolved book: {about} is {book.state} at the end: {_UNRESOLVED[book.state]}"
            )


def _unproved_lines(books: list[BookAudit]) -> Iterator[str]:
    """Tell once a venue of the books that nothing could ever prove, whatever was recorded."""
    unproved = Counter(
        book.venue
        for book in books
        if book.state == "unverifiable" and not book.cut and not unprovable_windows(book)
    )
    for venue, count in sorted(unproved.items()):
        yield (
            f"  unverifiable book: nothing that {printable(venue)} sent can prove its "
            f"{'book' if count == 1 else counted(count, 'book')}; "
            f"`tickreel venues {printable(venue)}` says what that feed cannot reveal"
        )


def _clock_lines(report: AuditReport) -> Iterator[str]:
    steps = counted(report.clock.steps, "step") if report.clock.steps else "no step"
    busiest: dict[str, ClockOffset] = {}
    for offset in report.clock.offsets:
        held = busiest.get(offset.venue)
        if offset.median_ns is not None and (held is None or offset.count > held.count):
            busiest[offset.venue] = offset
    if not busiest:
        yield f"clock: {steps}"
    for venue, offset in busiest.items():
        yield (
            f"clock: {printable(venue)} {offset.channel}, receive minus exchange time "
            f"{_ms(offset.median_ns)} ms median, {_ms(offset.min_ns)} to {_ms(offset.max_ns)}; "
            f"{steps}"
        )


def _ms(time_ns: int | None) -> str:
    return "?" if time_ns is None else f"{time_ns / 1e6:,.1f}"


def _harmless_lines(report: AuditReport) -> Iterator[str]:
    """Tell of what was noticed beside the faults, so that what a book's line counts is here too."""
    harmless = {
        kind: count for kind, count in report.finding_counts.items() if kind not in report.faults
    }
    if harmless:
        yield f"noticed, and no fault: {_kinds_text(harmless)}"


def _kinds_text(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{count_text(count)} {kind}" for kind, count in kinds.items())


def _verdict(report: AuditReport) -> str:
    if report.clean:
        return f"no faults; digest {report.state_digest}"
    return f"{counted(sum(report.faults.values()), 'fault')}: {_kinds_text(report.faults)}"
