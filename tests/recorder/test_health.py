from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import ConnectError, PartEndedError
from recorder.health import SILENCE_LIMIT_S, WAIT_LIMIT_S, DiskPulse
from recorder.part_watch import PartWatch


def test_a_disk_that_stands_still_while_frames_wait_has_no_pulse() -> None:
    pulse = DiskPulse(100.0)
    assert pulse.fault(100.0, 10, 0.0) == ""
    assert pulse.fault(103.9, 10, 3.9) == ""
    assert pulse.fault(104.0, 10, 4.0) == "nothing was written for 4 s, and frames wait to be"
    assert pulse.fault(130.0, 10, 30.0) == "nothing was written for 30 s, and frames wait to be"
    assert pulse.fault(130.1, 11, 30.0) == ""


def test_a_slow_disk_that_moves_has_a_pulse() -> None:
    pulse = DiskPulse(0.0)
    for second in range(60):
        assert pulse.fault(float(second), second + 1, 50.0) == ""


def test_silence_is_no_fault_until_even_the_clock_is_not_written() -> None:
    pulse = DiskPulse(0.0)
    assert pulse.fault(0.0, 1, 0.0) == ""
    assert pulse.fault(14.9, 1, 0.0) == ""
    assert pulse.fault(15.0, 1, 0.0) == ("nothing was written for 15 s, not even that time goes on")


def test_before_anything_came_there_is_nothing_to_be_written() -> None:
    pulse = DiskPulse(0.0)
    assert pulse.fault(3600.0, 0, 0.0) == ""
    assert pulse.fault(3604.0, 0, 4.0) == "nothing was written for 3604 s, and frames wait to be"


@given(st.lists(st.tuples(st.floats(0.0, 20.0), st.booleans(), st.floats(0.0, 60.0)), max_size=50))
def test_a_pulse_is_there_exactly_while_what_is_written_grows_in_time(
    rounds: list[tuple[float, bool, float]],
) -> None:
    pulse, now_s, stored, grew_s = DiskPulse(0.0), 0.0, 0, 0.0
    for passed_s, grows, lag_s in rounds:
        now_s += passed_s
        if grows:
            stored, grew_s = stored + 1, now_s
        still_s = now_s - grew_s
        silent = stored > 0 and still_s >= SILENCE_LIMIT_S
        wanted = silent or (still_s >= WAIT_LIMIT_S and lag_s >= WAIT_LIMIT_S)
        assert bool(pulse.fault(now_s, stored, lag_s)) == wanted


async def ended(how: str, refusal: Exception) -> asyncio.Task[None]:
    async def part() -> None:
        if how == "raised":
            raise RuntimeError("out of paper")
        if how == "refused":
            raise refusal
        if how == "cancelled":
            await asyncio.sleep(60)

    task = asyncio.create_task(part(), name="tickreel-part")
    await asyncio.sleep(0)
    if how == "cancelled":
        task.cancel()
    await asyncio.wait([task])
    return task


async def test_a_part_that_ends_in_whatever_way_ends_the_recorder() -> None:
    refusal = ConnectError("x", "ws://x", "it is not there")
    for how in ("raised", "returned", "cancelled", "refused"):
        task = await ended(how, refusal)
        watch = PartWatch()
        watch.part_ended(task)
        assert watch.ended != "", how
        watch = PartWatch()
        last = watch.stream_ended(task, "x", last=False)
        assert last == (how != "refused"), how
        assert (watch.fatal is None) == (how == "refused"), how
        if how in ("returned", "cancelled"):
            assert isinstance(watch.fatal, PartEndedError)
            assert watch.fatal.part == "tickreel-part"


async def test_the_last_refused_stream_ends_the_recorder_with_the_first_refusal() -> None:
    first = ConnectError("x", "ws://x", "it is not there")
    watch = PartWatch()
    assert not watch.stream_ended(await ended("refused", first), "x", last=False)
    second = ConnectError("y", "ws://y", "nor this")
    assert watch.stream_ended(await ended("refused", second), "y", last=True)
    assert watch.fatal is first
    assert watch.stream_faults == {"x": first, "y": second}


async def test_a_part_that_ends_as_it_was_told_is_no_fault_and_one_that_raises_is() -> None:
    refusal = ConnectError("x", "ws://x", "it is not there")
    for how in ("returned", "cancelled", "raised"):
        watch = PartWatch()
        watch.stopping = True
        task = await ended(how, refusal)
        watch.part_ended(task)
        watch.stream_ended(task, "x", last=True)
        assert (watch.fatal is not None) == (how == "raised")
