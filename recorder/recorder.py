"""Live streams of any venues into one recording.

Theory. One event loop, one writer thread, one folder:

    sockets -> conversations -> intake ─┬─> writer thread -> journal, segments
                                        └─> sinks (the engine), feed (`async for`)

Each connection plan of each stream is a task of its own; what befalls one does not touch the
others. A stream that the exchange refuses at the start ends alone, and the recorder goes on while
any is left. The recorder itself ends when it is told to (`stop`), after `duration_s`, when no
stream is left, or when a part of its own has died: the writer or a task of ours. It never looks
alive without writing.

Stopping: connections are closed in good order, all at once; then what is not yet told of a loss is
told; then the writer writes what waits and the recording is sealed.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from recorder.boot import boot_name
from recorder.clock_watch import ClockWatch
from recorder.closing import close_recording
from recorder.errors import RecorderError
from recorder.frame_feed import FrameFeed
from recorder.frame_intake import FrameIntake, FrameSink
from recorder.lifecycle import StateCallback
from recorder.own_thread import in_own_thread
from recorder.part_watch import PartWatch
from recorder.planned_connection import plan_streams
from recorder.recorder_settings import RecorderSettings
from recorder.recording import ClosingReport, RecordingWriter, Rotation
from recorder.statistics import (
    FrameRate,
    RecorderReport,
    RecorderStatistics,
    connection_statistics,
)
from recorder.stream_settings import StreamSettings, read_capture_settings
from recorder.streams import Streams
from recorder.writer import FrameWriter
from venues.marker import ClockReading
from venues.registry import venue_named
from venues.venue import SnapshotRequest, Venue

__all__ = ["Recorder", "RecorderSettings"]

log = logging.getLogger("tickreel.recorder")

TICK_S = 0.05
RATE_INTERVAL_S = 0.5
WRITE_OUT_LIMIT_S = 3.0
"""With the closing handshakes before it, a stop stays within 5 s even on a stalled disk."""


class Recorder:
    """Records streams into a folder, from `start` (or `async with`, or `run`) until it ends.

    Attributes:
        folder: where the recording lies.
        connections: the lifecycle of each connection, in the order of the streams.
        report: what was done; None until it has ended.

    Raises:
        UnknownVenueError, UnknownChannelError, UnknownSymbolError: in what was asked for.
        CredentialsError: a private channel is asked for and its keys are not there.
    """

    def __init__(
        self,
        streams: Sequence[StreamSettings],
        folder: Path,
        settings: RecorderSettings | None = None,
        *,
        venues: Callable[[str], Venue] = venue_named,
    ) -> None:
        self.folder = Path(folder)
        self._settings = settings = settings or RecorderSettings()
        self._asked_for: dict[str, object] = {"streams": [one.described() for one in streams]}
        if settings.engine:
            self._asked_for["engine"] = dict(settings.engine)
        self._planned = plan_streams(streams, venues)
        self.connections = tuple(planned.life for planned in self._planned)
        self.report: RecorderReport | None = None
        self._chance = random.Random(settings.seed)  # noqa: S311 - jitter, no secret
        self._sinks: list[FrameSink] = []
        self._watch = PartWatch()
        self._rate = FrameRate()
        self._started = False
        self._begun = asyncio.Event()
        self._ended = asyncio.Event()
        self._stopping: asyncio.Task[RecorderReport] | None = None
        self._feed: FrameFeed | None = None

    @classmethod
    def from_toml(cls, path: str | Path, folder: str | Path | None = None) -> Recorder:
        """Make a recorder from a settings file; `folder` goes before the one that it names.

        Raises:
            StreamSettingsError: the file cannot be used, or no folder is named.
        """
        capture = read_capture_settings(path)
        recording = capture.recording
        place = folder or recording.folder or Path(path).with_suffix("")
        settings = RecorderSettings(
            rotation=Rotation(recording.rotate_bytes, recording.rotate_interval_s),
            budget_bytes=recording.budget_bytes,
            min_free_bytes=recording.min_free_bytes,
            keeps=recording.keeps(),
            engine=capture.engine,
        )
        return cls(capture.stream, Path(place), settings)

    # What goes on.

    def add_sink(self, sink: FrameSink) -> None:
        """Show every frame that is recorded from now on to `sink`, in order, on the event loop."""
        self._sinks.append(sink)
        if self._started:
            self._intake.add_sink(sink)

    def on_state(self, callback: StateCallback) -> None:
        """Call `callback` when any connection changes its state."""
        for life in self.connections:
            life.on_state(callback)

    def request_snapshot(self, request: SnapshotRequest) -> None:
        """See to a fresh snapshot of a book, unless its connection is gone: a new one has one."""
        self._streams.request_snapshot(request)

    def statistics(self) -> RecorderStatistics:
        """Return how it goes, at this moment. Only after `start`."""
        intake, writer = self._intake, self._writer
        oldest_ns = writer.oldest_unwritten_ns()
        if oldest_ns is None:
            oldest_ns = intake.oldest_fresh_ns()
        lag_s = 0.0 if oldest_ns is None else (time.monotonic_ns() - oldest_ns) / 1e9
        return RecorderStatistics(
            frames=intake.frames,
            frames_per_s=self._rate.per_s,
            intake=intake.counts(),
            lag_s=max(0.0, lag_s),
            queue_bytes=intake.queued_cost,
            disk_bytes=writer.size.disk_bytes,
            disk_fault=writer.disk_fault,
            sealing_faults=tuple(writer.sealing_faults),
            sink_faults=tuple(intake.sink_faults),
            snapshots_fetched=self._streams.desk.fetches,
            snapshots_failed=self._streams.desk.failures,
            resubscriptions=self._streams.desk.resubscriptions,
            connections=connection_statistics(self.connections),
            stored_frames=writer.stored_frames,
            budget_bytes=self._settings.budget_bytes,
            disk_free_bytes=writer.disk_free_bytes,
            disk_full=writer.disk_full,
            segments=writer.size.segments,
            ended=self._watch.ended,
            stream_faults=tuple(map(str, self._watch.stream_faults.values())),
            merged_frames=self._streams.merged_frames,
            left_out_frames=self._streams.left_out_frames,
            desk_faults=(*self._streams.desk.faults, *self._streams.instruments.faults),
        )

    # Beginning and end.

    async def start(self) -> None:
        """Open the recording and begin to connect.

        Raises:
            RecorderError: the folder cannot be recorded into (see `RecordingWriter.create`).
        """
        assert not self._started, "a recorder is started once"
        try:
            recording = await in_own_thread(
                lambda: RecordingWriter.create(
                    self.folder,
                    asked_for=self._asked_for,
                    rotation=self._settings.rotation,
                    min_free_bytes=self._settings.min_free_bytes,
                    keeps=self._settings.keeps,
                )
            )
        except BaseException:
            if self._stopping is not None:  # it waits for what will never begin
                self._stopping.cancel()
            raise
        self._started = True
        self._recording = recording
        self._first_frame_number = recording.next_frame_number
        self._clock = ClockWatch(self._record_reading, boot_name(recording.recording_id))
        self._writer = FrameWriter(recording, self.folder)
        self._writer.start()
        self._intake = FrameIntake(
            self._writer,
            next_frame_number=recording.next_frame_number,
            budget_bytes=self._settings.budget_bytes,
            clock=self._clock.read,
        )
        self._streams = Streams(
            self._intake,
            self._clock.read,
            self._settings,
            self._chance,
            self._watch,
            next_connection_id=recording.next_connection_id,
            ended=self._end,
        )
        for sink in self._sinks:
            self._intake.add_sink(sink)
        self._ticking = asyncio.create_task(self._tick(), name="tickreel-tick")
        self._ticking.add_done_callback(self._part_ended)
        self._streams.start(self._planned)
        self._begun.set()

    async def run(self, duration_s: float | None = None) -> RecorderReport:
        """Record until told to stop, for `duration_s`, or until nothing is left to record.

        Raises:
            ConnectError, LoginRefusedError, SubscriptionRefusedError: no stream could be recorded.
            WriterFailedError: the recording could not be written.
            RecorderError: the folder cannot be recorded into.
        """
        if not self._started:
            await self.start()
        try:
            async with asyncio.timeout(duration_s):
                await self._ended.wait()
        except TimeoutError:
            log.info("the time asked for is over")
        finally:
            report = await self.stop()
        if self._watch.fatal is not None:
            raise self._watch.fatal
        return report

    @property
    def stopping(self) -> bool:
        """Whether it has begun to stop, or has stopped."""
        return self._stopping is not None

    def stop(self) -> Awaitable[RecorderReport]:
        """Begin to stop, and return what the report can be awaited from.

        It may be called from a signal handler of the event loop, and again at any time; before or
        during `start`, the recorder ends as soon as it has begun.
        """
        if self._stopping is None:
            self._watch.stopping = True
            self._stopping = asyncio.ensure_future(self._stop())
        return asyncio.shield(self._stopping)

    async def __aenter__(self) -> Self:
        """Start; frames are kept for `async for` from the first one on."""
        self._feed = FrameFeed(self._settings.feed_bytes)
        self._sinks.append(self._feed)
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, and raise what ended the recorder if nothing else is being raised."""
        await self.stop()
        if self._watch.fatal is not None and exc_value is None:
            raise self._watch.fatal

    def __aiter__(self) -> FrameFeed:
        """Return the frames as they are recorded; inside `async with` only."""
        if self._feed is None:
            raise RuntimeError("iterate inside `async with recorder`, which starts it")
        return self._feed

    # Parts.

    def _record_reading(self, reading: ClockReading) -> None:
        at = (reading.wall_time_ns, reading.monotonic_time_ns)
        self._intake.mark_recorder(reading, at)

    async def _tick(self) -> None:
        counted_s = float("-inf")
        while True:
            self._clock.tick()
            self._streams.tick()
            self._intake.tick()
            if not self._writer.alive:
                raise self._writer.failure()
            now_s = time.monotonic()
            if now_s - counted_s >= RATE_INTERVAL_S:
                counted_s = now_s
                self._rate.count(now_s, self._intake.frames)
            await asyncio.sleep(TICK_S)

    def _part_ended(self, task: asyncio.Task[None]) -> None:
        self._watch.part_ended(task)
        self._end()

    def _end(self) -> None:
        self._ended.set()
        if self._feed is not None and self._stopping is None:
            self.stop()

    async def _stop(self) -> RecorderReport:
        self._ended.set()
        await self._begun.wait()
        await self._streams.stop()
        self._ticking.cancel()
        await asyncio.gather(self._ticking, return_exceptions=True)
        self._intake.tell_all_losses()
        self._intake.tick()
        if self._feed is not None:
            self._feed.end()
        closing = await self._close_recording()
        self.report = RecorderReport(
            frames=self._recording.next_frame_number - self._first_frame_number,
            first_frame_number=self._first_frame_number,
            intake=self._intake.counts().less(
                self._writer.given_up_frames, self._writer.given_up_bytes
            ),
            segments=0 if closing is None else closing.segments,
            bytes_on_disk=0 if closing is None else closing.bytes_on_disk,
            stream_faults=dict(self._watch.stream_faults),
            sealing_faults=() if closing is None else closing.faults,
            sink_faults=tuple(self._intake.sink_faults),
            connections=connection_statistics(self.connections),
        )
        return self.report

    async def _close_recording(self) -> ClosingReport | None:
        try:
            await in_own_thread(lambda: self._writer.end(WRITE_OUT_LIMIT_S))
        except RecorderError as fault:
            self._watch.fatal = self._watch.fatal or fault
        if self._writer.alive:
            return None  # stuck in the disk: the recording is its thread's until the process ends
        complete = self._writer.stored_frames == self._writer.put_frames
        return await close_recording(self._recording, complete=complete)
