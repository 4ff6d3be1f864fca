"""Two things that befall the lines of one stream in the same moment."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from recorder import stalls as stalls_file
from recorder import stream as stream_file
from tests.recorder.held_wire import Changes, HeldWire
from tests.recorder.http_exchange import http_exchange, reply
from tests.recorder.test_lines import two_lines
from tests.recorder.test_stalls import BOTH, S, mute, near, stalls
from tests.recorder.test_succession import announce, changes, numbers, without_a_hole
from tests.recorder.tiny_venue import capturing, frames_of, tiny_stream, until
from tests.recorder.topic_venue import (
    TOPIC_TRAITS,
    Client,
    TopicVenue,
    judging,
    speaking,
    topic_exchange,
)
from venues.channel import Channel
from venues.frame import FrameKind
from venues.marker import Closed, read_marker
from venues.traits import SnapshotSource
from venues.venue import ConnectionPlan, HttpRequest, SnapshotRequest


async def test_lines_whose_ends_are_announced_at_once_leave_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_file, "SUCCESSION_REST_S", 0.1)
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC", "trades BTC"),
        capturing(tmp_path, two_lines(exchange.url), venue=TopicVenue()) as recorder,
    ):
        told = Changes(recorder)
        await until(lambda: "joined" in told.seen)
        for client in list(exchange.clients):
            await announce(exchange, client)
        await until(lambda: sum(life.disconnects for life in recorder.connections) == 2, 20.0)
        await until(lambda: told.seen.count("joined") == 3, 20.0)
    frames = frames_of(tmp_path)
    assert without_a_hole(numbers(frames, "book"))
    assert without_a_hole(numbers(frames, "trades"))


async def test_a_line_that_comes_back_while_the_other_one_is_renewed_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_file, "SUCCESSION_REST_S", 0.1)
    wire = HeldWire(monkeypatch, 3, 4)
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC", "trades BTC"),
        capturing(tmp_path, two_lines(exchange.url), venue=TopicVenue()) as recorder,
    ):
        told = Changes(recorder)
        await until(lambda: "joined" in told.seen)
        exchange.clients[1].connection.transport.abort()
        await until(lambda: len(wire.holds) == 1)
        await announce(exchange, exchange.clients[0])
        await until(lambda: len(wire.holds) == 2)
        wire.let_go()
        await until(lambda: told.seen.count("joined") == 3, 20.0)
    frames = frames_of(tmp_path)
    assert without_a_hole(numbers(frames, "book"))
    assert without_a_hole(numbers(frames, "trades"))


async def test_an_announced_end_does_not_wait_for_a_mute_channel_s_turn(
    tmp_path: Path,
) -> None:
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC", "trades BTC"),
        capturing(
            tmp_path, tiny_stream(exchange.url, *BOTH), venue=judging(Channel.TRADES)
        ) as recorder,
    ):
        (stream,) = recorder._streams._running.values()
        stream._renewed_s, stream._renewal_rest_s = time.monotonic(), 600.0
        await until(lambda: recorder.connections[0].messages > 100)
        mute(exchange.clients[0], "trades BTC")
        conversation = stream.conversation
        assert conversation is not None
        await until(conversation.renewal.is_set)
        await announce(exchange, exchange.clients[0])
        await until(lambda: recorder.connections[0].disconnects == 1, 20.0)
    frames = frames_of(tmp_path)
    assert without_a_hole(numbers(frames, "book"))
    assert changes(frames) == ["up", "joined", "down"]


async def test_what_is_mute_on_the_next_connection_too_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalls_file, "CURE_LIMIT_NS", S // 2)
    monkeypatch.setattr(stream_file, "RENEWAL_REST_S", 0.2)
    async with topic_exchange() as exchange:

        def welcome(client: Client) -> None:
            if client.number == 2:
                mute(client, "trades BTC")

        exchange.welcomed = welcome
        async with (
            speaking(exchange, "book BTC", "trades BTC"),
            capturing(
                tmp_path, tiny_stream(exchange.url, *BOTH), venue=judging(Channel.TRADES)
            ) as recorder,
        ):
            await until(lambda: recorder.connections[0].messages > 100)
            mute(exchange.clients[0], "trades BTC")
            await until(lambda: recorder.connections[0].disconnects == 2, 20.0)
            heard = len(numbers(frames_of(tmp_path), "trades"))
            await until(lambda: len(numbers(frames_of(tmp_path), "trades")) > heard)
    frames = frames_of(tmp_path)
    assert without_a_hole(numbers(frames, "book"))
    told = stalls(frames)
    assert len(told) == 2
    assert near(told[0].to_ns, told[1].from_ns)


async def test_a_line_beside_one_that_is_refused_is_as_good_as_one_alone(tmp_path: Path) -> None:
    asked: list[str] = []
    both = asyncio.Event()

    async def talk(connection: ServerConnection) -> None:
        asked.append(str(await connection.recv()))
        if len(asked) == 1:
            await both.wait()
            await connection.send("no such topic")
            return
        await connection.send("ok")
        both.set()
        asked.append(str(await connection.recv()))

    async with serve(talk, "127.0.0.1", 0, compression=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        stream = two_lines(url, Channel.BOOK)
        async with capturing(tmp_path, stream, venue=TopicVenue()) as recorder:
            await until(lambda: bool(recorder.statistics().stream_faults))
            (life,) = (one for one in recorder.connections if one.state.value == "connected")
            recorder.request_snapshot(SnapshotRequest("tiny", life.connection_id, "BTC"))
            await until(lambda: len(asked) == 3)
    kinds = [frame.kind for frame in frames_of(tmp_path)]
    assert kinds.count(FrameKind.OPENED) == kinds.count(FrameKind.CLOSED) == 2


@dataclass(frozen=True)
class RestVenue(TopicVenue):
    rest: str = ""

    def snapshot_request(self, plan: ConnectionPlan, symbol: str) -> HttpRequest | None:
        return HttpRequest(f"{self.rest}/book?symbol={symbol}", symbol)


async def test_a_snapshot_is_kept_though_the_line_that_wanted_it_went_meanwhile(
    tmp_path: Path,
) -> None:
    answer = threading.Event()

    def answer_when_told(number: int, handler: BaseHTTPRequestHandler) -> None:
        answer.wait(20.0)
        reply(handler, 200, b"{}")

    traits = replace(TOPIC_TRAITS, snapshot_source=SnapshotSource.REST)
    with http_exchange(answer_when_told) as rest:
        async with (
            topic_exchange() as exchange,
            speaking(exchange, "book BTC"),
            capturing(
                tmp_path, two_lines(exchange.url, Channel.BOOK), venue=RestVenue(traits, rest.url)
            ) as recorder,
        ):
            told = Changes(recorder)
            await until(lambda: "joined" in told.seen and bool(rest.requests))
            exchange.clients[0].connection.transport.abort()
            await until(lambda: "down" in told.seen)
            answer.set()
            await until(lambda: told.seen.count("joined") == 2, 20.0)
    frames = frames_of(tmp_path)
    (snapshot,) = (frame for frame in frames if frame.kind is FrameKind.HTTP)
    assert [frame.kind for frame in frames].count(FrameKind.OPENED) == 1
    assert snapshot.connection_id == 1


async def test_a_snapshot_is_asked_for_on_the_line_that_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = HeldWire(monkeypatch, 3)  # the line that goes does not come back meanwhile
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC"),
        capturing(tmp_path, two_lines(exchange.url, Channel.BOOK), venue=TopicVenue()) as recorder,
    ):
        told = Changes(recorder)
        await until(lambda: "joined" in told.seen)
        request = SnapshotRequest("tiny", recorder.connections[0].connection_id, "BTC")
        recorder.request_snapshot(request)
        await until(lambda: len(exchange.subscribed) == 3)
        recorder.request_snapshot(request)  # so soon again it waits for a second
        asking, other = (each.transport for each in wire.connections[:2])
        asking.abort()
        await until(lambda: "down" in told.seen)
        await until(lambda: len(exchange.subscribed) == 4)
        assert not other.is_closing()


async def test_a_new_line_that_left_something_out_does_not_go_on_where_the_old_one_went_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it brought with its handshake was left out, and nobody held it yet."""
    wire = HeldWire(monkeypatch, 2)
    clients: list[ServerConnection] = []

    async def talk(connection: ServerConnection) -> None:
        clients.append(connection)
        number = 10 * len(clients)
        await connection.send(f"book BTC {number} snapshot")
        await connection.recv()
        await connection.send("ok")
        with contextlib.suppress(Exception):
            while True:
                number += 1
                await connection.send(f"book BTC {number}")
                await asyncio.sleep(0.01)

    async with serve(talk, "127.0.0.1", 0, compression=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with capturing(tmp_path, tiny_stream(url), venue=TopicVenue()) as recorder:
            await until(lambda: recorder.connections[0].messages > 20)
            await clients[0].send("leaving soon")
            await until(lambda: b"snapshot" in wire.held)
            wire.let_go()
            wire.connections[0].transport.abort()
            await until(lambda: recorder.connections[0].disconnects >= 1)
            seen = recorder.connections[0].messages
            await until(lambda: recorder.connections[0].messages > seen + 20)
    frames = frames_of(tmp_path)
    for number in {frame.connection_id for frame in frames if numbers([frame], "book")}:
        own = [frame.payload for frame in frames if frame.connection_id == number]
        books = [payload for payload in own if payload.startswith(b"book")]
        assert books[0].endswith(b"snapshot")


async def test_a_silence_that_ends_with_the_handshake_of_a_new_line_is_told_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = HeldWire(monkeypatch, 2)
    async with topic_exchange() as exchange:

        def welcome(client: Client) -> None:
            if client.number == 2:
                exchange.open_clients.append(client)

        exchange.welcomed = welcome
        async with (
            speaking(exchange, "book BTC", "trades BTC"),
            capturing(
                tmp_path, tiny_stream(exchange.url, *BOTH), venue=judging(Channel.TRADES)
            ) as recorder,
        ):
            await until(lambda: recorder.connections[0].messages > 100)
            mute(exchange.clients[0], "trades BTC")
            await until(lambda: b"trades" in wire.held, 20.0)
            wire.let_go()
            await until(lambda: recorder.connections[0].disconnects == 1, 20.0)
    told = stalls(frames_of(tmp_path))
    assert len(told) == 2
    assert near(told[0].to_ns, told[1].from_ns)


async def test_nothing_is_said_of_a_connection_after_its_end(tmp_path: Path) -> None:
    """A process that stood still for a while finds the end and a deadline passed, both at once."""
    async with (
        topic_exchange() as exchange,
        capturing(tmp_path, tiny_stream(exchange.url, silence_limit_s=0.5)) as recorder,
    ):
        await until(lambda: recorder.connections[0].subscribed)
        exchange.clients[0].connection.transport.abort()
        asyncio.get_running_loop().call_soon(time.sleep, 1.0)
        await until(lambda: recorder.connections[0].connects == 2)
    own = [frame.kind for frame in frames_of(tmp_path) if frame.connection_id == 1]
    assert own[-1] is FrameKind.CLOSED


async def test_a_new_line_stays_though_the_old_one_went_as_the_time_to_join_was_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_file, "OVERLAP_LIMIT_S", 0.0)
    wire = HeldWire(monkeypatch, 2)
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC"),
        capturing(tmp_path, tiny_stream(exchange.url), venue=TopicVenue()) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 20)
        await announce(exchange, exchange.clients[0])
        await until(lambda: bool(wire.holds))
        exchange.clients[0].connection.transport.abort()
        await until(lambda: recorder.connections[0].disconnects == 1)
        wire.let_go()
        seen = recorder.connections[0].messages
        await until(lambda: recorder.connections[0].messages > seen + 20)
        assert recorder.connections[0].connects == 2
        assert recorder.connections[0].disconnects == 1
    assert not [
        one
        for one in (
            read_marker(frame, Closed)
            for frame in frames_of(tmp_path)
            if frame.kind is FrameKind.CLOSED
        )
        if "did not join" in one.reason
    ]


async def test_redundant_lines_stay_one_connection_though_one_did_not_join(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_file, "OVERLAP_LIMIT_S", 2.0)
    wire = HeldWire(monkeypatch, 3)
    async with topic_exchange() as exchange:

        def welcome(client: Client) -> None:
            if client.number == 4:
                mute(client, "trades BTC")

        exchange.welcomed = welcome
        async with (
            speaking(exchange, "book BTC", "trades BTC"),
            capturing(tmp_path, two_lines(exchange.url), venue=TopicVenue()) as recorder,
        ):
            told = Changes(recorder)
            await until(lambda: "joined" in told.seen)
            exchange.clients[1].connection.transport.abort()
            await until(lambda: len(wire.holds) == 1)
            await announce(exchange, exchange.clients[0])
            await until(lambda: told.seen.count("down") == 2, 20.0)
            wire.let_go()
            await until(lambda: told.seen.count("joined") == 2, 20.0)
    frames = frames_of(tmp_path)
    assert without_a_hole(numbers(frames, "book"))
    assert without_a_hole(numbers(frames, "trades"))
