"""What goes is sealed, the oldest, beyond a limit, uploaded where that is wanted, and told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.manifest import read_manifest
from recorder.recording import RecordingWriter
from recorder.recording_folder import RecordingFolder
from recorder.recovery import recover
from recorder.removals import Removal, _append, present, read_removals
from recorder.retention import Keep, apply_keeps, read_keep, read_size_bytes
from recorder.upload_ledger import UploadLedger
from replay.audit import audit
from replay.recording import Recording
from tests.recorder.made_frames import made_frames, record
from tests.recorder.test_sealing import leave_a_closed_journal
from venues.frame import Frame, FrameKind
from venues.marker import DROPPED, Lost, read_marker

VENUES = ("binance-usdm", "bybit-linear")
DAY_NS = 86_400 * 10**9
A_SECOND_OF_FRAMES = 1_000
"""Made frames are 1 ms apart."""


def recorded(folder: Path, journals: int, frames: int = 40) -> list[Frame]:
    made = made_frames(journals * frames, venues=VENUES)
    record(folder, made, rotate_every=frames)
    return made


def numbers(folder: Path) -> list[int]:
    """Return the numbers of the segments whose files are there."""
    return sorted({int(path.stem) for path in folder.glob("frames/*/*/*.parquet")})


def texts(folder: Path) -> list[Frame]:
    return [frame for frame in Recording.open(folder) if frame.kind is FrameKind.TEXT]


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("30d", Keep("30d", age_ns=30 * DAY_NS)),
        ("36h", Keep("36h", age_ns=DAY_NS * 3 // 2)),
        ("90m", Keep("90m", age_ns=90 * 60 * 10**9)),
        ("2w", Keep("2w", age_ns=14 * DAY_NS)),
        ("500GB", Keep("500GB", bytes=500 * 10**9)),
        ("1.5 TB", Keep("1.5 TB", bytes=1_500_000_000_000)),
        ("2GiB", Keep("2GiB", bytes=2 * 2**30)),
        ("10kB", Keep("10kB", bytes=10_000)),
    ],
)
def test_limits_are_ages_and_sizes(text: str, keep: Keep) -> None:
    assert read_keep(text) == keep


@pytest.mark.parametrize("text", ["", "30", "d", "30x", "-3d", "0d", "0GB", "30 d 5", "1e3d", "∞d"])
def test_what_is_neither_an_age_nor_a_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither an age|would keep nothing"):
        read_keep(text)


def test_a_size_may_be_a_plain_number() -> None:
    assert (read_size_bytes("500MB"), read_size_bytes("0")) == (500_000_000, 0)
    with pytest.raises(ValueError, match="is no size"):
        read_size_bytes("many")


def test_by_age_the_oldest_go_seen_from_the_newest_sealed_frame(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    made = recorded(folder, 5)
    newest_ns, step_ns = made[-1].receive_time_ns, 40 * 1_000_000
    assert apply_keeps(RecordingFolder(folder), [Keep("", age_ns=2 * step_ns)]).segments == 4
    assert numbers(folder) == [3, 4, 5]
    assert texts(folder) == made[80:]
    assert newest_ns - made[80].receive_time_ns <= 3 * step_ns
    assert apply_keeps(RecordingFolder(folder), [Keep("", age_ns=2 * step_ns)]).segments == 0


def test_by_size_the_oldest_go_until_all_is_within_it(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    made = recorded(folder, 5)
    entries = read_manifest(folder / "manifest.jsonl").entries
    three = sum(entry.file_bytes for entry in entries if entry.number >= 3)
    apply_keeps(RecordingFolder(folder), [read_keep("30d"), Keep("", bytes=three)])
    assert numbers(folder) == [3, 4, 5]
    apply_keeps(RecordingFolder(folder), [Keep("", bytes=three - 1)])
    assert numbers(folder) == [4, 5]
    assert texts(folder) == made[120:]


def test_what_is_gone_is_told_of_and_the_manifest_stays_whole(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    recorded(folder, 5)
    before = (folder / "manifest.jsonl").read_bytes()
    apply_keeps(RecordingFolder(folder), [Keep("", age_ns=1)])
    assert (folder / "manifest.jsonl").read_bytes() == before
    first = next(iter(Recording.open(folder)))
    lost = read_marker(first, Lost)
    assert (lost.cause, lost.frames, lost.detail) == (DROPPED, 160, "retention")
    assert first.frame_number == 0
    assert list(Recording.open(folder).verify()) == []
    assert not recover(folder).found_anything
    assert Recording.open(folder).frame_count == 41


def test_what_is_not_sealed_is_never_removed_nor_anything_after_it(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    made = made_frames(120)
    leave_a_closed_journal(folder, made)
    apply_keeps(RecordingFolder(folder), [Keep("", bytes=1)])
    assert texts(folder) == made
    journal = folder / "journal" / "000001.zst"
    content = journal.read_bytes()
    recover(folder)
    journal.write_bytes(content)  # as a kill right before it was removed leaves it
    apply_keeps(RecordingFolder(folder), [Keep("", bytes=1)])
    assert numbers(folder) == [1]
    assert texts(folder) == made


def test_a_wrong_clock_removes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "night"
    recorded(folder, 3)
    monkeypatch.setattr("recorder.retention.time.time_ns", lambda: 1 << 62)
    apply_keeps(RecordingFolder(folder), [read_keep("30d")])
    assert numbers(folder) == [1, 2, 3]


def test_what_an_upload_has_still_to_take_stays(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    recorded(folder, 3)
    ledger = UploadLedger(folder, "s3://bucket/night")
    entries = read_manifest(folder / "manifest.jsonl").entries
    for entry in entries:
        if entry.number == 1 or entry.venue == VENUES[0]:
            ledger.add(entry.path, entry.file_bytes, entry.sha256, 0)
    apply_keeps(RecordingFolder(folder), [Keep("", bytes=1)])
    assert numbers(folder) == [2, 3]


def test_a_kill_between_the_line_and_the_files_is_finished_at_the_next_start(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "night"
    made = recorded(folder, 3)
    place = RecordingFolder(folder)
    _append(place, [Removal(1, "retention", 0)])
    assert numbers(folder) == [1, 2, 3]
    assert texts(folder) == made[40:]
    assert list(Recording.open(folder).verify()) == []
    writer = RecordingWriter.create(folder, asked_for={})
    assert numbers(folder) == [2, 3]
    assert writer.next_frame_number == 120
    writer.close()
    assert texts(folder) == made[40:]


def test_numbers_go_on_where_all_was_removed(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    recorded(folder, 2)
    apply_keeps(RecordingFolder(folder), [Keep("", bytes=1)])
    assert numbers(folder) == []
    (folder / "manifest.jsonl").unlink()
    writer = RecordingWriter.create(folder, asked_for={})
    assert writer._journal.number == 3
    writer.write(made_frames(10, first=writer.next_frame_number))
    writer.close()
    assert len(texts(folder)) == 10


def test_a_recorder_with_limits_removes_beside_and_after(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    made = made_frames(400, payload_bytes=1_000)
    writer = RecordingWriter.create(folder, asked_for={}, keeps=[read_keep("250kB")])
    for begin in range(0, 400, 100):
        if begin:
            writer.rotate()
            writer._queue.wait()
        writer.write(made[begin : begin + 100])
    assert sorted(read_removals(RecordingFolder(folder))) == [1]
    assert writer.close().faults == ()
    assert numbers(folder) == [3, 4]
    assert texts(folder) == made[200:]
    entries = read_manifest(folder / "manifest.jsonl").entries
    assert sum(e.file_bytes for e in present(RecordingFolder(folder), entries)) <= 250_000


def test_an_audit_says_from_when_on_the_recording_goes_and_calls_it_no_fault(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "night"
    made = recorded(folder, 4)
    before = audit(Recording.open(folder))
    apply_keeps(RecordingFolder(folder), [Keep("", age_ns=50 * 1_000_000)])
    report = audit(Recording.open(folder))
    assert report.notes[0].startswith("80 frames before 2026-11-18T")
    assert "removed on purpose (retention)" in report.notes[0]
    assert report.lost.frames == 0
    assert set(report.faults) == set(before.faults)
    assert texts(folder) == made[80:]
