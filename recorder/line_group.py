"""The lines that carry the same, as one connection of the recording.

Theory. A line is one WebSocket connection. Lines that carry the same subscriptions stand side by
side in two cases: for good, where a user wants redundant ones, and for a moment, where a new one
takes the place of an old one before that goes. For whoever reads the recording they are one
connection, with one number: opened with the first line, closed with the last, and in between a
sequence without a hole as long as one of the lines had none (`recorder.line_merge`).

- One line stands: what comes is recorded as it comes.
- Two stand: market data is merged, for which it waits until both brought it, at most a second (so
  much more than with one line may a crash cost). What the exchange says of a line itself
  (acknowledgements, heartbeats) is recorded from both. LINES markers tell of lines that come, join
  and go, and every `REPORT_INTERVAL_NS` what each of them brought.
- A line that stands alone and has not joined the one that just died proves nothing: it did not
  listen to all, or we left out what it brought. Where it brought nothing yet, it goes on as a new
  connection; else it is given up for one.
- There is no place for a third line, as there may be for a moment where one is renewed while the
  other one comes back: it is a connection of its own, and given up at once.

Lines can be merged where a message is the same on each of them: not at a venue that numbers its
messages by connection or names subscriptions by references of a connection, nor where a login
comes first. There every line is a connection of its own.

What may not happen: a message that came is neither kept, nor merged with one that is, nor counted
as lost; the connection is closed in the recording while a line stands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol

from recorder.frame_intake import FrameIntake
from recorder.line_merge import Entry, LineMerge
from recorder.line_tally import LineTally
from venues.channel import Subscription
from venues.errors import UNDECODABLE
from venues.event import BookDelta, BookSnapshot, Trade
from venues.frame import Frame, FrameKind
from venues.marker import LATE_LINE, STALL, Closed, Lines, Lost, Opened
from venues.traits import SequenceScope
from venues.venue import ConnectionPlan, Venue

log = logging.getLogger("tickreel.recorder")

REPORT_INTERVAL_NS = 10_000_000_000
JOIN_LIMIT_NS = 30_000_000_000
OVERLAP_MIN_NS = 1_000_000_000
"""How long two lines stand side by side at least, before one of them is taken to have joined."""


class Line(Protocol):
    """One line, as its group sees it."""

    connection_id: int
    joined: bool

    @property
    def number(self) -> int:
        """Which of the redundant lines it is, from 1."""

    @property
    def leaving(self) -> bool:
        """Whether it is on its way out, by our own will."""

    @property
    def listens_since_ns(self) -> int | None:
        """Since when all was subscribed to, on the steady clock; None while it is not."""

    @property
    def brought(self) -> bool:
        """Whether any market data came on it."""

    @property
    def mute_subscriptions(self) -> set[Subscription]:
        """What of its subscriptions is silent that should not be."""

    def give_up(self, reason: str) -> None:
        """End it at once."""

    def stands_alone(self) -> None:
        """Learn that it is a connection of its own from now on."""


class Message(NamedTuple):
    """What came on a line, and when."""

    kind: FrameKind
    receive_time_ns: int
    monotonic_time_ns: int
    payload: bytes


def mergeable(venue: Venue, plan: ConnectionPlan) -> bool:
    """Return whether a message of `plan` is the same on every connection."""
    traits = venue.traits
    by_connection = traits.sequence_scope is SequenceScope.CONNECTION
    return not (by_connection or traits.routed or plan.private)


class LineGroup:
    """The lines of one connection plan.

    Attributes:
        merging: whether two lines stand, so that what comes has to be merged.
        apart: whether every line is a connection of its own.
        redundant: whether two lines stand for good.
        tally: which line brought what, since the beginning.
    """

    def __init__(
        self,
        venue: Venue,
        plan: ConnectionPlan,
        intake: FrameIntake,
        clock: Callable[[], tuple[int, int]],
        next_connection_id: Callable[[], int],
    ) -> None:
        self._venue = venue
        self._plan = plan
        self._intake = intake
        self._clock = clock
        self._next_connection_id = next_connection_id
        self._merge: LineMerge[Message, Line] | None = None
        self._lines: list[Line] = []
        self._reported_ns = 0
        self._stranger: Line | None = None
        self._merged_frames = 0
        self._left_out_frames = 0
        self.apart = not mergeable(venue, plan)
        self.redundant = False
        self.merging = False
        self.tally = LineTally()

    @property
    def standing(self) -> int:
        """How many lines stand."""
        return len(self._lines)

    @property
    def merged_frames(self) -> int:
        """How many messages were the same as one of the other line, which is kept."""
        return self._merged_frames + (self._merge.counts.merged_frames if self._merge else 0)

    @property
    def left_out_frames(self) -> int:
        """How many messages came on a line before it had joined the other one."""
        return self._left_out_frames + (self._merge.counts.unjoined_frames if self._merge else 0)

    @property
    def whole(self) -> bool:
        """Whether every line that stands has joined, and stays."""
        return all(line.joined and not line.leaving for line in self._lines)

    def opened(self, line: Line, opened: Opened, at: tuple[int, int]) -> bool:
        """Take in a line that is up, and give it its number; return whether it is the first."""
        if self.apart or len(self._lines) != 1:
            is_third = bool(self._lines) and not self.apart
            self._open(line, opened, at)
            if is_third:
                line.give_up("two lines that bring the same stand already")
            return True
        (other,) = self._lines
        line.connection_id, line.joined = other.connection_id, False
        self._lines.append(line)
        merge = self._merge = LineMerge(self._give, self._rank)
        merge.add(other)
        merge.add(line, at[1])
        self.merging = True
        self._reported_ns = at[1]
        self._mark(line, Lines(change="up", line=line.number), at)
        return False

    def _open(self, line: Line, opened: Opened, at: tuple[int, int]) -> None:
        line.connection_id, line.joined = self._next_connection_id(), True
        self._lines.append(line)
        self._intake.mark(line.connection_id, self._venue.name, opened, at)

    def take(self, line: Line, topic: str | None, message: Message) -> None:
        """Record what came on a line while two stand."""
        merge = self._merge
        if topic is None or merge is None or line not in merge.lines:
            self._receive(line.connection_id, message)
        else:
            merge.take(line, topic, message.payload, message, message.monotonic_time_ns)

    def join_unmet(self, line: Line, topic: str) -> None:
        """Take what a new line brings on a topic on which the old one is mute."""
        if self._merge is not None:
            self._merge.join_unmet(line, topic)

    def stalled(
        self,
        line: Line,
        subscriptions: tuple[Subscription, ...],
        since_ns: int,
        detail: str = "",
        at: tuple[int, int] | None = None,
    ) -> None:
        """Say in the recording that something was mute, from `since_ns` (steady) until now.

        What another line brings is no loss, and is not told; nor is anything of a line that is
        gone, whose watcher looked once more before it heard of that.
        """
        if line not in self._lines:
            return
        for other in self._lines:
            same_stream = other.number == line.number  # one takes the place of the other
            if other.connection_id == line.connection_id and other.joined and not same_stream:
                subscriptions = tuple(
                    one for one in subscriptions if one in other.mute_subscriptions
                )
                if not subscriptions:
                    return
        wall_ns, steady_ns = at or self._clock()
        from_ns = wall_ns - (steady_ns - since_ns)
        whole = set(subscriptions) >= set(self._plan.subscriptions)
        lost = Lost(
            None, None, from_ns, wall_ns, STALL, detail, [] if whole else list(subscriptions)
        )
        self._intake.mark(line.connection_id, self._venue.name, lost, at)

    def closed(self, line: Line, closed: Closed, opened: Opened | None) -> bool:
        """Let a line go; return whether it was the last of its connection.

        `opened` is for the case that the other line has to go on as a new connection; None where
        that one goes too, as we stop.
        """
        self._lines.remove(line)
        others = [each for each in self._lines if each.connection_id == line.connection_id]
        if not others:
            self._intake.mark(line.connection_id, self._venue.name, closed)
            return True
        (other,) = others
        self._part(line, closed)
        if other.joined or opened is None:
            return False
        self._intake.mark(line.connection_id, self._venue.name, closed)
        if other.brought:
            other.give_up("the line before it was gone before it had joined that")
        self._lines.remove(other)
        self._open(other, opened, self._clock())
        other.stands_alone()
        return True

    def tick(self) -> None:
        """Let out what has waited, see who has joined, and report; every 50 ms or so."""
        merge = self._merge
        if merge is None:
            return
        at = self._clock()
        merge.tick(at[1])
        for line in self._lines:
            self._warn_of_stranger(line, at[1])
            since_ns = line.listens_since_ns
            if line.joined or since_ns is None or at[1] - since_ns < OVERLAP_MIN_NS:
                continue
            if not merge.unjoined(line):
                merge.whole(line)
                line.joined = True
                self._mark(line, Lines(change="joined", line=line.number), at)
        if self.tally.full or at[1] - self._reported_ns >= REPORT_INTERVAL_NS:
            self._report(at)

    # The steps.

    def _warn_of_stranger(self, line: Line, now_ns: int) -> None:
        since_ns = line.listens_since_ns
        if line.joined or since_ns is None or line is self._stranger:
            return
        if now_ns - since_ns > JOIN_LIMIT_NS:
            self._stranger = line
            log.warning(
                "%s: line %d brings other messages than the other line, and is left out",
                self._plan.stream,
                line.number,
                extra={"event": "line left out"},
            )

    def _part(self, line: Line, closed: Closed) -> None:
        merge = self._merge
        assert merge is not None
        merge.end()
        at = self._clock()
        self._report(at)
        self._merged_frames += merge.counts.merged_frames
        self._left_out_frames += merge.counts.unjoined_frames
        self._merge, self.merging = None, False
        self._mark(line, Lines(change="down", line=line.number, reason=closed.reason), at)

    def _give(self, message: Message, entry: Entry[Message, Line]) -> None:
        line = next(iter(entry.lines))
        number = self._intake.next_frame_number
        if self._receive(line.connection_id, message):
            self.tally.brought(
                number,
                [(each.number, ns) for each, ns in entry.lines.items()],
            )

    def _receive(self, connection_id: int, message: Message) -> bool:
        kind, receive_time_ns, monotonic_time_ns, payload = message
        return self._intake.receive(
            connection_id, self._venue.name, kind, receive_time_ns, monotonic_time_ns, payload
        )

    def _rank(self, message: Message) -> int | None:
        """Return the exchange's own number of a message, where it has one."""
        frame = Frame(0, 1, self._venue.name, message.kind, 0, None, message.payload)
        try:
            events = self._venue.decode(frame)
        except UNDECODABLE:
            return None
        for event in events:
            if isinstance(event, BookDelta | BookSnapshot):
                return event.sequence
            if isinstance(event, Trade) and event.trade_number is not None:
                return event.trade_number
        return None

    def _report(self, at: tuple[int, int]) -> None:
        merge = self._merge
        assert merge is not None
        self._reported_ns = at[1]
        (line, *_) = self._lines
        marker = self.tally.take([each.number for each in merge.lines])
        if marker is not None:
            self._mark(line, marker, at)
        self._tell_late(line, merge, at)

    def _tell_late(self, line: Line, merge: LineMerge[Message, Line], at: tuple[int, int]) -> None:
        counts = merge.counts
        if not counts.late_frames:
            return
        offset_ns = at[0] - at[1]
        lost = Lost(
            counts.late_frames,
            counts.late_bytes,
            counts.late_from_ns + offset_ns,
            counts.late_to_ns + offset_ns,
            LATE_LINE,
        )
        self._intake.mark_lost(line.connection_id, self._venue.name, lost, at)
        counts.late_frames = counts.late_bytes = counts.late_from_ns = 0

    def _mark(self, line: Line, marker: Lines, at: tuple[int, int]) -> None:
        self._intake.mark(line.connection_id, self._venue.name, marker, at)
