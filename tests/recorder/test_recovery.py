"""What recovery says is done can be read, and nothing whole is lost on the way."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.manifest import read_manifest, rewrite_manifest
from recorder.recording import RecordingWriter
from recorder.recording_errors import DamagedManifestError, NotARecordingError
from recorder.recovery import recover
from replay.errors import DamagedJournalError
from replay.recording import Recording
from tests.recorder.made_frames import made_frames, record
from tests.recorder.test_journal import block_ends
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import Lost, read_marker

VENUES = ("binance-usdm", "bybit-linear")


def crash(folder: Path, frames: list[Frame], *, block: int = 20) -> Path:
    """Record without an end; return the journal that is left."""
    writer = RecordingWriter.create(folder, asked_for={})
    for begin in range(0, len(frames), block):
        writer.write(frames[begin : begin + block])
    writer._journal.abandon()
    writer._lock.release()
    return writer._journal.path


def lost(frames: list[Frame]) -> list[tuple[int, str, int | None]]:
    marks = [(frame, read_marker(frame, Lost)) for frame in frames if frame.kind is FrameKind.LOST]
    assert all(frame.venue == RECORDER for frame, _ in marks)
    return [(frame.frame_number, mark.cause, mark.frames) for frame, mark in marks]


def recovered(folder: Path) -> list[Frame]:
    """Recover, and hold recovery to its word: readable, verified, nothing more to do."""
    before = list(Recording.open(folder).frames(skip_damaged=True))
    report = recover(folder)
    assert report.problems == ()
    recording = Recording.open(folder)
    frames = list(recording)
    assert frames == before
    assert list(recording.verify()) == []
    assert not recover(folder).found_anything
    return frames


def test_a_whole_recording_has_nothing_to_recover(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    record(folder, made_frames(50, venues=VENUES), rotate_every=20)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    report = recover(folder)
    assert not report.found_anything
    assert report.sentence == "Nothing to recover."
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_crash_is_a_loss_of_unknown_size_after_the_last_frame(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    frames = made_frames(90, venues=VENUES)
    crash(folder, frames)
    found = recovered(folder)
    assert found[:-1] == frames
    assert lost(found) == [(90, "crash", None)]
    assert found[-1].receive_time_ns == frames[-1].receive_time_ns


def test_any_cut_is_recovered_to_the_last_whole_block(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    frames = made_frames(60, venues=VENUES)
    journal = crash(whole, frames, block=10)
    ends = block_ends(journal)
    size = journal.stat().st_size
    for cut in random.Random(5).sample(range(ends[1], size), 12):
        folder = tmp_path / f"cut{cut}"
        shutil.copytree(whole, folder)
        with (folder / "journal" / journal.name).open("r+b") as file:
            file.truncate(cut)
        found = recovered(folder)
        blocks = sum(end <= cut for end in ends[2:])
        assert found[:-1] == frames[: 10 * blocks]
        assert lost(found) == [(10 * blocks, "crash", None)]


def test_a_damaged_block_is_counted_where_it_was_and_its_original_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    frames = made_frames(100)
    journal = crash(folder, frames)
    ends = block_ends(journal)
    data = bytearray(journal.read_bytes())
    data[ends[3] - 30] ^= 0x10
    journal.write_bytes(data)
    with pytest.raises(DamagedJournalError, match="20 frames from frame 20 on"):
        list(Recording.open(folder))
    found = recovered(folder)
    assert lost(found) == [(20, "damage", 20), (100, "crash", None)]
    assert [f for f in found if f.kind is FrameKind.TEXT] == frames[:20] + frames[40:]
    assert (folder / "journal" / f"{journal.name}.damaged").read_bytes() == data
    writer = RecordingWriter.create(folder, asked_for={})
    assert writer.next_frame_number == 101
    assert writer._journal.number == 2
    writer.close()


def test_damage_at_the_end_of_the_newest_journal_is_of_unknown_size(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    frames = made_frames(60)
    journal = crash(folder, frames)
    data = bytearray(journal.read_bytes())
    data[-1] ^= 1
    journal.write_bytes(data)
    found = recovered(folder)
    assert found[:-1] == frames[:40]
    assert lost(found) == [(40, "damage", None)]


@pytest.mark.parametrize("damage", ["end cut", "end flipped", "opening flipped", "closing flipped"])
def test_damage_between_two_journals_is_counted_by_the_later_one(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "night"
    frames = made_frames(80)
    writer = RecordingWriter.create(folder, asked_for={})
    monkeypatch.setattr(writer._queue, "add", lambda number: None)  # a sealing that never came
    for begin in range(0, 80, 20):
        writer.write(frames[begin : begin + 20])
        if begin == 20:
            writer.rotate()
    writer._journal.close()
    writer._lock.release()
    first, second = (folder / "journal" / f"00000{number}.zst" for number in (1, 2))
    ends = block_ends(first)
    data = bytearray(first.read_bytes())
    match damage:
        case "end cut":
            first.write_bytes(data[: ends[2]])
        case "end flipped":
            data[ends[3] - 1] ^= 1
            first.write_bytes(data)
        case "closing flipped":
            data[ends[4] - 1] ^= 1
            first.write_bytes(data)
        case _:
            data = bytearray(second.read_bytes())
            data[20] ^= 1
            second.write_bytes(data)
    found = recovered(folder)
    if damage.startswith("end"):
        assert lost(found) == [(20, "damage", 20)]
        assert [f for f in found if f.kind is FrameKind.TEXT] == frames[:20] + frames[40:]
    else:
        assert found == frames


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "harm",
    [
        flip,
        Path.unlink,
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(b"".join(path.read_bytes().splitlines(True)[:2])),
        lambda path: path.write_bytes(b"".join(path.read_bytes().splitlines(True)[1:])),
        lambda path: path.write_bytes(b""),
    ],
    ids=["flipped", "removed", "torn", "last line gone", "first line gone", "emptied"],
)
def test_a_damaged_manifest_is_rebuilt_from_the_segments(
    tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    folder = tmp_path / "night"
    frames = made_frames(60, venues=VENUES)
    record(folder, frames, rotate_every=30)
    before = Recording.open(folder).segments
    harm(folder / "manifest.jsonl")
    with pytest.raises(DamagedManifestError, match="tickreel recover"):
        Recording.open(folder)
    report = recover(folder)
    assert report.manifest_rebuilt
    assert report.problems == ()
    recording = Recording.open(folder)
    assert recording.segments == before
    assert list(recording) == frames
    assert not recover(folder).found_anything


def test_what_cannot_be_put_right_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    record(folder, made_frames(60), rotate_every=20)
    first, second, third = (folder / entry.path for entry in Recording.open(folder).segments)
    flip(first)
    second.unlink()
    problems = recover(folder).problems
    assert len(problems) == 2
    assert "000001.parquet: its bytes are not those that were sealed" in problems[0]
    assert "000002.parquet: the file is missing, with 20 frames" in problems[1]
    (folder / "manifest.jsonl").unlink()
    third.write_bytes(b"nothing of it is left")
    report = recover(folder)
    assert "000003.parquet nor its line can be read, kept aside" in report.problems[-1]
    list(Recording.open(folder).frames(skip_damaged=True))


def test_an_empty_journal_of_a_crash_is_a_loss_too(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    crash(folder, [])
    assert lost(recovered(folder)) == [(0, "crash", None)]


def test_a_journal_of_garbage_is_set_aside_and_counted_as_unknown(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    record(folder, made_frames(10))
    (folder / "journal" / "000002.zst").write_bytes(random.Random(1).randbytes(5000))
    found = recovered(folder)
    assert lost(found) == [(10, "damage", None)]
    assert found[-1].receive_time_ns == found[-2].receive_time_ns


def test_a_folder_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotARecordingError, match=r"holds no recording\.json"):
        recover(tmp_path)
    with pytest.raises(NotARecordingError, match="no such folder"):
        recover(tmp_path / "nowhere")


@pytest.mark.parametrize("harm", ["gone", "other bytes"])
def test_a_line_whose_segment_is_not_as_it_says_is_sealed_again_from_its_journal(
    tmp_path: Path, harm: str
) -> None:
    """A power cut brings back a line whose sync had failed, and which was cut off since."""
    folder = tmp_path / "night"
    frames = made_frames(80, venues=VENUES)
    journal = crash(folder, frames)
    content = journal.read_bytes()
    sealed = recovered(folder)
    journal.write_bytes(content)
    segment = folder / Recording.open(folder).segments[1].path
    if harm == "gone":
        segment.unlink()
    else:
        flip(segment)
    report = recover(folder)
    assert report.manifest_rebuilt == "it listed segments that were never put into place"
    assert report.problems == ()
    assert list(Recording.open(folder)) == sealed
    assert list(Recording.open(folder).verify()) == []


def test_what_a_killed_sealing_has_sealed_is_no_loss_when_its_journal_is_damaged_since(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "night"
    frames = made_frames(80, venues=VENUES)
    journal = crash(folder, frames)
    content = journal.read_bytes()
    recovered(folder)
    entries = read_manifest(folder / "manifest.jsonl").entries
    left = [entry for entry in entries if entry.venue in VENUES]
    (folder / next(e.path for e in entries if e.venue == RECORDER)).unlink()
    rewrite_manifest(folder / "manifest.jsonl", left)
    journal.write_bytes(content[: len(content) // 2] + bytes(len(content) // 2))
    recover(folder)
    found = list(Recording.open(folder))
    assert found[:-1] == frames
    assert lost(found) == [(80, "damage", None)]
