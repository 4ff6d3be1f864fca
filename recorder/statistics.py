"""What a recorder says of itself while it runs, and when it has ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recorder.frame_intake import IntakeCounts
from recorder.lifecycle import Lifecycle
from venues.errors import TickreelError

RATE_WINDOW_S = 5.0


@dataclass(frozen=True, slots=True)
class ConnectionStatistics:
    """One connection: see `recorder.lifecycle.Lifecycle` for the meanings."""

    stream: str
    state: str
    connection_id: int
    subscribed: bool
    connects: int
    disconnects: int
    failed_attempts: int
    messages: int
    bytes: int
    last_message_time_ns: int | None
    last_error: str
    refusals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecorderStatistics:
    """A running recorder, at one moment.

    Attributes:
        frames: frames numbered so far, markers included.
        frames_per_s: over the last seconds.
        intake: what came from outside and what became of it.
        lag_s: age of the oldest frame that is not yet written.
        queue_bytes: memory in frames that are not yet written.
        disk_bytes: what segments and journals take on disk.
        disk_fault: why the disk cannot be written; '' while it can.
        sealing_faults: what went wrong in sealing.
        sink_faults: which sinks raised and were detached.
        snapshots_fetched: REST snapshots asked for; `snapshots_failed` of them without success.
        resubscriptions: snapshots asked for on the socket.
        connections: one entry a connection, in the order of the streams.
        stored_frames: frames that are written.
        budget_bytes: what `queue_bytes` may come to before frames are lost.
        disk_free_bytes: what is left on the disk, for us; None where that is not known.
        disk_full: whether `disk_fault` is for want of room.
        segments: sealed segments in the folder, a few seconds ago.
        ended: why the recorder is ending by itself; '' while it is not.
        stream_faults: why streams have ended.
        merged_frames: messages that another line had brought, or brought later: kept once.
        left_out_frames: messages of a line before it had joined the other one; none of them is a
            loss. What came on all connections is what was received, these two, and what waits.
        desk_faults: what went wrong, by our own fault, in fetching beside the streams.
    """

    frames: int
    frames_per_s: float
    intake: IntakeCounts
    lag_s: float
    queue_bytes: int
    disk_bytes: int
    disk_fault: str
    sealing_faults: tuple[str, ...]
    sink_faults: tuple[str, ...]
    snapshots_fetched: int
    snapshots_failed: int
    resubscriptions: int
    connections: tuple[ConnectionStatistics, ...]
    stored_frames: int = 0
    budget_bytes: int = 0
    disk_free_bytes: int | None = None
    disk_full: bool = False
    segments: int = 0
    ended: str = ""
    stream_faults: tuple[str, ...] = ()
    desk_faults: tuple[str, ...] = ()
    merged_frames: int = 0
    left_out_frames: int = 0

    @property
    def reconnects(self) -> int:
        """How many connections were made again after a loss."""
        return sum(max(0, one.connects - 1) for one in self.connections)


@dataclass(frozen=True, slots=True)
class RecorderReport:
    """What a recorder has done, once it has ended.

    Attributes:
        frames: frames recorded in this run, markers included.
        first_frame_number: of this run.
        intake: what came from outside and what became of it.
        segments: sealed segments of the whole recording.
        bytes_on_disk: of the whole recording.
        stream_faults: by stream, the error that ended it; empty if none was.
        sealing_faults: what went wrong in sealing.
        sink_faults: which sinks raised and were detached.
        connections: one entry a connection.
    """

    frames: int
    first_frame_number: int
    intake: IntakeCounts
    segments: int
    bytes_on_disk: int
    stream_faults: Mapping[str, TickreelError] = field(default_factory=dict)
    sealing_faults: tuple[str, ...] = ()
    sink_faults: tuple[str, ...] = ()
    connections: tuple[ConnectionStatistics, ...] = ()

    @property
    def lost_frames(self) -> int:
        """Frames that came and were not kept; each is in a LOST frame of the recording."""
        return self.intake.lost_frames


def connection_statistics(lives: Sequence[Lifecycle]) -> tuple[ConnectionStatistics, ...]:
    """Return the statistics of each connection."""
    return tuple(
        ConnectionStatistics(
            stream=life.stream,
            state=life.state.value,
            connection_id=life.connection_id,
            subscribed=life.subscribed,
            connects=life.connects,
            disconnects=life.disconnects,
            failed_attempts=life.failed_attempts,
            messages=life.messages,
            bytes=life.bytes,
            last_message_time_ns=life.last_message_time_ns,
            last_error=life.last_error,
            refusals=tuple(life.refusals),
        )
        for life in lives
    )


class FrameRate:
    """Frames a second over the last seconds, from counts taken now and then."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, int]] = deque()

    def count(self, now_s: float, frames: int) -> None:
        """Take down how many frames there were at `now_s`."""
        self._counts.append((now_s, frames))
        while len(self._counts) > 2 and now_s - self._counts[0][0] > RATE_WINDOW_S:
            self._counts.popleft()

    @property
    def per_s(self) -> float:
        """The rate, 0.0 while it is not known."""
        if len(self._counts) < 2:
            return 0.0
        (first_s, first), (last_s, last) = self._counts[0], self._counts[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0
