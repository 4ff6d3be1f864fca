"""The intake: numbers without a hole, a budget, and losses that are told of to the frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cli.capture_text import closing_text
from recorder.frame_intake import BATCH_BYTES, FRAME_COST_BYTES, FrameIntake, IntakeCounts
from recorder.statistics import RecorderReport
from venues.frame import Frame, FrameKind
from venues.marker import ClockReading, Closed, Lost, read_marker


class _Store:
    """A disk that is as fast as the test says."""

    def __init__(self) -> None:
        self.stored_cost = 0
        self.disk_reason = ""
        self.waiting: list[tuple[list[Frame], int]] = []
        self.frames: list[Frame] = []

    def put(self, frames: list[Frame], cost: int) -> None:
        self.waiting.append((frames, cost))

    def write(self, batches: int | None = None) -> None:
        for frames, cost in self.waiting[:batches]:
            self.frames.extend(frames)
            self.stored_cost += cost
        del self.waiting[:batches]


class _Sink:
    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def accept(self, frames: Sequence[Frame]) -> None:
        self.frames.extend(frames)


class _Loop:
    """What runs in the next turn of an event loop."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.due.append(callback)

    def turn(self) -> None:
        due, self.due = self.due, []
        for callback in due:
            callback()


def _intake(store: _Store, budget: int = 2**30, loop: _Loop | None = None) -> FrameIntake:
    times = count(1_000, 10)

    def clock() -> tuple[int, int]:
        now = next(times)
        return now, now

    return FrameIntake(
        store, budget_bytes=budget, schedule=(loop or _Loop()).call_soon, clock=clock
    )


def _receive(intake: FrameIntake, payload: bytes, connection: int = 1, at: int = 5) -> bool:
    return intake.receive(connection, "tiny", FrameKind.TEXT, at, at, payload)


def test_frames_are_numbered_on_arrival_without_a_hole() -> None:
    store = _Store()
    intake = _intake(store)
    for number in range(100):
        _receive(intake, b"%d" % number)
    intake.tick()
    store.write()
    assert [frame.frame_number for frame in store.frames] == list(range(100))
    assert [frame.payload for frame in store.frames] == [b"%d" % n for n in range(100)]


def test_numbering_goes_on_where_the_recording_ended() -> None:
    store = _Store()
    intake = FrameIntake(
        store, next_frame_number=77, schedule=_Loop().call_soon, clock=lambda: (0, 0)
    )
    _receive(intake, b"x")
    intake.tick()
    store.write()
    assert store.frames[0].frame_number == 77


def test_a_reading_of_the_clocks_alone_waits_for_the_first_frame_and_is_told_before_it() -> None:
    store, loop, sink = _Store(), _Loop(), _Sink()
    intake = _intake(store, loop=loop)
    intake.add_sink(sink)
    for second in range(3):
        intake.mark_recorder(ClockReading(second, second, 0), (second, second))
        intake.tick()
    assert (intake.frames, intake.next_frame_number, store.waiting) == (0, 0, [])
    _receive(intake, b"first")
    intake.mark_recorder(ClockReading(9, 9, 0), (9, 9))
    loop.turn()
    kinds = [frame.kind for frame in sink.frames]
    assert kinds == [FrameKind.CLOCK, FrameKind.TEXT, FrameKind.CLOCK]
    assert [frame.frame_number for frame in sink.frames] == [0, 1, 2]
    waited, first, _ = sink.frames
    assert read_marker(waited, ClockReading).wall_time_ns == first.receive_time_ns
    assert waited.receive_time_ns == first.receive_time_ns


def test_sinks_see_exactly_what_is_recorded_markers_included() -> None:
    store, sink, loop = _Store(), _Sink(), _Loop()
    intake = _intake(store, 4 * (100 + FRAME_COST_BYTES), loop)
    intake.add_sink(sink)
    for number in range(30):
        _receive(intake, bytes(100))
        if number % 7 == 0:
            intake.mark(1, "tiny", Closed(None, "cut"))
        if number % 10 == 9:
            intake.tick()
            store.write()
        loop.turn()
    intake.tell_all_losses()
    intake.tick()
    store.write()
    assert intake.counts().lost_frames > 0
    assert sink.frames == store.frames


def test_a_batch_goes_to_the_writer_when_it_is_large_enough() -> None:
    store, loop = _Store(), _Loop()
    intake = _intake(store, loop=loop)
    _receive(intake, bytes(10))
    loop.turn()
    assert not store.waiting
    _receive(intake, bytes(BATCH_BYTES))
    loop.turn()
    assert [len(frames) for frames, _ in store.waiting] == [2]


def test_sinks_run_after_the_callback_that_received_and_not_within_it() -> None:
    loop, sink = _Loop(), _Sink()
    intake = _intake(_Store(), loop=loop)
    intake.add_sink(sink)
    _receive(intake, b"x")
    assert not sink.frames
    loop.turn()
    assert len(sink.frames) == 1


def test_a_sink_that_raises_is_detached_and_named_and_the_recording_goes_on() -> None:
    class Broken:
        def accept(self, frames: Sequence[Frame]) -> None:
            raise ValueError("mine")

    store, sink, loop = _Store(), _Sink(), _Loop()
    intake = _intake(store, loop=loop)
    intake.add_sink(Broken())
    intake.add_sink(sink)
    for _ in range(2):
        _receive(intake, b"x")
        loop.turn()
    intake.tick()
    store.write()
    assert len(store.frames) == 2
    assert len(sink.frames) == 2
    assert len(intake.sink_faults) == 1
    assert "Broken raised ValueError('mine') in frames 0 to 0" in intake.sink_faults[0]


def test_past_the_budget_a_lost_marker_says_exactly_what_is_missing() -> None:
    store = _Store()
    cost = 100 + FRAME_COST_BYTES
    intake = _intake(store, 4 * cost)
    kept = [_receive(intake, bytes(100), at=1_000 + number) for number in range(10)]
    assert kept == [True] * 4 + [False] * 6
    intake.tick()
    store.write()
    intake.tick()
    store.write()
    lost = store.frames[-1]
    assert lost.kind is FrameKind.LOST
    assert lost.connection_id == 1
    assert lost.frame_number == 4
    marker = read_marker(lost, Lost)
    assert (marker.frames, marker.bytes) == (6, 600)
    assert (marker.from_ns, marker.to_ns) == (1_004, 1_009)
    assert marker.cause == "backpressure"


def test_each_connection_is_told_of_its_own_loss() -> None:
    store = _Store()
    intake = _intake(store, 1)
    for connection in (1, 2, 2, 3, 3, 3):
        assert not _receive(intake, b"x", connection)
    intake.tell_all_losses()
    intake.tick()
    store.write()
    told = {frame.connection_id: read_marker(frame, Lost).frames for frame in store.frames}
    assert told == {1: 1, 2: 2, 3: 3}


def test_a_connection_that_closes_is_told_of_its_loss_before() -> None:
    store = _Store()
    intake = _intake(store, 1)
    _receive(intake, b"x")
    intake.mark(1, "tiny", Closed(1006, ""))
    intake.tick()
    store.write()
    assert [frame.kind for frame in store.frames] == [FrameKind.LOST, FrameKind.CLOSED]


def test_keeping_begins_again_only_with_room_to_spare() -> None:
    store = _Store()
    cost = 100 + FRAME_COST_BYTES
    intake = _intake(store, 8 * cost)
    for _ in range(9):
        _receive(intake, bytes(100))
        intake.tick()
    store.write(1)
    assert not _receive(intake, bytes(100)), "one frame of room is no room yet"
    store.write(2)
    assert _receive(intake, bytes(100))


def test_empty_frames_are_bounded_too() -> None:
    intake = _intake(_Store(), 100 * FRAME_COST_BYTES)
    assert sum(_receive(intake, b"") for _ in range(1000)) == 100


@pytest.mark.parametrize("size", [0, 1, 300, 8 * 2**20])
def test_payloads_are_kept_as_they_are(size: int) -> None:
    store = _Store()
    intake = _intake(store)
    payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
    _receive(intake, payload)
    intake.tick()
    store.write()
    assert store.frames[0].payload == payload


class IntakeUnderPressure(RuleBasedStateMachine):
    """Any order of receiving, marking, ticking and writing, against a ledger of the test's own."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.sink, self.loop = _Store(), _Sink(), _Loop()
        self.intake = _intake(self.store, 5_000, self.loop)
        self.intake.add_sink(self.sink)
        self.received: dict[int, list[bytes]] = {1: [], 2: [], 3: []}
        self.kept: dict[int, list[bytes]] = {1: [], 2: [], 3: []}
        self.markers = 0

    @rule(connection=st.integers(1, 3), payload=st.binary(max_size=2_000))
    def receive(self, connection: int, payload: bytes) -> None:
        self.received[connection].append(payload)
        if _receive(self.intake, payload, connection):
            self.kept[connection].append(payload)

    @rule(connection=st.integers(1, 3))
    def mark(self, connection: int) -> None:
        self.intake.mark(connection, "tiny", Closed(None, ""))
        self.markers += 1

    @rule()
    def tick(self) -> None:
        self.intake.tick()

    @rule()
    def turn(self) -> None:
        self.loop.turn()

    @rule(batches=st.integers(1, 4))
    def write(self, batches: int) -> None:
        self.store.write(batches)

    @invariant()
    def received_is_kept_plus_lost(self) -> None:
        counts = self.intake.counts()
        received = [one for some in self.received.values() for one in some]
        assert counts.received_frames == len(received)
        assert counts.received_bytes == sum(map(len, received))
        assert counts.kept_frames + counts.lost_frames == counts.received_frames
        assert counts.kept_bytes + counts.lost_bytes == counts.received_bytes

    def teardown(self) -> None:
        self.intake.tell_all_losses()
        self.intake.tick()
        self.store.write()
        frames = self.store.frames
        assert frames == self.sink.frames
        assert [frame.frame_number for frame in frames] == list(range(len(frames)))
        assert self.intake.queued_cost == 0
        lost_frames = lost_bytes = 0
        for frame in frames:
            if frame.kind is FrameKind.LOST:
                marker = read_marker(frame, Lost)
                assert marker.frames is not None
                assert marker.bytes is not None
                lost_frames += marker.frames
                lost_bytes += marker.bytes
        for connection, payloads in self.kept.items():
            stored = [
                frame.payload
                for frame in frames
                if frame.connection_id == connection and frame.received
            ]
            assert stored == payloads
        received = [one for some in self.received.values() for one in some]
        kept = [one for some in self.kept.values() for one in some]
        assert len(received) == len(kept) + lost_frames
        assert sum(map(len, received)) == sum(map(len, kept)) + lost_bytes


TestIntakeUnderPressure = IntakeUnderPressure.TestCase
TestIntakeUnderPressure.settings = settings(max_examples=150, stateful_step_count=40)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3_000)), max_size=60))
def test_memory_in_unwritten_frames_stays_within_the_budget(
    arrivals: list[tuple[int, int]],
) -> None:
    store = _Store()
    intake = _intake(store, 10_000)
    for connection, size in arrivals:
        _receive(intake, bytes(size), connection)
        assert intake.queued_cost <= 10_000


def test_a_loss_of_unknown_size_is_counted_as_one_and_adds_no_frames() -> None:
    intake = _intake(_Store())
    intake.mark(1, "tiny", Lost(None, None, 1, 2, "stall"))
    intake.mark_lost(1, "tiny", Lost(1, 40, 1, 2, "oversize"))
    counts = intake.counts()
    assert (counts.lost_frames, counts.unknown_losses) == (1, 1)
    assert counts.less(3, 30).unknown_losses == 1


@pytest.mark.parametrize(
    ("unknown", "told"),
    [(0, "0 lost,"), (1, "0 lost and 1 loss of unknown size,"), (2, "and 2 losses of unknown")],
)
def test_a_capture_that_lost_it_is_not_known_how_much_says_so_at_its_end(
    unknown: int, told: str
) -> None:
    counts = IntakeCounts(unknown_losses=unknown)
    report = RecorderReport(1, 0, counts, segments=1, bytes_on_disk=10)
    assert told in closing_text(report, None)
