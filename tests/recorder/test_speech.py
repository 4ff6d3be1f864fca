"""What we say while a connection stands: replies, heartbeats, and the pauses between messages."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from recorder import speech
from recorder.recorder_settings import RecorderSettings
from tests.recorder.tiny_venue import (
    TinyVenue,
    capturing,
    count_up,
    frames_of,
    payloads,
    tiny_exchange,
    tiny_stream,
    until,
    with_traits,
)
from venues.channel import Channel
from venues.compression import unpacked
from venues.frame import FrameKind
from venues.traits import ConnectionLimits, Keepalive
from venues.venue import ConnectionPlan, Credentials, Login


async def _hear(connection: ServerConnection, heard: list[str | bytes]) -> None:
    async for message in connection:
        heard.append(message)  # noqa: PERF401 - one by one, as they come


async def test_a_message_that_wants_an_answer_gets_it_and_it_is_recorded(tmp_path: Path) -> None:
    heard: list[str | bytes] = []

    async def talk(connection: ServerConnection) -> None:
        await connection.send("ping 1492420473027")
        heard.append(await connection.recv())
        await connection.send("ping and so on " + "x" * 300)
        await connection.send("ping 7")
        heard.append(await connection.recv())
        await connection.send("done")

    async with tiny_exchange(talk) as url, capturing(tmp_path, tiny_stream(url)) as recorder:
        await until(lambda: recorder.connections[0].messages == 5)
    assert heard == ["pong 1492420473027", "pong 7"]
    assert payloads(frames_of(tmp_path), FrameKind.SENT)[1:] == [b"pong 1492420473027", b"pong 7"]


class _PackedVenue(TinyVenue):
    def reply(self, payload: bytes) -> str | None:
        return super().reply(unpacked(payload))


async def test_a_packed_question_is_answered_and_recorded_as_it_came(tmp_path: Path) -> None:
    packed = gzip.compress(b"ping 5")
    heard: list[str | bytes] = []

    async def talk(connection: ServerConnection) -> None:
        await connection.send(packed)
        await _hear(connection, heard)

    async with (
        tiny_exchange(talk) as url,
        capturing(tmp_path, tiny_stream(url), venue=_PackedVenue()),
    ):
        await until(lambda: heard == ["pong 5"])
    assert payloads(frames_of(tmp_path), FrameKind.BINARY) == [packed]


async def test_a_question_that_comes_with_the_handshake_is_answered(tmp_path: Path) -> None:
    heard: list[str | bytes] = []

    async def talk(connection: ServerConnection) -> None:
        await connection.send("ping early")
        await _hear(connection, heard)

    async with tiny_exchange(talk, answer=False) as url, capturing(tmp_path, tiny_stream(url)):
        await until(lambda: "pong early" in heard)


CHANNELS = (Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS, Channel.TICKERS)


async def test_messages_are_as_far_apart_as_the_exchange_wants(tmp_path: Path) -> None:
    venue = with_traits(limits=ConnectionLimits(message_interval_s=0.15))
    heard: list[str | bytes] = []

    async def talk(connection: ServerConnection) -> None:
        await _hear(connection, heard)

    async with (
        tiny_exchange(talk, answer=False) as url,
        capturing(tmp_path, tiny_stream(url, *CHANNELS), venue=venue),
    ):
        await until(lambda: len(heard) == 4)
    sent = [f.monotonic_time_ns for f in frames_of(tmp_path) if f.kind is FrameKind.SENT]
    assert len(sent) == 4
    for before_ns, after_ns in pairwise(sent):
        assert before_ns is not None
        assert after_ns is not None
        assert after_ns - before_ns >= 150_000_000


async def test_an_answer_goes_before_subscriptions_that_wait_for_their_turn(tmp_path: Path) -> None:
    venue = with_traits(limits=ConnectionLimits(message_interval_s=0.3))
    heard: list[str | bytes] = []

    async def talk(connection: ServerConnection) -> None:
        heard.append(await connection.recv())
        await connection.send("ping now")
        await _hear(connection, heard)

    async with (
        tiny_exchange(talk, answer=False) as url,
        capturing(tmp_path, tiny_stream(url, *CHANNELS), venue=venue),
    ):
        await until(lambda: len(heard) == 5)
    assert heard[:3] == ["sub book.BTC", "pong now", "sub trades.BTC"]


async def test_a_flood_of_questions_is_answered_within_bounds_and_holds_up_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str | bytes] = []
    questions = 3_000

    async def talk(connection: ServerConnection) -> None:
        heard.append(await connection.recv())
        for number in range(questions):
            await connection.send(f"ping {number}")
        await _hear(connection, heard)

    async with (
        tiny_exchange(talk, answer=False) as url,
        capturing(tmp_path, tiny_stream(url, *CHANNELS)) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages == questions)
        await until(lambda: f"pong {questions - 1}" in heard)
        assert recorder.connections[0].disconnects == 0
    assert [message for message in heard if str(message).startswith("sub")] == [
        f"sub {channel}.BTC" for channel in CHANNELS
    ]
    answers = payloads(frames_of(tmp_path), FrameKind.SENT)
    assert len(answers) < 300
    assert "the oldest give way" in caplog.text


async def test_answers_that_wait_are_no_more_than_the_limit_and_the_newest() -> None:
    class _Mute:
        async def send(self, message: str) -> None:
            return

    said: list[bytes] = []
    spoken = speech.Speech(
        _Mute(),  # type: ignore[arg-type]
        said.append,
        stream="tiny",
        interval_s=0.0,
    )
    for number in range(100):
        spoken.reply(f"{number}")
    await until(lambda: len(said) == speech.REPLIES_MAX)
    await asyncio.sleep(0.1)
    assert said == [b"%d" % number for number in range(100 - speech.REPLIES_MAX, 100)]
    spoken.end()
    spoken.reply("late")
    await spoken.say("late too")
    assert len(said) == speech.REPLIES_MAX


@dataclass(frozen=True)
class _TimedVenue(TinyVenue):
    """Its heartbeat says the time, and how often it is wanted the exchange says."""

    ping_interval_s: float | None = None

    def heartbeat(self, time_ms: int) -> str | None:
        return f"beat {time_ms}"

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        return Login(plan.url, ping_interval_s=self.ping_interval_s)


@pytest.mark.parametrize("login_interval_s", [None, 0.1])
async def test_heartbeats_are_the_venues_words_as_often_as_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login_interval_s: float | None
) -> None:
    monkeypatch.setattr("recorder.vigil.BEAT_INTERVAL_MIN_S", 0.05)
    interval_s = 0.1 if login_interval_s is None else 3600.0
    keepalive = Keepalive(interval_s=interval_s, message=None, answer_limit_s=5.0)
    venue = _TimedVenue(with_traits(keepalive=keepalive).traits, login_interval_s)
    heard: list[str | bytes] = []

    async def talk(connection: ServerConnection) -> None:
        async for message in connection:
            heard.append(message)
            await connection.send("beat")

    async with (
        tiny_exchange(talk) as url,
        capturing(tmp_path, tiny_stream(url), venue=venue) as recorder,
    ):
        await until(lambda: len(heard) >= 3)
        assert recorder.connections[0].disconnects == 0
    beats = [f for f in frames_of(tmp_path) if f.payload.startswith(b"beat ")]
    times_ms = [int(frame.payload.removeprefix(b"beat ")) for frame in beats]
    assert times_ms == sorted(set(times_ms))
    for frame, time_ms in zip(beats, times_ms, strict=True):
        assert 0 <= frame.receive_time_ns // 1_000_000 - time_ms < 60_000


async def test_no_exchange_is_sent_heartbeats_without_a_pause_because_it_says_so(
    tmp_path: Path,
) -> None:
    heard: list[str | bytes] = []

    async def talk(connection: ServerConnection) -> None:
        await asyncio.gather(_hear(connection, heard), count_up(connection))

    venue = _TimedVenue(ping_interval_s=0.0)
    async with (
        tiny_exchange(talk) as url,
        capturing(tmp_path, tiny_stream(url), venue=venue) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 100)
        await until(lambda: len(heard) == 1)
        await asyncio.sleep(0.3)
    assert len(heard) == 1


async def test_connections_of_many_streams_to_one_host_stay_within_its_limit(
    tmp_path: Path,
) -> None:
    connected = 0

    async def talk(connection: ServerConnection) -> None:
        nonlocal connected
        connected += 1
        await connection.wait_closed()

    venue = with_traits(limits=ConnectionLimits(connects_max=5, connects_window_s=60.0))
    async with tiny_exchange(talk) as url:
        streams = [tiny_stream(f"{url}/{number}", symbol=f"C{number}") for number in range(7)]
        async with capturing(
            tmp_path, *streams, venue=venue, settings=RecorderSettings(seed=1)
        ) as recorder:
            await until(lambda: connected == 4)
            await asyncio.sleep(0.5)
            assert sum(life.connects for life in recorder.connections) == 4
            assert connected == 4
