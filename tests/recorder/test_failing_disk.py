"""Disks that stall, refuse or stay full, and parts of the recorder that die."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from recorder.disk import Disk
from recorder.errors import WriterFailedError
from recorder.recorder import Recorder
from recorder.recorder_settings import RecorderSettings
from recorder.recording_errors import JournalWriteError
from recorder.writer import SYNC_INTERVAL_S
from tests.recorder.tiny_venue import (
    count_up,
    frames_of,
    payloads,
    say_nothing,
    tiny_exchange,
    tiny_recorder,
    tiny_stream,
    until,
)
from venues.frame import Frame, FrameKind
from venues.marker import Lost, read_marker


class StallingDisk(Disk):
    """A disk that answers nothing of these calls until it may go on."""

    def __init__(self, *calls: str) -> None:
        self.calls = calls
        self.stalled = threading.Event()
        self.go_on = threading.Event()

    def write(self, descriptor: int, content: bytes | memoryview) -> int:
        self._wait("write")
        return super().write(descriptor, content)

    def sync(self, descriptor: int) -> None:
        self._wait("sync")
        super().sync(descriptor)

    def sync_content(self, descriptor: int) -> None:
        self._wait("sync_content")
        super().sync_content(descriptor)

    def _wait(self, call: str) -> None:
        if call in self.calls:
            self.stalled.set()
            self.go_on.wait(20.0)


def put_under(recorder: Recorder, disk: StallingDisk) -> None:
    recorder._recording._journal._journal._disk = disk


@pytest.mark.parametrize("call", ["write", "sync_content"])
async def test_a_stalled_disk_never_stops_reading_and_the_loss_is_exact(
    tmp_path: Path, call: str
) -> None:
    disk = StallingDisk(call)
    sent = 4_000

    async def talk(connection: ServerConnection) -> None:
        for number in range(sent):
            if number == 10 and call == "sync_content":
                # It comes once a second, and when the next is due the writer waits for it.
                await until(disk.stalled.is_set)
                await asyncio.sleep(SYNC_INTERVAL_S + 0.5)
            await connection.send(f"{number:08d} " + "x" * 291)

    settings = RecorderSettings(budget_bytes=400_000)
    async with tiny_exchange(talk) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url), settings=settings)
        await recorder.start()
        put_under(recorder, disk)
        await until(lambda: recorder.connections[0].messages == sent + 1, 20.0)
        now = recorder.statistics()
        assert disk.stalled.is_set()
        assert now.intake.lost_frames > 0
        assert now.queue_bytes <= 400_000
        disk.go_on.set()
        await until(lambda: recorder.statistics().queue_bytes == 0)
        report = await recorder.stop()
    frames = frames_of(tmp_path)
    received = [frame for frame in frames if frame.received]
    losses = [read_marker(frame, Lost) for frame in frames if frame.kind is FrameKind.LOST]
    assert {loss.cause for loss in losses} == {"backpressure"}
    assert len(received) + sum(loss.frames or 0 for loss in losses) == sent + 1
    stored_bytes = sum(len(frame.payload) for frame in received)
    assert stored_bytes + sum(loss.bytes or 0 for loss in losses) == sent * 300 + len("ok")
    assert report.lost_frames == sum(loss.frames or 0 for loss in losses)
    assert [frame.frame_number for frame in frames] == list(range(len(frames)))


@pytest.mark.parametrize("call", ["write", "sync_content", "sync"])
async def test_a_stop_comes_to_an_end_on_a_stalled_disk(tmp_path: Path, call: str) -> None:
    """In its writing, in its syncing, or (the last) only as the journal is closed."""
    disk = StallingDisk(call)
    async with tiny_exchange(count_up) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url))
        await recorder.start()
        await until(lambda: recorder.statistics().frames > 100)
        put_under(recorder, disk)
        if call != "sync":
            await until(disk.stalled.is_set)
        async with asyncio.timeout(15.0):
            report = await recorder.stop()
        assert disk.stalled.is_set()
        if call == "sync":
            assert "did not let the recording be closed" in report.sealing_faults[0]
        else:
            with pytest.raises(WriterFailedError, match="the disk does not answer"):
                await recorder.run()
        disk.go_on.set()


async def test_a_disk_that_refuses_for_a_while_loses_nothing_within_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def talk(connection: ServerConnection) -> None:
        for number in range(2_000):
            await connection.send(f"{number}")

    async with tiny_exchange(talk) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url))
        await recorder.start()
        write = recorder._recording.write
        refusals = 0

        def refusing(frames: Sequence[Frame]) -> None:
            nonlocal refusals
            if refusals < 3:
                refusals += 1
                some = len(frames) // 2
                write(frames[:some])
                full = OSError(errno.ENOSPC, "No space left on device")
                raise JournalWriteError(tmp_path / "journal", full, some, len(frames))
            write(frames)

        monkeypatch.setattr(recorder._recording, "write", refusing)
        await until(lambda: recorder.connections[0].messages == 2_001)
        await until(lambda: refusals == 3 and not recorder.statistics().disk_fault)
        report = await recorder.stop()
    assert report.lost_frames == 0
    texts = payloads(frames_of(tmp_path), FrameKind.TEXT)
    assert texts == [b"ok"] + [b"%d" % number for number in range(2_000)]


async def test_a_disk_that_stays_full_is_an_error_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(frames: Sequence[Frame]) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        raise JournalWriteError(tmp_path / "journal", full, 0, len(frames))

    monkeypatch.setattr("recorder.recorder.WRITE_OUT_LIMIT_S", 0.3)
    async with tiny_exchange(say_nothing) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url))
        await recorder.start()
        monkeypatch.setattr(recorder._recording, "write", refusing)
        running = asyncio.ensure_future(recorder.run())
        await until(lambda: "No space left" in recorder.statistics().disk_fault)
        recorder.stop()
        with pytest.raises(WriterFailedError, match="No space left on device"):
            await running


async def test_a_dead_writer_ends_the_recorder_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(frames: Sequence[Frame]) -> None:
        raise RuntimeError("a fault of ours")

    async with tiny_exchange(count_up) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url))
        await recorder.start()
        monkeypatch.setattr(recorder._recording, "write", dying)
        with pytest.raises(WriterFailedError, match="a fault of ours"):
            async with asyncio.timeout(5.0):
                await recorder.run()


@pytest.mark.parametrize("part", ["tickreel-tick", "tickreel-tiny"])
async def test_a_dead_task_ends_the_recorder_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fault(*ignored: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    if part == "tickreel-tick":
        monkeypatch.setattr("recorder.clock_watch.ClockWatch.tick", fault)
    else:
        monkeypatch.setattr("recorder.greeting.Greeting.verdict", fault)
    async with tiny_exchange(say_nothing) as url:
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(5.0):
                await tiny_recorder(tmp_path, tiny_stream(url)).run()
