"""Several sequences of frames, made one.

Within one recording the venues' segments are joined by frame number, which is the recording's
total order. Several recordings are joined by receive time, then by their order in the list; the
order within a recording is never changed, so a wall clock that stepped back holds up its own
recording's later frames and nothing else.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from operator import attrgetter

import msgspec

from replay.event_tables import EventTables
from replay.frame_source import FrameSource
from venues.frame import Frame, FrameKind
from venues.marker import DROPPED, Lost, MarkerError, marker_payload, read_marker

_frame_number = attrgetter("frame_number")


def merge_by_number(sources: Sequence[Iterator[list[Frame]]]) -> Iterator[list[Frame]]:
    """Join batches of several sources, each with growing frame numbers, by frame number."""
    if len(sources) == 1:
        yield from sources[0]
        return
    heads: list[tuple[Iterator[list[Frame]], list[Frame]]] = []
    for source in sources:
        batch = _next_batch(source)
        if batch:
            heads.append((source, batch))
    while heads:
        limit = min([batch[-1].frame_number for _, batch in heads])
        merged: list[Frame] = []
        rest: list[tuple[Iterator[list[Frame]], list[Frame]]] = []
        for source, batch in heads:
            cut = _count_up_to(batch, limit)
            merged += batch[:cut]
            remaining = batch[cut:] or _next_batch(source)
            if remaining:
                rest.append((source, remaining))
        # Sorting runs that are sorted already is what Python's sort does best.
        merged.sort(key=_frame_number)
        yield merged
        heads = rest


def _next_batch(source: Iterator[list[Frame]]) -> list[Frame]:
    return next((batch for batch in source if batch), [])


def _count_up_to(batch: list[Frame], frame_number: int) -> int:
    low, high = 0, len(batch)
    while low < high:
        middle = (low + high) // 2
        if batch[middle].frame_number <= frame_number:
            low = middle + 1
        else:
            high = middle
    return low


def merge_recordings(
    recordings: Sequence[FrameSource],
    *,
    from_ns: int | None = None,
    to_ns: int | None = None,
    streams: Collection[str] | None = None,
    skip_damaged: bool = False,
) -> Iterator[tuple[int, Frame]]:
    """Yield (index of the recording, frame), by receive time, untouched.

    Raises:
        TickreelError: a recording cannot be read; which error, it says itself.
    """
    heap: list[tuple[int, int, Frame, Iterator[Frame]]] = []
    for index, recording in enumerate(recordings):
        frames = recording.frames(
            from_ns=from_ns, to_ns=to_ns, streams=streams, skip_damaged=skip_damaged
        )
        first = next(frames, None)
        if first is not None:
            heap.append((first.receive_time_ns, index, first, frames))
    heapq.heapify(heap)
    while heap:
        # No two entries have the same index, so frames are never compared.
        time_ns, index, frame, frames = heap[0]
        yield index, frame
        following = next(frames, None)
        if following is None:
            heapq.heappop(heap)
        else:
            # Never before the frame it follows, whatever its clock says.
            heapq.heapreplace(
                heap, (max(time_ns, following.receive_time_ns), index, following, frames)
            )


class MergedRecording(EventTables):
    """Several recordings as one source: frames numbered anew, connections told apart.

    A recording's connection c becomes (c - 1) * n + index + 1 of n recordings: unique, and the
    same in every run. Connection 0 stays 0. Payloads and receive times are untouched. Steady times
    are left out, as those of different recordings do not compare.

    What a recorder says that it lost on all of its connections (a crash, say) it lost on none of
    another recorder's: such a LOST frame is one for each connection that was open.
    """

    def __init__(self, recordings: Sequence[FrameSource]) -> None:
        self.recordings = tuple(recordings)

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(
        self,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        streams: Collection[str] | None = None,
        skip_damaged: bool = False,
    ) -> Iterator[Frame]:
        """Return the frames of all, by receive time; arguments and errors as a recording's."""
        count = len(self.recordings)
        merged = merge_recordings(
            self.recordings,
            from_ns=from_ns,
            to_ns=to_ns,
            streams=streams,
            skip_damaged=skip_damaged,
        )
        open_ids = [dict[int, None]() for _ in self.recordings]
        number = 0
        for index, frame in merged:
            own_id = frame.connection_id
            if frame.kind is FrameKind.CLOSED:
                open_ids[index].pop(own_id, None)
            elif own_id:
                open_ids[index][own_id] = None
            elif frame.kind is FrameKind.LOST and count > 1:
                for each in _lost_by_connection(frame, list(open_ids[index])):
                    yield _merged(each, number, count, index)
                    number += 1
                continue
            yield _merged(frame, number, count, index)
            number += 1


def _merged(frame: Frame, number: int, count: int, index: int) -> Frame:
    own_id = frame.connection_id
    return Frame(
        number,
        (own_id - 1) * count + index + 1 if own_id else 0,
        frame.venue,
        frame.kind,
        frame.receive_time_ns,
        None,
        frame.payload,
    )


def _lost_by_connection(frame: Frame, open_ids: Sequence[int]) -> list[Frame]:
    """Return a LOST frame of no connection as one of each; its size is that of the first."""
    try:
        lost = read_marker(frame, Lost)
    except MarkerError:
        return [frame]
    if lost.cause == DROPPED or not open_ids:
        return [frame]
    rest = marker_payload(msgspec.structs.replace(lost, frames=0, bytes=0))
    return [
        msgspec.structs.replace(
            frame, connection_id=own_id, payload=rest if place else frame.payload
        )
        for place, own_id in enumerate(open_ids)
    ]
