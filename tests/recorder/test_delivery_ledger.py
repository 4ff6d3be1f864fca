"""What an exchange sent, against what the recording has: they differ by what it says is missing.

An exchange numbers what it would send a subscriber from the beginning to the end, whether anyone
listens or not. Every number that is not in the recording lies in an interval of which the
recording says that something was not delivered, and each such interval has numbers missing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from recorder.connection import ConnectSettings
from recorder.recorder_settings import RecorderSettings
from tests.recorder.test_succession import numbers
from tests.recorder.tiny_venue import capturing, frames_of, payloads, tiny_stream, until
from tests.recorder.topic_venue import judging, speaking, topic_exchange
from tests.recorder.wire import proxy_to
from venues.channel import Channel
from venues.frame import Frame, FrameKind
from venues.marker import Lost, read_marker


@dataclass(frozen=True)
class Interval:
    """A time in which a subscription did not deliver, as the recording says."""

    from_ns: int
    to_ns: int
    why: str


def undelivered(frames: list[Frame]) -> list[Interval]:
    """Return all intervals: before an acknowledgement, after an end, and what was lost between."""
    intervals: list[Interval] = []
    since_ns, why = 0, "not connected"
    for frame in frames:
        if frame.kind is FrameKind.LOST:
            lost = read_marker(frame, Lost)
            intervals.append(Interval(lost.from_ns, lost.to_ns, lost.cause))
        elif frame.kind is FrameKind.CLOSED:
            since_ns, why = frame.receive_time_ns, "closed"
        elif frame.payload == b"ok" and since_ns is not None:
            intervals.append(Interval(since_ns, frame.receive_time_ns, why))
    intervals.append(Interval(since_ns, 1 << 63, why))
    return intervals


async def test_what_is_not_in_the_recording_is_what_it_says_is_not(tmp_path: Path) -> None:
    sent_ns: dict[int, int] = {}
    connect = ConnectSettings(quiet_limit_s=0.3)
    async with topic_exchange() as exchange, proxy_to(exchange.url) as (proxy, url):
        send = exchange.send

        async def timed_send(topic: str) -> str:
            before_ns = time.time_ns()
            message = await send(topic)
            sent_ns[int(message.split()[2])] = before_ns
            return message

        exchange.send = timed_send  # type: ignore[method-assign]
        async with (
            speaking(exchange, "trades BTC", interval_s=0.004),
            capturing(
                tmp_path,
                tiny_stream(url, Channel.TRADES),
                venue=judging(Channel.TRADES),
                settings=RecorderSettings(connect=connect),
            ) as recorder,
        ):
            life = recorder.connections[0]
            await until(lambda: life.messages > 100)
            exchange.clients[-1].connection.transport.abort()  # cut
            await until(lambda: life.disconnects == 1)
            await until(lambda: life.subscribed and life.messages > 200)
            proxy.forwarding = False  # half open
            await until(lambda: life.disconnects == 2)
            proxy.forwarding = True
            await until(lambda: life.subscribed)
            seen = life.messages
            await until(lambda: life.messages > seen + 100)
            told = recorder.statistics().intake.unknown_losses
            exchange.clients[-1].loses = lambda message: True  # mute
            await until(lambda: recorder.statistics().intake.unknown_losses > told)
            exchange.clients[-1].loses = lambda message: False
            await until(lambda: life.subscribed)
            seen = life.messages
            await until(lambda: life.messages > seen + 50)
            counts = recorder.statistics().intake
    frames = frames_of(tmp_path)
    kept = set(numbers(frames, "trades"))
    missing = {number: at_ns for number, at_ns in sent_ns.items() if number not in kept}
    intervals = undelivered(frames)
    slack_ns = 100_000_000
    for number, at_ns in missing.items():
        assert any(
            each.from_ns - slack_ns <= at_ns <= each.to_ns + slack_ns for each in intervals
        ), f"{number} is missing, and nothing says so"
    for each in intervals:
        inside = [n for n, at_ns in sent_ns.items() if each.from_ns < at_ns < each.to_ns - slack_ns]
        assert not [n for n in inside if n in kept], f"{each} is said of what was delivered"
    assert {each.why for each in intervals} >= {"not connected", "closed", "stall"}
    assert counts.received_frames == counts.kept_frames + counts.lost_frames
    received = payloads(frames, FrameKind.TEXT, FrameKind.BINARY)
    assert len(received) >= counts.kept_frames
