"""A checkpoint and the frames after it come to what all the frames come to."""

from __future__ import annotations

import contextlib
import random
import re
from collections import deque
from collections.abc import Collection, Sequence
from decimal import Decimal
from enum import Enum

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from book import checkpoint
from book.checkpoint import read_parts
from book.engine import Engine
from book.errors import CheckpointError
from book.price_levels import PriceLevels
from book.settings import EngineSettings
from replay.market_scenario import ROUGH
from tests.book.feed_frames import binance_frames, simulated_frames
from tests.book.reference_feed import ReferenceFeed
from tests.feed_recordings import feed_frames
from tests.real_data import needs_real_data
from tests.venues.sample_frames import ALL_NAMES, SAMPLES, as_bytes
from venues.channel import Channel
from venues.frame import Frame, FrameKind

FEEDS = {
    "binance-usdm": (),
    "kraken-v1": ("KRAKEN.ws.50.0",),
    "bitmex": ("BITMEX.ws.1.0",),
    "bitfinex": ("BITFINEX.ws.11.0",),
    "okx": ("OKX.ws.1.0",),
    "gateio": ("GATEIO.ws.1.0", "GATEIO.http.0.0"),
    "kucoin": ("KUCOIN.ws.1.0", "KUCOIN.http.0.0"),
    "deribit": ("DERIBIT.ws.1.0",),
}
FRAMES_MAX, CHECKPOINTS = 1_000, 8
SMALL = EngineSettings(
    tape_window_s=2.0,
    tape_trades_max=5,
    spike_window_s=1.0,
    cascade_notional=Decimal(1_000),
    games_results_max=3,
    deltas_held_max=3,
    quotes_held_max=2,
    findings_kept_max=2,
    windows_kept_max=1,
)
"""So small that whatever is bounded meets its bound."""


def relayed(
    frames: Sequence[Frame], settings: EngineSettings, after: Collection[int] | None = None
) -> None:
    """Apply frames to an engine, and to one that goes through checkpoints, after every frame."""
    whole, relay = Engine(settings), Engine(settings)
    for number, frame in enumerate(frames):
        whole.apply(frame)
        relay.apply(frame)
        if after is None or number in after:
            content = relay.checkpoint()
            assert content == whole.checkpoint(), number
            relay = Engine.restored(content, settings)
            assert relay.checkpoint() == content, number
            assert relay.state_digest() == whole.state_digest(), number
    assert relay.checkpoint() == whole.checkpoint()
    assert list(relay.findings) == list(whole.findings)
    assert relay.state_digest() == whole.state_digest()


@pytest.mark.parametrize("settings", [EngineSettings(), SMALL], ids=["usual", "small"])
def test_an_engine_that_is_written_down_after_every_frame_is_as_one_that_is_not(
    settings: EngineSettings,
) -> None:
    relayed(simulated_frames(600, seed=7, scenario=ROUGH), settings)


@needs_real_data
@pytest.mark.parametrize("venue", FEEDS)
def test_so_it_is_with_what_exchanges_really_sent(venue: str) -> None:
    names = FEEDS[venue]
    frames = feed_frames(venue, *names) if names else binance_frames(venue)
    relayed(frames[:FRAMES_MAX], SMALL, random.Random(5).sample(range(FRAMES_MAX), CHECKPOINTS))


@pytest.mark.parametrize("venue", ALL_NAMES)
def test_so_it_is_with_each_kind_of_message_of_each_venue(venue: str) -> None:
    relayed(_frames_of_samples(venue), SMALL)


def _frames_of_samples(venue: str) -> list[Frame]:
    return [
        Frame(number, 1, venue, FrameKind.TEXT, number * 10**9, None, as_bytes(message))
        for number, message in enumerate([*SAMPLES.get(venue, ())] * 2)
    ]


@needs_real_data
def test_a_checkpoint_and_the_tail_give_the_digest_of_a_full_replay_wherever_it_is_cut() -> None:
    frames = binance_frames("binance-usdm")[:4_000]
    chosen = set(random.Random(3).sample(range(len(frames)), 12))
    whole, written = Engine(), dict[int, bytes]()
    for number, frame in enumerate(frames):
        whole.apply(frame)
        if number in chosen:
            written[number] = whole.checkpoint()
    for number, content in written.items():
        engine = Engine.restored(content)
        for frame in frames[number + 1 :]:
            engine.apply(frame)
        assert engine.state_digest() == whole.state_digest()


STEPS = ("snapshot", "delta", "wrong delta", "skip", "trade", "liquidation", "rest", "opened")
MORE_STEPS = (
    "closed",
    "stopped",
    "lost",
    "lost all",
    "silence",
    "junk",
    "next connection",
    "clock",
)


def _frames_of(steps: Sequence[str]) -> list[Frame]:
    feed = ReferenceFeed()
    frames = []
    for step in steps:
        if step == "skip":
            feed.sequence += 1
        elif step == "silence":
            feed.time_ns += 120 * 10**9
        elif step == "next connection":
            feed.connection_id += 1
        else:
            frames.append(_frame_of(feed, step))
    return frames


def _frame_of(feed: ReferenceFeed, step: str) -> Frame:
    match step:
        case "snapshot":
            return feed.snapshot()
        case "delta" | "wrong delta":
            return feed.delta([("99", f"{feed.sequence}.0")], right=step == "delta")
        case "trade":
            return feed.trade(size="0.5")
        case "liquidation":
            return feed.liquidation(size="900")
        case "rest":
            return feed.rest()
        case "opened":
            return feed.opened(Channel.BOOK, Channel.TRADES)
        case "closed" | "stopped":
            return feed.closed(stopped=step == "stopped")
        case "lost" | "lost all":
            return feed.lost(3) if step == "lost" else feed.lost(None, "recorder")
        case "clock":
            return feed.clock(5)
        case _:
            return feed.text(b'{"topic":')


@given(
    st.lists(st.sampled_from(STEPS + MORE_STEPS), max_size=40),
    st.sampled_from((EngineSettings(), SMALL)),
)
def test_so_it_is_whatever_comes_in_whatever_order(
    steps: list[str], settings: EngineSettings
) -> None:
    relayed(_frames_of(steps), settings)


DERIVED = {
    *("_prices", "_sizes", "_numbers", "above_zero"),  # what numbers mean
    *("_order", "_texts", "_purge_at", "_decimals"),  # how levels are kept
    # Of the current frame, or nobody's state.
    *("requests", "_current", "_number", "_late", "_repeated_trade"),
    *("subscribers", "_frame"),
}


def _members(thing: object) -> dict[str, object]:
    names = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    found = {name: getattr(thing, name) for name in names} | getattr(thing, "__dict__", {})
    return {name: value for name, value in found.items() if name not in DERIVED}


def assert_alike(path: str, left: object, right: object, seen: set[int]) -> None:
    """Compare all that two objects hold, however deep, but for what is derived or is code."""
    assert type(left) is type(right), path
    if id(left) in seen or callable(left) or isinstance(left, type(re.compile(""))):
        return
    seen.add(id(left))
    if isinstance(left, PriceLevels) and isinstance(right, PriceLevels):
        assert list(left) == list(right), path
    elif isinstance(left, dict) and isinstance(right, dict):
        assert set(left) == set(right), path
        for key in left:
            assert_alike(f"{path}[{key}]", left[key], right[key], seen)
    elif isinstance(left, list | tuple | deque) and isinstance(right, list | tuple | deque):
        assert len(left) == len(right), path
        for ours, theirs in zip(left, right, strict=True):
            assert_alike(f"{path}[]", ours, theirs, seen)
    elif (type(left).__module__ or "").startswith("book.") and not isinstance(left, Enum):
        for name, value in _members(left).items():
            assert_alike(f"{path}.{name}", value, _members(right)[name], seen)
    else:
        assert left == right, path


@pytest.mark.parametrize("venue", ["reference", "binance-usdm", "bitmex", "bitfinex", "dydx"])
def test_no_attribute_of_any_part_of_the_engine_is_forgotten(venue: str) -> None:
    """Whoever gives a class of `book` new state, and its checkpoint nothing, fails here."""
    frames = simulated_frames(600, seed=7, scenario=ROUGH)
    if venue != "reference":
        frames = _frames_of_samples(venue)
    engine = Engine(SMALL)
    for frame in frames:
        engine.apply(frame)
    restored = Engine.restored(engine.checkpoint(), SMALL)
    assert_alike("engine", engine, restored, set())


def _content() -> bytes:
    engine = Engine()
    for frame in simulated_frames(200):
        engine.apply(frame)
    return engine.checkpoint()


def test_a_checkpoint_of_other_settings_or_another_version_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = _content()
    with pytest.raises(CheckpointError, match="other settings"):
        Engine.restored(content, SMALL)
    monkeypatch.setattr(checkpoint, "VERSION", checkpoint.VERSION + 1)
    with pytest.raises(CheckpointError, match="another version"):
        Engine.restored(content)


@given(st.data())
def test_bytes_that_are_no_checkpoint_give_an_error_and_nothing_else(data: st.DataObject) -> None:
    content = bytearray(_CONTENT)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + 1] = data.draw(st.binary(max_size=2))
    with contextlib.suppress(CheckpointError):
        Engine.restored(bytes(content))


def test_the_engine_of_a_checkpoint_knows_its_last_frame_but_for_its_payload() -> None:
    last = simulated_frames(200)[-1]
    assert Engine.restored(_CONTENT).frame == msgspec.structs.replace(last, payload=b"")


def test_a_checkpoint_of_nothing_is_an_engine_of_nothing() -> None:
    engine = Engine.restored(Engine().checkpoint())
    assert engine.state_digest() == Engine().state_digest()
    assert read_parts(engine.checkpoint()).last is None


_CONTENT = _content()
