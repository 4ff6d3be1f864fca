"""What can be played: a recording, several merged, or frames that are in memory already."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from venues.frame import RECORDER, Frame


class FrameSource(Protocol):
    """Something with frames in their order, as often as they are asked for."""

    def frames(
        self,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        streams: Collection[str] | None = None,
        skip_damaged: bool = False,
    ) -> Iterator[Frame]:
        """Return the frames with `from_ns <= receive_time_ns < to_ns` of the venues `streams`.

        A frame of the recorder itself passes whatever `streams` says. With `skip_damaged`, what
        cannot be read is a LOST frame instead of an error.
        """


class AroundDamage:
    """A source that is read around what is damaged in it, whatever its reader asks for."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source

    def frames(
        self,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        streams: Collection[str] | None = None,
        skip_damaged: bool = True,
    ) -> Iterator[Frame]:
        """Return the source's frames, LOST frames in place of what cannot be read."""
        del skip_damaged
        return self._source.frames(from_ns=from_ns, to_ns=to_ns, streams=streams, skip_damaged=True)


class FrameList:
    """Frames in memory, as a source: for tests, and for the part of a recording one holds."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = frames

    def frames(
        self,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        streams: Collection[str] | None = None,
        skip_damaged: bool = False,
    ) -> Iterator[Frame]:
        """Return those frames within the range and of these venues. Nothing here is damaged."""
        del skip_damaged
        for frame in self._frames:
            if from_ns is not None and frame.receive_time_ns < from_ns:
                continue
            if to_ns is not None and frame.receive_time_ns >= to_ns:
                continue
            if streams is None or frame.venue == RECORDER or frame.venue in streams:
                yield frame
