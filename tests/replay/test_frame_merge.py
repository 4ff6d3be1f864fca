"""Merging orders frames by their time and never reorders a recording."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from book.engine import Engine
from book.finding import FindingKind
from replay.frame_merge import MergedRecording, merge_by_number, merge_recordings
from replay.frame_source import FrameList
from replay.recording import Recording
from tests.recorder.made_frames import made_frames
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import CRASH, Lost, marker_payload

SAMPLES = Path(__file__).parents[2] / "sample_data"


def frame(number: int, time_ns: int, connection_id: int = 1, payload: bytes = b"") -> Frame:
    return Frame(number, connection_id, "bybit-linear", FrameKind.TEXT, time_ns, None, payload)


_times = st.lists(st.integers(0, 40), max_size=25)


@given(cuts=st.lists(st.integers(0, 3), min_size=60, max_size=60), size=st.integers(1, 9))
def test_venues_are_joined_by_frame_number(cuts: list[int], size: int) -> None:
    frames = made_frames(60)
    parts = [[f for f, cut in zip(frames, cuts, strict=True) if cut == n] for n in range(4)]
    batches = [
        iter([part[begin : begin + size] for begin in range(0, len(part), size)]) for part in parts
    ]
    assert [f for batch in merge_by_number(batches) for f in batch] == frames


@given(recordings=st.lists(_times, max_size=4))
def test_recordings_are_joined_by_time_and_keep_their_own_order(
    recordings: list[list[int]],
) -> None:
    sources = [[frame(n, time) for n, time in enumerate(times)] for times in recordings]
    merged = list(merge_recordings([FrameList(frames) for frames in sources]))
    for index, frames in enumerate(sources):
        assert [f for i, f in merged if i == index] == frames
    if all(times == sorted(times) for times in recordings):
        places = [(f.receive_time_ns, index, f.frame_number) for index, f in merged]
        assert places == sorted(places)


def test_a_clock_that_steps_back_holds_up_only_its_own_recording() -> None:
    stepped = [frame(0, 10), frame(1, 30), frame(2, 5), frame(3, 40)]
    steady = [frame(0, 20), frame(1, 31), frame(2, 39)]
    merged = list(merge_recordings([FrameList(stepped), FrameList(steady)]))
    order = [(i, f.frame_number) for i, f in merged]
    assert order == [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1), (1, 2), (0, 3)]


def test_a_merged_recording_is_a_recording_of_its_own() -> None:
    one = [frame(0, 1, 1, b"a"), frame(1, 3, 2, b"c")]
    two = [
        frame(0, 2, 1, b"b"),
        Frame(1, 0, RECORDER, FrameKind.CLOCK, 4, 9, b"d"),
        frame(2, 5, 7, b"e"),
    ]
    merged = list(MergedRecording([FrameList(one), FrameList(two)]))
    assert [f.frame_number for f in merged] == [0, 1, 2, 3, 4]
    assert b"".join(f.payload for f in merged) == b"abcde"
    assert [f.connection_id for f in merged] == [1, 2, 3, 0, 14]
    assert sorted(merged, key=attrgetter("receive_time_ns")) == merged


def test_range_and_streams_reach_every_recording() -> None:
    source = MergedRecording([FrameList(made_frames(10)), FrameList(made_frames(10))])
    times = sorted(f.receive_time_ns for f in made_frames(10))
    found = list(source.frames(from_ns=times[3], to_ns=times[5], streams=["binance-usdm"]))
    assert [f.receive_time_ns for f in found] == [times[3], times[3], times[4], times[4]]
    assert list(source.frames(streams=["bybit-linear"])) == []
    assert len(list(source)) == 20


def test_a_crash_of_one_recorder_ends_nothing_of_another() -> None:
    """Its books would else stand still, called proven, while the feed goes on."""
    whole = list(Recording.open(SAMPLES / "calm"))
    crashed = whole[: len(whole) // 2]
    lost = Lost(None, None, crashed[-1].receive_time_ns, crashed[-1].receive_time_ns, CRASH)
    marker = marker_payload(lost)
    crashed.append(
        Frame(len(crashed), 0, RECORDER, FrameKind.LOST, crashed[-1].receive_time_ns, None, marker)
    )
    other = [
        msgspec.structs.replace(each, venue="bybit-linear") if each.venue != RECORDER else each
        for each in crashed
    ]
    alone, together = Engine(), Engine()
    for each in whole:
        alone.apply(each)
    for each in MergedRecording([FrameList(whole), FrameList(other)]):
        together.apply(each)
    for key, market in alone.markets.items():
        assert list(together.markets[key].book.asks) == list(market.book.asks)
        assert together.markets[key].book.state is market.book.state
        assert together.markets[key].coverage.observed_ns == market.coverage.observed_ns
    assert together.findings.counts[FindingKind.LOST] == 1
    assert together.connections.lost_unknown == 1
