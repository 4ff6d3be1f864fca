"""After a sync that failed nothing is lost and nothing doubled, whatever else fails."""

from __future__ import annotations

import contextlib
import errno
import shutil
from pathlib import Path

import pytest

from recorder.recording import RecordingWriter
from recorder.recording_errors import JournalWriteError
from recorder.recovery import recover
from replay.recording import Recording
from tests.recorder.failing_disk import FailingDisk, never, nth_call
from tests.recorder.made_frames import made_frames
from tests.recorder.sealing_in_line import SealingInLine
from venues.frame import Frame, FrameKind

ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
BATCH = 7


def create(folder: Path, disk: FailingDisk) -> RecordingWriter:
    return RecordingWriter.create(
        folder, asked_for={}, min_free_bytes=0, disk=disk, sealing_queue=SealingInLine
    )


def put(writer: RecordingWriter, frames: list[Frame]) -> None:
    """Write as the writer's thread does: what is refused is tried again."""
    for begin in range(0, len(frames), BATCH):
        batch = frames[begin : begin + BATCH]
        for _ in range(4):
            try:
                writer.write(batch)
                break
            except JournalWriteError as fault:
                batch = batch[fault.frames_written :]
        else:
            raise AssertionError("a disk that refuses once refused four times")


def synced(writer: RecordingWriter) -> bool:
    with contextlib.suppress(OSError, JournalWriteError):
        writer.sync()
        return True
    return False


def failing_syncs(*numbers: int) -> FailingDisk:
    """Return a disk on which these syncs of a journal's content fail."""
    count = 0

    def refuses(call: str, calls: int) -> int | None:
        nonlocal count
        count += call == "sync_content"
        return errno.EIO if call == "sync_content" and count in numbers else None

    return FailingDisk(refuses)


def test_a_failed_sync_begins_a_new_file_and_writes_again_what_was_not_synced(
    tmp_path: Path,
) -> None:
    frames = made_frames(60)
    writer = create(tmp_path / "night", failing_syncs(2))
    writer.write(frames[:20])
    writer.sync()
    writer.write(frames[20:40])
    assert writer.unsynced_bytes == 20 * 120
    last = writer._journal.path
    writer.sync()
    assert writer._journal.path != last
    assert writer._journal.frames == 20
    assert writer.unsynced_bytes == 0
    assert list(Recording.open(tmp_path / "night")) == frames[:40]
    assert list(Recording.open(tmp_path / "night").verify()) == []
    writer.write(frames[40:])
    assert list(Recording.open(tmp_path / "night")) == frames
    report = writer.close()
    assert report.faults == ()
    assert report.frames == 60
    assert list(Recording.open(tmp_path / "night")) == frames


@pytest.mark.parametrize("harm", ["as it is", "cut", "garbage", "gone"])
def test_what_a_distrusted_file_holds_of_what_was_not_synced_does_not_count(
    tmp_path: Path, harm: str
) -> None:
    folder = tmp_path / "night"
    frames = made_frames(60)
    writer = create(folder, failing_syncs(2))
    writer.write(frames[:20])
    writer.sync()
    synced_bytes = writer._journal.path.stat().st_size
    writer.write(frames[20:40])
    first = writer._journal.path
    writer.sync()
    writer.write(frames[40:])
    whole = first.read_bytes()
    end = {
        "as it is": whole[synced_bytes:],
        "cut": whole[synced_bytes : synced_bytes + 100],
        "garbage": bytes(len(whole) - synced_bytes),
        "gone": b"",
    }
    first.write_bytes(whole[:synced_bytes] + end[harm])
    assert list(Recording.open(folder)) == frames
    assert list(Recording.open(folder).verify()) == []
    writer._journal.close()
    writer._lock.release()
    report = recover(folder)
    assert [journal.frames for journal in report.journals] == [20, 40]
    assert all(not journal.damage for journal in report.journals)
    assert list(Recording.open(folder)) == frames


def test_damage_before_what_is_written_again_is_still_told_of(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    frames = made_frames(60)
    writer = create(folder, failing_syncs(2))
    writer.write(frames[:10])
    before = writer._journal.path.stat().st_size
    writer.write(frames[10:20])
    writer.sync()
    writer.write(frames[20:40])
    first = writer._journal.path
    writer.sync()
    content = bytearray(first.read_bytes())
    content[before + 50] ^= 4
    first.write_bytes(content)
    writer._journal.close()
    writer._lock.release()
    recover(folder)
    found = list(Recording.open(folder))
    assert [f for f in found if f.kind is FrameKind.TEXT] == frames[:10] + frames[20:40]
    assert [f.frame_number for f in found if f.kind is FrameKind.LOST] == [10]


def test_syncs_that_fail_again_and_again_lose_nothing_and_leave_no_journals(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "night"
    frames = made_frames(70)
    writer = create(folder, failing_syncs(*range(2, 12)))
    writer.write(frames[:10])
    writer.sync()
    for begin in range(10, 70, 10):
        writer.write(frames[begin : begin + 10])
        synced(writer)
        assert list(Recording.open(folder)) == frames[: begin + 10]
    assert writer.unsynced_bytes == 0
    writer.close()
    assert list(Recording.open(folder)) == frames
    assert list((folder / "journal").iterdir()) == []


def test_frames_that_are_written_while_a_sync_is_under_way_outlive_its_failure(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "night"
    frames = made_frames(60)
    writer = create(folder, failing_syncs(2))
    writer.write(frames[:10])
    writer.sync()
    writer.write(frames[10:30])
    assert writer.begin_sync()
    last = writer._journal.path
    writer.write(frames[30:50])
    writer.end_sync()
    assert writer._journal.path != last
    assert writer._journal.frames == 40
    assert writer.unsynced_bytes == 0
    assert list(Recording.open(folder)) == frames[:50]
    writer.write(frames[50:])
    assert writer.close().faults == ()
    assert list(Recording.open(folder)) == frames
    assert list(Recording.open(folder).verify()) == []


def test_a_sync_covers_what_was_written_before_it_began_and_no_more(tmp_path: Path) -> None:
    frames = made_frames(60)
    writer = create(tmp_path / "night", never())
    assert not writer.begin_sync()
    assert not writer.sync_ended
    writer.write(frames[:20])
    assert writer.begin_sync()
    writer.write(frames[20:50])
    writer.end_sync()
    assert writer.unsynced_bytes == 30 * 120
    writer.sync()
    assert writer.unsynced_bytes == 0
    writer.write(frames[50:])
    assert writer.begin_sync()
    writer.rotate()
    assert writer.close().faults == ()
    assert list(Recording.open(tmp_path / "night")) == frames


def session(folder: Path, disk: FailingDisk, frames: list[Frame]) -> None:
    writer = create(folder, disk)
    middle = len(frames) // 2
    put(writer, frames[:middle])
    synced(writer)
    with contextlib.suppress(OSError, JournalWriteError):
        writer.rotate()
    put(writer, frames[middle:])
    synced(writer)
    writer.close()


@pytest.mark.parametrize("reason", ERRORS)
def test_a_disk_that_refuses_its_nth_call_loses_nothing_for_every_n(
    tmp_path: Path, reason: int
) -> None:
    frames = made_frames(40, venues=("binance-usdm", "recorder"))
    counting = never()
    session(tmp_path / "counted", counting, frames)
    assert counting.calls > 40
    # What a disk refuses while a folder is made is an error of the start, and told as such.
    made = never()
    writer = create(tmp_path / "made", made)
    starting = made.calls
    writer.close()
    # A call in so many: the four reasons together try every call.
    for number in range(starting + 1 + ERRORS.index(reason), counting.calls + 1, len(ERRORS)):
        folder = tmp_path / f"call{number}"
        session(folder, nth_call(number, reason), frames)
        recover(folder)
        found = list(Recording.open(folder))
        assert [f for f in found if f.kind is FrameKind.TEXT] == frames, number
        lost = [f for f in found if f.kind is FrameKind.LOST]
        assert len(lost) <= 1, number  # the end of the last journal was refused
        assert list(Recording.open(folder).verify()) == []


def test_a_folder_that_is_renamed_is_a_fault_until_it_is_back_and_then_nothing_is_lost(
    tmp_path: Path,
) -> None:
    folder, elsewhere, frames = tmp_path / "night", tmp_path / "moved", made_frames(60)
    writer = create(folder, never())
    writer.write(frames[:20])
    writer.sync()
    folder.rename(elsewhere)
    writer.write(frames[20:40])
    with pytest.raises((OSError, JournalWriteError)):
        writer.sync()
    with pytest.raises(JournalWriteError) as refused:
        writer.write(frames[40:])
    assert refused.value.frames_written == 0
    assert writer.unsynced_bytes == sum(len(frame.payload) for frame in frames[20:40])
    elsewhere.rename(folder)
    writer.write(frames[40:])
    assert writer.close().faults == ()
    assert list(Recording.open(folder)) == frames


def test_a_folder_that_is_removed_under_a_recording_is_a_fault_of_its_end(tmp_path: Path) -> None:
    writer = create(tmp_path / "night", never())
    writer.write(made_frames(20))
    shutil.rmtree(tmp_path / "night")
    report = writer.close()
    assert report.frames == 0
    assert any("No such file" in fault or "it is gone" in fault for fault in report.faults)
