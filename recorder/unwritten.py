"""What the last frames become when a recording has to end on a disk that takes no more.

The frames waiting in memory do not fit into what was put by; that they are missing does. In place
of what came from outside stands a LOST frame for each connection that had some, with exact counts,
before the connection's next marker (as `frame_intake` tells of losses too); markers stay, as they
are what the recording knows about itself. All of them are numbered anew from the next number on,
because a recording's numbers have no hole. Who was shown the frames live has seen more than what is
recorded, and other numbers at the very end.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from recorder.frame_intake import Loss
from venues.frame import Frame, FrameKind
from venues.marker import Lost, marker_payload


class LastWords:
    """The frames to write instead. `lost_frames` and `lost_bytes` are what they say is missing."""

    def __init__(self, unwritten: Iterable[Frame], next_frame_number: int, detail: str) -> None:
        self.frames: list[Frame] = []
        self.lost_frames = 0
        self.lost_bytes = 0
        self._next_number = next_frame_number
        self._detail = detail
        self._losses: dict[int, tuple[Loss, Frame]] = {}
        for frame in unwritten:
            if frame.received or frame.kind is FrameKind.HTTP:
                self._lose(frame)
            else:
                self._tell(frame.connection_id)
                self._add(frame)
        for connection_id in list(self._losses):
            self._tell(connection_id)

    def _lose(self, frame: Frame) -> None:
        size, time_ns = len(frame.payload), frame.receive_time_ns
        self.lost_frames += 1
        self.lost_bytes += size
        known = self._losses.get(frame.connection_id)
        loss = known[0] if known else Loss(frame.venue, 0, 0, time_ns, time_ns)
        loss.frames += 1
        loss.bytes += size
        loss.to_ns = time_ns
        self._losses[frame.connection_id] = loss, frame

    def _tell(self, connection_id: int) -> None:
        if connection_id not in self._losses:
            return
        loss, last = self._losses.pop(connection_id)
        marker = Lost(
            loss.frames, loss.bytes, loss.from_ns, loss.to_ns, "backpressure", self._detail
        )
        told = msgspec.structs.replace(last, kind=FrameKind.LOST, payload=marker_payload(marker))
        self._add(told)

    def _add(self, frame: Frame) -> None:
        self.frames.append(msgspec.structs.replace(frame, frame_number=self._next_number))
        self._next_number += 1
