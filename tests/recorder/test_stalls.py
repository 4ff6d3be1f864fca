"""Feeds that die quietly: each is found, told from its last message on, and cured."""

from __future__ import annotations

import asyncio
import dataclasses
from itertools import pairwise
from pathlib import Path

import pytest

from recorder import stalls as stalls_file
from recorder.channel_watch import NEVER_SPOKE_NS, ChannelWatch
from recorder.connection import ConnectSettings
from recorder.recorder_settings import RecorderSettings
from recorder.stream_settings import StreamSettings
from tests.recorder.test_succession import changes, numbers, without_a_hole
from tests.recorder.tiny_venue import capturing, frames_of, tiny_stream, until
from tests.recorder.topic_venue import (
    TOPIC_TRAITS,
    Client,
    TopicVenue,
    judging,
    speaking,
    topic_exchange,
)
from tests.recorder.wire import proxy_to
from venues.channel import Channel, Subscription
from venues.frame import Frame, FrameKind
from venues.marker import STALL, Closed, Lost, read_marker
from venues.traits import Keepalive

BOTH = (Channel.BOOK, Channel.TRADES)
S = 1_000_000_000


def stalls(frames: list[Frame]) -> list[Lost]:
    lost = [read_marker(frame, Lost) for frame in frames if frame.kind is FrameKind.LOST]
    return [one for one in lost if one.cause == STALL]


def times(frames: list[Frame], topic: str) -> list[int]:
    return [
        frame.receive_time_ns for frame in frames if frame.payload.decode().startswith(f"{topic} ")
    ]


def near(one_ns: int, other_ns: int) -> bool:
    """Say whether two times are the same, but for two clocks' not being read at once."""
    return abs(one_ns - other_ns) < S // 1000


def mute(client: Client, topic: str) -> None:
    client.loses = lambda message: message.startswith(f"{topic} ")


async def test_a_mute_channel_beside_one_that_speaks_is_followed_by_a_new_connection(
    tmp_path: Path,
) -> None:
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC", "trades BTC"),
        capturing(
            tmp_path, tiny_stream(exchange.url, *BOTH), venue=judging(Channel.TRADES)
        ) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 100)
        mute(exchange.clients[0], "trades BTC")
        await until(lambda: recorder.connections[0].disconnects == 1, 20.0)
        seen = recorder.connections[0].messages
        await until(lambda: recorder.connections[0].messages > seen + 50)
    frames = frames_of(tmp_path)
    told = stalls(frames)
    assert {one.subscriptions[0] for one in told} == {Subscription(Channel.TRADES, "BTC")}
    heard = times(frames, "trades BTC")
    silences = [(b - a, a, b) for a, b in pairwise(heard)]
    _, last_ns, again_ns = max(silences)
    assert near(told[0].from_ns, last_ns)
    assert all(near(a.to_ns, b.from_ns) for a, b in pairwise(told))
    assert near(told[-1].to_ns, again_ns)
    assert without_a_hole(numbers(frames, "book"))
    assert changes(frames) == ["up", "joined", "down"]


async def test_a_mute_book_is_asked_for_anew_and_speaks_again(tmp_path: Path) -> None:
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC", "trades BTC"),
        capturing(
            tmp_path, tiny_stream(exchange.url, *BOTH), venue=judging(Channel.BOOK)
        ) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 100)
        client = exchange.clients[0]
        asked = len(exchange.subscribed)
        mute(client, "book BTC")
        await until(lambda: len(exchange.subscribed) > asked, 20.0)
        client.loses = lambda message: False
        seen = recorder.connections[0].messages
        await until(lambda: recorder.connections[0].messages > seen + 50)
        assert recorder.connections[0].connects == 1
    frames = frames_of(tmp_path)
    assert exchange.subscribed[asked] == "sub book.BTC"
    told = stalls(frames)
    assert len(told) == 2
    assert told[0].subscriptions == [Subscription(Channel.BOOK, "BTC")]
    assert near(told[0].to_ns, told[1].from_ns)


async def test_one_mute_symbol_among_many_is_found(tmp_path: Path) -> None:
    symbols = tuple(f"S{number}" for number in range(8))
    async with topic_exchange() as exchange:
        stream = StreamSettings(
            venue="tiny", symbols=symbols, channels=(Channel.TRADES,), url=exchange.url
        )
        topics = [f"trades {symbol}" for symbol in symbols]
        async with (
            speaking(exchange, *topics),
            capturing(tmp_path, stream, venue=judging(Channel.TRADES)) as recorder,
        ):
            await until(lambda: recorder.connections[0].messages > 400)
            mute(exchange.clients[0], "trades S3")
            await until(lambda: recorder.connections[0].disconnects == 1, 20.0)
    told = stalls(frames_of(tmp_path))
    assert told[0].subscriptions == [Subscription(Channel.TRADES, "S3")]


async def test_where_all_that_spoke_is_mute_the_connection_is_ended(tmp_path: Path) -> None:
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC", "trades BTC"),
        capturing(tmp_path, tiny_stream(exchange.url, *BOTH), venue=judging(*BOTH)) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 100)
        exchange.clients[0].loses = lambda message: True
        await until(lambda: recorder.connections[0].connects == 2, 20.0)
    frames = frames_of(tmp_path)
    closed = next(frame for frame in frames if frame.kind is FrameKind.CLOSED)
    before = [frame for frame in frames if frame.frame_number < closed.frame_number]
    last_ns = max(times(before, "book BTC")), max(times(before, "trades BTC"))
    told = stalls(frames)
    assert near(min(one.from_ns for one in told), min(last_ns))
    assert "silent" in read_marker(closed, Closed).reason


async def test_a_quiet_market_whose_exchange_answers_is_left_alone(tmp_path: Path) -> None:
    """One trade now and then, and silences of twenty times the limit: no pattern is broken."""
    limits = {Channel.TRADES: 0.02, Channel.BOOK: 0.02}
    venue = TopicVenue(dataclasses.replace(TOPIC_TRAITS, stale_limits_s=limits))
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "trades BTC", interval_s=0.1),
        capturing(tmp_path, tiny_stream(exchange.url, *BOTH), venue=venue) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 40)
        assert recorder.connections[0].connects == 1
    assert stalls(frames_of(tmp_path)) == []


async def test_five_links_that_stop_forwarding_are_found_and_told_from_their_last_message_on(
    tmp_path: Path,
) -> None:
    places = [tmp_path / str(number) for number in range(5)]
    await asyncio.gather(*(cut_off(place, 50 + 11 * n) for n, place in enumerate(places)))


async def cut_off(place: Path, after_messages: int) -> None:
    """Let a link fall silent after so many messages, without a word, and speak again."""
    connect = ConnectSettings(quiet_limit_s=0.4)
    async with (
        topic_exchange() as exchange,
        proxy_to(exchange.url) as (proxy, url),
        speaking(exchange, "book BTC"),
        capturing(
            place,
            tiny_stream(url),
            venue=TopicVenue(dataclasses.replace(TOPIC_TRAITS, stale_limits_s={})),
            settings=RecorderSettings(connect=connect),
        ) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > after_messages)
        proxy.forwarding = False
        await until(lambda: recorder.connections[0].disconnects == 1)
        proxy.forwarding = True
        await until(lambda: recorder.connections[0].subscribed)
    frames = frames_of(place)
    kinds = [frame.kind for frame in frames]
    closed = kinds.index(FrameKind.CLOSED)
    (lost,) = stalls(frames)
    assert near(lost.from_ns, max(times(frames[:closed], "book BTC")))
    assert (lost.frames, lost.subscriptions) == (None, [])
    assert frames[closed].receive_time_ns - lost.to_ns < S // 10
    assert "in spite of a ping" in read_marker(frames[closed], Closed).reason


async def test_what_does_not_speak_when_asked_is_left_to_a_new_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalls_file, "CURE_LIMIT_NS", S // 2)
    async with topic_exchange() as exchange:

        def deaf(client: Client) -> None:
            if client.number == 1:
                client.asked = 0  # type: ignore[attr-defined]

        exchange.welcomed = deaf
        async with (
            speaking(exchange, "book BTC", "trades BTC"),
            capturing(
                tmp_path, tiny_stream(exchange.url, *BOTH), venue=judging(Channel.BOOK)
            ) as recorder,
        ):
            await until(lambda: recorder.connections[0].messages > 100)
            first = exchange.clients[0]
            mute(first, "book BTC")
            send = first.send

            async def send_no_book(message: str) -> None:
                if not message.startswith("book"):
                    await send(message)

            monkeypatch.setattr(first, "send", send_no_book)
            await until(lambda: recorder.connections[0].disconnects == 1, 20.0)
            await asyncio.sleep(0.2)
    frames = frames_of(tmp_path)
    assert without_a_hole(numbers(frames, "trades"))
    assert "did not speak when asked" in str([f.payload for f in frames])


def test_a_subscription_on_which_nothing_ever_comes_is_told_after_a_minute() -> None:
    venue = TopicVenue()
    (plan,) = venue.plan(tiny_stream("ws://127.0.0.1").request((Channel.BOOK,)))
    watch = ChannelWatch(venue, plan)
    watch.begin(5 * S)
    watch.asked(10 * S)
    assert watch.silent(10 * S + NEVER_SPOKE_NS - 1) == []
    (silence,) = watch.silent(10 * S + NEVER_SPOKE_NS)
    assert silence.subscriptions == plan.subscriptions
    assert silence.since_ns == 10 * S
    assert watch.silent(10 * S + 2 * NEVER_SPOKE_NS) == []


def test_keepalive_of_these_tests_leaves_the_silences_to_the_channels() -> None:
    assert TOPIC_TRAITS.keepalive == Keepalive(interval_s=20.0, message="beat")
