"""Receive time minus exchange time, of every event that can tell it, in a histogram.

Theory. The recorder does not decode, so it cannot know when the exchange sent what. The engine
beside it can: each delta, trade, quote and liquidation that carries the exchange's time is one
sample, the first of its kind in a frame. A snapshot and a trade of the past are none: they are not
sent when they happen.

A sample is how long the frame was under way plus how far our clock is ahead of the exchange's. It
is signed and not clamped: where many are below zero our clock is behind, and the least of a minute
is the best guess at the clock's offset that a one-way feed allows (from above, by the time that
the quickest frame was under way).
"""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from book.engine import Engine
from venues.event import BookDelta, Liquidation, Quote, Trade

LATENCY_LIMITS_S = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 30.0)
"""The upper ends of the buckets; above the last is one more. Below zero is the first."""
OFFSET_WINDOW_NS = 60 * 1_000_000_000
_LIMITS_NS = tuple(int(limit * 1e9) for limit in LATENCY_LIMITS_S)
_KINDS: tuple[tuple[type, str], ...] = (
    (BookDelta, "book"),
    (Trade, "trade"),
    (Quote, "quote"),
    (Liquidation, "liquidation"),
)


class LatencyCounts(msgspec.Struct):
    """The samples of one venue and kind of event: how many in each bucket, and their sum.

    `buckets` has one entry more than `LATENCY_LIMITS_S`. `least_ns` is the least sample of the
    last whole minute (of the present one before there is a whole one); None without any.
    """

    venue: str
    event: str
    buckets: list[int]
    sum_ns: int = 0
    least_ns: int | None = None


class _Lane:
    """The samples of one venue and kind, and the least of this minute and the last."""

    __slots__ = ("counts", "frame_number", "least_ns", "window_ends_ns")

    def __init__(self, venue: str, event: str) -> None:
        self.counts = LatencyCounts(venue, event, [0] * (len(_LIMITS_NS) + 1))
        self.frame_number = -1
        self.least_ns: int | None = None
        self.window_ends_ns = 0

    def add(self, latency_ns: int, now_ns: int) -> None:
        counts = self.counts
        counts.buckets[bisect_left(_LIMITS_NS, latency_ns)] += 1
        counts.sum_ns += latency_ns
        if now_ns >= self.window_ends_ns:
            if self.least_ns is not None:
                counts.least_ns = self.least_ns
            self.least_ns = latency_ns
            self.window_ends_ns = now_ns + OFFSET_WINDOW_NS
        elif self.least_ns is None or latency_ns < self.least_ns:
            self.least_ns = latency_ns

    def told(self) -> LatencyCounts:
        if self.counts.least_ns is None:
            return msgspec.structs.replace(self.counts, least_ns=self.least_ns)
        return self.counts


class LatencyGauge:
    """Watches an engine; only reads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lanes: dict[tuple[str, str], _Lane] = {}
        for kind, name in _KINDS:
            engine.on(kind, self._watcher(name))

    def counts(self) -> list[LatencyCounts]:
        """Return what was measured so far, by venue and kind."""
        return [lane.told() for _, lane in sorted(self._lanes.items())]

    def _watcher(self, name: str) -> _Watch:
        return _Watch(self._engine, self._lanes, name)


class _Watch:
    """Takes the events of one kind; plain attributes, as it is called for every one of them."""

    __slots__ = ("_engine", "_lanes", "_name")

    def __init__(self, engine: Engine, lanes: dict[tuple[str, str], _Lane], name: str) -> None:
        self._engine = engine
        self._lanes = lanes
        self._name = name

    def __call__(self, event: BookDelta | Trade | Quote | Liquidation, market: object) -> None:
        """Take a sample, if the event has one."""
        sent_ns = event.exchange_time_ns
        if sent_ns is None or (type(event) is Trade and event.history):
            return
        frame = self._engine.frame
        key = (frame.venue, self._name)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(*key)
        if lane.frame_number != frame.frame_number:
            lane.frame_number = frame.frame_number
            lane.add(frame.receive_time_ns - sent_ns, frame.receive_time_ns)
