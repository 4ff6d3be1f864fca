"""Times moved to now by one constant: every time field, and not another byte."""

from __future__ import annotations

import json
import re
import time

import pytest

from book.engine import Engine
from replay.time_move import TimeMove, UnmovableTimesError
from replay.venue_server import VenueServer
from tests.replay.exchange_client import (
    ALL_TOPICS,
    Piece,
    client,
    get,
    market_messages,
    opened,
    received,
    recording,
    text,
)
from venues.frame import Frame, FrameKind
from venues.registry import venue_named

DAY_S = 86_400


def applied(payloads: list[bytes]) -> Engine:
    engine = Engine()
    for number, payload in enumerate(payloads):
        engine.apply(Frame(number, 1, "reference", FrameKind.TEXT, number, number, payload))
    return engine


async def test_a_shifted_recording_carries_the_present_and_is_otherwise_the_same() -> None:
    messages = [each.payload for each in market_messages()]
    source = recording([opened(), *map(text, messages)])
    before_ns = time.time_ns()
    async with (
        VenueServer(source, speed="max", shift_time=True) as server,
        client(server.url, ALL_TOPICS) as connection,
    ):
        moved = (await received(connection))[1:]
        status = json.loads(await get(f"{server.rest_url}/tickreel/status"))
    shift_s = status["times_moved_by_s"]
    assert before_ns // 10**9 <= 1_800_000_000 + shift_s <= time.time_ns() // 10**9
    for was, became in zip(messages, moved, strict=True):
        old, new = json.loads(was), json.loads(became)
        if "ts" in old:
            assert new["ts"] - old["ts"] == shift_s * 1000
        assert re.sub(rb"\d{13}", b"", was) == re.sub(rb"\d{13}", b"", became)
    counters = applied(moved).markets["reference", "BTCUSDT"].counters
    assert counters.checksums_failed == 0
    assert (
        counters.checksums_verified
        == applied(messages).markets["reference", "BTCUSDT"].counters.checksums_verified
    )


CASES: list[tuple[str, bytes, bytes]] = [
    (
        "bybit-linear",
        b'{"topic":"t","ts":1672304484978,"data":{"u":1672304484978},"cts":1672304484976}',
        b'{"topic":"t","ts":1672390884978,"data":{"u":1672304484978},"cts":1672390884976}',
    ),
    (
        "binance-usdm",
        b'{"e":"trade","E":1723161256322,"T":1723161256321,"t":5266583935,"p":"1723161256322"}',
        b'{"e":"trade","E":1723247656322,"T":1723247656321,"t":5266583935,"p":"1723161256322"}',
    ),
    (
        "okx",
        b'{"arg":{"channel":"books"},"data":[{"ts":"1597026383085","seqId":1597026383085}]}',
        b'{"arg":{"channel":"books"},"data":[{"ts":"1597112783085","seqId":1597026383085}]}',
    ),
    (
        "kraken",
        b'{"channel":"trade","data":[{"price":1.50,"timestamp":"2023-12-31T23:49:37.708706Z"}]}',
        b'{"channel":"trade","data":[{"price":1.50,"timestamp":"2024-01-01T23:49:37.708706Z"}]}',
    ),
    (
        "reference",
        b'{"topic":"publicTrade.X","data":[{"T":1763800000000,"p":"1.0","i":"1763800000000"}]}',
        b'{"topic":"publicTrade.X","data":[{"T":1763886400000,"p":"1.0","i":"1763800000000"}]}',
    ),
]


@pytest.mark.parametrize(("venue", "was", "becomes"), CASES, ids=[case[0] for case in CASES])
def test_a_day_later_every_time_is_a_day_later(venue: str, was: bytes, becomes: bytes) -> None:
    dialect = venue_named(venue).dialect
    assert dialect.shifted(was, DAY_S) == becomes
    assert dialect.shifted(becomes, -DAY_S) == was


def test_the_constant_is_fixed_when_it_is_first_needed_and_stays() -> None:
    walls = iter([5_000_000_000, 9_000_000_000])
    times = TimeMove(2_500_000_000, wanted=True, wall_ns=lambda: next(walls))
    assert [times.shift_s, times.shift_s] == [2, 2]
    assert TimeMove(0, wanted=False).shift_s is None


async def test_a_venue_that_does_not_say_where_its_times_are_is_refused() -> None:
    trade = Piece(FrameKind.TEXT, b'[17,"te",[1,1618677545570,0.5,60411]]', 1, "bitfinex")
    with pytest.raises(UnmovableTimesError, match="bitfinex cannot be moved"):
        async with VenueServer(recording([trade]), shift_time=True):
            pass
