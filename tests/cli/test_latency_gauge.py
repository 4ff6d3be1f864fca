from __future__ import annotations

import pytest

from book.engine import Engine
from cli.latency_gauge import LATENCY_LIMITS_S, LatencyCounts, LatencyGauge
from cli.metrics import _cumulative
from venues.frame import Frame, FrameKind

MS = 1_000_000
T0_MS = 1_700_000_000_000


class Watched:
    """An engine that takes what a reference exchange sends, and its gauge."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.gauge = LatencyGauge(self.engine)
        self._number = 0

    def take(self, text: str, received_ms: float) -> None:
        now_ns = T0_MS * MS + int(received_ms * MS)
        frame = Frame(self._number, 1, "reference", FrameKind.TEXT, now_ns, now_ns, text.encode())
        self._number += 1
        self.engine.apply(frame)

    def trades(self, received_ms: float, *sent_ms: int) -> None:
        rows = ",".join(
            f'{{"T":{T0_MS + sent},"p":"1.0","v":"1","S":"Buy","i":"{self._number}-{index}"}}'
            for index, sent in enumerate(sent_ms)
        )
        self.take(f'{{"topic":"publicTrade.BTCUSDT","data":[{rows}]}}', received_ms)

    def book(self, kind: str, sequence: int, received_ms: float, sent_ms: int) -> None:
        self.take(
            f'{{"topic":"orderbook.50.BTCUSDT","type":"{kind}","ts":{T0_MS + sent_ms},'
            f'"data":{{"seq":{sequence},"bids":[["1.0","2.0"]],"asks":[["2.0","1.0"]]}}}}',
            received_ms,
        )

    def counts(self) -> dict[str, LatencyCounts]:
        assert {one.venue for one in self.gauge.counts()} <= {"reference"}
        return {one.event: one for one in self.gauge.counts()}


def in_buckets(counts: LatencyCounts) -> dict[str, int]:
    names = [*map(str, LATENCY_LIMITS_S), "more"]
    return {name: n for name, n in zip(names, counts.buckets, strict=True) if n}


def test_each_frame_is_one_sample_of_its_kind_in_the_bucket_of_its_latency() -> None:
    watched = Watched()
    watched.trades(3.0, 0)  # 3 ms: above 2 ms, up to 5 ms
    watched.trades(105.0, 100, 101, 102)  # one frame, one sample: 5 ms, still up to 5 ms
    watched.trades(200.0, 250)  # our clock is 50 ms behind
    watched.trades(60_200.0, 200)  # a minute late
    trade = watched.counts()["trade"]
    assert in_buckets(trade) == {"0.0": 1, "0.005": 2, "more": 1}
    assert trade.sum_ns == (3 + 5 - 50 + 60_000) * MS
    assert [count for _, count in _cumulative(trade)][-1] == 4.0


def test_a_snapshot_is_no_sample_and_a_delta_is() -> None:
    watched = Watched()
    watched.book("snapshot", 5, 100.0, 0)
    assert watched.counts() == {}
    watched.book("delta", 6, 120.0, 110)
    assert in_buckets(watched.counts()["book"]) == {"0.01": 1}


def test_the_least_of_a_minute_is_kept_until_the_next_minute_has_its_own() -> None:
    watched = Watched()
    for received_ms, latency_ms, least_ms in ((0, 9, 9), (10_000, 4, 4), (59_999, 7, 4)):
        watched.trades(received_ms, received_ms - latency_ms)
        assert watched.counts()["trade"].least_ns == least_ms * MS
    watched.trades(60_000, 60_000 - 20)
    assert watched.counts()["trade"].least_ns == 4 * MS
    watched.trades(119_999, 119_999 - 15)
    assert watched.counts()["trade"].least_ns == 4 * MS
    watched.trades(120_001, 120_001 - 30)
    assert watched.counts()["trade"].least_ns == 15 * MS


@pytest.mark.parametrize("text", ["{}", "nonsense", '{"topic":"publicTrade.X","data":[]}'])
def test_what_has_no_time_is_no_sample(text: str) -> None:
    watched = Watched()
    watched.take(text, 1.0)
    assert watched.counts() == {}
