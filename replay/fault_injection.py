"""Frames in, frames with faults out: what an exchange, a network or a clock could do to them.

Theory. An injector takes one frame after the other and gives back what comes instead of it: the
frame, nothing yet, or several. What is held back comes at its time, which is looked at before
every frame, so that receive times still never run back (but by a clock step, which is a fault).
What a connection says stays in its order, but for REORDER and DELAY. What may not happen: a fault
is done and not listed, or listed and not done; a fault depends on anything but the settings, the
frame and the plan; a held frame is lost.

- Faults befall messages that were received. A frame keeps its number, whenever it comes; of one
  that comes twice there are two of the same number.
- A connection that is cut is closed by no one (no close frame). Its recording goes on after the
  outage as another connection, which nobody saw begin: a recording has no snapshot but those that
  were recorded, so its books stay in doubt until the next of them. Where messages mean their
  subscription by a reference, which would mean nothing on another connection, nothing more comes.
- A slow reader's loss is told by a LOST frame, as a recorder tells its own.
- A step of the clock changes all receive times from there on. Where frames have a steady time, a
  CLOCK frame tells of the step, as a recorder's clock watch does.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import msgspec

from replay.fault_content import ContentReader
from replay.fault_draw import FaultPlan, draw, drawn_plan
from replay.fault_kind import Fault, FaultKind
from replay.fault_payload import Spoilt, corrupted, truncated, with_wrong_checksum
from replay.fault_settings import FaultSettings, nanoseconds
from venues.errors import UnknownVenueError
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import ClockReading, Closed, Lost, marker_payload
from venues.registry import venue_named

CUT_REASON = "cut on purpose"
SLOW_CAUSE = "backpressure"
_FOREVER_NS = 1 << 62


@dataclass(slots=True)
class _Outage:
    """What a connection loses, and until when; `told` where a LOST frame is to say so."""

    victim: Frame
    until_ns: int
    told: bool
    frames: int = 0
    bytes: int = 0


class FaultInjector:
    """Does the faults of one playback. `done` lists them in their order."""

    def __init__(
        self,
        settings: FaultSettings,
        plan: FaultPlan | None = None,
        content: ContentReader | None = None,
    ) -> None:
        """Do what `plan` says; where none is given, what the settings' probabilities draw.

        `content` is one that knows the frames before the first one taken, where there are such.
        """
        self.done: list[Fault] = []
        self._settings = settings
        self._plan = drawn_plan(settings) if plan is None else plan
        self._content = ContentReader() if content is None else content
        self._held: list[tuple[int, int, Frame]] = []
        self._order = 0
        self._stalled_until_ns: dict[int, int] = {}
        self._overtaken: dict[int, Frame] = {}
        self._outages: dict[int, _Outage] = {}
        self._connections: dict[int, int] = {}
        self._cuts = 0
        self._now_ns = 0
        self._shift_ns = 0
        self._deeds = {
            FaultKind.DROP: self._drop,
            FaultKind.DUPLICATE: self._duplicate,
            FaultKind.REORDER: self._reorder,
            FaultKind.DELAY: self._delay,
            FaultKind.CORRUPT: self._corrupt,
            FaultKind.TRUNCATE: self._truncate,
            FaultKind.CUT: self._cut,
            FaultKind.STALL: self._stall,
            FaultKind.SLOW: self._slow,
            FaultKind.CHECKSUM: self._wrong_checksum,
            FaultKind.CLOCK: self._step_clock,
        }

    def take(self, frame: Frame) -> list[Frame]:
        """Take the next frame; return what comes by now instead."""
        self._now_ns = max(self._now_ns, frame.receive_time_ns)
        before = [self._by_the_clock(each) for each in self._released(frame.receive_time_ns)]
        self._content.note(frame)
        out: list[Frame] = []
        self._go_on(frame, out)
        return before + [self._by_the_clock(each) for each in out]

    def finish(self) -> list[Frame]:
        """Return what is still held back, at its time: the recording is over."""
        out = [self._told(outage, _FOREVER_NS) for outage in self._outages.values() if outage.told]
        for frame in self._overtaken.values():
            self._hold(self._never_overtaken(frame, self._now_ns), self._now_ns)
        self._outages.clear()
        self._overtaken.clear()
        out += self._released(_FOREVER_NS)
        return [self._by_the_clock(each) for each in out]

    # What goes on whatever the plan says.

    def _go_on(self, recorded: Frame, out: list[Frame]) -> None:
        frame = self._named(recorded)
        if frame.connection_id in self._outages:
            if self._lost(frame, out):
                return
            frame = self._named(recorded)
        number = frame.connection_id
        if frame.kind is FrameKind.CLOSED:
            self._let_go(frame, out)
        until_ns = self._stalled_until_ns.get(number)
        if until_ns is not None:
            if frame.receive_time_ns < until_ns:
                self._hold(frame, until_ns)
                return
            del self._stalled_until_ns[number]
        if not frame.received:
            out.append(frame)
            return
        kind = self._plan(frame.frame_number)
        overtaken = None if kind is FaultKind.REORDER else self._overtaken.pop(number, None)
        if kind is None or not self._deeds[kind](frame, out):
            out.append(frame)
        if overtaken is not None:
            self._list(FaultKind.REORDER, overtaken, f"came behind frame {frame.frame_number:,}")
            out.append(_at(overtaken, frame.receive_time_ns))

    def _lost(self, frame: Frame, out: list[Frame]) -> bool:
        """Return whether an outage takes the frame; end the outage where its time is over."""
        outage = self._outages[frame.connection_id]
        over = frame.receive_time_ns >= outage.until_ns
        if frame.kind is FrameKind.HTTP:
            return False
        if not over and (frame.received or not outage.told):
            outage.frames += 1
            outage.bytes += len(frame.payload)
            return True
        if over or frame.kind is FrameKind.CLOSED:
            del self._outages[frame.connection_id]
            if outage.told:
                out.append(self._told(outage, frame.receive_time_ns))
            else:
                self._begin_anew(frame.connection_id)
        return False

    def _begin_anew(self, number: int) -> None:
        """Let what follows of a connection be another one, with a number before all later ones."""
        newest = max(self._connections.values(), default=number)
        self._cuts += 1
        for recorded, given in self._connections.items():
            if given == number:
                self._connections[recorded] = newest + 1
                return

    def _named(self, frame: Frame) -> Frame:
        recorded = frame.connection_id
        if not recorded:
            return frame
        given = self._connections.get(recorded)
        if given is None:
            given = self._connections[recorded] = recorded + self._cuts
        if given == recorded:
            return frame
        return msgspec.structs.replace(frame, connection_id=given)

    def _let_go(self, closed: Frame, out: list[Frame]) -> None:
        """Let out what is held of a connection: nothing comes on it after its end."""
        number = closed.connection_id
        kept = [each for each in self._held if each[2].connection_id != number]
        for _, _, frame in sorted(each for each in self._held if each not in kept):
            out.append(_at(frame, closed.receive_time_ns))
        heapq.heapify(kept)
        self._held = kept
        self._stalled_until_ns.pop(number, None)
        overtaken = self._overtaken.pop(number, None)
        if overtaken is not None:
            out.append(self._never_overtaken(overtaken, closed.receive_time_ns))

    def _never_overtaken(self, frame: Frame, now_ns: int) -> Frame:
        """Let a message come that waited for another one of its connection, in vain."""
        if now_ns > frame.receive_time_ns:
            self._list(FaultKind.REORDER, frame, "came late, with no other to come before it")
        return _at(frame, now_ns)

    def _hold(self, frame: Frame, until_ns: int) -> None:
        self._order += 1
        heapq.heappush(self._held, (until_ns, self._order, frame))

    def _released(self, now_ns: int) -> list[Frame]:
        out = []
        while self._held and self._held[0][0] <= now_ns:
            until_ns, _, frame = heapq.heappop(self._held)
            out.append(_at(frame, until_ns))
        return out

    def _by_the_clock(self, frame: Frame) -> Frame:
        if not self._shift_ns:
            return frame
        time_ns = frame.receive_time_ns + self._shift_ns
        return msgspec.structs.replace(frame, receive_time_ns=time_ns)

    def _told(self, outage: _Outage, now_ns: int) -> Frame:
        victim, to_ns = outage.victim, min(now_ns, outage.until_ns)
        lost = Lost(
            frames=outage.frames,
            bytes=outage.bytes,
            from_ns=victim.receive_time_ns,
            to_ns=to_ns,
            cause=SLOW_CAUSE,
            detail="a slow reader, on purpose",
        )
        told = msgspec.structs.replace(victim, kind=FrameKind.LOST, payload=marker_payload(lost))
        return _at(told, to_ns)

    def _list(self, kind: FaultKind, frame: Frame, text: str) -> None:
        self.done.append(
            Fault(kind, frame.frame_number, frame.connection_id, frame.receive_time_ns, text)
        )

    # The faults. Each returns whether it was done; where not, the frame goes its way.

    def _drop(self, frame: Frame, out: list[Frame]) -> bool:
        del out
        self._list(FaultKind.DROP, frame, f"{len(frame.payload):,} bytes never came")
        return True

    def _duplicate(self, frame: Frame, out: list[Frame]) -> bool:
        self._list(FaultKind.DUPLICATE, frame, f"{len(frame.payload):,} bytes came twice")
        out += [frame, frame]
        return True

    def _reorder(self, frame: Frame, out: list[Frame]) -> bool:
        del out
        if frame.connection_id in self._overtaken:
            return False
        self._overtaken[frame.connection_id] = frame
        return True

    def _delay(self, frame: Frame, out: list[Frame]) -> bool:
        del out
        delay_s = self._settings.delay_s
        self._list(FaultKind.DELAY, frame, f"came {delay_s:g} s late")
        self._hold(frame, frame.receive_time_ns + nanoseconds(delay_s))
        return True

    def _corrupt(self, frame: Frame, out: list[Frame]) -> bool:
        seed, text = self._settings.seed, frame.kind is FrameKind.TEXT
        spoilt = corrupted(frame.payload, seed, frame.frame_number, text=text)
        return self._spoil(FaultKind.CORRUPT, frame, spoilt, out)

    def _truncate(self, frame: Frame, out: list[Frame]) -> bool:
        seed, text = self._settings.seed, frame.kind is FrameKind.TEXT
        spoilt = truncated(frame.payload, seed, frame.frame_number, text=text)
        return self._spoil(FaultKind.TRUNCATE, frame, spoilt, out)

    def _wrong_checksum(self, frame: Frame, out: list[Frame]) -> bool:
        spoilt = with_wrong_checksum(frame.payload, self._content.events(frame))
        return self._spoil(FaultKind.CHECKSUM, frame, spoilt, out)

    def _spoil(
        self, kind: FaultKind, frame: Frame, spoilt: Spoilt | None, out: list[Frame]
    ) -> bool:
        if spoilt is None:
            return False
        payload, text = spoilt
        self._list(kind, frame, text)
        out.append(msgspec.structs.replace(frame, payload=payload))
        return True

    def _cut(self, frame: Frame, out: list[Frame]) -> bool:
        outage_s = self._settings.outage_s
        resumes = _can_resume(frame.venue)
        until_ns = frame.receive_time_ns + nanoseconds(outage_s) if resumes else _FOREVER_NS
        closed = marker_payload(Closed(code=None, reason=CUT_REASON))
        marker = msgspec.structs.replace(frame, kind=FrameKind.CLOSED, payload=closed)
        text = f"came back after {outage_s:g} s" if resumes else "never came back"
        self._let_go(marker, out)
        self._list(FaultKind.CUT, frame, f"the connection broke, and {text}")
        out.append(marker)
        self._outages[frame.connection_id] = _Outage(frame, until_ns, told=False)
        return True

    def _slow(self, frame: Frame, out: list[Frame]) -> bool:
        del out
        slow_s = self._settings.slow_s
        self._list(FaultKind.SLOW, frame, f"what came within {slow_s:g} s was lost, and told")
        until_ns = frame.receive_time_ns + nanoseconds(slow_s)
        self._outages[frame.connection_id] = _Outage(
            frame, until_ns, told=True, frames=1, bytes=len(frame.payload)
        )
        return True

    def _stall(self, frame: Frame, out: list[Frame]) -> bool:
        del out
        stall_s = self._settings.stall_s
        until_ns = frame.receive_time_ns + nanoseconds(stall_s)
        self._list(FaultKind.STALL, frame, f"nothing came for {stall_s:g} s, then all of it")
        self._stalled_until_ns[frame.connection_id] = until_ns
        self._hold(frame, until_ns)
        return True

    def _step_clock(self, frame: Frame, out: list[Frame]) -> bool:
        step_ns = nanoseconds(self._settings.clock_step_s)
        if draw(self._settings.seed, frame.frame_number, "clock", 2):
            step_ns = -step_ns
        self._list(FaultKind.CLOCK, frame, f"the wall clock stepped by {step_ns / 1e9:+g} s")
        steady_ns = frame.monotonic_time_ns
        if steady_ns is not None:
            wall_ns = frame.receive_time_ns + self._shift_ns + step_ns
            reading = marker_payload(ClockReading(wall_ns, steady_ns, step_ns))
            number, time_ns = frame.frame_number, frame.receive_time_ns
            out.append(Frame(number, 0, RECORDER, FrameKind.CLOCK, time_ns, steady_ns, reading))
        self._shift_ns += step_ns
        out.append(frame)
        return True


def _at(frame: Frame, time_ns: int) -> Frame:
    """Return a frame as it is when it comes at `time_ns` instead."""
    late_ns, steady_ns = time_ns - frame.receive_time_ns, frame.monotonic_time_ns
    return msgspec.structs.replace(
        frame,
        receive_time_ns=time_ns,
        monotonic_time_ns=None if steady_ns is None else steady_ns + late_ns,
    )


def _can_resume(venue: str) -> bool:
    try:
        return not venue_named(venue).traits.routed
    except UnknownVenueError:
        return True
