from __future__ import annotations

from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from replay.due_time import STEP_LIMIT_NS, DueTimes
from replay.frame_merge import MergedRecording
from replay.frame_source import FrameList
from venues.frame import Frame, FrameKind
from venues.marker import ClockReading, marker_payload

HOUR_NS = 3_600 * 10**9
START_NS = 1_700_000_000 * 10**9


def frames_at(times: list[tuple[int, int | None]]) -> list[Frame]:
    return [
        Frame(number, 1, "reference", FrameKind.TEXT, receive_ns, steady_ns, b"")
        for number, (receive_ns, steady_ns) in enumerate(times)
    ]


def due_times(times: list[tuple[int, int | None]]) -> list[int]:
    due = DueTimes()
    return [due.due_ns(frame) for frame in frames_at(times)]


@given(st.lists(st.integers(min_value=0, max_value=HOUR_NS)), st.booleans())
def test_receive_times_that_go_forward_are_the_due_times_however_long_the_silence(
    gaps_ns: list[int], steady: bool
) -> None:
    times, receive_ns = [], START_NS
    for gap_ns in gaps_ns:
        receive_ns += gap_ns
        times.append((receive_ns, receive_ns - START_NS if steady else None))
    assert due_times(times) == [receive_ns for receive_ns, _ in times]


@given(
    st.lists(
        st.tuples(
            st.integers(min_value=0, max_value=2 * 10**18),
            st.none() | st.integers(min_value=0, max_value=10**18),
        )
    )
)
def test_due_times_never_go_back_whatever_the_clocks_say(
    times: list[tuple[int, int | None]],
) -> None:
    due = due_times(times)
    assert all(earlier <= later for earlier, later in pairwise(due))


@given(
    st.integers(min_value=-HOUR_NS, max_value=HOUR_NS),
    st.lists(st.integers(min_value=0, max_value=10**9), min_size=1),
)
def test_a_clock_that_is_set_changes_no_wait_where_the_steady_clock_was_kept(
    step_ns: int, gaps_ns: list[int]
) -> None:
    if abs(step_ns) <= STEP_LIMIT_NS:
        step_ns += 3 * STEP_LIMIT_NS
    times, elapsed_ns = [(START_NS, 0)], 0
    for gap_ns in gaps_ns:
        elapsed_ns += gap_ns
        times.append((START_NS + step_ns + elapsed_ns, elapsed_ns))
    due = due_times([*times])
    assert [later - earlier for earlier, later in pairwise(due)] == gaps_ns


def test_a_clock_set_back_neither_stalls_nor_rushes_without_a_steady_clock() -> None:
    second_ns = 10**9
    before = [(START_NS + n * second_ns, None) for n in range(3)]
    after = [(START_NS - HOUR_NS + n * second_ns, None) for n in range(3)]
    due = due_times([*before, *after])
    assert [time_ns - START_NS for time_ns in due] == [n * second_ns for n in (0, 1, 2, 2, 3, 4)]


def test_stamps_out_of_order_by_little_add_up_to_no_drift() -> None:
    times: list[tuple[int, int | None]] = []
    for n in range(1_000):
        times += [(START_NS + n * 1_000, None), (START_NS + n * 1_000 - 500, None)]
    due = due_times(times)
    assert due[-1] == START_NS + 999 * 1_000


def test_a_reboot_between_two_frames_is_a_silence_and_no_step() -> None:
    due = due_times([(START_NS, HOUR_NS), (START_NS + 60 * 10**9, 5 * 10**9)])
    assert due == [START_NS, START_NS + 60 * 10**9]


def test_a_reboot_that_the_readings_name_is_a_silence_whatever_the_steady_clock_says() -> None:
    second_ns, day_ns = 10**9, 24 * HOUR_NS
    frames = frames_at(
        [
            (START_NS, HOUR_NS),
            (START_NS + second_ns, HOUR_NS + second_ns),
            (START_NS + day_ns, 3 * HOUR_NS),
            (START_NS + day_ns + second_ns, 3 * HOUR_NS + second_ns),
        ]
    )
    readings = {
        0: ClockReading(0, 0, 0, "one"),
        1: ClockReading(0, 0, 0),  # as one of a fault that is put in has it
        2: ClockReading(0, 0, 0, "other"),
    }
    for number, reading in readings.items():
        payload = marker_payload(reading)
        frames[number] = msgspec.structs.replace(
            frames[number], kind=FrameKind.CLOCK, payload=payload
        )
    due = DueTimes()
    assert [due.due_ns(frame) for frame in frames] == [frame.receive_time_ns for frame in frames]


def test_a_reading_that_is_damaged_names_no_boot() -> None:
    frames = frames_at([(START_NS, 0), (START_NS + 1, 1)])
    frames[1] = msgspec.structs.replace(frames[1], kind=FrameKind.CLOCK, payload=b"\xff{")
    due = DueTimes()
    assert [due.due_ns(frame) for frame in frames] == [START_NS, START_NS + 1]


def test_steady_clocks_of_several_recordings_are_not_compared() -> None:
    one = frames_at([(START_NS, 0), (START_NS + 2, 2)])
    other = frames_at([(START_NS + 1, HOUR_NS), (START_NS + 3, HOUR_NS + 2)])
    due = DueTimes()
    merged = MergedRecording([FrameList(one), FrameList(other)])
    assert [due.due_ns(frame) - START_NS for frame in merged] == [0, 1, 2, 3]
