"""Which line of a recording's connections brought what, from its LINES frames."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cli.report_text import count_text

if TYPE_CHECKING:
    from venues.frame import Frame
    from venues.marker import LineShare


@dataclass
class _Line:
    first: int = 0
    only: int = 0
    later: int = 0
    apart_ns_max: int = 0
    medians_ns: list[tuple[int, int]] = field(default_factory=list)

    def add(self, share: LineShare) -> None:
        self.first += share.first
        self.only += share.only
        self.later += share.later
        if share.apart_ns_median is not None:
            self.medians_ns.append((share.apart_ns_median, share.later))
            self.apart_ns_max = max(self.apart_ns_max, share.apart_ns_max or 0)

    def median_ns(self) -> int | None:
        """Return the median of the reports' medians, each as often as it counted frames."""
        ordered, half = sorted(self.medians_ns), sum(n for _, n in self.medians_ns) / 2
        passed = 0
        for median_ns, count in ordered:
            passed += count
            if passed >= half:
                return median_ns
        return None


class LineShares:
    """Adds up what LINES frames say; by venue, and by line within."""

    def __init__(self) -> None:
        self._lines: defaultdict[tuple[str, int], _Line] = defaultdict(_Line)

    def add(self, frame: Frame) -> None:
        """Take a LINES frame.

        Raises:
            MarkerError: its payload is none.
        """
        from venues.marker import Lines, read_marker

        for share in read_marker(frame, Lines).lines:
            self._lines[frame.venue, share.line].add(share)

    def facts(self) -> list[dict[str, object]]:
        """Return an entry a line: how many frames it brought first, alone, and later."""
        return [
            {
                "venue": venue,
                "line": number,
                "first": line.first,
                "only": line.only,
                "later": line.later,
                "apart_ns_median": line.median_ns(),
                "apart_ns_max": line.apart_ns_max if line.medians_ns else None,
            }
            for (venue, number), line in sorted(self._lines.items())
        ]


def line_rows(facts: object) -> list[tuple[str, str]]:
    """Return a row a line, for people."""
    if not isinstance(facts, list):
        return []
    totals: defaultdict[str, int] = defaultdict(int)
    for each in facts:
        totals[each["venue"]] += each["first"]
    rows = []
    for each in facts:
        total = totals[each["venue"]]
        share = f"{each['first'] / total:.1%}" if total else "none"
        text = f"{each['venue']} line {each['line']}: first with {share}"
        text += f", alone with {count_text(each['only'])}"
        if each["apart_ns_median"] is not None:
            median_ms, most_ms = each["apart_ns_median"] / 1e6, each["apart_ns_max"] / 1e6
            text += f"; later by {median_ms:.2f} ms in the median, {most_ms:.1f} ms at most"
        rows.append(("lines", text))
    return rows
