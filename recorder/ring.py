"""A recording that keeps only what lies around triggers: like a camera on a dashboard.

Theory. All is recorded and sealed as ever, in short segments. A segment is removed once nothing
can want it any more; everything here is an interval of receive time, and what meets none of these
stays no longer:

- *recent*: from `now - window - lead` on, as a trigger may come at any moment and wants `window`
  before it. Now is when the last frame came: while nothing comes, nothing goes. Journals and what
  is not sealed are never removed.
- *kept*: from `trigger - window - lead` to `trigger + window`, for each trigger.
- *openings*: `OPENING_S` (or the window, if that is shorter) from the opening of each connection
  that lives, or lived in a kept interval: its subscriptions and what the exchange answered, without
  which later frames may mean nothing.

`lead` is what the books need to be right when the window begins: a fresh snapshot of each book is
asked for every window / 3 (`snapshots_due`), so a window and its lead hold at least one of each,
and what is kept replays to proven books whatever came before. A snapshot asked for on the socket is
a new subscription; where a venue has none, a new connection.

`ring.json` has since when there is a ring and what is kept, and is put into place before anything
depends on it. What was recorded before the ring began is never touched, and where the file cannot
be read, nothing is removed that is older than this start. What is removed is written down in
`removals.jsonl` (`recorder.removals`), and a reader says it in its place: nothing was lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from recorder.manifest import read_manifest
from recorder.recording_folder import RecordingFolder, write_whole
from recorder.removals import RING, Removed, present, remove_numbers
from venues.channel import Channel
from venues.errors import MALFORMED
from venues.frame import Frame, FrameKind
from venues.marker import MarkerError, Opened, read_marker
from venues.venue import SnapshotRequest

RING_NAME = "ring.json"
OPENING_S = 10.0
NS_PER_S = 1_000_000_000
SNAPSHOTS_PER_WINDOW = 3
SEGMENTS_PER_WINDOW = 6


UNJUDGED_MAX = 65_536
"""Batches that wait for the engine. Of one that is further behind, the oldest are forgotten: then
nothing is taken for looked at before it was."""


class RingFile(msgspec.Struct, frozen=True):
    """The content of `ring.json`: since when there is a ring, and what is kept for good."""

    since_time_ns: int
    kept: tuple[tuple[int, int], ...] = ()
    openings: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Connection:
    venue: str
    books: tuple[str, ...]
    opened_ns: int
    closed_ns: int | None = None


class Ring:
    """Says what of a recording is still wanted, and removes the rest. A sink of the recorder.

    `accept`, `trigger`, `judge` and `snapshots_due` are called on the event loop and never wait;
    `begin` and `sweep` may, and are called in a thread. They share only values that are replaced as
    a whole.
    """

    def __init__(self, folder: Path, window_ns: int, now_ns: int) -> None:
        self.window_ns = window_ns
        self._folder = RecordingFolder(folder)
        self._connections: dict[int, _Connection] = {}
        self._asked_ns = now_ns
        self._heard_ns: int | None = None
        self._judged_ns: int | None = None
        self._came = 0
        self._unjudged: deque[tuple[int, int]] = deque(maxlen=UNJUDGED_MAX)
        self._began_ns = now_ns
        self._file: RingFile | None = None
        self._saved = False
        self._triggers: deque[int] = deque()

    @property
    def kept(self) -> tuple[tuple[int, int], ...]:
        """The intervals that are kept, in order, apart from each other."""
        return () if self._file is None else self._file.kept

    @property
    def reach_ns(self) -> int:
        """How far back a trigger reaches: the window, and the lead for the books in it."""
        return self.window_ns + 2 * self.window_ns // SNAPSHOTS_PER_WINDOW

    def begin(self) -> None:
        """Take up what an earlier run kept; the folder must be there.

        Raises:
            OSError: the disk refused.
        """
        known = None
        with suppress(OSError, *MALFORMED):
            content = (self._folder.path / RING_NAME).read_bytes()
            known = msgspec.json.decode(content, type=RingFile)
        self._file = known or RingFile(self._began_ns)
        self._saved = known is not None
        self._save(self._file)

    # What comes.

    def accept(self, frames: Sequence[Frame]) -> None:
        """Note which connections open and close, and when the last frame came."""
        self._heard_ns = frames[-1].receive_time_ns
        self._came += len(frames)
        self._unjudged.append((self._came, self._heard_ns))
        for frame in frames:
            if frame.kind is FrameKind.OPENED:
                self._opened(frame)
            elif frame.kind is FrameKind.CLOSED:
                known = self._connections.get(frame.connection_id)
                if known is not None:
                    closed = replace(known, closed_ns=frame.receive_time_ns)
                    self._connections = {**self._connections, frame.connection_id: closed}

    def _opened(self, frame: Frame) -> None:
        books: tuple[str, ...] = ()
        with suppress(MarkerError):
            subscriptions = read_marker(frame, Opened).subscriptions
            books = tuple(one.symbol for one in subscriptions if one.channel is Channel.BOOK)
        now_ns = frame.receive_time_ns
        # Of one that closed before that, `sweep` has long seen whether it is wanted.
        oldest_ns = now_ns - 2 * self.reach_ns
        left = {
            number: one
            for number, one in self._connections.items()
            if one.closed_ns is None or one.closed_ns > oldest_ns
        }
        left[frame.connection_id] = _Connection(frame.venue, books, now_ns)
        self._connections = left

    def trigger(self, time_ns: int) -> None:
        """Have what lies around this moment kept, by the next `sweep`."""
        self._triggers.append(time_ns)

    def judge(self, frames: int) -> None:
        """Say how many of the frames that came were looked at for triggers."""
        while self._unjudged and self._unjudged[0][0] <= frames:
            _, self._judged_ns = self._unjudged.popleft()

    def snapshots_due(self, now_ns: int) -> list[SnapshotRequest]:
        """Return the snapshots to ask for now: of every book, every window / 3."""
        if 0 <= now_ns - self._asked_ns < self.window_ns // SNAPSHOTS_PER_WINDOW:
            return []
        self._asked_ns = now_ns
        return [
            SnapshotRequest(connection.venue, connection_id, symbol)
            for connection_id, connection in self._connections.items()
            if connection.closed_ns is None
            for symbol in connection.books
        ]

    # What goes.

    def sweep(self, time_ns: int) -> Removed:
        """Remove what nothing wants any more; `time_ns` is what the clock says.

        Nothing near what was not yet looked at goes: a trigger may still come of it.

        Raises:
            DamagedManifestError: the manifest cannot be believed; nothing was removed.
            OSError: the disk refused.
        """
        # Read first: what is judged after this may have no trigger here yet.
        now_ns = self._judged_ns
        ring = self.keep()
        if ring is None or now_ns is None:
            return Removed(0, 0)
        recent = (now_ns - self.reach_ns, _EVER)
        wanted = (*ring.kept, *ring.openings, *self._openings([recent], now_ns), recent)
        entries = present(self._folder, read_manifest(self._folder.manifest).entries)
        spans: dict[int, tuple[int, int]] = {}
        for entry in entries:
            low, high = spans.get(entry.number, (entry.min_receive_time_ns, 0))
            spans[entry.number] = (
                min(low, entry.min_receive_time_ns),
                max(high, entry.max_receive_time_ns),
            )
        numbers = [
            number
            for number, span in spans.items()
            if span[0] >= ring.since_time_ns and not _meets(span, wanted)
        ]
        if not numbers:
            return Removed(0, 0)
        return remove_numbers(self._folder, numbers, RING, time_ns)

    def keep(self) -> RingFile | None:
        """Write down what the triggers since the last time want kept; return all that is kept.

        Raises:
            OSError: the disk refused; it is tried again the next time.
        """
        ring = self._file
        if ring is None:
            return None
        windows = list(ring.kept)
        while self._triggers:
            time_ns = self._triggers.popleft()
            windows.append((time_ns - self.reach_ns, time_ns + self.window_ns))
        kept = _joined(windows)
        # Not only now: a connection may open after a trigger, within its window.
        now_ns = self._heard_ns or self._began_ns
        openings = _joined((*ring.openings, *self._openings(kept, now_ns)))
        self._file = RingFile(ring.since_time_ns, kept, openings)
        self._saved = self._saved and self._file == ring
        self._save(self._file)
        return self._file

    def _openings(self, wanted: Sequence[tuple[int, int]], now_ns: int) -> list[tuple[int, int]]:
        """Return the openings of the connections that live in any of the intervals."""
        length_ns = min(int(OPENING_S * NS_PER_S), self.window_ns)
        return [
            (one.opened_ns, one.opened_ns + length_ns)
            for one in self._connections.values()
            if _meets((one.opened_ns, one.closed_ns or now_ns), wanted)
        ]

    def _save(self, file: RingFile) -> None:
        if not self._saved:
            write_whole(self._folder.path / RING_NAME, msgspec.json.encode(file) + b"\n")
            self._saved = True


_EVER = 1 << 63


def _meets(span: tuple[int, int], intervals: Sequence[tuple[int, int]]) -> bool:
    return any(span[0] <= until and since <= span[1] for since, until in intervals)


def _joined(intervals: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the intervals in order, those that meet made one."""
    joined: list[tuple[int, int]] = []
    for since, until in sorted(intervals):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until))
        else:
            joined.append((since, until))
    return tuple(joined)
