"""A connection that ends as announced, or by its age, is followed without a hole."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from book.book_state import BookState
from book.engine import Engine
from recorder import stream as stream_file
from tests.recorder.tiny_venue import capturing, frames_of, tiny_stream, until
from tests.recorder.topic_venue import (
    TOPIC_TRAITS,
    Client,
    TopicExchange,
    TopicVenue,
    speaking,
    topic_exchange,
)
from venues.channel import Channel
from venues.frame import Frame, FrameKind
from venues.marker import Closed, Lines, Opened, read_marker
from venues.traits import ConnectionLimits

BOTH = (Channel.BOOK, Channel.TRADES)


def numbers(frames: list[Frame], topic: str) -> list[int]:
    """Return the numbers of a topic's messages, without those of snapshots."""
    texts = [frame.payload.decode() for frame in frames if frame.kind is FrameKind.TEXT]
    words = [text.split() for text in texts if text.startswith(topic) and "snapshot" not in text]
    return [int(each[2]) for each in words]


def changes(frames: list[Frame]) -> list[str]:
    marked = [read_marker(frame, Lines) for frame in frames if frame.kind is FrameKind.LINES]
    return [one.change for one in marked if one.change]


def without_a_hole(found: list[int]) -> bool:
    return found == list(range(found[0], found[0] + len(found)))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr("book.engine.venue_named", lambda name: TopicVenue())
    return Engine()


async def announce(exchange: TopicExchange, client: Client) -> None:
    await client.connection.send("leaving soon")


async def test_an_announced_end_leaves_no_hole_and_no_suspect_window(
    tmp_path: Path, engine: Engine
) -> None:
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC", "trades BTC"),
        capturing(tmp_path, tiny_stream(exchange.url, *BOTH), venue=TopicVenue()) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 50)
        await announce(exchange, exchange.clients[0])
        await until(lambda: recorder.connections[0].disconnects == 1)
        seen = recorder.connections[0].messages
        await until(lambda: recorder.connections[0].messages > seen + 50)
    frames = frames_of(tmp_path)
    assert without_a_hole(numbers(frames, "book"))
    assert without_a_hole(numbers(frames, "trades"))
    assert changes(frames) == ["up", "joined", "down"]
    for frame in frames:
        engine.apply(frame)
    book = engine.markets["tiny", "BTC"].book
    assert [window.reason for window in book.coverage.windows] == []
    assert book.state is BookState.ENDED
    assert engine.markets["tiny", "BTC"].counters.gaps == 0


async def test_a_connection_is_renewed_before_the_exchange_cuts_it(tmp_path: Path) -> None:
    limits = ConnectionLimits(connects_max=1000, connects_window_s=1.0, lifetime_s=2.5)
    venue = TopicVenue(dataclasses.replace(TOPIC_TRAITS, limits=limits))

    async def cut(client: Client) -> None:
        await asyncio.sleep(4.0)
        client.connection.transport.abort()

    cutting: list[asyncio.Task[None]] = []
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC"),
    ):
        exchange.welcomed = lambda client: cutting.append(asyncio.ensure_future(cut(client)))
        async with capturing(tmp_path, tiny_stream(exchange.url), venue=venue) as recorder:
            await until(lambda: recorder.connections[0].disconnects == 2, 20.0)
        for task in cutting:
            task.cancel()
    frames = frames_of(tmp_path)
    assert without_a_hole(numbers(frames, "book"))
    assert [frame.kind for frame in frames].count(FrameKind.OPENED) == 1


async def test_the_old_connection_stays_where_the_new_one_is_refused(tmp_path: Path) -> None:
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC"),
    ):

        def welcome(client: Client) -> None:
            if client.number == 2:
                client.connection.transport.abort()

        exchange.welcomed = welcome
        async with capturing(tmp_path, tiny_stream(exchange.url), venue=TopicVenue()) as recorder:
            await until(lambda: recorder.connections[0].messages > 20)
            await announce(exchange, exchange.clients[0])
            await until(lambda: len(exchange.clients) >= 2)
            seen = recorder.connections[0].messages
            await until(lambda: recorder.connections[0].messages > seen + 20)
    frames = frames_of(tmp_path)
    assert without_a_hole(numbers(frames, "book"))
    assert [frame.kind for frame in frames].count(FrameKind.CLOSED) == 1


async def test_an_old_connection_that_goes_too_soon_leaves_a_gap_that_is_told(
    tmp_path: Path,
) -> None:
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC"),
    ):

        def welcome(client: Client) -> None:
            if client.number == 2:
                exchange.clients[0].connection.transport.abort()

        exchange.welcomed = welcome
        async with capturing(tmp_path, tiny_stream(exchange.url), venue=TopicVenue()) as recorder:
            await until(lambda: recorder.connections[0].messages > 20)
            await announce(exchange, exchange.clients[0])
            await until(lambda: recorder.connections[0].disconnects >= 1)
            seen = recorder.connections[0].messages
            await until(lambda: recorder.connections[0].messages > seen + 50)
    frames = frames_of(tmp_path)
    opened = [frame for frame in frames if frame.kind is FrameKind.OPENED]
    closed = [frame for frame in frames if frame.kind is FrameKind.CLOSED]
    assert len(opened) >= 2
    assert not read_marker(closed[0], Closed).stopped
    assert read_marker(opened[-1], Opened).subscriptions
    by_connection = {
        one.connection_id: [each for each in frames if each.connection_id == one.connection_id]
        for one in opened
    }
    assert all(
        without_a_hole(found) for each in by_connection.values() if (found := numbers(each, "book"))
    )


async def test_connections_whose_messages_differ_overlap_as_connections_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_file, "OVERLAP_LIMIT_S", 2.0)
    monkeypatch.setattr(stream_file, "SUCCESSION_REST_S", 0.1)

    async with topic_exchange() as exchange:
        send_plain = Client.send

        async def send(self: Client, message: str) -> None:
            await send_plain(self, f"{message} of-connection-{self.number}")

        monkeypatch.setattr(Client, "send", send)
        async with (
            speaking(exchange, "trades BTC"),
            capturing(
                tmp_path, tiny_stream(exchange.url, Channel.TRADES), venue=TopicVenue()
            ) as recorder,
        ):
            await until(lambda: recorder.connections[0].messages > 20)
            await announce(exchange, exchange.clients[0])
            await until(lambda: recorder.connections[0].disconnects == 2, 20.0)
            seen = recorder.connections[0].messages
            await until(lambda: recorder.connections[0].messages > seen + 20)
    frames = frames_of(tmp_path)
    opened = [frame.connection_id for frame in frames if frame.kind is FrameKind.OPENED]
    assert len(opened) == 2
    first, second = (
        numbers([each for each in frames if each.connection_id == one], "trades") for one in opened
    )
    assert without_a_hole(first)
    assert without_a_hole(second)
    assert second[0] <= first[-1] + 1
