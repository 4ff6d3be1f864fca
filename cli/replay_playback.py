"""A replay while it runs: frames into the engine, and the engine to wherever the user goes.

Theory. Whoever goes elsewhere in a recording wants the books as they were there. So each seek, the
one to `--from` too, brings the engine to the place first, from the nearest checkpoint or from the
first frame; agents stay attached and are not told of what was passed over.
"""

from __future__ import annotations

import asyncio
import time
from itertools import islice
from typing import TYPE_CHECKING

from book.checkpoint import restore
from cli.collector import calm_collector
from cli.report_text import count_text, counted, printable
from cli.terminal import say
from replay.landmark import Landmark, next_landmark
from replay.place import Place
from replay.player import Player
from replay.seek import Sought, engine_before
from replay.virtual_clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction

    from book.engine import Engine
    from cli.attached_engine import AttachedEngine
    from cli.replay_range import Range
    from replay.frame_source import FrameSource

SLOW_SEEK_S = 2.0
MARKETS_SHOWN = 2


class Playback:
    """One source played into one engine.

    Attributes:
        player: what plays it.
        message: what the user should see now, '' for nothing.
        books: the best prices while it is paused, '' while it goes on.
        seconds: how long it played.
        frames: how many frames were played, over all rounds.
    """

    def __init__(
        self,
        source: FrameSource,
        attached: AttachedEngine,
        played: Range,
        speed: Fraction | None,
        *,
        paused: bool = False,
        cold: bool = False,
        skip_damaged: bool = False,
        frames_in_all: int | None = None,
    ) -> None:
        """Prepare it, and bring the engine to where it begins.

        `frames_in_all` is how many frames `source` has, None where nobody counted them.

        Raises:
            TickreelError: frames before that cannot be read.
        """
        self._source = source
        self._attached = attached
        self._skip_damaged = skip_damaged
        self._warned: set[str] = set()
        # Of an engine that began cold, nobody knows how many frames lie before its first.
        self._frames_in_all = None if cold else frames_in_all
        self.message = ""
        self.books = ""
        self.seconds = 0.0
        self.frames = 0
        start = None
        if played.from_ns is not None and not cold:
            start = self._bring_to(self._before(time_ns=played.from_ns))
        self._beginning = attached.engine.checkpoint()
        self.player = Player(
            source,
            speed,
            from_ns=played.from_ns,
            to_ns=played.to_ns,
            skip_damaged=skip_damaged,
            clock=None if speed is None else VirtualClock(paused=paused),
            start=start,
        )

    @property
    def position_ns(self) -> int | None:
        """Up to which receive time the engine has come; None before any frame."""
        return self._attached.engine.now_ns or None

    @property
    def position_text(self) -> str:
        """Before which frame it is, and of how many: `154 of 3,138 frames`."""
        position, total = self._attached.engine.frames, self._frames_in_all
        # More than were counted: the recording is being made, and grew meanwhile.
        if total is None or position > total:
            return counted(position, "frame")
        return f"{count_text(position)} of {counted(total, 'frame')}"

    def run(self, *, loop: bool) -> bool:
        """Play to the end, or round and round; return whether the user broke it off."""
        calm_collector()
        begun_s = time.perf_counter()
        try:
            self._round()
            while loop:
                restore(self._attached.engine, self._beginning)
                self._round()
        except KeyboardInterrupt:
            return True
        finally:
            self.seconds = time.perf_counter() - begun_s
        return False

    def _round(self) -> None:
        try:
            if self._attached.asynchronous:
                asyncio.run(self._follow_async())
            else:
                self._follow()
        finally:
            self.frames += self.player.frames_played

    def _follow(self) -> None:
        apply, clock = self._attached.engine.apply, self.player.clock
        if clock is None:
            for frame in self.player:
                apply(frame)
            return
        for frame in self.player:
            apply(frame)
            self._look(paused=clock.paused)

    async def _follow_async(self) -> None:
        apply, clock = self._attached.engine.apply_async, self.player.clock
        async for frame in self.player:
            await apply(frame)
            self._look(paused=clock is not None and clock.paused)

    def _look(self, *, paused: bool) -> None:
        """Show the books as they are after a frame of a paused playback."""
        self.books = (
            "   ".join(islice(_tops(self._attached.engine), MARKETS_SHOWN)) if paused else ""
        )

    # Where the user goes. What is given to `Player.go` runs between two frames.

    def pause(self) -> None:
        """Stop where it is, and show the books as they are there."""
        assert self.player.clock is not None, "who pauses has a clock"
        self.player.clock.pause()
        self.player.go(self._stay)

    def _stay(self) -> None:
        self._look(paused=True)

    def go_to_time(self, time_ns: int) -> None:
        """Go on with the first frame received at a time or later."""
        self.player.go(lambda: self._bring_to(self._before(time_ns=time_ns)))

    def go_to_landmark(self, landmark: Landmark, given_up: Callable[[], bool]) -> None:
        """Go on after the next frame that shows one."""
        self.message = f"looking for the next {landmark} ..."
        self.player.go(lambda: self._find(landmark, given_up))

    def _find(self, landmark: Landmark, given_up: Callable[[], bool]) -> Place | None:
        engine = self._attached.engine
        following = engine.frame.frame_number + 1 if engine.frames else 0
        sought = next_landmark(
            self._source,
            engine,
            following,
            landmark,
            skip_damaged=self._skip_damaged,
            given_up=given_up,
        )
        if sought is None:
            self.message = "given up" if given_up() else f"no {landmark} after this"
            return None
        self.message = f"after {landmark} at frame {sought.next_frame_number - 1:,}"
        return self._bring_to(sought)

    def _before(self, *, time_ns: int) -> Sought:
        begun_s = time.perf_counter()
        settings = self._attached.engine.settings
        sought = engine_before(
            self._source, time_ns=time_ns, settings=settings, skip_damaged=self._skip_damaged
        )
        for warning in sought.warnings:
            self._say_once(warning)
        seconds = time.perf_counter() - begun_s
        if seconds > SLOW_SEEK_S:
            self._say_once(
                f"{sought.frames_applied:,} frames had to be replayed to get there; "
                "`tickreel index DIR` writes checkpoints that make it instant."
            )
        return sought

    def _say_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            say(f"note: {text}")

    def _bring_to(self, sought: Sought) -> Place:
        engine = self._attached.engine
        restore(engine, sought.engine.checkpoint())
        self._look(paused=True)
        return Place(frame_number=sought.next_frame_number)


def _tops(engine: Engine) -> Iterator[str]:
    for market in engine.markets.values():
        bid, ask = market.book.best_bid, market.book.best_ask
        if bid is not None and ask is not None:
            yield f"{printable(market.symbol)} {bid.price_text} / {ask.price_text}"
