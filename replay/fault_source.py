"""A source of frames with faults done to them, to be played like any other."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from replay.fault_injection import FaultInjector
from replay.fault_kind import Fault
from replay.fault_settings import FaultSettings
from replay.frame_source import FrameSource
from venues.frame import Frame


class FaultySource:
    """What `source` holds, with faults. `done` lists those of the playback that began last.

    The faults befall the same frames whichever part is played, by their numbers in the source.
    """

    def __init__(self, source: FrameSource, settings: FaultSettings) -> None:
        self.done: list[Fault] = []
        self._source = source
        self._settings = settings

    def frames(
        self,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        streams: Collection[str] | None = None,
        skip_damaged: bool = False,
    ) -> Iterator[Frame]:
        """Return the frames of that range and of these venues, with the faults done to them."""
        injector = FaultInjector(self._settings)
        self.done = injector.done
        for frame in self._source.frames(
            from_ns=from_ns, to_ns=to_ns, streams=streams, skip_damaged=skip_damaged
        ):
            yield from injector.take(frame)
        yield from injector.finish()
