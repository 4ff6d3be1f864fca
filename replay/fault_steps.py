"""Faults in what clients of the fake exchange are sent.

Theory. A client is played what an exchange says, and the same faults befall it that befall a
recording's frames (`replay.fault_injection`), drawn by the number of the message in what is
served, so that every client meets the same ones. They befall what the exchange says of itself:
greetings and answers to requests are as they would be.

- CUT and SLOW end the connection, without a close frame and with 1013; what would have come in the
  outage is lost to the client, also when it is back sooner.
- CLOCK is none of an exchange's faults: a client has its own clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from replay.errors import ReplayError
from replay.fault_content import ContentReader
from replay.fault_draw import drawn_plan
from replay.fault_kind import Fault, FaultKind
from replay.fault_payload import Spoilt, checksums_in, corrupted, truncated, with_wrong_checksum
from replay.fault_settings import FaultSettings, nanoseconds
from replay.feed import Cutting, Sending, Step
from venues.event import Event
from venues.frame import Frame, FrameKind

TRY_AGAIN_LATER = 1013
CUT_REASON = "cut on purpose"
SLOW_REASON = "too slow a reader, on purpose"


class NoClockFaultError(ReplayError):
    """A clock step was asked for of the fake exchange."""

    def __init__(self) -> None:
        super().__init__(
            "clock: a client of `serve` has its own clock, which no exchange can step. "
            "Use it with `tickreel replay` or `tickreel faults`."
        )


class ServedFaults:
    """The faults of one server.

    `done` lists those of what all its clients were played, whatever they had subscribed to.
    """

    def __init__(self, settings: FaultSettings, venues: Callable[[], Sequence[str]]) -> None:
        """Do the faults that `settings` draw; `venues` says whose messages are served.

        Raises:
            NoClockFaultError: they ask for a step of the clock.
        """
        if settings.clock:
            raise NoClockFaultError
        self.done: list[Fault] = []
        self._settings = settings
        self._venues = venues

    def new_change(self) -> StepFaults:
        """Return what stands between one client and its feed."""
        return StepFaults(self._settings, self._venues(), self.done)


class StepFaults:
    """What does them to one client's messages: from steps to steps."""

    def __init__(self, settings: FaultSettings, venues: Sequence[str], done: list[Fault]) -> None:
        self._settings = settings
        self._plan = drawn_plan(settings)
        self._venues = venues
        self._done = done
        self._content = ContentReader()
        self._overtaken: dict[int, Sending] = {}
        self._stalled_until_ns: dict[int, int] = {}
        self._out_until_ns: dict[int, int] = {}
        self._deeds: dict[FaultKind, Callable[[Sending, list[Step]], bool]] = {
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
        }

    def __call__(self, steps: Sequence[Step]) -> list[Step]:
        """Return what is sent instead of `steps`; of none, that all is over, what is left."""
        out: list[Step] = []
        for step in steps:
            self._take(step, out)
        if not steps:
            out += self._overtaken.values()
            self._overtaken.clear()
        return out

    def _take(self, step: Step, out: list[Step]) -> None:
        number, due_ns = step.connection_id, step.due_ns
        if isinstance(step, Sending):
            for venue in self._venues:
                self._content.note(_frame(step, venue))
        out_until_ns = self._out_until_ns.get(number, due_ns)
        if due_ns < out_until_ns and isinstance(step, Sending) and not step.acknowledges:
            return
        until_ns = self._stalled_until_ns.get(number, due_ns)
        if due_ns < until_ns:
            out.append(msgspec.structs.replace(step, due_ns=until_ns))
            return
        if isinstance(step, Cutting) or step.greeting or step.acknowledges:
            out.append(step)
            return
        kind = self._plan(step.position)
        overtaken = None if kind is FaultKind.REORDER else self._overtaken.pop(number, None)
        if kind is None or not self._deeds[kind](step, out):
            out.append(step)
        if overtaken is not None:
            self._list(FaultKind.REORDER, overtaken, f"came behind message {step.position:,}")
            out.append(msgspec.structs.replace(overtaken, due_ns=due_ns))

    def _list(self, kind: FaultKind, step: Sending, text: str) -> None:
        self._done.append(Fault(kind, step.position, step.connection_id, step.due_ns, text))

    # The faults. Each returns whether it was done; where not, the message goes its way.

    def _drop(self, step: Sending, out: list[Step]) -> bool:
        del out
        self._list(FaultKind.DROP, step, f"{len(step.payload):,} bytes were not sent")
        return True

    def _duplicate(self, step: Sending, out: list[Step]) -> bool:
        self._list(FaultKind.DUPLICATE, step, f"{len(step.payload):,} bytes were sent twice")
        out += [step, step]
        return True

    def _reorder(self, step: Sending, out: list[Step]) -> bool:
        del out
        if step.connection_id in self._overtaken:
            return False
        self._overtaken[step.connection_id] = step
        return True

    def _delay(self, step: Sending, out: list[Step]) -> bool:
        delay_s = self._settings.delay_s
        self._list(FaultKind.DELAY, step, f"was sent {delay_s:g} s late")
        late_ns = step.due_ns + nanoseconds(delay_s)
        out.append(msgspec.structs.replace(step, due_ns=late_ns))
        return True

    def _stall(self, step: Sending, out: list[Step]) -> bool:
        stall_s = self._settings.stall_s
        until_ns = step.due_ns + nanoseconds(stall_s)
        self._list(FaultKind.STALL, step, f"nothing was sent for {stall_s:g} s, then all of it")
        self._stalled_until_ns[step.connection_id] = until_ns
        out.append(msgspec.structs.replace(step, due_ns=until_ns))
        return True

    def _cut(self, step: Sending, out: list[Step]) -> bool:
        outage_s = self._settings.outage_s
        self._list(FaultKind.CUT, step, f"the connection broke; {outage_s:g} s were lost")
        return self._end(step, outage_s, None, CUT_REASON, out)

    def _slow(self, step: Sending, out: list[Step]) -> bool:
        slow_s = self._settings.slow_s
        self._list(FaultKind.SLOW, step, f"closed with 1013; {slow_s:g} s were lost")
        return self._end(step, slow_s, TRY_AGAIN_LATER, SLOW_REASON, out)

    def _end(
        self, step: Sending, length_s: float, code: int | None, reason: str, out: list[Step]
    ) -> bool:
        number = step.connection_id
        self._out_until_ns[number] = step.due_ns + nanoseconds(length_s)
        out.append(Cutting(step.due_ns, code, reason, by_client=False, connection_id=number))
        return True

    def _corrupt(self, step: Sending, out: list[Step]) -> bool:
        seed, text = self._settings.seed, not step.binary
        spoilt = corrupted(step.payload, seed, step.position, text=text)
        return self._spoil(FaultKind.CORRUPT, step, spoilt, out)

    def _truncate(self, step: Sending, out: list[Step]) -> bool:
        seed, text = self._settings.seed, not step.binary
        spoilt = truncated(step.payload, seed, step.position, text=text)
        return self._spoil(FaultKind.TRUNCATE, step, spoilt, out)

    def _wrong_checksum(self, step: Sending, out: list[Step]) -> bool:
        spoilt = with_wrong_checksum(step.payload, self._events(step))
        return self._spoil(FaultKind.CHECKSUM, step, spoilt, out)

    def _events(self, step: Sending) -> Sequence[Event]:
        """Return what a message says to the one of the venues that finds a checksum in it."""
        read = (self._content.glance(_frame(step, venue)) for venue in self._venues)
        return next((events for events in read if checksums_in(events)), ())

    def _spoil(
        self, kind: FaultKind, step: Sending, spoilt: Spoilt | None, out: list[Step]
    ) -> bool:
        if spoilt is None:
            return False
        payload, text = spoilt
        self._list(kind, step, text)
        out.append(msgspec.structs.replace(step, payload=payload))
        return True


def _frame(step: Sending, venue: str) -> Frame:
    kind = FrameKind.BINARY if step.binary else FrameKind.TEXT
    return Frame(step.position, step.connection_id, venue, kind, step.due_ns, None, step.payload)
