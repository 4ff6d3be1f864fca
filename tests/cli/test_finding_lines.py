"""The engine's part of the log: latency once a minute, findings as they come."""

from __future__ import annotations

import json
import logging

import pytest

from book.finding import Finding, FindingKind
from cli.engine_messages import EngineStatus, FindingTold
from cli.finding_lines import FindingLines
from cli.json_log import json_line
from cli.latency_gauge import LATENCY_LIMITS_S, LatencyCounts

MS = 1_000_000


def counted(samples: int, sum_ms: int) -> LatencyCounts:
    buckets = [samples, *[0] * len(LATENCY_LIMITS_S)]
    return LatencyCounts("bybit-linear", "trade", buckets, sum_ms * MS)


def test_latency_is_told_once_a_minute_as_the_mean_of_that_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now_s = 0
    lines = FindingLines(lambda: now_s)
    with caplog.at_level(logging.INFO, "tickreel"):
        for at_s, samples, sum_ms in ((1, 5, 50), (60, 10, 100), (61, 20, 900), (120, 30, 1300)):
            now_s = at_s
            lines(EngineStatus(0, 0, 0, 0, latency=[counted(samples, sum_ms)]))
    told = [json.loads(json_line(record)) for record in caplog.records]
    facts = ("event", "exchange", "event_type", "latency_s", "samples")
    assert [[line[fact] for fact in facts] for line in told] == [
        ["latency", "bybit-linear", "trade", 0.01, 10],
        ["latency", "bybit-linear", "trade", 0.06, 20],
    ]


def test_a_finding_is_told_with_its_market_connection_and_frame(
    caplog: pytest.LogCaptureFixture,
) -> None:
    finding = Finding(FindingKind.GAP, "okx", "BTC-USDT", 7, 3, 99, text="messages are missing")
    with caplog.at_level(logging.INFO, "tickreel"):
        FindingLines()(EngineStatus(1, 1, 0, 1, told=[FindingTold(finding, 1)]))
    (line,) = [json.loads(json_line(record)) for record in caplog.records]
    assert (line["event"], line["exchange"], line["symbol"]) == ("gap", "okx", "BTC-USDT")
    assert (line["frame_number"], line["connection"]) == (7, 3)
    assert line["message"] == "messages are missing"
