"""Two lines that carry the same messages, made into one sequence: each once, none out of order.

Theory. What an exchange sends on one topic is one sequence. A line brings a part of it in its
order: parts are missing where the line lost something. Of two lines that differ in speed and in
what they lost, the union is made in that order, a topic at a time (nothing orders two topics).

A message that came on one line waits for the other line to bring it too (the same bytes; of equal
ones the n-th on one line is the n-th on the other). When it does, all that waits before it on
either line is known to have been lost by the other one, and goes out before it. In which order two
such messages go out that each came on one line alone, the exchange's own number says (`rank`, read
for these only); without numbers the time does, less by how much one line is usually behind.

A message waits for at most `hold_ns`, then goes out alone. What a slow line brings after that is
either known to have gone out (`keep_ns` long), or it belongs before what has, and is *late*: it
cannot be kept in order, is not kept, and is counted as lost.

A line that comes to one at work *joins* it, a topic at a time: what it brings is left out until it
brings what the other line brought too. The snapshot with which a subscription begins has no place
among the deltas of a line that goes on. A topic on which nothing was said meanwhile needs no
joining: both listened, and there was nothing.

What may not happen: a message goes out twice, or is left out without being counted, or goes out in
another order than one of the lines had. At every moment, for both lines together:

    taken = gone out + merged + late + unjoined + waiting
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Message = TypeVar("Message")
Line = TypeVar("Line")

HOLD_NS = 1_000_000_000
KEEP_NS = 10_000_000_000
LAG_WEIGHT = 0.05


@dataclass(slots=True, eq=False)
class Entry(Generic[Message, Line]):
    """A message of the union: `lines` is when each line brought it, in the order of arrival.

    `message` is None once it has gone out; `rank` is known of what went out on one line alone.
    """

    key: int
    message: Message | None
    size: int
    first_ns: int
    lines: dict[Line, int]
    rank: int | None = None


@dataclass(slots=True)
class MergeCounts:
    """What became of messages that did not go out; times are those of the late ones."""

    merged_frames: int = 0
    merged_bytes: int = 0
    late_frames: int = 0
    late_bytes: int = 0
    late_from_ns: int = 0
    late_to_ns: int = 0
    unjoined_frames: int = 0
    unjoined_bytes: int = 0


@dataclass(slots=True)
class _TopicMerge(Generic[Message, Line]):
    """One topic: what waits, by line; what a joining line is ahead with; what went out alone."""

    waiting: dict[Line, deque[Entry[Message, Line]]] = field(default_factory=dict)
    ahead: deque[Entry[Message, Line]] = field(default_factory=deque)
    joined: set[Line] = field(default_factory=set)
    gone: deque[Entry[Message, Line]] = field(default_factory=deque)
    gone_by_key: dict[int, deque[Entry[Message, Line]]] = field(default_factory=dict)
    gone_of: Counter[Line] = field(default_factory=Counter)
    spoke_ns: int = -1


class LineMerge(Generic[Message, Line]):
    """The union of what two lines bring; `give` takes each message, with who brought it."""

    def __init__(
        self,
        give: Callable[[Message, Entry[Message, Line]], None],
        rank: Callable[[Message], int | None] = lambda message: None,
        *,
        hold_ns: int = HOLD_NS,
        keep_ns: int = KEEP_NS,
    ) -> None:
        self._give = give
        self._rank = rank
        self._hold_ns = hold_ns
        self._keep_ns = keep_ns
        self._topics: dict[str, _TopicMerge[Message, Line]] = {}
        self._joining: dict[Line, int] = {}
        self._lag_ns: dict[Line, float] = {}
        self.lines: list[Line] = []
        self.counts = MergeCounts()

    def add(self, line: Line, joins_ns: int | None = None) -> None:
        """Take a line in: from the beginning, or one that joins another at `joins_ns`."""
        assert len(self.lines) < 2, "two lines are merged, no more"
        self.lines.append(line)
        self._lag_ns[line] = 0.0
        if joins_ns is not None:
            self._joining[line] = joins_ns

    def unjoined(self, line: Line) -> list[str]:
        """Return the topics that spoke since `line` came, and on which it has not joined."""
        since_ns = self._joining.get(line)
        if since_ns is None:
            return []
        return [
            name
            for name, topic in self._topics.items()
            if line not in topic.joined and (topic.ahead or topic.spoke_ns > since_ns)
        ]

    def whole(self, line: Line) -> None:
        """Take a line that has joined for one that was there from the beginning."""
        self._joining.pop(line, None)

    def join_unmet(self, line: Line, name: str) -> None:
        """Take what a joining line brings on a topic on which the other line is mute."""
        topic = self._topics.setdefault(name, _TopicMerge())
        if line in self._joining and line not in topic.joined:
            self._has_joined(topic, line, 0, 0)

    def take(self, line: Line, name: str, payload: bytes, message: Message, now_ns: int) -> None:
        """Take a message that came on a line."""
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = _TopicMerge()
        entry = Entry(hash(payload), message, len(payload), now_ns, {line: now_ns})
        joining = line in self._joining and line not in topic.joined
        if not joining:
            topic.spoke_ns = now_ns
        if self._again(topic, line, entry) or self._meet(topic, line, entry):
            if joining:
                self._has_joined(topic, line, 0)
        elif joining:
            topic.ahead.append(entry)
        else:
            self._meet_ahead(topic, line, entry)

    def tick(self, now_ns: int) -> None:
        """Let out what has waited long enough; to be called every 50 ms or so."""
        for topic in self._topics.values():
            self._let_out(topic, now_ns - self._hold_ns)
            ahead, gone = topic.ahead, topic.gone
            while ahead and ahead[0].first_ns <= now_ns - self._hold_ns:
                self._leave_out(ahead.popleft())
            while gone and gone[0].first_ns <= now_ns - self._keep_ns:
                self._forget(topic, gone.popleft())

    def end(self) -> None:
        """Let out all that waits: from now on there is one line, or none."""
        for topic in self._topics.values():
            while topic.ahead:
                self._leave_out(topic.ahead.popleft())
            self._go_out(topic, self._in_order(list(topic.waiting.values())))
            topic.waiting.clear()

    # The steps.

    def _again(
        self, topic: _TopicMerge[Message, Line], line: Line, entry: Entry[Message, Line]
    ) -> bool:
        """Merge what went out already. What waits on the line came before it, and is late."""
        gone = topic.gone_by_key.get(entry.key)
        first = next((each for each in gone or () if line not in each.lines), None)
        if first is None:
            return False
        self._merge(first, line, entry)
        topic.gone.remove(first)
        self._forget(topic, first)
        for late in topic.waiting.pop(line, ()):
            self._too_late(late)
        return True

    def _meet(
        self, topic: _TopicMerge[Message, Line], line: Line, entry: Entry[Message, Line]
    ) -> bool:
        """Merge what waits on the other line, and let it out with all that is before it."""
        for other, waiting in topic.waiting.items():
            if other == line:
                continue
            where = next((n for n, each in enumerate(waiting) if each.key == entry.key), None)
            if where is None:
                continue
            before = [waiting.popleft() for _ in range(where)]
            met = waiting.popleft()
            self._merge(met, line, entry)
            mine = topic.waiting.pop(line, deque())
            self._go_out(topic, [*self._in_order([before, mine]), met])
            return True
        return False

    def _meet_ahead(
        self, topic: _TopicMerge[Message, Line], line: Line, entry: Entry[Message, Line]
    ) -> None:
        """Let a message wait, or go out where no other line is to bring it."""
        where = next((n for n, each in enumerate(topic.ahead) if each.key == entry.key), None)
        topic.waiting.setdefault(line, deque()).append(entry)
        if where is not None:
            (joiner,) = (each for each in self.lines if each != line)
            met = topic.ahead[where]
            self._merge(entry, joiner, met)
            self._go_out(topic, topic.waiting.pop(line))
            self._has_joined(topic, joiner, where + 1, where)
        elif not any(
            each != line and (each not in self._joining or each in topic.joined)
            for each in self.lines
        ):
            self._go_out(topic, topic.waiting.pop(line))

    def _has_joined(
        self,
        topic: _TopicMerge[Message, Line],
        line: Line,
        from_number: int,
        left_out: int | None = None,
    ) -> None:
        topic.joined.add(line)
        ahead, topic.ahead = topic.ahead, deque()
        if left_out is None:
            left_out = from_number = len(ahead)
        for number, entry in enumerate(ahead):
            if number < left_out:
                self._leave_out(entry)
            elif number >= from_number:
                topic.waiting.setdefault(line, deque()).append(entry)

    def _merge(self, into: Entry[Message, Line], line: Line, entry: Entry[Message, Line]) -> None:
        (other,) = into.lines
        apart_ns = entry.first_ns - into.first_ns
        lag_ns = self._lag_ns
        # How far `line` is behind, as seen from the middle between both.
        lag_ns[line] += LAG_WEIGHT * (apart_ns / 2 - lag_ns[line])
        lag_ns[other] += LAG_WEIGHT * (-apart_ns / 2 - lag_ns[other])
        into.lines[line] = entry.first_ns
        self.counts.merged_frames += 1
        self.counts.merged_bytes += entry.size

    def _in_order(
        self, parts: Sequence[Iterable[Entry[Message, Line]]]
    ) -> list[Entry[Message, Line]]:
        """Put what came on one line alone among what came on the other alone."""
        queues = [queue for queue in map(deque, parts) if queue]
        if len(queues) < 2:
            return list(queues[0]) if queues else []
        one, other = queues
        merged: list[Entry[Message, Line]] = []
        while one and other:
            merged.append((one if self._comes_before(one[0], other[0]) else other).popleft())
        return [*merged, *one, *other]

    def _comes_before(self, one: Entry[Message, Line], other: Entry[Message, Line]) -> bool:
        one_rank, other_rank = self._rank_of(one), self._rank_of(other)
        if one_rank is not None and other_rank is not None and one_rank != other_rank:
            return one_rank < other_rank
        return self._sent_ns(one) <= self._sent_ns(other)

    def _rank_of(self, entry: Entry[Message, Line]) -> int | None:
        return None if entry.message is None else self._rank(entry.message)

    def _sent_ns(self, entry: Entry[Message, Line]) -> float:
        (line,) = entry.lines
        return entry.first_ns - self._lag_ns[line]

    def _let_out(self, topic: _TopicMerge[Message, Line], until_ns: int) -> None:
        """Let out what came until then, and what the other line had before it."""
        if not any(each and each[0].first_ns <= until_ns for each in topic.waiting.values()):
            return
        parts = [
            [entry for entry in waiting if entry.first_ns <= until_ns]
            for waiting in topic.waiting.values()
        ]
        for waiting, part in zip(topic.waiting.values(), parts, strict=True):
            for _ in part:
                waiting.popleft()
        self._go_out(topic, self._in_order(parts))

    def _overtaken(self, topic: _TopicMerge[Message, Line], entry: Entry[Message, Line]) -> bool:
        """Say whether something of the other line has gone out that belongs behind this."""
        (line,) = entry.lines
        if topic.gone_of.total() == topic.gone_of[line]:
            return False
        rank = self._rank_of(entry)
        return rank is not None and any(
            line not in each.lines and each.rank is not None and each.rank > rank
            for each in topic.gone
        )

    def _go_out(
        self,
        topic: _TopicMerge[Message, Line],
        entries: Iterable[Entry[Message, Line]],
    ) -> None:
        for entry in entries:
            if len(entry.lines) < 2 and self._overtaken(topic, entry):
                self._too_late(entry)
                continue
            if len(entry.lines) < len(self.lines):
                entry.rank = self._rank_of(entry)
            message, entry.message = entry.message, None
            assert message is not None
            if len(entry.lines) < 2:
                topic.gone.append(entry)
                topic.gone_by_key.setdefault(entry.key, deque()).append(entry)
                topic.gone_of[next(iter(entry.lines))] += 1
            self._give(message, entry)

    def _forget(self, topic: _TopicMerge[Message, Line], entry: Entry[Message, Line]) -> None:
        same = topic.gone_by_key[entry.key]
        same.remove(entry)
        topic.gone_of[next(iter(entry.lines))] -= 1
        if not same:
            del topic.gone_by_key[entry.key]

    def _leave_out(self, entry: Entry[Message, Line]) -> None:
        self.counts.unjoined_frames += 1
        self.counts.unjoined_bytes += entry.size

    def _too_late(self, entry: Entry[Message, Line]) -> None:
        counts = self.counts
        counts.late_from_ns = counts.late_from_ns or entry.first_ns
        counts.late_to_ns = entry.first_ns
        counts.late_frames += 1
        counts.late_bytes += entry.size
