"""Segments removed on purpose: what is left is read, and what is gone is said."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

from book.engine import Engine
from book.finding import FindingKind
from recorder.manifest import read_manifest
from recorder.recording import RecordingWriter
from recorder.recording_folder import RecordingFolder
from recorder.recovery import recover
from recorder.removals import REMOVALS_NAME, RING, UPLOADED, read_removals, remove_numbers
from replay.pack import pack
from replay.recording import Recording
from replay.reel_errors import CannotPackError
from venues.frame import Frame, FrameKind
from venues.marker import DROPPED, Lost, read_marker

PIECE = 523
SAMPLE = Path(__file__).parents[2] / "sample_data" / "rough"


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    frames = list(Recording.open(SAMPLE))
    assert len(frames) == 6 * PIECE
    return frames


@pytest.fixture(scope="module")
def made(frames: list[Frame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of six numbers with a piece of the feed each."""
    folder = tmp_path_factory.mktemp("made") / "night"
    writer = RecordingWriter.create(folder, asked_for={})
    for begin in range(0, len(frames), PIECE):
        writer.write(frames[begin : begin + PIECE])
        writer.rotate()
    writer.close()
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> RecordingFolder:
    shutil.copytree(made, tmp_path / "night")
    return RecordingFolder(tmp_path / "night")


def numbers(folder: RecordingFolder) -> list[int]:
    return sorted({entry.number for entry in read_manifest(folder.manifest).entries})


def test_each_choice_of_removed_numbers_leaves_the_others_and_one_marker_a_run(
    made: Path, tmp_path: Path, frames: list[Frame]
) -> None:
    all_numbers = numbers(RecordingFolder(made))
    assert len(all_numbers) == 6
    for size in range(1, 7):
        for chosen in itertools.islice(itertools.combinations(range(6), size), 2, 4):
            place = RecordingFolder(tmp_path / f"{'-'.join(map(str, chosen))}")
            shutil.copytree(made, place.path)
            removed = remove_numbers(place, [all_numbers[i] for i in chosen], RING, 7)
            assert removed.segments >= size
            recording = Recording.open(place.path)
            read = list(recording)
            kept = [f for n, f in enumerate(frames) if n // PIECE not in chosen]
            assert [f for f in read if f.kind is not FrameKind.LOST] == kept
            runs = [i for i in chosen if i - 1 not in chosen]
            markers = [f for f in read if f.kind is FrameKind.LOST]
            assert [m.frame_number for m in markers] == [i * PIECE for i in runs]
            lost = [read_marker(m, Lost) for m in markers]
            assert {one.cause for one in lost} == {DROPPED}
            assert sum(one.frames or 0 for one in lost) == size * PIECE
            gone = [f for n, f in enumerate(frames) if n // PIECE in chosen]
            assert sum(one.bytes or 0 for one in lost) == sum(len(f.payload) for f in gone)
            assert lost[0].from_ns == gone[0].receive_time_ns
            assert len(markers) == len(runs)
            assert recording.frame_count == len(read)
            assert list(recording.verify()) == []
    assert recover(place.path).problems == ()


def test_what_was_dropped_is_no_loss_and_the_next_snapshot_proves_the_books_again(
    folder: RecordingFolder,
) -> None:
    whole = Engine()
    Recording.open(folder.path).play_into(whole)
    remove_numbers(folder, numbers(folder)[1:3], RING, 7)
    engine = Engine()
    seen: dict[int, bool] = {}
    for frame in Recording.open(folder.path):
        engine.apply(frame)
        seen[frame.frame_number] = all(market.book.proven for market in engine.markets.values())
    assert seen[PIECE - 1]
    assert not seen[3 * PIECE]  # the connection goes on, and no snapshot has come yet
    assert seen[2093]  # the second snapshot of the next connection
    known = {(one.kind, one.frame_number) for one in whole.findings}
    assert {(one.kind, one.frame_number) for one in engine.findings} <= known
    assert engine.findings.counts[FindingKind.LOST] == 0
    assert engine.connections.lost_frames == 0
    for key, market in engine.markets.items():
        observed_ns = whole.markets[key].book.coverage.observed_ns
        assert market.book.coverage.observed_ns < observed_ns


def test_a_removal_that_was_killed_in_the_middle_is_done_by_recovery(
    folder: RecordingFolder, frames: list[Frame]
) -> None:
    first = numbers(folder)[0]
    left = {path: path.read_bytes() for path in folder.frames.glob(f"*/*/{first:06d}.parquet")}
    remove_numbers(folder, [first], UPLOADED, 7)
    for path, content in left.items():
        path.write_bytes(content)
    assert list(Recording.open(folder.path))[1:] == frames[PIECE:]
    recover(folder.path)
    assert not any(path.exists() for path in left)


def test_a_damaged_line_makes_segments_missing_and_never_removed(folder: RecordingFolder) -> None:
    remove_numbers(folder, numbers(folder)[:1], UPLOADED, 7)
    path = folder.path / REMOVALS_NAME
    path.write_bytes(path.read_bytes().replace(b"number", b"nummer"))
    assert read_removals(folder) == {}
    problems = list(Recording.open(folder.path).verify())
    assert {problem.sentence for problem in problems} == {"the file is missing"}


def test_what_is_not_sealed_is_never_removed_and_a_removal_is_done_once(tmp_path: Path) -> None:
    writer = RecordingWriter.create(tmp_path / "night", asked_for={})
    place = writer.folder
    assert remove_numbers(place, [1, 2, 99], RING, 7) == (0, 0)
    assert place.journal_numbers() == [1]
    writer.close()


def test_a_capture_goes_on_after_a_removal_of_all_that_there_was(
    folder: RecordingFolder, frames: list[Frame]
) -> None:
    remove_numbers(folder, numbers(folder), UPLOADED, 7)
    writer = RecordingWriter.create(folder.path, asked_for={})
    assert writer.next_frame_number == len(frames)
    writer.close()
    read = list(Recording.open(folder.path))
    assert [frame.kind for frame in read] == [FrameKind.LOST]


def test_a_recording_with_holes_is_not_packed(folder: RecordingFolder, tmp_path: Path) -> None:
    remove_numbers(folder, numbers(folder)[2:3], RING, 7)
    with pytest.raises(CannotPackError, match="removed on purpose"):
        pack(folder.path, tmp_path / "night.reel")
