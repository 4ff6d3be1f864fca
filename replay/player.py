"""Frames of a recording, in their order, each at its time.

Theory. A player hands out what its source holds: every frame, unchanged, in the source's order, at
every speed. Speed decides only how long it waits before handing out the next one. At `max` it never
waits and looks at no clock. Otherwise a virtual clock starts at the first frame's due time, as soon
as the first frame is asked for, and each frame is handed out at its due time (`replay.due_time`) or
as soon after as the consumer asks: a consumer that is slower than the frames falls behind
(`lag_ns`) and loses none, and catches up without a wait when it can. So that no frame waits for the
disk, a thread reads ahead then (`replay.read_ahead`).

A paced playback can be led while it goes on, from another thread or task: `step` hands out the
next frame of one that is paused, `seek` goes on at another place, forward or back, and `go` asks,
between two frames, where to. What was handed out before is not taken back: whoever follows with an
engine brings it to the place (`replay.seek`), in what it gives to `go`. A paused playback stays
paused, and shows nothing of what lies behind the place.

Every iteration is a new playback from the beginning. One playback at a time: a second iteration
over the same player would share its clock and its counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import chain, dropwhile, takewhile

from replay.due_time import DueTimes
from replay.errors import NotSeekableError
from replay.frame_source import FrameSource
from replay.place import Place
from replay.read_ahead import ReadAhead
from replay.speed import Speed, speed_of
from replay.virtual_clock import ClockBackwardsError, VirtualClock
from venues.frame import Frame

_FRAMES_BETWEEN_TURNS = 512
"""How many frames an asynchronous playback at `max` hands out before other tasks get a turn."""


class Player:
    """A playback of one source, or of several merged by receive time.

    Iterate it with `for` or with `async for`.

    Attributes:
        speed: played seconds in a passing one, at the start; None for `max`.
        clock: the playback's time, to pause, resume, set the rate of or move forward, from this
            thread or another; None at `max`.
        frames_played: how many frames the current playback has handed out.
    """

    def __init__(
        self,
        source: FrameSource | Sequence[FrameSource],
        speed: str | int | Fraction | None = "max",
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        streams: Collection[str] | None = None,
        skip_damaged: bool = False,
        clock: VirtualClock | None = None,
        start: Place | None = None,
    ) -> None:
        """Prepare a playback; nothing is read yet.

        Only frames with `from_ns <= receive_time_ns` of the venues `streams` are played, up to the
        first with `to_ns` or later: where a clock stepped back over that, nothing is played of what
        came after, as what came before is not all there. `skip_damaged` plays around what cannot be
        read. `clock` brings another steady clock, or a clock that is paused; it goes at `speed`
        from here on. With `start` it begins at that place, whatever `from_ns` is.

        Raises:
            SpeedError: `speed` is none.
        """
        self.speed: Speed = speed_of(speed)
        self.clock: VirtualClock | None = None
        if self.speed is not None:
            self.clock = VirtualClock() if clock is None else clock
            self.clock.set_rate(self.speed)
        self.frames_played = 0
        self._last: Frame | None = None
        self._due_ns: int | None = None
        self._find: Callable[[], Place | None] | None = None
        self._steps = 0
        self._begins = True
        self._sources = list(source) if isinstance(source, Sequence) else [source]
        self._from_ns = from_ns
        self._to_ns = to_ns
        self._start = start
        self._streams = streams
        self._skip_damaged = skip_damaged

    @property
    def position_ns(self) -> int | None:
        """Receive time of the frame handed out last; None before the first."""
        return None if self._last is None else self._last.receive_time_ns

    @property
    def lag_ns(self) -> int:
        """How far, in played time, the playback is behind its clock; 0 at `max`."""
        if self.clock is None or self._due_ns is None:
            return 0
        return max(0, self.clock.now_ns - self._due_ns)

    def seek(self, *, time_ns: int | None = None, frame_number: int | None = None) -> None:
        """Go on with the first frame received at `time_ns` or later, or with that number or above.

        Raises:
            NotSeekableError: the playback is at `max`, where nothing waits to be told.
        """
        self.go(lambda: Place(frame_number, time_ns))

    def go(self, find: Callable[[], Place | None]) -> None:
        """Let `find` say where to go on; None for where the playback is.

        It is called by whoever iterates, before the next frame is handed out.

        Raises:
            NotSeekableError: the playback is at `max`, where nothing waits to be told.
        """
        if self.clock is None:
            raise NotSeekableError
        self._find = find

    def step(self) -> None:
        """Hand out the next frame of a paused playback, now. Nothing is done to one that goes on.

        Raises:
            NotSeekableError: the playback is at `max`, where nothing waits to be told.
        """
        if self.clock is None:
            raise NotSeekableError
        if self.clock.paused:
            self._steps += 1

    def __iter__(self) -> Iterator[Frame]:
        """Play from the beginning, blocking the thread until each frame is due.

        Raises:
            TickreelError: the source cannot be read; which error, it says itself.
        """
        frames = self._begin()
        return self._hurried(frames) if self.clock is None else self._paced(frames, self.clock)

    def __aiter__(self) -> AsyncIterator[Frame]:
        """Play from the beginning, letting other tasks run until each frame is due.

        Raises:
            TickreelError: the source cannot be read; which error, it says itself.
        """
        frames = self._begin()
        if self.clock is None:
            return self._hurried_async(frames)
        return self._paced_async(frames, self.clock)

    def _begin(self) -> Iterator[Frame]:
        self.frames_played = 0
        self._last = None
        self._due_ns = None
        self._find, self._steps, self._begins = None, 0, True
        return self._frames(self._start)

    def _frames(self, place: Place | None) -> Iterator[Frame]:
        """Return the frames from a place on; None for all that are to be played."""
        frames, to_ns = self._frames_from(place), self._to_ns
        if to_ns is None:
            return frames
        return takewhile(lambda frame: frame.receive_time_ns < to_ns, frames)

    def _frames_from(self, place: Place | None) -> Iterator[Frame]:
        source, from_ns = _one(self._sources), None if place is not None else self._from_ns
        if place is not None and place.frame_number:
            # Reading Parquet, which one source in memory has no need of.
            from replay.recording import Recording

            if isinstance(source, Recording):
                batches = source.frame_batches(
                    from_frame=place.frame_number,
                    streams=self._streams,
                    skip_damaged=self._skip_damaged,
                )
                return chain.from_iterable(batches)
        frames = source.frames(
            from_ns=from_ns,
            streams=self._streams,
            skip_damaged=self._skip_damaged,
        )
        if place is None:
            return frames
        return dropwhile(lambda frame: not place.is_before(frame), frames)

    def _hurried(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        # Every name looked up here is paid for by every frame of every backtest.
        for frame in frames:
            self._last = frame
            self.frames_played += 1
            yield frame

    async def _hurried_async(self, frames: Iterator[Frame]) -> AsyncIterator[Frame]:
        for frame in self._hurried(frames):
            yield frame
            if self.frames_played % _FRAMES_BETWEEN_TURNS == 0:
                await asyncio.sleep(0)

    def _paced(self, frames: Iterator[Frame], clock: VirtualClock) -> Iterator[Frame]:
        following: Iterator[Frame] | None = frames
        while following is not None:
            place: Place | None = None
            due_times = DueTimes()
            with ReadAhead(following) as batches:
                for frame in chain.from_iterable(batches):
                    due_ns = self._due(frame, due_times, clock)
                    place = self._wait(due_ns, clock)
                    if place is not None:
                        break
                    yield self._handed_out(frame, due_ns)
            following = None if place is None else self._frames(place)

    async def _paced_async(
        self, frames: Iterator[Frame], clock: VirtualClock
    ) -> AsyncIterator[Frame]:
        following: Iterator[Frame] | None = frames
        while following is not None:
            place: Place | None = None
            due_times = DueTimes()
            with ReadAhead(following) as batches:
                async for batch in batches:
                    for frame in batch:
                        due_ns = self._due(frame, due_times, clock)
                        place = await self._wait_async(due_ns, clock)
                        if place is not None:
                            break
                        yield self._handed_out(frame, due_ns)
                    if place is not None:
                        break
                    await asyncio.sleep(0)
            following = None if place is None else self._frames(place)

    def _wait(self, due_ns: int, clock: VirtualClock) -> Place | None:
        """Wait until a frame is due, and return None; or where to go instead."""
        while True:
            clock.sleep_until(due_ns, self._called)
            if not self._called():
                return None
            place, stepped = self._answer(due_ns, clock)
            if place is not None or stepped:
                return place

    async def _wait_async(self, due_ns: int, clock: VirtualClock) -> Place | None:
        while True:
            await clock.sleep_until_async(due_ns, self._called)
            if not self._called():
                return None
            place, stepped = self._answer(due_ns, clock)
            if place is not None or stepped:
                return place

    def _called(self) -> bool:
        return self._find is not None or self._steps > 0

    def _answer(self, due_ns: int, clock: VirtualClock) -> tuple[Place | None, bool]:
        """Return where to go, if anywhere, and whether the next frame is to be handed out now."""
        find, self._find = self._find, None
        if find is not None:
            place = find()
            self._begins = place is not None
            return place, False
        self._steps -= 1
        with suppress(ClockBackwardsError):
            # Not to its time: what was received in the same nanosecond is for the next step.
            clock.jump(due_ns - 1)
        return None, True

    def _due(self, frame: Frame, due_times: DueTimes, clock: VirtualClock) -> int:
        due_ns = due_times.due_ns(frame)
        if self._begins:
            self._begins = False
            # A paused clock stands before the frame, so that it is not handed out.
            clock.start(due_ns - 1 if clock.paused else due_ns)
        return due_ns

    def _handed_out(self, frame: Frame, due_ns: int) -> Frame:
        self._last = frame
        self._due_ns = due_ns
        self.frames_played += 1
        return frame


def _one(sources: list[FrameSource]) -> FrameSource:
    if len(sources) == 1:
        return sources[0]
    # Merging reads Parquet, which one source in memory has no need of.
    from replay.frame_merge import MergedRecording

    return MergedRecording(sources)
