"""The ring over hours of made time: what is wanted stays, what is not goes, whatever happens."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from recorder.description import new_description, write_description
from recorder.journal import JournalWriter
from recorder.recording_folder import RecordingFolder, make_folder
from recorder.ring import NS_PER_S, OPENING_S, RING_NAME, Ring, RingFile
from recorder.sealing import seal
from replay.recording import Recording
from venues.channel import Channel, Subscription
from venues.frame import Frame, FrameKind
from venues.marker import Closed, Opened, marker_payload
from venues.venue import SnapshotRequest

MINUTE_NS = 60 * NS_PER_S
WINDOW_NS = 15 * MINUTE_NS
START_NS = 1_795_000_000 * NS_PER_S
SEGMENT_NS = WINDOW_NS // 6


class MadeCapture:
    """Makes a segment every 2.5 minutes, a frame each ten seconds in it, and sweeps after it."""

    def __init__(self, path: Path) -> None:
        self.folder = RecordingFolder(path)
        for place in (path, self.folder.journals, self.folder.frames):
            make_folder(place)
        self._description = new_description({}, "made")
        write_description(self.folder, self._description)
        self.ring = Ring(path, WINDOW_NS, START_NS)
        self.ring.begin()
        self.now_ns = START_NS
        self.number = 1
        self.frames: list[Frame] = []
        self._next: list[Frame] = []
        self.most_bytes = 0
        self.judging = True

    def add(self, kind: FrameKind, payload: bytes, connection_id: int = 1) -> Frame:
        number = len(self.frames)
        frame = Frame(number, connection_id, "tiny", kind, self.now_ns, self.now_ns, payload)
        self.frames.append(frame)
        self._next.append(frame)
        self.ring.accept([frame])
        if self.judging:
            self.ring.judge(len(self.frames))
        return frame

    def open(self, connection_id: int) -> Frame:
        wanted = [Subscription(Channel.BOOK, "BTC"), Subscription(Channel.TRADES, "BTC")]
        opened = Opened("tiny", "ws://x", wanted)
        return self.add(FrameKind.OPENED, marker_payload(opened), connection_id)

    def close(self, connection_id: int) -> None:
        self.add(FrameKind.CLOSED, marker_payload(Closed(1006, "")), connection_id)

    def segment(self, connection_id: int = 1) -> None:
        for _ in range(SEGMENT_NS // (10 * NS_PER_S)):
            self.now_ns += 10 * NS_PER_S
            self.add(FrameKind.TEXT, b"x" * 100, connection_id)
        journal = JournalWriter(
            self.folder.journal(self.number),
            recording_id=self._description.recording_id,
            number=self.number,
            first_frame_number=self._next[0].frame_number,
            time_ns=self.now_ns,
        )
        journal.write(self._next)
        journal.close()
        seal(self.folder, self.number)
        self.number += 1
        self._next = []
        self.ring.sweep(self.now_ns)
        left = self.folder.segment_paths()
        self.most_bytes = max(self.most_bytes, len(left))

    def left(self) -> set[int]:
        frames = Recording.open(self.folder.path)
        return {frame.frame_number for frame in frames if frame.kind is not FrameKind.LOST}


@pytest.fixture
def capture(tmp_path: Path) -> MadeCapture:
    return MadeCapture(tmp_path / "night")


def within(capture: MadeCapture, since_ns: int, until_ns: int) -> set[int]:
    return {f.frame_number for f in capture.frames if since_ns <= f.receive_time_ns <= until_ns}


def test_six_hours_without_a_trigger_take_the_room_of_one_window(capture: MadeCapture) -> None:
    capture.open(1)
    for _ in range(144):
        capture.segment()
    # 25 minutes of reach in pieces of 2.5, the piece at each end, and that of the opening.
    assert capture.most_bytes <= 10 + 2 + 1
    left = capture.left()
    assert within(capture, capture.now_ns - WINDOW_NS, capture.now_ns) <= left
    assert within(capture, START_NS, START_NS + int(OPENING_S * NS_PER_S)) <= left
    assert len(left) < len(capture.frames) / 8


def test_a_trigger_keeps_its_window_and_the_opening_of_its_connections_for_good(
    capture: MadeCapture,
) -> None:
    opened = capture.open(1)
    for _ in range(20):
        capture.segment()
    triggered_ns = capture.now_ns - 40 * NS_PER_S
    capture.ring.trigger(triggered_ns)
    capture.segment()
    capture.close(1)
    late = capture.open(2)  # within the window after the trigger
    for _ in range(40):
        capture.segment(2)
    capture.close(2)
    unwanted = capture.open(3)
    for _ in range(20):
        capture.segment(3)
    capture.close(3)
    capture.open(4)
    for _ in range(40):
        capture.segment(4)
    left = capture.left()
    assert within(capture, triggered_ns - WINDOW_NS, triggered_ns + WINDOW_NS) <= left
    assert {opened.frame_number, late.frame_number} <= left
    assert unwanted.frame_number not in left


def test_random_days_keep_what_was_wanted_and_little_else(
    tmp_path: Path, capture: MadeCapture
) -> None:
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    chance = random.Random(seed)
    connection_id = 1
    capture.open(1)
    triggers: list[int] = []
    for _ in range(120):
        if chance.random() < 0.1:
            capture.close(connection_id)
            connection_id += 1
            capture.open(connection_id)
        if chance.random() < 0.04:
            triggers.append(capture.now_ns - chance.randrange(SEGMENT_NS))
            capture.ring.trigger(triggers[-1])
        if chance.random() < 0.1:  # killed, and begun again
            capture.ring.keep()
            capture.ring = Ring(capture.folder.path, WINDOW_NS, capture.now_ns)
            capture.ring.begin()
            connection_id += 1
            capture.open(connection_id)
        capture.segment(connection_id)
    left = capture.left()
    wanted = within(capture, capture.now_ns - WINDOW_NS, capture.now_ns)
    for time_ns in triggers:
        wanted |= within(capture, time_ns - WINDOW_NS, time_ns + WINDOW_NS)
    assert wanted <= left
    reach_ns = capture.ring.reach_ns + 2 * SEGMENT_NS
    near = within(capture, capture.now_ns - reach_ns, capture.now_ns)
    for time_ns in triggers:
        near |= within(capture, time_ns - reach_ns, time_ns + WINDOW_NS + 2 * SEGMENT_NS)
    for frame in capture.frames:
        if frame.kind is FrameKind.OPENED:
            opened_ns = frame.receive_time_ns
            near |= within(capture, opened_ns - SEGMENT_NS, opened_ns + 2 * SEGMENT_NS)
    assert left <= near
    assert list(Recording.open(capture.folder.path).verify()) == []


def test_what_was_recorded_before_the_ring_stays(capture: MadeCapture) -> None:
    for _ in range(5):
        capture.segment()
    before = capture.left()
    (capture.folder.path / RING_NAME).unlink()
    capture.ring = Ring(capture.folder.path, WINDOW_NS, capture.now_ns + 1)
    capture.ring.begin()
    for _ in range(30):
        capture.segment()
    assert before <= capture.left()
    assert len(capture.left()) < len(capture.frames) / 2


def test_a_ring_file_that_cannot_be_read_costs_no_frame_of_before(capture: MadeCapture) -> None:
    for _ in range(10):
        capture.segment()
    capture.ring.trigger(capture.now_ns)
    capture.ring.keep()
    before = capture.left()
    (capture.folder.path / RING_NAME).write_bytes(b'{"since_time_ns":"none"}')
    capture.ring = Ring(capture.folder.path, WINDOW_NS, capture.now_ns + 1)
    capture.ring.begin()
    for _ in range(30):
        capture.segment()
    assert before <= capture.left()


def test_what_nobody_has_looked_at_yet_stays_however_old_it_is(capture: MadeCapture) -> None:
    capture.segment()
    capture.judging = False  # the engine is far behind
    begun_ns = capture.now_ns
    for _ in range(60):
        capture.segment()
    unseen = within(capture, begun_ns, capture.now_ns)
    assert unseen <= capture.left()
    capture.ring.trigger(begun_ns + WINDOW_NS)
    capture.ring.judge(len(capture.frames))
    capture.ring.sweep(capture.now_ns)
    assert within(capture, begun_ns, begun_ns + 2 * WINDOW_NS) <= capture.left()
    assert not unseen <= capture.left()


def test_while_nothing_comes_nothing_goes(capture: MadeCapture) -> None:
    for _ in range(5):
        capture.segment()
    before = capture.left()
    capture.ring.sweep(capture.now_ns + 100 * WINDOW_NS)
    assert capture.left() == before


def test_each_living_book_is_asked_for_three_times_a_window(capture: MadeCapture) -> None:
    capture.open(1)
    capture.open(2)
    capture.close(2)
    asked: Iterator[list[SnapshotRequest]] = (
        capture.ring.snapshots_due(START_NS + second * NS_PER_S) for second in range(0, 2700, 5)
    )
    requests = [due for due in asked if due]
    assert len(requests) == 8  # each 5 minutes in 45, the first 5 left out
    assert requests[0] == [SnapshotRequest("tiny", 1, "BTC")]


def test_the_file_says_since_when_and_what(capture: MadeCapture) -> None:
    capture.segment()
    capture.ring.trigger(capture.now_ns)
    capture.ring.trigger(capture.now_ns + MINUTE_NS)
    ring = capture.ring.keep()
    assert ring == msgspec.json.decode(
        (capture.folder.path / RING_NAME).read_bytes(), type=RingFile
    )
    assert ring is not None
    assert ring.since_time_ns == START_NS
    assert ring.kept == (
        (capture.now_ns - WINDOW_NS * 5 // 3, capture.now_ns + MINUTE_NS + WINDOW_NS),
    )
