from __future__ import annotations

import logging

import pytest

from recorder.marker_tally import CauseTally, MarkerTally
from venues.frame import RECORDER, Frame, FrameKind
from venues.marker import (
    ClockReading,
    Closed,
    HttpResponse,
    Lost,
    Marker,
    Opened,
    http_payload,
    marker_payload,
)

KINDS: dict[type, FrameKind] = {
    Opened: FrameKind.OPENED,
    Closed: FrameKind.CLOSED,
    Lost: FrameKind.LOST,
    ClockReading: FrameKind.CLOCK,
}


def frame(number: int, kind: FrameKind, payload: bytes, connection: int = 7) -> Frame:
    venue = "bybit-linear" if connection else RECORDER
    return Frame(number, connection, venue, kind, 10**18, 1, payload)


def marker(number: int, said: Marker, connection: int = 7) -> Frame:
    return frame(number, KINDS[type(said)], marker_payload(said), connection)


def test_losses_are_counted_by_their_cause_and_clock_steps_by_their_size() -> None:
    tally = MarkerTally()
    tally.accept(
        [
            frame(0, FrameKind.TEXT, b"{}"),
            marker(1, Lost(3, 300, 1, 2, "backpressure")),
            marker(2, Lost(None, None, 1, 2, "crash")),
            marker(3, Lost(2, 20, 1, 2, "backpressure", "a full disk")),
            marker(4, ClockReading(1, 1), 0),
            marker(5, ClockReading(1, 1, -250_000_000), 0),
        ]
    )
    assert tally.losses == {"backpressure": CauseTally(2, 5, 320), "crash": CauseTally(1, 0, 0)}
    assert (tally.clock_steps, tally.last_clock_step_ns) == (1, -250_000_000)


def test_what_the_recording_says_of_itself_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "tickreel")
    tally = MarkerTally()
    answer = HttpResponse("GET", "https://x", 200, "book snapshot", "BTCUSDT")
    tally.accept(
        [
            marker(0, Opened("night", "wss://x")),
            frame(1, FrameKind.TEXT, b"not looked at"),
            frame(2, FrameKind.HTTP, http_payload(answer, b"12345")),
            marker(3, ClockReading(1, 1), 0),
            marker(4, Closed(1006, "gone")),
            frame(5, FrameKind.LOST, b"what no version of ours wrote"),
        ]
    )
    told = [vars(record) for record in caplog.records]
    assert [(one["event"], one["connection"], one["frame_number"]) for one in told] == [
        ("opened", 7, 0),
        ("book snapshot", 7, 2),
        ("closed", 7, 4),
    ]
    assert {one["stream"] for one in told} == {"night"}
    assert (told[1]["symbol"], told[1]["status"], told[1]["bytes"]) == ("BTCUSDT", 200, 5)
    assert (told[2]["code"], told[2]["reason"]) == (1006, "gone")
