"""The recorder as a whole: connections over time, stopping, and what is seen meanwhile."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from recorder.boot import LINUX_BOOT_ID, boot_name
from recorder.connection import ConnectSettings
from recorder.errors import (
    ConnectError,
    ConsumerTooSlowError,
    HostUnreachableError,
)
from recorder.lifecycle import ConnectionState, Lifecycle
from recorder.recorder_settings import RecorderSettings
from recorder.recording import Rotation
from recorder.recording_errors import NotARecordingError
from replay.recording import Recording
from tests.recorder.tiny_venue import (
    capturing,
    count_up,
    frames_of,
    free_port,
    say_nothing,
    tiny_exchange,
    tiny_recorder,
    tiny_stream,
    until,
)
from venues.frame import Frame, FrameKind
from venues.marker import ClockReading, Closed, Opened, read_marker


async def test_a_reconnect_is_a_new_connection_with_the_next_number(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send("one")
        await connection.close(1001, "again")

    async with tiny_exchange(talk) as url, capturing(tmp_path, tiny_stream(url)) as recorder:
        await until(lambda: recorder.connections[0].disconnects >= 3, 20.0)
    frames = frames_of(tmp_path)
    opened = [frame for frame in frames if frame.kind is FrameKind.OPENED]
    assert [frame.connection_id for frame in opened][:3] == [1, 2, 3]
    assert [read_marker(frame, Opened).attempt for frame in opened][:3] == [1, 2, 3]
    for number in (1, 2, 3):
        kinds = [frame.kind for frame in frames if frame.connection_id == number]
        assert kinds[0] is FrameKind.OPENED
        assert kinds[-1] is FrameKind.CLOSED
        assert kinds.count(FrameKind.TEXT) == 2


async def test_numbering_goes_on_when_the_same_folder_is_recorded_into_again(
    tmp_path: Path,
) -> None:
    for _ in range(2):
        async with (
            tiny_exchange(say_nothing) as url,
            capturing(tmp_path, tiny_stream(url)) as recorder,
        ):
            await until(lambda: recorder.connections[0].messages == 1)
    frames = frames_of(tmp_path)
    assert [frame.frame_number for frame in frames] == list(range(len(frames)))
    opened = [frame.connection_id for frame in frames if frame.kind is FrameKind.OPENED]
    assert opened == [1, 2]


async def test_the_states_of_a_connection_are_told_in_order(tmp_path: Path) -> None:
    moves: list[tuple[ConnectionState, ConnectionState]] = []
    cut = asyncio.Event()

    async def talk(connection: ServerConnection) -> None:
        await cut.wait()
        if not moves or len(moves) < 3:
            connection.transport.abort()

    def watch(life: Lifecycle, left: ConnectionState, entered: ConnectionState) -> None:
        moves.append((left, entered))

    async with tiny_exchange(talk) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url))
        recorder.on_state(watch)
        await recorder.start()
        await until(lambda: recorder.connections[0].subscribed)
        cut.set()
        await until(lambda: recorder.connections[0].connects == 2)
        await recorder.stop()
    states = [entered.name for _, entered in moves]
    assert states == [
        *("CONNECTING", "CONNECTED", "RECONNECTING", "CONNECTING", "CONNECTED"),
        *("CLOSING", "DISCONNECTED"),
    ]


async def test_streams_that_go_well_go_on_beside_one_that_is_refused(tmp_path: Path) -> None:
    port = free_port()
    async with tiny_exchange(count_up) as url:
        refused = tiny_stream(f"ws://127.0.0.1:{port}", symbol="ETH")
        recorder = tiny_recorder(tmp_path, tiny_stream(url), refused)
        running = asyncio.ensure_future(recorder.run())
        await until(lambda: recorder.connections[0].messages > 500)
        report = await recorder.stop()
        assert await running == report
    assert isinstance(report.stream_faults["tiny"], HostUnreachableError)
    assert report.intake.kept_frames > 500


async def test_stopping_under_load_is_quick_and_leaves_a_sealed_recording(tmp_path: Path) -> None:
    async with tiny_exchange(count_up) as url:
        recorder = tiny_recorder(tmp_path, *[tiny_stream(url, symbol=f"C{n}") for n in range(4)])
        await recorder.start()
        await until(lambda: sum(life.messages for life in recorder.connections) > 5_000)
        began_s = time.monotonic()
        report = await recorder.stop()
        assert time.monotonic() - began_s < 5.0
    assert not list((tmp_path / "journal").glob("*.zst"))
    frames = frames_of(tmp_path)
    assert len(frames) == report.frames
    closed = [read_marker(frame, Closed) for frame in frames if frame.kind is FrameKind.CLOSED]
    assert [(one.reason, one.by_us, one.stopped) for one in closed] == [("stopped", True, True)] * 4


async def test_stop_may_be_called_again_and_gives_the_same_report(tmp_path: Path) -> None:
    async with tiny_exchange(say_nothing) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url))
        await recorder.start()
        first, second = recorder.stop(), recorder.stop()
        assert await first is await second


async def test_a_stop_before_the_start_ends_the_recorder_as_soon_as_it_has_begun(
    tmp_path: Path,
) -> None:
    async with tiny_exchange(count_up) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url))
        stopped = recorder.stop()
        report = await recorder.run()
        assert await stopped is report
    assert not list((tmp_path / "journal").glob("*.zst"))
    assert len(frames_of(tmp_path)) == report.frames


async def test_a_stop_during_the_start_ends_the_recorder(tmp_path: Path) -> None:
    async with tiny_exchange(count_up) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url))
        running = asyncio.ensure_future(recorder.run())
        await until(lambda: (tmp_path / ".lock").exists())
        stopped = recorder.stop()
        assert await stopped is await running
    assert not list((tmp_path / "journal").glob("*.zst"))


async def test_a_stop_does_not_wait_for_a_start_that_fails(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    recorder = tiny_recorder(tmp_path, tiny_stream("ws://127.0.0.1:1"))
    stopped = recorder.stop()
    with pytest.raises(NotARecordingError):
        await recorder.run()
    with pytest.raises(asyncio.CancelledError):
        await stopped


async def test_a_duration_ends_the_run(tmp_path: Path) -> None:
    async with tiny_exchange(count_up) as url:
        report = await tiny_recorder(tmp_path, tiny_stream(url)).run(0.3)
    assert report.frames == len(frames_of(tmp_path))


async def test_sinks_get_exactly_the_recording(tmp_path: Path) -> None:
    class Sink:
        def __init__(self) -> None:
            self.frames: list[Frame] = []

        def accept(self, frames: Sequence[Frame]) -> None:
            self.frames.extend(frames)

    sink = Sink()
    async with tiny_exchange(count_up) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url))
        recorder.add_sink(sink)
        await recorder.run(0.3)
    assert len(sink.frames) > 100
    assert sink.frames == frames_of(tmp_path)


async def test_frames_can_be_iterated_over_as_they_are_recorded(tmp_path: Path) -> None:
    async with tiny_exchange(count_up) as url:
        seen: list[Frame] = []
        async with tiny_recorder(tmp_path, tiny_stream(url)) as recorder:
            async for frame in recorder:
                seen.append(frame)
                if len(seen) == 300:
                    recorder.stop()
    assert seen == frames_of(tmp_path)


async def test_a_consumer_that_is_too_slow_loses_the_feed_and_not_the_recording(
    tmp_path: Path,
) -> None:
    settings = RecorderSettings(feed_bytes=50_000)
    async with tiny_exchange(count_up) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url), settings=settings)
        async with recorder:
            await until(lambda: recorder.connections[0].messages > 500)
            with pytest.raises(ConsumerTooSlowError, match="replay it instead"):
                async for _ in recorder:
                    pass
            seen = recorder.connections[0].messages
            await until(lambda: recorder.connections[0].messages > seen + 100)
    assert recorder.report is not None
    assert recorder.report.frames == len(frames_of(tmp_path))


async def test_the_end_of_a_recorder_that_failed_is_the_end_of_its_frames(tmp_path: Path) -> None:
    port = free_port()

    async def consume() -> None:
        async with tiny_recorder(tmp_path, tiny_stream(f"ws://127.0.0.1:{port}")) as recorder:
            async for frame in recorder:
                assert frame.kind is FrameKind.CLOCK

    with pytest.raises(ConnectError):
        await consume()


async def test_statistics_show_what_goes_on(tmp_path: Path) -> None:
    async with tiny_exchange(count_up) as url, capturing(tmp_path, tiny_stream(url)) as recorder:
        await until(lambda: recorder.statistics().frames_per_s > 0.0)
        await until(lambda: recorder.statistics().disk_bytes > 0)
        now = recorder.statistics()
        # It only grows until it is sealed, and the reserve of 1 MiB is no part of it.
        assert now.disk_bytes <= Recording.open(tmp_path).bytes_on_disk
    assert now.frames > 0
    assert now.intake.received_frames == now.intake.kept_frames
    assert 0.0 <= now.lag_s < 5.0
    assert now.connections[0].state == "connected"
    assert now.connections[0].connection_id == 1
    assert now.disk_fault == ""
    assert now.reconnects == 0


async def test_a_recording_begins_with_a_reading_of_the_clocks(tmp_path: Path) -> None:
    async with (
        tiny_exchange(say_nothing) as url,
        capturing(tmp_path, tiny_stream(url)) as recorder,
    ):
        await until(lambda: recorder.connections[0].subscribed)
    first = frames_of(tmp_path)[0]
    reading = read_marker(first, ClockReading)
    assert first.connection_id == 0
    assert reading.step_ns == 0
    assert reading.wall_time_ns == first.receive_time_ns


async def test_sessions_of_one_boot_name_it_alike_and_other_recordings_otherwise(
    tmp_path: Path,
) -> None:
    async with tiny_exchange(say_nothing) as url:
        for folder in ("one", "one", "other"):
            async with capturing(tmp_path / folder, tiny_stream(url)) as recorder:
                await until(lambda: recorder.connections[0].subscribed)
    names = {
        folder: [
            read_marker(frame, ClockReading).boot
            for frame in frames_of(tmp_path / folder)
            if frame.kind is FrameKind.CLOCK
        ]
        for folder in ("one", "other")
    }
    assert len(names["one"]) >= 2
    assert len(set(names["one"])) == 1
    if LINUX_BOOT_ID.exists():
        assert len(names["one"][0]) == 16
        assert set(names["one"]).isdisjoint(names["other"])


def test_a_boot_without_a_name_has_none(tmp_path: Path) -> None:
    (tmp_path / "unreadable").write_bytes(b"\xff\xfe")
    assert boot_name("a" * 32, tmp_path / "unreadable") == ""
    assert boot_name("a" * 32, tmp_path / "missing") == ""


async def test_rotation_goes_on_while_frames_come(tmp_path: Path) -> None:
    settings = RecorderSettings(rotation=Rotation(bytes_max=200_000, interval_s=3600))
    async with tiny_exchange(count_up) as url:
        recorder = tiny_recorder(tmp_path, tiny_stream(url), settings=settings)
        await recorder.start()
        await until(lambda: len(list((tmp_path / "frames").rglob("*.parquet"))) >= 2, 20.0)
        report = await recorder.stop()
    assert report.sealing_faults == ()
    frames = frames_of(tmp_path)
    assert [frame.frame_number for frame in frames] == list(range(report.frames))


CAPTURE = """
import asyncio, signal, sys
from pathlib import Path
from recorder.recorder import Recorder
from tests.recorder.tiny_venue import TinyVenue, tiny_stream

async def main():
    recorder = Recorder([tiny_stream(sys.argv[1])], Path(sys.argv[2]), venues=lambda n: TinyVenue())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, recorder.stop)
    print("up", flush=True)
    report = await recorder.run()
    print(report.frames, flush=True)

asyncio.run(main())
"""


async def test_sigterm_under_load_drains_seals_and_exits_with_0(tmp_path: Path) -> None:
    async with tiny_exchange(count_up) as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CAPTURE, url, str(tmp_path)),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        await process.stdout.readline()
        await until(lambda: any((tmp_path / "journal").glob("*.zst")))
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10.0):
            last, _ = await process.communicate()
    assert process.returncode == 0
    frames = frames_of(tmp_path)
    assert len(frames) == int(last)
    assert len(frames) > 100
    assert frames[-1].kind is FrameKind.CLOSED


async def test_many_connections_of_many_streams_share_one_numbering(tmp_path: Path) -> None:
    async with tiny_exchange(count_up) as first, tiny_exchange(count_up) as second:
        streams = [tiny_stream(url, symbol=f"C{n}") for n, url in enumerate((first, second) * 3)]
        async with capturing(tmp_path, *streams) as recorder:
            await until(lambda: all(life.messages > 100 for life in recorder.connections))
    frames = frames_of(tmp_path)
    assert [frame.frame_number for frame in frames] == list(range(len(frames)))
    for number in range(1, 7):
        texts = [f.payload for f in frames if f.connection_id == number and f.received]
        expected = [b"%08d " % n + b"x" * 291 for n in range(len(texts) - 1)]
        assert texts == [b"ok", *expected]


def test_settings_of_connecting_are_the_guide_s() -> None:
    settings = ConnectSettings()
    assert settings.ping_interval_s == 20.0
    assert settings.ping_limit_s == 10.0
    assert settings.message_bytes_max == 16 * 2**20
