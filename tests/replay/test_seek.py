"""A seek to any place gives the engine that a replay of all frames before it gives."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from book.engine import Engine
from book.settings import EngineSettings
from recorder.recording import RecordingWriter
from replay import checkpoint_store, engine_version
from replay.checkpoint_index import write_index
from replay.recording import Recording
from replay.seek import engine_before, store_of
from tests.recorder.made_frames import record
from tests.replay.indexed_recording import (
    FRAMES,
    digests,
    frames_before,
    rough_frames,
    rough_recording,
)


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = rough_recording(tmp_path_factory.mktemp("indexed") / "rough")
    report = write_index(recording, every=250)
    assert (report.written, report.frames) == (FRAMES // 250, FRAMES)
    return recording


@pytest.fixture(scope="module")
def right() -> list[str]:
    return digests(rough_frames())


def test_a_seek_is_a_full_replay_at_a_thousand_random_instants(
    indexed: Recording, right: list[str]
) -> None:
    frames, choose = rough_frames(), random.Random(2)
    first_ns, last_ns = frames[0].receive_time_ns, max(f.receive_time_ns for f in frames)
    instants = [choose.randint(first_ns - 10**9, last_ns + 10**9) for _ in range(900)]
    instants += [frames[choose.randrange(FRAMES)].receive_time_ns for _ in range(100)]
    for time_ns in instants:
        sought = engine_before(indexed, time_ns=time_ns)
        count = frames_before(frames, time_ns)
        assert sought.engine.state_digest() == right[count], time_ns
        assert sought.next_frame_number == count
        assert sought.frames_applied == count % 250, "it went on from the nearest checkpoint"
        assert sought.warnings == ()


def test_a_seek_is_a_full_replay_before_any_frame(indexed: Recording, right: list[str]) -> None:
    for number in [0, 1, 250, 251, 499, 500, 501, FRAMES - 1, FRAMES, FRAMES + 5]:
        sought = engine_before(indexed, frame_number=number)
        assert sought.engine.state_digest() == right[min(number, FRAMES)]
    assert engine_before(indexed).engine.state_digest() == right[FRAMES]


def test_a_recording_gives_its_engine_at_a_time(indexed: Recording, right: list[str]) -> None:
    frames = rough_frames()
    time_ns = frames[600].receive_time_ns
    count = frames_before(frames, time_ns)
    engine = indexed.engine_at(time_ns)
    assert engine.state_digest() == right[count]
    engine.apply(frames[count])
    assert engine.state_digest() == right[count + 1]


def test_without_checkpoints_a_seek_is_as_right(tmp_path: Path, right: list[str]) -> None:
    sought = engine_before(rough_recording(tmp_path / "plain", 800), frame_number=700)
    assert sought.engine.state_digest() == right[700]
    assert (sought.from_checkpoint, sought.frames_applied) == (None, 700)


def test_what_is_indexed_is_not_replayed_again(tmp_path: Path, right: list[str]) -> None:
    frames, folder = rough_frames(), tmp_path / "grows"
    record(folder, frames[:900], rotate_every=450)
    assert write_index(Recording.open(folder), every=200).written == 4
    again = write_index(Recording.open(folder), every=200)
    assert (again.written, again.kept, again.frames_applied) == (0, 4, 100)
    assert again.state_digest == right[900]
    anew = write_index(Recording.open(folder), every=200, anew=True)
    assert (anew.written, anew.kept, anew.removed, anew.frames_applied) == (4, 0, 4, 900)


def _checkpoint_files(recording: Recording) -> list[Path]:
    return sorted((recording.path / checkpoint_store.FOLDER_NAME).glob("*.zst"))


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = rough_recording(tmp_path_factory.mktemp("copied") / "rough")
    write_index(recording, every=100)
    return recording.path


@pytest.fixture
def own(copied: Path, tmp_path: Path) -> Recording:
    return Recording.open(shutil.copytree(copied, tmp_path / "own"))


def test_checkpoints_of_another_engine_are_ignored_and_that_is_said(
    own: Recording, right: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_store, "engine_version", lambda: "another")
    sought = engine_before(own, frame_number=950)
    assert sought.engine.state_digest() == right[950]
    assert sought.frames_applied == 950
    assert sought.warnings == (
        "10 checkpoints ignored: another version of the engine made them; "
        "`tickreel index` makes them anew",
    )
    assert write_index(own, every=100).removed == 10


def test_checkpoints_of_other_settings_are_ignored_and_that_is_said(own: Recording) -> None:
    settings = EngineSettings(tape_window_s=5)
    sought = engine_before(own, frame_number=950, settings=settings)
    engine = Engine(settings)
    for frame in rough_frames()[:950]:
        engine.apply(frame)
    assert sought.engine.state_digest() == engine.state_digest()
    assert sought.warnings == ("10 checkpoints ignored: they are of an engine with other settings",)


def test_checkpoints_over_other_frames_are_ignored_and_that_is_said(
    own: Recording, tmp_path: Path, right: list[str]
) -> None:
    other = rough_recording(tmp_path / "other", 999)
    (own.path / "checkpoints").rename(other.path / "checkpoints")
    (own.path / "checkpoints.jsonl").rename(other.path / "checkpoints.jsonl")
    sought = engine_before(other, frame_number=950)
    assert sought.engine.state_digest() == right[950]
    assert len(sought.warnings) == 1
    assert "over other frames" in sought.warnings[0]


@pytest.mark.parametrize("harm", ["flip", "cut", "gone", "link"])
def test_a_checkpoint_that_is_damaged_is_passed_over_for_the_one_before(
    own: Recording, right: list[str], harm: str, tmp_path: Path
) -> None:
    path = _checkpoint_files(own)[8]
    content = bytearray(path.read_bytes())
    if harm == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif harm == "cut":
        path.write_bytes(content[:-10])
    else:
        path.unlink()
    if harm == "link":
        (tmp_path / "elsewhere").write_bytes(content)
        path.symlink_to(tmp_path / "elsewhere")
    sought = engine_before(own, frame_number=950)
    assert sought.engine.state_digest() == right[950]
    assert sought.frames_applied == 150
    assert "damaged or gone" in sought.warnings[0]


def test_a_line_that_was_altered_or_half_written_is_passed_over(
    own: Recording, right: list[str]
) -> None:
    path = own.path / "checkpoints.jsonl"
    lines = path.read_bytes().splitlines()
    lines[8] = lines[8].replace(b'"frame_number":899', b'"frame_number":898')
    path.write_bytes(b"\n".join(lines) + b'\n{"frame_number":')
    sought = engine_before(own, frame_number=950)
    assert sought.engine.state_digest() == right[950]
    assert sought.frames_applied == 150
    assert sought.warnings == ("1 checkpoint ignored: their line is damaged",)
    assert write_index(own, every=100).written == 0


def test_the_code_of_the_engine_is_its_version() -> None:
    assert engine_version.engine_version() == engine_version.engine_version()
    assert len(engine_version.engine_version()) == 64


def test_the_list_alone_says_where_gaps_and_liquidations_are(own: Recording) -> None:
    entries = store_of(own, EngineSettings()).listed().usable
    engine = engine_before(own, frame_number=entries[-1].frame_number + 1).engine
    liquidations = sum(market.counters.liquidations for market in engine.markets.values())
    assert entries[-1].liquidations == liquidations > 0
    assert [entry.frames for entry in entries] == list(range(100, 1_001, 100))


def test_frames_that_are_not_sealed_yet_are_replayed_and_not_indexed(
    tmp_path: Path, right: list[str]
) -> None:
    frames = rough_frames()
    writer = RecordingWriter.create(tmp_path / "live", asked_for={})
    writer.write(frames[:500])
    writer.rotate()
    writer.write(frames[500:700])
    live = Recording.open(tmp_path / "live")
    assert write_index(live, every=100).frames == sum(entry.frames for entry in live.segments)
    assert engine_before(live, frame_number=650).engine.state_digest() == right[650]
    writer.close()
    sealed = Recording.open(tmp_path / "live")
    assert write_index(sealed, every=100).frames == 700
    sought = engine_before(sealed, frame_number=650)
    assert (sought.engine.state_digest(), sought.frames_applied) == (right[650], 50)
