"""Faults in what clients of the fake exchange are sent."""

from __future__ import annotations

import itertools

import pytest
from websockets.asyncio.client import connect

from replay.fault_kind import FaultKind
from replay.fault_settings import FaultSettings
from replay.fault_steps import TRY_AGAIN_LATER, NoClockFaultError, ServedFaults
from replay.feed import Cutting, Sending, Step
from replay.recording import Recording
from replay.server_session import AtEnd
from replay.step_change import ChangedFeed
from replay.venue_server import VenueServer
from tests.replay.exchange_client import BTC_TOPICS, PATH, subscribe
from tests.replay.test_fault_trial import SAMPLES
from venues.frame import FrameKind

STEP_NS = 100_000_000


def sending(position: int, connection_id: int = 1) -> Sending:
    payload = b'{"n":%d}' % position
    return Sending(position * STEP_NS, "t", payload, False, connection_id, position)


TEN: list[Step] = [sending(position) for position in range(10)]


def changed(kind: FaultKind, **settings: float) -> tuple[list[Step], ServedFaults, int]:
    """Do one fault, the first that the settings draw, and say where it was done."""
    for seed in itertools.count(1):
        chances = {kind.value: 0.05}
        faults = ServedFaults(FaultSettings(seed=seed, **chances, **settings), lambda: ())
        change = faults.new_change()
        steps = [out for step in TEN for out in change([step])] + change([])
        places = [fault.frame_number for fault in faults.done]
        if len(places) == 1 and 2 <= places[0] <= 4:
            return steps, faults, places[0]
    raise AssertionError


def positions(steps: list[Step]) -> list[int]:
    return [step.position for step in steps if isinstance(step, Sending)]


def test_a_dropped_message_is_not_sent_and_a_doubled_one_twice() -> None:
    steps, _, place = changed(FaultKind.DROP)
    assert steps == TEN[:place] + TEN[place + 1 :]
    steps, _, place = changed(FaultKind.DUPLICATE)
    assert steps == TEN[: place + 1] + TEN[place:]


def test_an_overtaken_message_is_due_with_the_next_one_and_sent_behind_it() -> None:
    steps, _, place = changed(FaultKind.REORDER)
    assert positions(steps)[place : place + 2] == [place + 1, place]
    assert steps[place].due_ns == steps[place + 1].due_ns == (place + 1) * STEP_NS


def test_the_last_message_is_sent_all_the_same() -> None:
    faults = ServedFaults(FaultSettings(reorder=1.0), lambda: ())
    change = faults.new_change()
    assert change(TEN[:1]) == []
    assert change([]) == TEN[:1]
    assert faults.done == []


def test_delays_and_stalls_are_later_times() -> None:
    steps, _, place = changed(FaultKind.DELAY, delay_s=0.25)
    late = [step.due_ns - was.due_ns for step, was in zip(steps, TEN, strict=True)]
    assert late == [250_000_000 * (position == place) for position in range(10)]
    steps, _, place = changed(FaultKind.STALL, stall_s=0.3)
    until_ns = (place + 3) * STEP_NS
    assert [step.due_ns for step in steps[place : place + 4]] == [until_ns] * 4
    assert positions(steps) == list(range(10))


@pytest.mark.parametrize(
    ("kind", "length", "code"),
    [(FaultKind.CUT, "outage_s", None), (FaultKind.SLOW, "slow_s", TRY_AGAIN_LATER)],
)
def test_a_connection_that_ends_loses_what_comes_in_the_outage(
    kind: FaultKind, length: str, code: int | None
) -> None:
    steps, _, place = changed(kind, **{length: 0.3})
    end = steps[place]
    assert isinstance(end, Cutting)
    assert (end.code, end.by_client, end.due_ns) == (code, False, place * STEP_NS)
    assert positions(steps) == [*range(place), *range(place + 3, 10)]


def test_a_clock_step_is_refused() -> None:
    with pytest.raises(NoClockFaultError, match="its own clock"):
        ServedFaults(FaultSettings(clock=0.1), lambda: ())


async def test_a_change_is_asked_once_more_when_its_feed_has_ended() -> None:
    class OneStep:
        ended = False

        async def due_ns(self) -> int | None:
            return None if self.ended else 0

        def take(self, until_ns: int | None) -> list[Step]:
            del until_ns
            self.ended = True
            return TEN[:1]

    faults = ServedFaults(FaultSettings(reorder=1.0), lambda: ())
    feed = ChangedFeed(OneStep(), faults.new_change)  # type: ignore[arg-type]
    sent: list[Step] = []
    while await feed.due_ns() is not None:
        sent += feed.take(None)
    assert sent == TEN[:1]


async def _heard(server: VenueServer, topics: tuple[str, ...]) -> list[bytes]:
    async with connect(server.url + PATH) as client:
        await client.send(subscribe(topics))
        heard = [said.encode() if isinstance(said, str) else said async for said in client]
    return heard[1:]


async def test_every_client_of_a_server_meets_the_same_faults_and_they_are_listed() -> None:
    source = Recording.open(SAMPLES / "calm")
    settings = FaultSettings(seed=7, drop=0.01, duplicate=0.01)
    served = ServedFaults(settings, lambda: ["reference"])
    server = VenueServer(source, speed="max", at_end=AtEnd.CLOSE, change=served.new_change)
    async with server:
        first = await _heard(server, BTC_TOPICS)
        done = list(served.done)
        second = await _heard(server, BTC_TOPICS)
    assert first == second
    assert served.done == done + done
    kinds = {fault.frame_number: fault.kind for fault in done}
    expected: list[bytes] = []
    for frame in source.frames():
        if frame.kind is FrameKind.TEXT and b'BTCUSDT"' in frame.payload[:60]:
            kind = kinds.get(frame.frame_number)
            times = {FaultKind.DROP: 0, FaultKind.DUPLICATE: 2}.get(kind, 1) if kind else 1
            expected += [frame.payload] * times
    assert first == expected
    assert {FaultKind.DROP, FaultKind.DUPLICATE} == set(kinds.values())
