"""Two lines that carry the same messages, made into one sequence: each once, none out of order.

Theory. What an exchange sends on one topic is one sequence S. A line brings a part of S in the
order of S: parts are missing where it lost something. From lines that differ in speed and in what
they lost, the union is made, in the order of S, a topic at a time (between topics nothing orders).

`entries` is the union so far. Each line has a place in it: behind the last entry that it brought.
A message that comes on a line is

- brought before by another line: the same bytes, not yet brought by this one. The line's place is
  now behind it; entries of other lines between the two places were missed by this one.
- new: it belongs behind the line's place. Entries that stand there already came on other lines and
  may come here yet, so the new one goes before them, but for those that the exchange's own number
  (`rank`, read only in this case) puts first.

An entry is given out when all before it are, and it is certain that nothing will come before it:
every line that stands has brought it or is past it; or it has waited for `hold_ns`, after which a
line counts as slow and no longer as whole. What comes to stand before an entry that was given out
already is *late*: it cannot be kept in order, is not kept, and is counted as lost.

A line that comes to one which is at work joins it, a topic at a time: what it brings is not
entered until it brings what another line brought too (before or after). Without that, the snapshot
with which a subscription begins would stand between deltas that it has no place among. Topics on
which nothing was said meanwhile need no joining: both lines listened, and there was nothing.

What may not happen: the same message is given out twice; two are given out in another order than
one of the lines had them in; one is given out that no line brought. Memory: `keep_ns` of numbers
(hashes) of what was given out, to know it again on a slow line, and at most `ENTRIES_MAX` a topic.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Message = TypeVar("Message")
Line = Hashable

HOLD_NS = 1_000_000_000
KEEP_NS = 10_000_000_000
ENTRIES_MAX = 20_000


@dataclass(slots=True, eq=False)
class Entry(Generic[Message]):
    """A message of the union: what it is, who brought it first and when, who brought it since.

    `message` is None once it was given out.
    """

    key: int
    message: Message | None
    size: int
    first_line: Line
    first_ns: int
    rank: int | None = None
    lines: dict[Line, int] = field(default_factory=dict)
    given: bool = False


@dataclass(slots=True)
class MergeCounts:
    """What became of the messages of a merge since it was last asked."""

    merged_frames: int = 0
    merged_bytes: int = 0
    late_frames: int = 0
    late_bytes: int = 0
    late_from_ns: int = 0
    late_to_ns: int = 0
    unjoined_frames: int = 0
    unjoined_bytes: int = 0


class _TopicMerge(Generic[Message]):
    """One topic's union. `start` counts the entries that were forgotten at its front."""

    __slots__ = ("ahead", "entries", "given", "joined", "places", "start", "waiting")

    def __init__(self) -> None:
        self.entries: deque[Entry[Message]] = deque()
        self.start = 0
        self.given = 0
        self.places: dict[Line, int] = defaultdict(int)
        self.joined: set[Line] = set()
        self.waiting: dict[int, deque[Entry[Message]]] = {}
        self.ahead: dict[Line, deque[Entry[Message]]] = {}

    def index_of(self, entry: Entry[Message]) -> int:
        # From the end: what is looked for came within the last moments.
        for back, other in enumerate(reversed(self.entries)):
            if other is entry:
                return self.start + len(self.entries) - 1 - back
        raise AssertionError("an entry that waits is among the entries")


class LineMerge(Generic[Message]):
    """The union of what several lines bring; `give` takes it, a message and its entry at a time."""

    def __init__(
        self,
        give: Callable[[Message, Entry[Message]], None],
        rank: Callable[[Message], int | None] = lambda message: None,
        *,
        hold_ns: int = HOLD_NS,
        keep_ns: int = KEEP_NS,
    ) -> None:
        self._give = give
        self._rank = rank
        self._hold_ns = hold_ns
        self._keep_ns = keep_ns
        self._topics: dict[str, _TopicMerge[Message]] = {}
        self._lines: dict[Line, int | None] = {}
        self.counts = MergeCounts()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines that stand."""
        return tuple(self._lines)

    def add(self, line: Line, now_ns: int | None) -> None:
        """Take a line in: whole from the beginning (None), or joining what is at work."""
        self._lines[line] = now_ns

    def remove(self, line: Line) -> None:
        """Go on without a line that is gone; nothing waits for it any more."""
        self._lines.pop(line, None)
        for topic in self._topics.values():
            for entry in topic.ahead.pop(line, ()):
                self._leave_out(entry)
            topic.joined.discard(line)
            self._give_out(topic, None)

    def unjoined(self, line: Line) -> list[str]:
        """Return the topics that spoke since `line` came and that it has not joined."""
        since_ns = self._lines.get(line)
        if since_ns is None:
            return []
        return [
            name
            for name, topic in self._topics.items()
            if line not in topic.joined
            and (topic.ahead.get(line) or (topic.entries and topic.entries[-1].first_ns > since_ns))
        ]

    def whole(self, line: Line) -> None:
        """Take a line that has joined for one that was there from the beginning."""
        if line not in self._lines:
            return
        self._lines[line] = None
        for topic in self._topics.values():
            if line not in topic.joined:
                topic.places[line] = topic.start + len(topic.entries)

    def take(self, line: Line, name: str, payload: bytes, message: Message, now_ns: int) -> None:
        """Take a message that came on a line."""
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = _TopicMerge()
        key = hash(payload)
        if self._lines[line] is not None and line not in topic.joined:
            self._join(topic, line, key, len(payload), message, now_ns)
        elif not self._brought_before(topic, line, key, now_ns):
            entry = Entry(key, message, len(payload), line, now_ns, lines={line: now_ns})
            self._enter(topic, line, entry)
        self._give_out(topic, now_ns)

    def tick(self, now_ns: int) -> None:
        """Give out what has waited long enough; to be called every 50 ms or so."""
        for topic in self._topics.values():
            self._give_out(topic, now_ns)
            for ahead in topic.ahead.values():
                while ahead and now_ns - ahead[0].first_ns > self._hold_ns:
                    self._leave_out(ahead.popleft())
            entries = topic.entries
            while entries and entries[0].given and now_ns - entries[0].first_ns > self._keep_ns:
                self._forget_first(topic)

    def end(self) -> None:
        """Give out all that is left, as no line is waited for any more."""
        for topic in self._topics.values():
            for ahead in topic.ahead.values():
                for entry in ahead:
                    self._leave_out(entry)
            topic.ahead.clear()
            while topic.given < len(topic.entries):
                self._give_first(topic)

    # The steps.

    def _brought_before(
        self, topic: _TopicMerge[Message], line: Line, key: int, now_ns: int
    ) -> bool:
        waiting = topic.waiting.get(key)
        if waiting is None:
            return False
        entry = next((each for each in waiting if line not in each.lines), None)
        if entry is None:
            return False
        entry.lines[line] = now_ns
        self.counts.merged_frames += 1
        self.counts.merged_bytes += entry.size
        place = topic.index_of(entry) + 1
        if place > topic.places[line]:
            topic.places[line] = place
        return True

    def _enter(self, topic: _TopicMerge[Message], line: Line, entry: Entry[Message]) -> None:
        place = max(topic.places[line], topic.start)
        end = topic.start + len(topic.entries)
        if place < end:
            place = self._ranked_place(topic, line, entry, place, end)
        if place < topic.start + topic.given:
            counts = self.counts
            counts.late_from_ns = counts.late_from_ns or entry.first_ns
            counts.late_to_ns = entry.first_ns
            counts.late_frames += 1
            counts.late_bytes += entry.size
            return
        topic.entries.insert(place - topic.start, entry)
        for other, where in topic.places.items():
            if where > place:
                topic.places[other] = where + 1
        topic.places[line] = place + 1
        topic.waiting.setdefault(entry.key, deque()).append(entry)
        if len(topic.entries) > ENTRIES_MAX:
            if not topic.given:
                self._give_first(topic)
            self._forget_first(topic)

    def _ranked_place(
        self,
        topic: _TopicMerge[Message],
        line: Line,
        entry: Entry[Message],
        place: int,
        end: int,
    ) -> int:
        """Return where a new entry goes among those that its line may bring yet."""
        rank = self._rank_of(entry)
        if rank is None:
            return place
        while place < end:
            other = topic.entries[place - topic.start]
            other_rank = self._rank_of(other)
            if line in other.lines or other_rank is None or other_rank > rank:
                break
            place += 1
        return place

    def _rank_of(self, entry: Entry[Message]) -> int | None:
        if entry.rank is None and entry.message is not None:
            entry.rank = self._rank(entry.message)
        return entry.rank

    def _join(
        self,
        topic: _TopicMerge[Message],
        line: Line,
        key: int,
        size: int,
        message: Message,
        now_ns: int,
    ) -> None:
        if self._brought_before(topic, line, key, now_ns):
            topic.joined.add(line)
            for entry in topic.ahead.pop(line, ()):
                self._leave_out(entry)
            return
        entry = Entry(key, message, size, line, now_ns, lines={line: now_ns})
        topic.ahead.setdefault(line, deque()).append(entry)

    def _join_ahead(self, topic: _TopicMerge[Message], entry: Entry[Message]) -> None:
        """See whether a joining line brought this entry before: it has joined there then."""
        for line in list(topic.ahead):
            ahead = topic.ahead[line]
            where = next((n for n, each in enumerate(ahead) if each.key == entry.key), None)
            if where is None:
                continue
            del topic.ahead[line]
            topic.joined.add(line)
            later = list(ahead)
            for before in later[:where]:
                self._leave_out(before)
            entry.lines[line] = later[where].first_ns
            self.counts.merged_frames += 1
            self.counts.merged_bytes += entry.size
            topic.places[line] = topic.index_of(entry) + 1
            for after in later[where + 1 :]:
                self._enter(topic, line, after)

    def _leave_out(self, entry: Entry[Message]) -> None:
        self.counts.unjoined_frames += 1
        self.counts.unjoined_bytes += entry.size

    def _give_out(self, topic: _TopicMerge[Message], now_ns: int | None) -> None:
        entries, start = topic.entries, topic.start
        while topic.given < len(entries):
            entry = entries[topic.given]
            if topic.ahead:
                self._join_ahead(topic, entry)
            place = start + topic.given
            waited = now_ns is not None and now_ns - entry.first_ns >= self._hold_ns
            if not waited and any(
                topic.places[line] <= place
                for line, since_ns in self._lines.items()
                if since_ns is None or line in topic.joined
            ):
                return
            self._give_first(topic)

    def _give_first(self, topic: _TopicMerge[Message]) -> None:
        entry = topic.entries[topic.given]
        topic.given += 1
        entry.given = True
        message, entry.message = entry.message, None
        assert message is not None
        self._give(message, entry)

    def _forget_first(self, topic: _TopicMerge[Message]) -> None:
        entry = topic.entries.popleft()
        topic.start += 1
        topic.given -= 1
        waiting = topic.waiting[entry.key]
        waiting.remove(entry)
        if not waiting:
            del topic.waiting[entry.key]
