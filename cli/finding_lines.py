"""The engine's findings and latency, as lines of the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from cli.engine_messages import EngineStatus, FindingTold
from cli.latency_gauge import LatencyCounts

log = logging.getLogger("tickreel.engine")

LATENCY_INTERVAL_S = 60.0


class FindingLines:
    """Tells what an engine's statuses have that is new.

    A finding is told when it comes, and then once a minute for its kind and market. Latency is told
    once a minute, for each exchange and kind of event: the mean over that minute.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._latency_due_s = clock_s() + LATENCY_INTERVAL_S
        self._before: dict[tuple[str, str], tuple[int, int]] = {}

    def __call__(self, status: EngineStatus) -> None:
        """Take a status."""
        for told in status.told:
            _tell(told)
        if self._clock_s() >= self._latency_due_s:
            self._latency_due_s = self._clock_s() + LATENCY_INTERVAL_S
            for counts in status.latency:
                self._tell_latency(counts)

    def _tell_latency(self, counts: LatencyCounts) -> None:
        key = (counts.venue, counts.event)
        samples, sum_ns = sum(counts.buckets), counts.sum_ns
        samples_before, sum_before_ns = self._before.get(key, (0, 0))
        self._before[key] = (samples, sum_ns)
        new = samples - samples_before
        if new:
            latency_s = (sum_ns - sum_before_ns) / new / 1e9
            log.info(
                "%s %s: %.1f ms",
                *key,
                latency_s * 1000,
                extra={
                    "event": "latency",
                    "venue": counts.venue,
                    "event_type": counts.event,
                    "latency_s": round(latency_s, 6),
                    "samples": new,
                },
            )


def _tell(told: FindingTold) -> None:
    finding = told.finding
    log.info(
        "%s",
        finding.text,
        extra={
            "event": finding.kind.value,
            "repeats": (finding.kind, finding.venue, finding.symbol),
            "venue": finding.venue,
            "symbol": finding.symbol,
            "connection": finding.connection_id or None,
            "frame_number": finding.frame_number,
            "receive_time_ns": finding.receive_time_ns,
            "expected": finding.expected,
            "received": finding.received,
            "missing": finding.missing,
            "count": told.count if told.count > 1 else None,
        },
    )
