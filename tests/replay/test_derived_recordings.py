"""Recordings made of recordings have the frames they should, and their digests."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from book.engine import Engine
from book.finding import FindingKind
from book.settings import EngineSettings
from recorder.recording import RecordingWriter
from replay.audit import audit
from replay.derived_recording import (
    NothingLeftError,
    compact,
    derived_description,
    renumbered,
    write_derived,
)
from replay.engine_settings import recorded_settings
from replay.frame_merge import MergedRecording
from replay.frame_selection import Met, Wanted, selected
from replay.frame_source import FrameSource
from replay.recording import Recording
from replay.recording_parts import PartsApartError, merge, split_by_time, split_by_venue
from replay.reel_errors import TargetInUseError
from tests.real_data import needs_real_data
from tests.recorder.made_frames import made_frames, record
from tests.replay.short_real import short_real
from venues.channel import Channel
from venues.event import Trade
from venues.frame import Frame, FrameKind
from venues.marker import Opened, read_marker

SAMPLES = Path(__file__).parents[2] / "sample_data"
ROUGH = SAMPLES / "rough"
TEXT, LOST = FrameKind.TEXT, FrameKind.LOST


def played(source: FrameSource) -> Engine:
    engine = Engine(recorded_settings(source))
    for frame in source.frames():
        engine.apply(frame)
    return engine


def digest(source: FrameSource) -> str:
    return played(source).state_digest()


def kept(source: Recording, wanted: Wanted, target: Path) -> Recording:
    description = derived_description(source, "filtered", {})
    write_derived(renumbered(selected(source, wanted)), description, target)
    return Recording.open(target)


@pytest.fixture(scope="module")
def rough() -> Recording:
    return Recording.open(ROUGH)


@pytest.fixture(scope="module")
def two_venues(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Both samples as one recording of two venues, with a steady clock of its own."""
    folder = tmp_path_factory.mktemp("two") / "venues"
    merged = MergedRecording([Recording.open(ROUGH), Recording.open(SAMPLES / "calm")])
    frames = [
        Frame(
            frame.frame_number,
            frame.connection_id,
            "bybit-linear" if frame.connection_id % 2 == 0 and frame.connection_id else frame.venue,
            frame.kind,
            frame.receive_time_ns,
            1_000 + frame.frame_number // 2,
            frame.payload,
        )
        for frame in merged
    ]
    description = derived_description(Recording.open(ROUGH), "made", {})
    write_derived(iter(frames), description, folder)
    return Recording.open(folder)


def test_compacted_it_is_the_same_recording(rough: Recording, tmp_path: Path) -> None:
    compact(rough, tmp_path / "dense", 19)
    dense = Recording.open(tmp_path / "dense")
    assert dense.description == rough.description
    assert list(dense) == list(rough)
    assert digest(dense) == digest(rough)
    assert dense.bytes_on_disk < rough.bytes_on_disk
    assert list(dense.verify()) == []
    assert audit(dense) == audit(rough)


def test_what_is_not_sealed_is_compacted_too(tmp_path: Path) -> None:
    frames = made_frames(100, venues=("binance-usdm", "bybit-linear", "recorder"))
    writer = RecordingWriter.create(tmp_path / "open", asked_for={})
    writer.write(frames)
    writer.sync()
    compact(Recording.open(tmp_path / "open"), tmp_path / "dense.reel", 9)
    writer.close()
    assert list(Recording.open(tmp_path / "dense.reel")) == frames


def test_filtered_by_nothing_it_is_the_same_frames(rough: Recording, tmp_path: Path) -> None:
    whole = kept(rough, Wanted(), tmp_path / "whole")
    everything = Wanted(symbols=("BTCUSDT", "ETHUSDT"), channels=tuple(Channel))
    by_content = kept(rough, everything, tmp_path / "content.reel")
    assert digest(whole) == digest(by_content) == digest(rough)
    assert whole.description.recording_id != rough.description.recording_id


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_filtered_by_symbol_its_market_comes_to_the_same(
    rough: Recording, tmp_path: Path, symbol: str
) -> None:
    engine = played(kept(rough, Wanted(symbols=(symbol,)), tmp_path / "one"))
    assert [key[1] for key in engine.markets] == [symbol]
    ours, whole = engine.markets["reference", symbol], played(rough).markets["reference", symbol]
    assert ours.book.book_state() == whole.book.book_state()
    assert ours.tape.state() == whole.tape.state()
    assert ours.liquidations.state() == whole.liquidations.state()
    assert ours.counters == whole.counters


def test_filtered_by_channel_others_are_not_missed(rough: Recording, tmp_path: Path) -> None:
    trades = kept(rough, Wanted(channels=(Channel.TRADES,)), tmp_path / "trades")
    engine = played(trades)
    assert engine.findings.counts.keys() <= {"disconnected", "undecodable", "stale"}
    for key, market in played(rough).markets.items():
        assert engine.markets[key].tape.state() == market.tape.state()
        assert engine.markets[key].counters.deltas == 0
    openings = [read_marker(f, Opened) for f in trades if f.kind is FrameKind.OPENED]
    assert {each.channel for one in openings for each in one.subscriptions} == {Channel.TRADES}


def test_filtered_by_time_it_has_the_beginnings_of_its_connections(
    rough: Recording, tmp_path: Path
) -> None:
    frames = list(rough)
    from_ns, to_ns = frames[1200].receive_time_ns, frames[1900].receive_time_ns
    met = Met()
    found = list(selected(rough, Wanted(from_ns=from_ns, to_ns=to_ns), met))
    within = [f for f in frames if from_ns <= f.receive_time_ns < to_ns]
    assert found[met.carried :] == within
    carried = found[: met.carried]
    assert carried[0].kind is FrameKind.OPENED
    assert all(frame.receive_time_ns < from_ns for frame in carried)
    assert {frame.connection_id for frame in carried} == {within[0].connection_id}
    assert kept(rough, Wanted(from_ns=from_ns, to_ns=to_ns), tmp_path / "x").frame_count == len(
        found
    )


def test_filtered_by_time_nothing_is_missing_where_a_clock_stepped_back(tmp_path: Path) -> None:
    step_ns = 40_000_000
    frames = [
        msgspec.structs.replace(
            frame, receive_time_ns=frame.receive_time_ns - step_ns * (frame.frame_number >= 60)
        )
        for frame in made_frames(90)
    ]
    record(tmp_path / "stepped", frames)
    source = Recording.open(tmp_path / "stepped")
    wanted = Wanted(from_ns=frames[30].receive_time_ns, to_ns=frames[58].receive_time_ns)
    taken = [frame.frame_number for frame in selected(source, wanted)]
    assert taken == list(range(30, 58))
    after = selected(source, Wanted(from_ns=frames[40].receive_time_ns))
    assert [frame.frame_number for frame in after] == list(range(40, 90))


def test_nothing_left_is_no_recording(rough: Recording, tmp_path: Path) -> None:
    with pytest.raises(NothingLeftError):
        kept(rough, Wanted(from_ns=2**62), tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("parts", [1, 3])
def test_split_by_time_and_merged_it_is_the_same(
    rough: Recording, tmp_path: Path, parts: int
) -> None:
    times = [frame.receive_time_ns for frame in rough]
    span = max(times) - min(times)
    cuts = [min(times) + span * cut // parts for cut in range(1, parts)]
    reports = split_by_time(rough, cuts, tmp_path)
    made = [Recording.open(report.path) for report in reports]
    assert len(made) == parts
    for part in made:
        assert played(part).findings.counts.get(FindingKind.UNDECODABLE, 0) <= 1
    merge(made[::-1], tmp_path / "again")
    again = Recording.open(tmp_path / "again")
    assert list(again) == list(rough)
    assert digest(again) == digest(rough)


def quarters(source: Recording, folder: Path) -> list[Recording]:
    times = [frame.receive_time_ns for frame in source]
    span = max(times) - min(times)
    cuts = [min(times) + span * cut // 4 for cut in (1, 2, 3)]
    return [Recording.open(report.path) for report in split_by_time(source, cuts, folder)]


def test_parts_with_one_missing_in_between_are_not_merged_without_a_word(
    rough: Recording, tmp_path: Path
) -> None:
    parts = quarters(rough, tmp_path / "parts")
    with pytest.raises(PartsApartError, match="part 0002 of the same recording"):
        merge([parts[0], parts[2]], tmp_path / "holed")
    shutil.copytree(parts[1].path, tmp_path / "copy")
    with pytest.raises(PartsApartError, match="part 0002 is given twice"):
        merge([*parts, Recording.open(tmp_path / "copy")], tmp_path / "twice")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "parts"]


def test_parts_from_the_middle_on_are_one_longer_part_and_no_whole(
    rough: Recording, tmp_path: Path
) -> None:
    parts = quarters(rough, tmp_path / "parts")
    merge(parts[1:3], tmp_path / "middle")
    middle = Recording.open(tmp_path / "middle")
    assert next(iter(middle)).kind is FrameKind.OPENED
    assert any("part of another recording" in note for note in audit(middle).notes)
    merge([parts[3], parts[0], middle], tmp_path / "again")
    again = Recording.open(tmp_path / "again")
    assert list(again) == list(rough)
    assert not any("part of another" in note for note in audit(again).notes)


def test_a_clock_that_steps_back_takes_no_frame_over_a_cut(tmp_path: Path) -> None:
    frames = made_frames(90)
    stepped = [
        Frame(
            frame.frame_number, frame.connection_id, frame.venue, frame.kind,
            frame.receive_time_ns - 40_000_000 * (frame.frame_number >= 60),
            frame.monotonic_time_ns, frame.payload,
        )
        for frame in frames
    ]  # fmt: skip
    writer = RecordingWriter.create(tmp_path / "stepped", asked_for={})
    writer.write(stepped)
    writer.close()
    source = Recording.open(tmp_path / "stepped")
    reports = split_by_time(source, [frames[30].receive_time_ns], tmp_path)
    merge([Recording.open(report.path) for report in reports], tmp_path / "again")
    assert list(Recording.open(tmp_path / "again")) == stepped


def test_split_by_venue_and_merged_it_is_the_same(two_venues: Recording, tmp_path: Path) -> None:
    reports = split_by_venue(two_venues, tmp_path)
    made = [Recording.open(report.path) for report in reports]
    assert [part.venues for part in made] == [("bybit-linear",), ("reference",)]
    merge(made, tmp_path / "again")
    again = list(Recording.open(tmp_path / "again"))
    by_number = {frame.payload: frame for frame in two_venues}
    assert len(again) == two_venues.frame_count
    assert {frame.payload for frame in again} == set(by_number)
    assert [f.monotonic_time_ns for f in again] == sorted(f.monotonic_time_ns or 0 for f in again)


def test_merged_it_is_what_replay_makes_of_several(tmp_path: Path) -> None:
    both = [Recording.open(ROUGH), Recording.open(SAMPLES / "calm")]
    merge(both, tmp_path / "both.reel")
    assert digest(Recording.open(tmp_path / "both.reel")) == digest(MergedRecording(both))


@needs_real_data
def test_a_real_recording_filtered_split_and_merged(tmp_path: Path) -> None:
    short = short_real(tmp_path / "real", 3_000)
    first, last = short.first_receive_time_ns or 0, short.last_receive_time_ns or 0
    cuts = [first + (last - first) * part // 3 for part in (1, 2)]
    reports = split_by_time(short, cuts, tmp_path / "parts")
    assert len(reports) == 3
    merge([Recording.open(each.path) for each in reports], tmp_path / "again")
    assert digest(Recording.open(tmp_path / "again")) == digest(short)
    trades = kept(short, Wanted(channels=(Channel.TRADES,)), tmp_path / "trades")
    seen: list[Trade] = []
    engine = Engine(EngineSettings())
    engine.on(Trade, lambda trade, market: seen.append(trade))
    trades.play_into(engine)
    (market,) = played(short).markets.values()
    assert len(seen) == market.counters.trades > 100


def test_a_venue_that_lost_a_segment_is_joined_to_the_others_by_the_steady_clock(
    two_venues: Recording, tmp_path: Path
) -> None:
    record(tmp_path / "night", list(two_venues.frames()), rotate_every=2_000)
    source = Recording.open(tmp_path / "night")
    lost = [each for each in source.segments if each.venue == "reference"][1]
    (source.path / lost.path).unlink()
    reports = split_by_venue(source, tmp_path / "parts", skip_damaged=True)
    merge([Recording.open(each.path) for each in reports], tmp_path / "whole")
    whole = Recording.open(tmp_path / "whole")
    joined = [(f.receive_time_ns, f.payload) for f in whole.frames() if f.kind in (TEXT, LOST)]
    around = source.frames(skip_damaged=True)
    assert joined == [(f.receive_time_ns, f.payload) for f in around if f.kind in (TEXT, LOST)]


def test_a_recording_that_is_being_written_is_replaced_by_no_result(
    rough: Recording, tmp_path: Path
) -> None:
    live, frames = tmp_path / "live", made_frames(50)
    writer = RecordingWriter.create(live, asked_for={})
    writer.write(frames[:40])
    with pytest.raises(TargetInUseError, match="even --force does not replace that"):
        compact(rough, live, 6, force=True)
    writer.write(frames[40:])
    assert writer.close().faults == ()
    assert list(Recording.open(live)) == frames
    compact(rough, live, 6, force=True)
    assert list(Recording.open(live)) == list(rough)
