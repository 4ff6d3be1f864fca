"""A capture's status as Prometheus metrics.

Every name begins with `tickreel_`; units are base units (seconds, bytes), counters end in `_total`
and begin at 0 with the process. What is not known is not there: an age before the first frame, the
engine's metrics without an engine. Latency is the engine's to tell (see `cli.latency_gauge`), so
`--no-engine` has none.

The rest is of the library's own process collector (`process_resident_memory_bytes`,
`process_open_fds`, ...).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cli.errors import CommandError
from cli.latency_gauge import LATENCY_LIMITS_S, LatencyCounts
from cli.running_status import EngineStanding, RunningStatus, StreamStatus

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

NS_PER_S = 1e9
_STREAM_LABELS = ("venue", "stream", "number", "line")

_TOTALS: tuple[tuple[str, str, Callable[[RunningStatus], float]], ...] = (
    ("received_frames", "Frames that came from outside.", lambda s: s.received_frames),
    ("received_bytes", "Payload bytes of those.", lambda s: s.received_bytes),
    ("stored_frames", "Frames written, markers among them.", lambda s: s.stored_frames),
    ("snapshots_fetched", "Book snapshots asked for over HTTP.", lambda s: s.snapshots_fetched),
    ("snapshots_failed", "Those that did not come.", lambda s: s.snapshots_failed),
    ("resubscriptions", "Book snapshots asked for on a socket.", lambda s: s.resubscriptions),
    ("clock_steps", "Steps of the wall clock above 100 ms.", lambda s: s.clock_steps),
)
_GAUGES: tuple[tuple[str, str, Callable[[RunningStatus], float]], ...] = (
    ("healthy", "1 while bytes reach the disk and every part lives.", lambda s: s.healthy),
    ("running_seconds", "Since the capture began.", lambda s: s.running_s),
    ("queue_bytes", "Memory in frames that are not yet written.", lambda s: s.queue_bytes),
    ("queue_limit_bytes", "What of that loses frames.", lambda s: s.queue_limit_bytes),
    ("writer_lag_seconds", "Age of the oldest frame not yet written.", lambda s: s.lag_s),
    ("disk_used_bytes", "What the recording takes on disk.", lambda s: s.disk_bytes),
    ("disk_fault", "1 while the disk cannot be written.", lambda s: bool(s.disk_fault)),
    ("segments", "Sealed segments in the recording.", lambda s: s.segments),
    ("sealing_faults", "Sealings that failed; journals kept.", lambda s: len(s.sealing_faults)),
    (
        "last_clock_step_seconds",
        "How far the wall clock stepped last.",
        lambda s: s.last_clock_step_ns / NS_PER_S,
    ),
)
_OF_STREAM_TOTALS: tuple[tuple[str, str, Callable[[StreamStatus], float]], ...] = (
    ("frames", "Messages received.", lambda s: s.frames),
    ("bytes", "Payload bytes of those.", lambda s: s.bytes),
    ("connects", "Handshakes that succeeded.", lambda s: s.connects),
    ("reconnects", "Handshakes after the first.", lambda s: max(0, s.connects - 1)),
    ("disconnects", "Connections lost or closed.", lambda s: s.disconnects),
    ("failed_attempts", "Attempts that got no handshake.", lambda s: s.failed_attempts),
)
_OF_STREAM_GAUGES: tuple[tuple[str, str, Callable[[StreamStatus], float | None]], ...] = (
    ("connected", "1 while the connection stands.", lambda s: s.state == "connected"),
    ("subscribed", "1 once all that was asked is acknowledged.", lambda s: s.subscribed),
    ("frames_per_second", "Over the last seconds.", lambda s: s.frames_per_s),
    ("last_frame_age_seconds", "Since the last message.", lambda s: s.last_frame_age_s),
)
_OF_ENGINE_GAUGES: tuple[tuple[str, str, Callable[[EngineStanding], float]], ...] = (
    ("attached", "1 while frames reach the engine.", lambda e: e.attached),
    ("frames", "Frames that it has applied.", lambda e: e.frames),
    ("behind_frames", "Frames handed over and not yet applied.", lambda e: e.behind_frames),
    ("backlog_bytes", "What waits in front of it.", lambda e: e.backlog_bytes),
    ("books", "Books that it keeps.", lambda e: e.books),
    ("books_proven", "Those that are proven.", lambda e: e.books_proven),
)


class StatusCollector:
    """Turns the status into metrics whenever it is scraped."""

    def __init__(self, status: Callable[[], RunningStatus]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Return all metrics."""
        from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

        status = self._status()
        build = GaugeMetricFamily("tickreel_build", "The version.", labels=["version"])
        build.add_metric([status.version], 1)
        yield build
        for name, text, total in _TOTALS:
            yield CounterMetricFamily(f"tickreel_{name}", text, value=total(status))
        for name, text, gauge in _GAUGES:
            yield GaugeMetricFamily(f"tickreel_{name}", text, value=float(gauge(status)))
        if status.disk_free_bytes is not None:
            yield GaugeMetricFamily(
                "tickreel_disk_free_bytes", "What is left on the disk.", status.disk_free_bytes
            )
        yield from _losses(status)
        yield from _streams(status.streams)
        if status.engine is not None:
            yield from _engine(status.engine)


def _losses(status: RunningStatus) -> Iterator[Metric]:
    from prometheus_client.metrics_core import CounterMetricFamily

    records = CounterMetricFamily("tickreel_losses", "LOST frames, by cause.", labels=["cause"])
    frames = CounterMetricFamily(
        "tickreel_lost_frames", "Frames lost, where the loss has a size.", labels=["cause"]
    )
    size = CounterMetricFamily("tickreel_lost_bytes", "Bytes of those.", labels=["cause"])
    for cause, tally in sorted(status.losses.items()):
        records.add_metric([cause], tally.losses)
        frames.add_metric([cause], tally.frames)
        size.add_metric([cause], tally.bytes)
    yield from (records, frames, size)
    yield CounterMetricFamily(
        "tickreel_unkept_frames",
        "Frames that came and were not kept, those not yet told of in a LOST frame among them.",
        value=status.lost_frames,
    )


def _streams(streams: list[StreamStatus]) -> Iterator[Metric]:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    labels = [((one.venue, one.stream, str(one.number), str(one.line)), one) for one in streams]
    for name, text, total in _OF_STREAM_TOTALS:
        counter = CounterMetricFamily(f"tickreel_stream_{name}", text, labels=_STREAM_LABELS)
        for label, one in labels:
            counter.add_metric(label, total(one))
        yield counter
    for name, text, reading in _OF_STREAM_GAUGES:
        gauge = GaugeMetricFamily(f"tickreel_stream_{name}", text, labels=_STREAM_LABELS)
        for label, one in labels:
            value = reading(one)
            if value is not None:
                gauge.add_metric(label, float(value))
        yield gauge


def _engine(engine: EngineStanding) -> Iterator[Metric]:
    from prometheus_client.metrics_core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    for name, text, gauge in _OF_ENGINE_GAUGES:
        yield GaugeMetricFamily(f"tickreel_engine_{name}", text, value=float(gauge(engine)))
    yield CounterMetricFamily(
        "tickreel_agent_failures", "How often the agent raised.", value=engine.agent_failures
    )
    findings = CounterMetricFamily("tickreel_findings", "Findings, by kind.", labels=["kind"])
    for kind, count in sorted(engine.findings.items()):
        findings.add_metric([kind], count)
    yield findings
    latency = HistogramMetricFamily(
        "tickreel_latency_seconds",
        "Receive time minus exchange time: time under way plus our clock's offset.",
        labels=["venue", "event"],
    )
    for counts in engine.latency:
        latency.add_metric(
            [counts.venue, counts.event], _cumulative(counts), counts.sum_ns / NS_PER_S
        )
    yield latency
    offset = GaugeMetricFamily(
        "tickreel_clock_offset_seconds",
        "Least receive time minus exchange time of a minute: the most that our clock is ahead.",
        labels=["venue"],
    )
    for venue in sorted({counts.venue for counts in engine.latency}):
        least = [
            counts.least_ns
            for counts in engine.latency
            if counts.venue == venue and counts.least_ns is not None
        ]
        if least:
            offset.add_metric([venue], min(least) / NS_PER_S)
    yield offset


def _cumulative(counts: LatencyCounts) -> list[tuple[str, float]]:
    """Return the buckets as Prometheus has them: each with all that are below it."""
    so_far = 0
    buckets = []
    limits = [*map(str, LATENCY_LIMITS_S), "+Inf"]
    for limit, count in zip(limits, counts.buckets, strict=True):
        so_far += count
        buckets.append((limit, float(so_far)))
    return buckets


class MetricsText:
    """Writes the metrics in the form that a scraper asks for."""

    def __init__(self, status: Callable[[], RunningStatus]) -> None:
        """Prepare the metrics of what `status` returns.

        Raises:
            CommandError: the library is not installed.
        """
        try:
            from prometheus_client import CollectorRegistry, ProcessCollector
        except ImportError as error:
            raise CommandError(
                "metrics need prometheus_client: `pip install tickreel[metrics]`."
            ) from error
        self._registry: CollectorRegistry = CollectorRegistry(auto_describe=False)
        self._registry.register(StatusCollector(status))
        ProcessCollector(registry=self._registry)

    def text(self, accept: str) -> tuple[str, bytes]:
        """Return the content type and the text, for a request's `Accept`."""
        from prometheus_client.exposition import choose_encoder

        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)
