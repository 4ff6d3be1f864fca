"""Shrinking ends in the fewest frames that show it, and they are a recording with whole books."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.engine import Engine
from book.finding import FindingKind
from replay.frame_dependencies import FrameDependencies
from replay.recording import Recording
from replay.shrink import NothingShownError, shrink
from tests.feed_recordings import feed_frames
from tests.real_data import needs_real_data
from venues.frame import Frame, FrameKind

SAMPLES = Path(__file__).parents[2] / "sample_data"


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return list(Recording.open(SAMPLES / "rough"))


def played(frames: Sequence[Frame]) -> Engine:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return engine


def has(kind: FindingKind, frames: Sequence[Frame]) -> bool:
    return played(frames).findings.counts.get(kind, 0) > 0


@pytest.mark.parametrize(
    "kind", [FindingKind.CROSSED, FindingKind.CHECKSUM_FAILED, FindingKind.GAP]
)
def test_the_fewest_frames_show_one_fault_and_no_other(
    frames: list[Frame], kind: FindingKind
) -> None:
    shrunk = shrink(frames, lambda part: has(kind, part))
    assert shrunk.least
    assert shrunk.tries < 40
    assert len(shrunk.frames) < len(frames) / 5
    engine = played(shrunk.frames)
    assert engine.findings.counts == {kind: 1}
    assert sum(market.book.bids.best() is not None for market in engine.markets.values()) == 1
    left = FrameDependencies(shrunk.frames)
    for place in range(len(shrunk.frames)):
        without = left.closed(set(range(len(shrunk.frames))) - {place})
        assert not has(kind, [shrunk.frames[each] for each in without]), "none can be left out"


def test_a_single_message_that_is_at_fault_is_found_alone(frames: list[Frame]) -> None:
    shrunk = shrink(frames, lambda part: played(part).undecodable > 0)
    kinds = [frame.kind for frame in shrunk.frames]
    assert kinds == [FrameKind.OPENED, FrameKind.TEXT]
    assert played(shrunk.frames).undecodable == 1


def test_two_frames_that_are_needed_together_are_both_kept(frames: list[Frame]) -> None:
    trades = [f.payload for f in frames if b"publicTrade.ETHUSDT" in f.payload and f.received]
    pair = {trades[10], trades[200]}

    def both(part: Sequence[Frame]) -> bool:
        return pair <= {frame.payload for frame in part}

    shrunk = shrink(frames, both)
    assert {frame.payload for frame in shrunk.frames if frame.received} == pair


def test_what_the_whole_does_not_show_is_not_searched(frames: list[Frame]) -> None:
    with pytest.raises(NothingShownError):
        shrink(frames[:100], lambda part: False)


def test_tries_are_bounded_and_what_was_found_till_then_is_given(frames: list[Frame]) -> None:
    tried = []

    def shows(part: Sequence[Frame]) -> bool:
        tried.append(len(part))
        return has(FindingKind.GAP, part)

    shrunk = shrink(frames, shows, tries_max=4)
    assert len(tried) == shrunk.tries == 5
    assert not shrunk.least
    assert has(FindingKind.GAP, shrunk.frames)


@settings(max_examples=5)
@given(left_out=st.sets(st.integers(0, 3137), max_size=40))
def test_no_part_misses_a_message_that_the_whole_did_not_miss(left_out: set[int]) -> None:
    frames = list(Recording.open(SAMPLES / "calm"))
    dependencies = FrameDependencies(frames)
    part = dependencies.closed(set(range(len(frames))) - left_out)
    engine = played([frames[place] for place in part])
    assert set(engine.findings.counts) <= {FindingKind.STALE, FindingKind.DISCONNECTED}


@needs_real_data
@pytest.mark.parametrize(
    ("venue", "names"),
    [("bitfinex", ("BITFINEX.ws.11.0",)), ("kucoin", ("KUCOIN.ws.1.0", "KUCOIN.http.0.0"))],
)
def test_parts_of_real_recordings_stay_whole(venue: str, names: tuple[str, ...]) -> None:
    frames = feed_frames(venue, *names)
    whole = set(played(frames).findings.counts)
    dependencies = FrameDependencies(frames)
    for step in (3, 17):
        part = dependencies.closed(place for place in range(len(frames)) if place % step)
        found = played([frames[place] for place in part])
        assert set(found.findings.counts) <= whole | {FindingKind.STALE}
