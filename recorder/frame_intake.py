"""Where frames get their number, and where what cannot be kept is counted.

Theory. Everything that happens on any connection comes through `receive` or `mark`, on the event
loop, in the order in which it happened. There it becomes a frame with the next number, or it is
lost and counted; there is no third way. From here frames go two ways, the same frames in the same
order: to the writer in batches (every 50 ms or 256 KiB), and to the sinks at once (in the next
turn of the loop, so that no sink runs inside a socket's callback).

The budget is on what the writer has not yet written. Past it:

- What comes from outside (messages, HTTP answers) is not kept, not numbered and not shown to
  sinks; it is counted for its connection: frames, bytes, first and last receive time.
- Markers are always kept: there are few, they are small, and they are what the recording knows
  about itself. Before a marker of a connection, its loss is told of.
- Once the writer has caught up to `RESUME_SHARE` of the budget, a LOST marker goes in for every
  connection that lost something, and frames are kept again. (Without that distance, frames and
  LOST markers would alternate one by one at the limit.)

What may not happen: a number given twice or left out; a frame shown to a sink and not given to
the writer; a loss without a marker. So at every moment, for frames and for bytes:

    received = kept + lost, and lost = told of in LOST markers + not yet told of
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import ClockReading, Closed, Lines, Lost, Marker, Opened, marker_payload

log = logging.getLogger("tickreel.recorder")

BUDGET_BYTES = 256 * 2**20
BATCH_BYTES = 256 * 2**10
RESUME_SHARE = 0.75
FRAME_COST_BYTES = 256
"""What a frame takes in memory beside its payload; so empty frames are bounded too."""

_MARKER_KINDS: dict[type, FrameKind] = {
    Opened: FrameKind.OPENED,
    Closed: FrameKind.CLOSED,
    Lost: FrameKind.LOST,
    ClockReading: FrameKind.CLOCK,
    Lines: FrameKind.LINES,
}


class FrameSink(Protocol):
    """A place that frames go to, beside the recording."""

    def accept(self, frames: Sequence[Frame]) -> None:
        """Take frames that are being recorded, in order. Runs on the event loop; must not block."""


class FrameStore(Protocol):
    """What takes the batches off the loop: the writer."""

    @property
    def stored_cost(self) -> int:
        """The cost of all batches that are written, in bytes; only ever grows."""

    @property
    def disk_reason(self) -> str:
        """Why the disk could not be written at the last try, without any path; '' if it could."""

    def put(self, frames: list[Frame], cost: int) -> None:
        """Take a batch. Never blocks."""


@dataclass(slots=True)
class Loss:
    """What one connection lost since its last LOST marker."""

    venue: str
    frames: int
    bytes: int
    from_ns: int
    to_ns: int
    detail: str = ""


@dataclass(slots=True)
class IntakeCounts:
    """What came from outside. `received_frames == kept_frames + lost_frames`, always.

    `unknown_losses` are losses of unknown size: what an exchange did not send, or nobody counted.
    """

    received_frames: int = 0
    received_bytes: int = 0
    kept_frames: int = 0
    kept_bytes: int = 0
    lost_frames: int = 0
    lost_bytes: int = 0
    unknown_losses: int = 0

    def less(self, frames: int, size: int) -> IntakeCounts:
        """Return what it is when so much of what was kept could not be written in the end."""
        return IntakeCounts(
            received_frames=self.received_frames,
            received_bytes=self.received_bytes,
            kept_frames=self.kept_frames - frames,
            kept_bytes=self.kept_bytes - size,
            lost_frames=self.lost_frames + frames,
            lost_bytes=self.lost_bytes + size,
            unknown_losses=self.unknown_losses,
        )


class FrameIntake:
    """Numbers what comes, within a budget of memory."""

    def __init__(
        self,
        store: FrameStore,
        *,
        next_frame_number: int = 0,
        budget_bytes: int = BUDGET_BYTES,
        schedule: Callable[[Callable[[], None]], object] | None = None,
        clock: Callable[[], tuple[int, int]],
    ) -> None:
        self._store = store
        self._next_number = next_frame_number
        self._budget = budget_bytes
        self._resume = int(budget_bytes * RESUME_SHARE)
        self._schedule = schedule or asyncio.get_running_loop().call_soon
        self._clock = clock
        self._fresh: list[Frame] = []
        self._batch: list[Frame] = []
        self._batch_cost = 0
        self._cost = 0
        self._losses: dict[int, Loss] = {}
        self._losing = False
        self._sinks: list[FrameSink] = []
        self._reading_waits: ClockReading | None = None
        self._markers = 0
        self._kept_frames = 0
        self._kept_bytes = 0
        self._lost_frames = 0
        self._lost_bytes = 0
        self._unknown_losses = 0
        self.sink_faults: list[str] = []

    @property
    def next_frame_number(self) -> int:
        """The number that the next frame gets."""
        return self._next_number

    @property
    def queued_cost(self) -> int:
        """Bytes of memory in frames that are not yet written."""
        return self._cost - self._store.stored_cost

    @property
    def frames(self) -> int:
        """How many frames were numbered here, markers included."""
        return self._markers + self._kept_frames

    @property
    def losses_untold(self) -> dict[int, Loss]:
        """By connection, what is lost and not yet told of in a LOST marker."""
        return self._losses

    def oldest_fresh_ns(self) -> int | None:
        """Return the steady time of the oldest frame not yet given to the writer, if any."""
        waiting = self._batch or self._fresh
        return waiting[0].monotonic_time_ns if waiting else None

    def counts(self) -> IntakeCounts:
        """Return what came from outside and what became of it."""
        return IntakeCounts(
            received_frames=self._kept_frames + self._lost_frames,
            received_bytes=self._kept_bytes + self._lost_bytes,
            kept_frames=self._kept_frames,
            kept_bytes=self._kept_bytes,
            lost_frames=self._lost_frames,
            lost_bytes=self._lost_bytes,
            unknown_losses=self._unknown_losses,
        )

    def add_sink(self, sink: FrameSink) -> None:
        """Show all frames from now on to `sink` too."""
        self._sinks.append(sink)

    def remove_sink(self, sink: FrameSink) -> None:
        """Show no more frames to `sink`."""
        if sink in self._sinks:
            self._sinks.remove(sink)

    def receive(
        self,
        connection_id: int,
        venue: str,
        kind: FrameKind,
        receive_time_ns: int,
        monotonic_time_ns: int,
        payload: bytes,
    ) -> bool:
        """Keep what came from outside, if there is room; return whether it was kept."""
        size = len(payload)
        cost = size + FRAME_COST_BYTES
        if self._losing:
            self._keep_again_if_room((receive_time_ns, monotonic_time_ns))
        if self._losing or self._cost + cost - self._store.stored_cost > self._budget:
            self._lose(connection_id, venue, receive_time_ns, size)
            return False
        self._kept_frames += 1
        self._kept_bytes += size
        fresh = self._fresh
        if not fresh:
            self._begin_delivery((receive_time_ns, monotonic_time_ns))
        fresh.append(
            Frame(
                self._next_number,
                connection_id,
                venue,
                kind,
                receive_time_ns,
                monotonic_time_ns,
                payload,
            )
        )
        self._next_number += 1
        self._cost += cost
        self._batch_cost += cost
        return True

    def mark(
        self,
        connection_id: int,
        venue: str,
        marker: Marker,
        at: tuple[int, int] | None = None,
    ) -> None:
        """Put a marker in, after telling of what its connection lost before it."""
        if isinstance(marker, Lost) and marker.frames is None:
            self._unknown_losses += 1
        self._put_marker(
            connection_id, venue, _MARKER_KINDS[type(marker)], marker_payload(marker), at
        )

    def mark_lost(
        self, connection_id: int, venue: str, lost: Lost, at: tuple[int, int] | None = None
    ) -> None:
        """Put in and count a loss of messages that came, and could not be given in here."""
        self._lost_frames += lost.frames or 0
        self._lost_bytes += lost.bytes or 0
        self.mark(connection_id, venue, lost, at)

    def mark_sent(self, connection_id: int, venue: str, payload: bytes) -> None:
        """Put in what we are about to send; secrets have been removed from `payload`."""
        self._put_marker(connection_id, venue, FrameKind.SENT, payload, None)

    def mark_recorder(self, marker: Lost | ClockReading, at: tuple[int, int]) -> None:
        """Put in what the recorder says of itself.

        A reading of the clocks before anything else has come waits for that, and is put in with
        its time: a recorder to which nothing comes adds nothing to the recording it goes on with.
        """
        if isinstance(marker, ClockReading) and not self.frames:
            self._reading_waits = marker
        else:
            self.mark(0, RECORDER, marker, at)

    def tick(self) -> None:
        """Hand over what waits and tell of losses if there is room; every 50 ms or so."""
        if self._losing:
            self._keep_again_if_room(self._clock())
        self.deliver()
        self._hand_over()

    def tell_all_losses(self) -> None:
        """Put in a LOST marker for every loss, room or not; the last thing before the end."""
        self._tell_losses(self._clock())

    def deliver(self) -> None:
        """Give fresh frames to the writer's batch and then to the sinks."""
        fresh = self._fresh
        if not fresh:
            return
        self._fresh = []
        self._batch.extend(fresh)
        # The writer first: a sink that takes long must not keep frames from the disk.
        if self._batch_cost >= BATCH_BYTES:
            self._hand_over()
        for sink in list(self._sinks):
            try:
                sink.accept(fresh)
            except Exception as fault:  # noqa: BLE001 - a sink must never end a recording
                self._detach(sink, fresh, fault)

    def _begin_delivery(self, at: tuple[int, int]) -> None:
        """See to it that what comes now is delivered, after the reading that waited for it."""
        if self._reading_waits is not None:
            reading, self._reading_waits = self._reading_waits, None
            wall_time_ns, monotonic_time_ns = at
            reading = msgspec.structs.replace(
                reading, wall_time_ns=wall_time_ns, monotonic_time_ns=monotonic_time_ns
            )
            self._put_marker(0, RECORDER, FrameKind.CLOCK, marker_payload(reading), at)
        else:
            self._schedule(self.deliver)

    def _hand_over(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, []
            cost, self._batch_cost = self._batch_cost, 0
            self._store.put(batch, cost)

    def _detach(self, sink: FrameSink, frames: Sequence[Frame], fault: Exception) -> None:
        self._sinks.remove(sink)
        self.sink_faults.append(
            f"{type(sink).__name__} raised {fault!r} in frames {frames[0].frame_number:,} to "
            f"{frames[-1].frame_number:,} and gets no more frames; the recording goes on"
        )
        log.error("%s", self.sink_faults[-1], exc_info=fault)

    def _put_marker(
        self,
        connection_id: int,
        venue: str,
        kind: FrameKind,
        payload: bytes,
        at: tuple[int, int] | None,
    ) -> None:
        at = at or self._clock()
        if connection_id in self._losses:
            self._tell_loss(connection_id, at)
        if not self._fresh:
            self._begin_delivery(at)
        self._fresh.append(
            Frame(
                self._next_number,
                connection_id,
                venue,
                kind,
                *at,
                payload,
            )
        )
        self._next_number += 1
        self._markers += 1
        cost = len(payload) + FRAME_COST_BYTES
        self._cost += cost
        self._batch_cost += cost

    def _lose(self, connection_id: int, venue: str, receive_time_ns: int, size: int) -> None:
        if not self._losing:
            self._losing = True
            log.warning(
                "frames are not kept: %s bytes wait for the disk, which is the limit",
                f"{self.queued_cost:,}",
                extra={"event": "losing"},
            )
        self._lost_frames += 1
        self._lost_bytes += size
        loss = self._losses.get(connection_id)
        if loss is None:
            at_ns = receive_time_ns
            self._losses[connection_id] = Loss(
                venue, 1, size, at_ns, at_ns, self._store.disk_reason
            )
        else:
            loss.frames += 1
            loss.bytes += size
            loss.to_ns = receive_time_ns

    def _keep_again_if_room(self, at: tuple[int, int]) -> None:
        if self.queued_cost <= self._resume:
            self._losing = False
            self._tell_losses(at)
            log.warning(
                "frames are kept again; what was not kept is in LOST frames",
                extra={"event": "keeping"},
            )

    def _tell_losses(self, at: tuple[int, int]) -> None:
        for connection_id in list(self._losses):
            self._tell_loss(connection_id, at)

    def _tell_loss(self, connection_id: int, at: tuple[int, int]) -> None:
        loss = self._losses.pop(connection_id)
        marker = Lost(
            loss.frames, loss.bytes, loss.from_ns, loss.to_ns, "backpressure", loss.detail
        )
        self._put_marker(connection_id, loss.venue, FrameKind.LOST, marker_payload(marker), at)
