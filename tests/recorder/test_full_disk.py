"""A real disk that fills up: nothing silent, nothing uncounted, and on again when there is room."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from recorder.disk import Disk
from recorder.disk_room import RESERVE_BYTES
from recorder.errors import WriterFailedError
from recorder.recorder import Recorder
from recorder.recorder_settings import RecorderSettings
from recorder.recording import RecordingWriter
from recorder.recording_errors import DiskFullError, JournalWriteError
from recorder.recovery import recover
from replay.recording import Recording
from tests.recorder.failing_disk import FailingDisk
from tests.recorder.made_frames import made_frames
from tests.recorder.tiny_disk import tiny_disk
from tests.recorder.tiny_venue import (
    frames_of,
    tiny_exchange,
    tiny_recorder,
    tiny_stream,
    until,
)
from venues.frame import Frame, FrameKind
from venues.marker import CRASH, Lost, read_marker

MESSAGE = os.urandom(300).hex()
BUDGET_BYTES = 1_000_000


def free_bytes(disk: Path) -> int:
    status = os.statvfs(disk)
    return status.f_bavail * status.f_frsize


def fill(disk: Path, leave: int = 0) -> None:
    """Take what is free, but for so much."""
    with (disk / "ballast").open("ab") as ballast:
        os.posix_fallocate(ballast.fileno(), ballast.tell(), free_bytes(disk) - leave)


async def talk(connection: ServerConnection) -> None:
    """Send what does not compress, as long as anyone listens."""
    while True:
        await connection.send(os.urandom(300))


def told(frames: list[Frame]) -> tuple[int, int, int]:
    """Return what is kept and what is told as lost, in frames, and how many losses there are."""
    losses = [read_marker(frame, Lost) for frame in frames if frame.kind is FrameKind.LOST]
    assert {loss.cause for loss in losses} <= {"backpressure"}
    kept = sum(frame.received for frame in frames)
    return kept, sum(loss.frames or 0 for loss in losses), len(losses)


async def filled_and_freed(disk: Path, recorder: Recorder) -> None:
    """Fill the disk under a recorder until it loses what comes, and free it again."""
    lost = recorder.statistics().intake.lost_frames
    fill(disk, leave=2 << 20)
    await until(lambda: "are free on this disk" in recorder.statistics().disk_fault)
    await until(lambda: recorder.statistics().intake.lost_frames > lost + 1_000)
    assert free_bytes(disk) >= 1 << 20
    assert recorder.statistics().disk_fault
    messages = recorder.connections[0].messages
    await until(lambda: recorder.connections[0].messages > messages + 1_000)
    (disk / "ballast").unlink()
    await until(lambda: not recorder.statistics().disk_fault)
    kept = recorder.statistics().intake.kept_frames
    await until(lambda: recorder.statistics().intake.kept_frames > kept + 1_000)


async def test_a_disk_that_fills_five_times_keeps_the_socket_counts_and_goes_on_with_space(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = RecorderSettings(budget_bytes=BUDGET_BYTES, min_free_bytes=1 << 20)
    with tiny_disk(tmp_path / "disk", "80m") as disk:
        async with tiny_exchange(talk) as url:
            recorder = tiny_recorder(disk / "night", tiny_stream(url), settings=settings)
            await recorder.start()
            await until(lambda: recorder.statistics().frames > 100)
            with caplog.at_level(logging.WARNING, "tickreel"):
                for _ in range(5):
                    await filled_and_freed(disk, recorder)
            report = await recorder.stop()
        assert recorder.connections[0].connects == 1
        frames = frames_of(disk / "night")
    kept, lost, losses = told(frames)
    assert losses >= 5
    assert lost == report.lost_frames == report.intake.lost_frames
    assert kept + lost == report.intake.received_frames
    details = [read_marker(f, Lost).detail for f in frames if f.kind is FrameKind.LOST]
    assert "1.0 MB of the disk are left free" in details
    complaints = [r for r in caplog.records if "could not be written" in r.getMessage()]
    assert len(complaints) == 1


async def test_a_recording_that_ends_on_a_full_disk_says_what_is_missing(tmp_path: Path) -> None:
    settings = RecorderSettings(budget_bytes=BUDGET_BYTES, min_free_bytes=0)
    with tiny_disk(tmp_path / "disk", "16m") as disk:
        async with tiny_exchange(talk) as url:
            recorder = tiny_recorder(disk / "night", tiny_stream(url), settings=settings)
            await recorder.start()
            await until(lambda: recorder.statistics().frames > 100)
            assert (disk / "night" / ".reserve").stat().st_size == RESERVE_BYTES
            fill(disk)
            await until(lambda: recorder.statistics().intake.lost_frames > 1_000)
            assert "No space left on device" in recorder.statistics().disk_fault
            assert free_bytes(disk) == 0
            report = await recorder.stop()
        assert report.lost_frames > 1_000
        frames = frames_of(disk / "night")
        kept, lost, _ = told(frames)
        assert lost == report.lost_frames
        assert kept == report.intake.kept_frames
        assert kept + lost == report.intake.received_frames
        assert [frame.frame_number for frame in frames] == list(range(len(frames)))
        assert len(frames) == report.frames
        assert frames[-1].kind in (FrameKind.CLOSED, FrameKind.LOST)
        (disk / "ballast").unlink()
        recover(disk / "night")
        assert frames_of(disk / "night") == frames


async def test_an_end_that_cannot_even_be_written_is_a_loss_of_unknown_size(tmp_path: Path) -> None:
    settings = RecorderSettings(budget_bytes=BUDGET_BYTES)
    async with tiny_exchange(talk) as url:
        recorder = tiny_recorder(tmp_path / "night", tiny_stream(url), settings=settings)
        await recorder.start()
        await until(lambda: recorder.statistics().frames > 100)
        journal = recorder._recording._journal._journal
        journal._disk = FailingDisk(lambda call, _: errno.ENOSPC if call == "write" else None)
        await until(lambda: recorder.statistics().intake.lost_frames > 1_000)
        recorder.stop()
        with pytest.raises(WriterFailedError, match="No space left on device"):
            await recorder.run()
    last = frames_of(tmp_path / "night")[-1]
    assert read_marker(last, Lost).cause == CRASH


def test_a_recording_does_not_begin_where_there_is_no_room(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "2m") as disk:
        with pytest.raises(DiskFullError, match=r"a recording leaves 1,073\.7 MB"):
            RecordingWriter.create(disk / "night", asked_for={})
        RecordingWriter.create(disk / "night", asked_for={}, min_free_bytes=1 << 20).close()


@pytest.mark.parametrize("size", ["600k", "1m"])
def test_a_disk_that_is_filled_to_the_brim_keeps_all_that_was_taken(
    tmp_path: Path, size: str
) -> None:
    with tiny_disk(tmp_path / "disk", size) as disk:
        writer = RecordingWriter.create(disk / "night", asked_for={}, min_free_bytes=0)
        frames = made_frames(4_000, payload_bytes=1_000)
        with pytest.raises(JournalWriteError, match="No space left on device"):
            writer.write(frames)
        taken = writer.next_frame_number
        assert list(Recording.open(disk / "night")) == frames[:taken]
        fill(disk)
        os.truncate(disk / "ballast", 0)
        writer.write(frames[taken : taken + 1])
        writer._journal.abandon()
        writer._lock.release()
        assert [f for f in Recording.open(disk / "night") if f.received] == frames[: taken + 1]


class AlwaysFull(Disk):
    """Journals are /dev/full."""

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        return os.open("/dev/full", os.O_WRONLY) if path.suffix == ".zst" else os.open(path, flags)


def test_dev_full_is_told_as_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(JournalWriteError, match="No space left on device") as told:
        RecordingWriter.create(tmp_path / "night", asked_for={}, disk=AlwaysFull())
    assert told.value.errno == errno.ENOSPC
