"""The engine: frames in, state and findings out.

Theory. `apply` takes one frame. It first lets time run to the frame's receive time (never back),
then decodes the frame through its venue, applies all its events, looks at the books that changed,
and at last tells the subscribers. What may not happen: a subscriber sees half a frame; the state
depends on anything but the frames and the settings; bad data raises (it is a finding).

Where a book can't be trusted the engine asks for a snapshot (`take_snapshot_requests`). A live
recorder answers by fetching or resubscribing, and records what comes; in a replay the answer is in
the recording already, and nobody needs to ask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, overload

from book.checkpoint import encode, restore
from book.connection_ledger import ConnectionLedger
from book.counted_lane import lane_of
from book.exact import NotANumberError
from book.finding import Finding, FindingKind, FindingLog, finding_about
from book.frame_time import FrameTime, stepped_back
from book.market import MarketRefusedError, Markets
from book.settings import NS_PER_S, EngineSettings
from book.staleness import Stale, StalenessGuard
from book.state_digest import digest
from book.subscribers import AsyncHandlerError, Handler, Subscribers
from book.venue_lane import VenueLane
from venues.errors import UNDECODABLE, UnknownVenueError, undecodable_reason
from venues.event import Event
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import (
    CRASH,
    DROPPED,
    ClockReading,
    Closed,
    Lost,
    MarkerError,
    Opened,
    read_http,
    read_marker,
)
from venues.registry import venue_named
from venues.venue import Purpose, SnapshotRequest

HandlerType = TypeVar("HandlerType", bound=Handler)

_TEXT, _BINARY = FrameKind.TEXT, FrameKind.BINARY


class Engine:
    """Books, trade tapes and liquidation monitors of all markets in the frames applied.

    Attributes:
        settings: windows, thresholds, limits.
        markets: by (venue, symbol).
        findings: what a reader of the data must know.
        connections: the connections seen, and how they ended.
        frames: how many frames were applied.
        subscribers: who is told of what, besides `on` and `off`.
        undecodable: how many received frames were not what their venue's protocol says.
    """

    def __init__(self, settings: EngineSettings | None = None) -> None:
        self.settings = settings or EngineSettings()
        self.findings = FindingLog(self.settings.findings_kept_max)
        self.connections = ConnectionLedger()
        self.frames = 0
        self.undecodable = 0
        self._time = FrameTime()
        self._guard = StalenessGuard()
        self._lanes: dict[str, VenueLane] = {}
        self._unknown_venues: set[str] = set()
        self.subscribers = Subscribers()
        self._raised: list[tuple[Finding | Stale, str, str]] = []
        self._frame: Frame | None = None
        self._markers: dict[FrameKind, Callable[[Frame], None]] = {
            FrameKind.OPENED: self._opened,
            FrameKind.CLOSED: self._closed,
            FrameKind.LOST: self._lost,
            FrameKind.CLOCK: self._clock,
            FrameKind.HTTP: self._http,
        }

    @property
    def now_ns(self) -> int:
        """The greatest receive time among the frames applied so far."""
        return self._time.now_ns

    @property
    def frame(self) -> Frame:
        """The frame being applied, or applied last.

        Raises:
            LookupError: none was applied yet.
        """
        if self._frame is None:
            raise LookupError("no frame was applied yet")
        return self._frame

    @property
    def markets(self) -> Markets:
        """All markets by (venue, symbol), sorted; NoMarketError for one that is not there."""
        return Markets(
            ((name, symbol), lane.markets[symbol])
            for name, lane in sorted(self._lanes.items())
            for symbol in sorted(lane.markets)
        )

    # Subscribing.

    @overload
    def on(self, kind: type) -> Callable[[HandlerType], HandlerType]: ...

    @overload
    def on(self, kind: type, handler: HandlerType) -> HandlerType: ...

    def on(
        self, kind: type, handler: HandlerType | None = None
    ) -> HandlerType | Callable[[HandlerType], HandlerType]:
        """Subscribe a handler, plain or async, to events of a kind; also as a decorator.

        The kinds are the events of `venues.event`, `Cascade`, `Stale` and `Finding`. A handler is
        called with the event and its market (None for a finding about no market), after all of the
        frame is applied. What it raises leaves `apply`. NeverToldError: it is no such kind.
        """
        if handler is not None:
            self.subscribers.add(kind, handler)
            return handler

        def decorate(function: HandlerType) -> HandlerType:
            self.subscribers.add(kind, function)
            return function

        return decorate

    def off(self, kind: type, handler: Handler) -> None:
        """Take a subscription back."""
        self.subscribers.remove(kind, handler)

    # Frames.

    def apply(self, frame: Frame) -> None:
        """Apply one frame; frames must come in the order of their numbers.

        Raises:
            AsyncHandlerError: an async handler subscribed; use `apply_async`.
        """
        if self.subscribers.first_async is not None:
            raise AsyncHandlerError(self.subscribers.first_async)
        self._step(frame)

    async def apply_async(self, frame: Frame) -> None:
        """Apply one frame, then await the async handlers, one after the other."""
        self._step(frame)
        await self.subscribers.wait()

    def _step(self, frame: Frame) -> None:
        previous, self._frame = self._frame, frame
        self.frames += 1
        now_ns, time = frame.receive_time_ns, self._time
        if now_ns >= time.now_ns:
            time.now_ns = now_ns
        elif previous is not None and stepped_back(previous, frame):
            self._time_backwards(previous.receive_time_ns, now_ns)
        if now_ns > self._guard.next_check_ns:
            self._look_for_silence()
        if frame.connection_id != self.connections.current:
            self.connections.switch(frame)
        kind = frame.kind
        if kind is _TEXT or kind is _BINARY:
            self._receive(frame)
        elif kind in self._markers:  # what we said, and which line brought it, change no state
            try:
                self._markers[kind](frame)
            except MarkerError as error:
                self._undecodable(str(error))
        if self._raised:
            self._tell_raised()

    def _receive(self, frame: Frame) -> None:
        lane = self._lanes.get(frame.venue) or self._new_lane(frame.venue)
        if lane is None:
            return
        try:
            events = lane.decode(frame)
        except UNDECODABLE as error:
            self._undecodable(undecodable_reason(error))
            return
        told: list[Event] | None = [] if self.subscribers.anyone else None
        takers = lane.takers
        for event in events:
            try:
                tell = takers[type(event)](event, frame)
            except (NotANumberError, MarketRefusedError) as error:
                self._refused(event, error)
                continue
            if tell and told is not None:
                told.append(event if tell is True else tell)
        if lane.changed:
            lane.settle(frame)
        if told:
            for event in told:
                self.subscribers.tell(event, lane.markets.get(event.symbol))
        if lane.cascades:
            self._tell_cascades(lane)

    def _new_lane(self, name: str) -> VenueLane | None:
        if name in self._unknown_venues:
            return None
        try:
            return self.add_lane(name)
        except UnknownVenueError as error:
            self._unknown_venues.add(name)
            self.report(FindingKind.UNKNOWN_VENUE, "", str(error))
            return None

    def add_lane(self, name: str) -> VenueLane:
        """Make room for the markets of a venue. UnknownVenueError: there is none of that name."""
        venue = venue_named(name)
        lane = lane_of(venue)(venue, self.settings, self._time, self._guard, self.report)
        self._lanes[name] = lane
        return lane

    # Findings.

    def report(
        self,
        kind: FindingKind,
        symbol: str,
        text: str,
        *,
        expected: object = None,
        received: object = None,
        missing: int | None = None,
    ) -> None:
        """Add a finding about the frame that is being applied."""
        frame = self.frame
        finding = finding_about(frame, kind, symbol, text, expected, received, missing)
        self.findings.add(finding)
        if Finding in self.subscribers:
            self._raised.append((finding, frame.venue, symbol))

    def _undecodable(self, text: str) -> None:
        self.undecodable += 1
        self.report(FindingKind.UNDECODABLE, "", text)

    def _refused(self, event: Event, error: NotANumberError | MarketRefusedError) -> None:
        if isinstance(error, NotANumberError):
            self.report(FindingKind.BAD_NUMBER, event.symbol, str(error), received=error.text)
        else:
            self.report(FindingKind.MARKET_REFUSED, event.symbol, str(error))

    def _time_backwards(self, previous_ns: int, now_ns: int) -> None:
        # Told once for each step back, not for all the frames until now is reached again.
        back_s = (previous_ns - now_ns) / NS_PER_S
        self.report(
            FindingKind.TIME_BACKWARDS,
            "",
            f"receive time is {back_s:.6f} s before that of the frame before",
            expected=previous_ns,
            received=now_ns,
        )

    def _look_for_silence(self) -> None:
        for stale in self._guard.silent(self._time.now_ns):
            market = self._lanes[stale.venue].markets[stale.symbol]
            market.counters.stale += 1
            told = (FindingKind.STALE, stale.symbol, str(stale))
            self.report(*told, received=stale.silent_since_ns)
            if Stale in self.subscribers:
                self._raised.append((stale, stale.venue, stale.symbol))

    def _tell_raised(self) -> None:
        raised, self._raised = self._raised, []
        for event, venue, symbol in raised:
            lane = self._lanes.get(venue)
            self.subscribers.tell(event, lane.markets.get(symbol) if lane else None)

    def _tell_cascades(self, lane: VenueLane) -> None:
        cascades, lane.cascades = lane.cascades, []
        for cascade, market in cascades:
            self.subscribers.tell(cascade, market)

    # Frames that no market is in.

    def _opened(self, frame: Frame) -> None:
        opened = read_marker(frame, Opened)
        self.connections.opened(frame, opened)
        lane = self._lanes.get(frame.venue) or self._new_lane(frame.venue)
        if lane is None:
            return
        lane.open(frame)
        for subscription in opened.subscriptions:
            if not subscription.channel.private:
                try:
                    lane.watch(subscription.symbol, subscription.channel, frame.connection_id)
                except MarketRefusedError as error:
                    self.report(FindingKind.MARKET_REFUSED, subscription.symbol, str(error))

    def _closed(self, frame: Frame) -> None:
        closed = read_marker(frame, Closed)
        self.connections.closed(frame, closed)
        lane = self._lanes.get(frame.venue)
        if closed.stopped:
            if lane is not None:
                self._end(lane, frame, frame.connection_id)
            return
        code = "no close code" if closed.code is None else f"code {closed.code}"
        self.report(
            FindingKind.DISCONNECTED, "", f"the connection is gone: {closed.reason} ({code})"
        )
        if lane is not None:
            lane.disconnect(frame)

    def _end(self, lane: VenueLane, frame: Frame, connection_id: int | None) -> None:
        for ended_id in lane.end(frame, connection_id):
            self._guard.forget(ended_id)

    def _lost(self, frame: Frame) -> None:
        lost = read_marker(frame, Lost)
        if lost.cause == DROPPED:
            self._skip(frame)
            return
        self.connections.lost(lost)
        self.report(FindingKind.LOST, "", lost.sentence, missing=lost.frames)
        for name, lane in self._lanes.items():
            if frame.venue not in (RECORDER, name):
                continue
            connection_id = frame.connection_id or None
            if lost.cause == CRASH:
                self._end(lane, frame, connection_id)
            else:
                lane.doubt(f"lost: {lost.cause}", frame, connection_id, lost.subscriptions)

    def _skip(self, frame: Frame) -> None:
        for lane in self._lanes.values():
            for ended_id in lane.skip(frame):
                self._guard.forget(ended_id)

    def _clock(self, frame: Frame) -> None:
        step_ns = read_marker(frame, ClockReading).step_ns
        if step_ns:
            text = f"the recorder's clock stepped by {step_ns / NS_PER_S:+.6f} s"
            self.report(FindingKind.CLOCK_STEP, "", text, received=step_ns)

    def _http(self, frame: Frame) -> None:
        head, _ = read_http(frame)
        if head.status == 200:
            self._receive(frame)
            return
        word = head.error if head.status is None else f"HTTP {head.status}"
        text = f"{head.purpose} was not answered: {word}"
        about_book = head.purpose == Purpose.SNAPSHOT
        kind = FindingKind.SNAPSHOT_FAILED if about_book else FindingKind.REQUEST_FAILED
        self.report(kind, head.symbol, text)

    # What comes out.

    def take_snapshot_requests(self) -> list[SnapshotRequest]:
        """Return the snapshots wished for since the last call. They are no part of the state."""
        taken = [request for lane in self._lanes.values() for request in lane.requests.values()]
        if taken:
            for lane in self._lanes.values():
                lane.requests.clear()
        return taken

    def state(self) -> dict[str, object]:
        """Return the canonical state, for the digest and for showing what differs."""
        lanes = sorted(self._lanes.items())
        return {
            "engine": [self.frames, self.now_ns, self.undecodable],
            "connections": self.connections.state(),
            "channels": self._guard.state(),
            "findings": [sorted(self.findings.counts.items()), self.findings.chain],
            "venues": [lane.state() for _, lane in lanes],
            "markets": [market.state() for market in self.markets.values()],
        }

    def state_digest(self) -> str:
        """Return one hash (hex SHA-256) of all state; see `book.state_digest`."""
        state = self.state()
        return digest([state[name] for name in sorted(state)])

    def checkpoint(self) -> bytes:
        """Return all that the frames to come need of those applied; see `book.checkpoint`."""
        return encode(self)

    @classmethod
    def restored(cls, content: bytes, settings: EngineSettings | None = None) -> Engine:
        """Return an engine that goes on from a checkpoint.

        Raises:
            CheckpointError: it is of another version or other settings, or damaged.
        """
        engine = cls(settings)
        restore(engine, content)
        return engine
