"""How a running capture stands: taken once a second, shown in several ways.

One `RunningStatus` is what `tickreel status` prints, what Prometheus scrapes, what the log says
each minute and what health is judged by, so that they cannot say different things. It holds
nothing secret: names of streams and venues, counts, ages, and sentences that were made for the log.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import msgspec

from book.finding import FindingKind
from cli.latency_gauge import LatencyCounts
from recorder.description import tool_version
from recorder.health import WAIT_LIMIT_S, DiskPulse, part_faults
from recorder.marker_tally import CauseTally, MarkerTally
from recorder.statistics import ConnectionStatistics, FrameRate, RecorderStatistics

if TYPE_CHECKING:
    from cli.capture_beside import CaptureBeside
    from cli.engine_process import EngineProcess
    from recorder.recorder import Recorder


class StreamStatus(msgspec.Struct, frozen=True):
    """One line of a stream; ages are None before a frame.

    Streams of one venue have one name: `number` tells them apart, from 1. `line` counts the lines
    of one stream, which bring the same, from 1.
    """

    stream: str
    number: int
    line: int
    venue: str
    state: str
    connection_id: int
    subscribed: bool
    connects: int
    disconnects: int
    failed_attempts: int
    frames: int
    bytes: int
    frames_per_s: float
    last_frame_age_s: float | None
    last_error: str

    @property
    def stream_text(self) -> str:
        """The stream, told apart from others of its name."""
        return self.stream if self.number == 1 else f"{self.stream} #{self.number}"


class EngineStanding(msgspec.Struct, frozen=True):
    """The engine beside the recorder. `behind_frames` were handed to it and not yet applied."""

    attached: bool
    frames: int
    behind_frames: int
    backlog_bytes: int
    books: int
    books_proven: int
    agent_failures: int
    findings: dict[FindingKind, int]
    latency: list[LatencyCounts]


class RunningStatus(msgspec.Struct, frozen=True):
    """How a capture stands at `wall_time_ns`.

    Attributes:
        faults: a sentence for each thing that is wrong with the capture itself; none is health.
        stopping: whether it was told to stop.
        running_s: for how long it has been running.
        lag_s: age of the oldest frame that is not yet written.
        losses: what was lost, by its cause.
        engine: None where the capture runs without.
    """

    pid: int
    version: str
    wall_time_ns: int
    running_s: float
    stopping: bool
    faults: list[str]
    frames: int
    frames_per_s: float
    received_frames: int
    received_bytes: int
    stored_frames: int
    lost_frames: int
    lag_s: float
    queue_bytes: int
    queue_limit_bytes: int
    disk_bytes: int
    disk_free_bytes: int | None
    disk_fault: str
    segments: int
    sealing_faults: list[str]
    snapshots_fetched: int
    snapshots_failed: int
    resubscriptions: int
    clock_steps: int
    last_clock_step_ns: int
    losses: dict[str, CauseTally]
    streams: list[StreamStatus]
    engine: EngineStanding | None

    @property
    def healthy(self) -> bool:
        """Whether bytes reach the disk and every part lives."""
        return not self.faults


class _StreamMeter:
    """Frames a second and the age of the last one, by the steady clock."""

    def __init__(self) -> None:
        self._rate = FrameRate()
        self._frames = 0
        self._last_s: float | None = None

    def measure(self, now_s: float, one: ConnectionStatistics) -> tuple[float, float | None]:
        self._rate.count(now_s, one.messages)
        if one.messages != self._frames:
            self._frames, self._last_s = one.messages, now_s
        return self._rate.per_s, None if self._last_s is None else now_s - self._last_s


class StatusTaker:
    """Takes the status of one capture, time and again."""

    def __init__(
        self,
        recorder: Recorder,
        engine: EngineProcess | None,
        beside: CaptureBeside,
        tally: MarkerTally,
    ) -> None:
        self._recorder = recorder
        self._beside = beside
        self._engine = engine
        self._tally = tally
        self._began_s = time.monotonic()
        self._pulse = DiskPulse(self._began_s)
        self._engine_pulse = DiskPulse(self._began_s)
        self._meters = [_StreamMeter() for _ in recorder.connections]
        self._version = tool_version()
        self.pulse_fault = ""
        self.disk_full = False
        self.stopping = False

    def take(self) -> RunningStatus:
        """Return how it stands now.

        `pulse_fault` says then why no bytes reach the disk, and `disk_full` whether it is full.
        """
        now_s = time.monotonic()
        told = self._recorder.statistics()
        self.pulse_fault = self._pulse.fault(now_s, told.stored_frames, told.lag_s)
        self.disk_full = told.disk_full
        faults = part_faults(told)
        if self.pulse_fault:
            faults.append(self.pulse_fault)
        engine = self._engine_standing()
        faults += self._engine_faults(now_s, engine)
        faults += self._beside.faults
        return RunningStatus(
            pid=os.getpid(),
            version=self._version,
            wall_time_ns=time.time_ns(),
            running_s=now_s - self._began_s,
            stopping=self.stopping,
            faults=faults,
            frames=told.frames,
            frames_per_s=told.frames_per_s,
            received_frames=told.intake.received_frames,
            received_bytes=told.intake.received_bytes,
            stored_frames=told.stored_frames,
            lost_frames=told.intake.lost_frames,
            lag_s=told.lag_s,
            queue_bytes=told.queue_bytes,
            queue_limit_bytes=told.budget_bytes,
            disk_bytes=told.disk_bytes,
            disk_free_bytes=told.disk_free_bytes,
            disk_fault=told.disk_fault,
            segments=told.segments,
            sealing_faults=list(told.sealing_faults),
            snapshots_fetched=told.snapshots_fetched,
            snapshots_failed=told.snapshots_failed,
            resubscriptions=told.resubscriptions,
            clock_steps=self._tally.clock_steps,
            last_clock_step_ns=self._tally.last_clock_step_ns,
            losses=dict(self._tally.losses),
            streams=self._streams(now_s, told),
            engine=engine,
        )

    def _streams(self, now_s: float, told: RecorderStatistics) -> list[StreamStatus]:
        numbers: dict[str, int] = {}
        streams: list[StreamStatus] = []
        for life, one, meter in zip(
            self._recorder.connections, told.connections, self._meters, strict=True
        ):
            # The lines of a stream follow each other, the first with the stream's own name.
            name = streams[-1].stream if life.line > 1 else one.stream
            if life.line == 1:
                numbers[name] = numbers.get(name, 0) + 1
            per_s, age_s = meter.measure(now_s, one)
            streams.append(
                StreamStatus(
                    stream=name,
                    number=numbers[name],
                    line=life.line,
                    venue=life.venue,
                    state=one.state,
                    connection_id=one.connection_id,
                    subscribed=one.subscribed,
                    connects=one.connects,
                    disconnects=one.disconnects,
                    failed_attempts=one.failed_attempts,
                    frames=one.messages,
                    bytes=one.bytes,
                    frames_per_s=per_s,
                    last_frame_age_s=age_s,
                    last_error=one.last_error,
                )
            )
        return streams

    def _engine_standing(self) -> EngineStanding | None:
        engine = self._engine
        if engine is None:
            return None
        status = engine.status
        applied = 0 if status is None else status.frames
        return EngineStanding(
            attached=engine.attached,
            frames=applied,
            behind_frames=max(0, engine.frames - applied),
            backlog_bytes=engine.backlog_bytes,
            books=0 if status is None else status.books,
            books_proven=0 if status is None else status.proven,
            agent_failures=engine.agent_failures,
            findings={} if status is None else status.findings,
            latency=[] if status is None else status.latency,
        )

    def _engine_faults(self, now_s: float, standing: EngineStanding | None) -> list[str]:
        if self._engine is None or standing is None or self.stopping:
            return []
        if not standing.attached:
            return [self._engine.fault or "the engine is not there"]
        # It tells its status after each batch: one that has frames and does not is not working.
        waits = standing.backlog_bytes > 0
        fault = self._engine_pulse.fault(now_s, standing.frames, WAIT_LIMIT_S if waits else 0.0)
        if waits and fault:
            return ["the engine has stood still for seconds, and frames wait for it"]
        return []
