"""The same frames give the same state, bit for bit; other frames give another."""

from __future__ import annotations

import asyncio
import decimal
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.engine import Engine
from book.finding import Finding
from book.liquidation_monitor import Cascade
from book.market import Market
from book.settings import EngineSettings
from book.staleness import Stale
from book.state_digest import digest
from replay.market_scenario import ROUGH
from tests.book.digest_of_feed import digest_of_feed
from tests.book.feed_frames import simulated_frames
from tests.book.made_events import SECOND_NS
from tests.book.reference_feed import ReferenceFeed
from venues.channel import Channel
from venues.event import BookDelta, BookSnapshot, Liquidation, Trade
from venues.frame import RECORDER, Frame

ROOT = Path(__file__).parents[2]
KINDS = (BookSnapshot, BookDelta, Trade, Liquidation, Cascade, Finding, Stale)


def _digest(frames: list[Frame]) -> str:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return engine.state_digest()


def _look(event: object, market: Market | None) -> None:
    """Look at everything that is computed when it is looked at."""
    if market is not None:
        market.tape.vwap()
        market.liquidations.dominant_side  # noqa: B018 - a property that moves the window
        market.coverage.share  # noqa: B018 - the same
        market.book.depth(3)
        market.book.spread  # noqa: B018 - the same


async def _look_async(event: object, market: Market | None) -> None:
    await asyncio.sleep(0)
    _look(event, market)


@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8"},
        {"PYTHONHASHSEED": "random", "TZ": "", "LC_ALL": "tr_TR.UTF-8", "PYTHONOPTIMIZE": "1"},
    ],
)
def test_neither_hash_seed_nor_time_zone_nor_language_shows(surroundings: dict[str, str]) -> None:
    command = [sys.executable, "-m", "tests.book.digest_of_feed"]
    printed = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **surroundings},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert printed.strip() == digest_of_feed()


async def test_handlers_that_look_at_everything_change_nothing() -> None:
    frames = simulated_frames(4_000, scenario=ROUGH)
    looking, awaiting = Engine(), Engine()
    for kind in KINDS:
        looking.on(kind, _look)
        awaiting.on(kind, _look_async)
    for frame in frames:
        looking.apply(frame)
        await awaiting.apply_async(frame)
        looking.take_snapshot_requests()
    assert looking.state_digest() == awaiting.state_digest() == _digest(frames)


steps = st.lists(
    st.tuples(
        st.integers(-40, 40),
        st.sampled_from(
            ("trade", "liquidation", "delta", "bad delta", "snapshot", "clock", "lost")
        ),
    ),
    max_size=25,
)


def _course(steps: list[tuple[int, str]]) -> list[Frame]:
    feed = ReferenceFeed(step_ns=0)
    frames = [feed.opened(Channel.BOOK, Channel.TRADES), feed.snapshot()]
    for step_s, kind in steps:
        feed.time_ns += step_s * SECOND_NS
        made: dict[str, Callable[[], Frame]] = {
            "trade": feed.trade,
            "liquidation": lambda: feed.liquidation(price="300000"),
            "delta": lambda: feed.delta([("99", str(len(frames)))]),
            "bad delta": lambda: feed.delta(right=False),
            "snapshot": feed.snapshot,
            "clock": feed.clock,
            "lost": lambda: feed.lost(1, RECORDER),
        }
        frames.append(made[kind]())
    return frames


@given(steps=steps, precision=st.integers(1, 9))
@settings(max_examples=150)
def test_a_look_in_between_changes_nothing_even_where_time_runs_back(
    steps: list[tuple[int, str]], precision: int
) -> None:
    frames = _course(steps)
    engine = Engine()
    for kind in KINDS:
        engine.on(kind, _look)
    with decimal.localcontext() as context:
        context.prec = precision
        for frame in frames:
            engine.apply(frame)
            engine.state_digest()
        looked = engine.state_digest()
    assert looked == _digest(frames)


@given(steps=steps)
@settings(max_examples=100)
def test_times_of_the_state_never_run_back(steps: list[tuple[int, str]]) -> None:
    engine = Engine()
    for frame in _course(steps):
        engine.apply(frame)
    (market,) = engine.markets.values()
    market.tape._check()
    coverage = market.coverage
    assert 0 <= coverage.proven_ns <= coverage.observed_ns
    for window in coverage.windows:
        assert window.to_ns is None or window.to_ns >= window.from_ns


def _changed(frame: Frame, old: bytes, new: bytes) -> Frame:
    assert old in frame.payload
    return msgspec.structs.replace(frame, payload=frame.payload.replace(old, new, 1))


def test_any_change_of_any_frame_that_matters_changes_it() -> None:
    feed = ReferenceFeed()
    frames = [
        feed.opened(Channel.BOOK),
        feed.snapshot(),
        feed.trade("100", "1"),
        feed.delta([("99", "5")]),
        feed.liquidation("100", "7"),
        feed.clock(),
        feed.lost(3),
        feed.snapshot(),
        feed.closed(stopped=True),
    ]
    digests = {_digest(frames)}
    assert _digest(list(frames)) in digests
    for index, old, new in (
        (0, b"book", b"trades"),
        (1, b'"1.0"', b'"1.1"'),
        (2, b'"p":"100"', b'"p":"101"'),
        (2, b'"v":"1"', b'"v":"2"'),
        (2, b"Buy", b"Sell"),
        (3, b'"5"', b'"6"'),
        (3, b'"99"', b'"98"'),
        (3, b'"seq":2', b'"seq":3'),
        (4, b"Sell", b"Buy"),
        (4, b'"7"', b'"8"'),
        (6, b'"frames":3', b'"frames":4'),
        (8, b'"gone"', b'"away"'),
    ):
        other = [*frames]
        other[index] = _changed(frames[index], old, new)
        digests.add(_digest(other))
    for index, frame in enumerate(frames):
        digests.add(_digest(frames[:index] + frames[index + 1 :]))
        later = msgspec.structs.replace(frame, receive_time_ns=frame.receive_time_ns + 1)
        # A time counts as far as something is measured by it.
        if frame.kind.name not in ("CLOCK",):
            digests.add(_digest([*frames[:index], later, *frames[index + 1 :]]))
    expected = 1 + 12 + len(frames)
    assert len(digests) >= expected


def test_settings_that_only_bound_what_is_kept_still_count_everything() -> None:
    frames = simulated_frames(3_000, scenario=ROUGH)
    chains = set[str]()
    for kept_max in (1, 1_000):
        engine = Engine(EngineSettings(findings_kept_max=kept_max))
        for frame in frames:
            engine.apply(frame)
        chains.add(engine.findings.chain)
    assert len(chains) == 1


def test_the_digest_is_of_values_and_their_order() -> None:
    assert digest([{"b": 1, "a": 2}]) == digest([{"a": 2, "b": 1}])
    assert len({digest(parts) for parts in ([1, 2], [2, 1], [[1, 2]], [12], ["12"], [])}) == 6
