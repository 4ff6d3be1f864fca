"""Trials of faults, as a person reads them: a line a kind, what hides some, what was missed."""

from __future__ import annotations

from collections.abc import Iterator

from cli.report_text import aligned, count_text, counted, folded, printable
from replay.fault_report import FaultReport, Hiding, KindTally, Trial

CAUGHT_SHOWN_MAX = 3
MISSED_SHOWN_MAX = 20
_HEAD = ("fault", "done", "noticed", "harmless", "hidden", "missed", "noticed by")


def fault_lines(report: FaultReport, width: int | None) -> list[str]:
    """Return the report's lines, no wider than `width`, the verdict last."""
    rows = [_HEAD, *map(_row, report.kinds)]
    told = [
        line for text in (*_hidden(report), *_missed(report)) for line in folded(text, width, 4)
    ]
    return [*aligned(rows, right=(1, 2, 3, 4, 5), width=width, keys=1), *told]


def _row(tally: KindTally) -> tuple[str, ...]:
    if not tally.runs:
        return (tally.kind.value, "0", "", "", "", "", "no message can have it")
    caught = list(tally.caught_by.items())
    shown = ", ".join(f"{name} {times:,}" for name, times in caught[:CAUGHT_SHOWN_MAX])
    if len(caught) > CAUGHT_SHOWN_MAX:
        shown += ", ..."
    counts = (tally.runs, tally.noticed, tally.harmless, tally.hidden, tally.missed)
    return (tally.kind.value, *map(count_text, counts), shown)


def _hidden(report: FaultReport) -> Iterator[str]:
    by_venue: dict[str, dict[Hiding, int]] = {}
    declared: dict[str, list[str]] = {}
    for tally in report.hidden:
        reasons = by_venue.setdefault(tally.venue, {})
        reasons[tally.hiding] = reasons.get(tally.hiding, 0) + tally.times
        declared[tally.venue] = tally.declared
    for venue, reasons in by_venue.items():
        yield f"hidden at {venue}, which no one could notice:"
        for reason, times in reasons.items():
            yield f"  {times:,}: {reason}"
        yield "  the venue's own limits:"
        yield from (f"  - {sentence}" for sentence in declared[venue])


def _missed(report: FaultReport) -> Iterator[str]:
    missed = report.missed
    for trial in missed[:MISSED_SHOWN_MAX]:
        yield f"missed: {_told(trial)}"
    if len(missed) > MISSED_SHOWN_MAX:
        yield f"and {len(missed) - MISSED_SHOWN_MAX:,} more; --json lists them all"
    done = counted(len(report.trials), "fault")
    where = f"in {counted(report.frames, 'frame')}, seed {report.seed}"
    if not report.trials:
        yield f"no message of {where} can have any of these faults"
    elif missed:
        yield f"{done} {where}: {len(missed):,} missed, which should have been noticed"
    else:
        yield f"{done} {where}: each noticed, harmless, or such that nothing could show it"


def _told(trial: Trial) -> str:
    fault = trial.fault
    differs = ", ".join(map(printable, trial.differs)) or "the time"
    return (
        f"{fault.kind} of {trial.venue} frame {fault.frame_number:,} "
        f"(connection {fault.connection_id}): {fault.text}; differs: {differs}"
    )
