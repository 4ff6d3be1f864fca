"""Handshakes that end while something else happens: what they were to follow went, or we stop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from recorder.lifecycle import ConnectionState, Lifecycle
from recorder.recorder import Recorder
from tests.recorder.held_wire import HeldWire
from tests.recorder.test_succession import announce
from tests.recorder.tiny_venue import capturing, frames_of, tiny_stream, until
from tests.recorder.topic_venue import TopicVenue, speaking, topic_exchange
from venues.frame import FrameKind
from venues.marker import Closed, read_marker


async def test_an_old_connection_that_goes_while_the_new_one_shakes_hands_is_followed_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wire = HeldWire(monkeypatch, 2)
    states: list[str] = []
    async with (
        topic_exchange() as exchange,
        speaking(exchange, "book BTC"),
        capturing(tmp_path, tiny_stream(exchange.url), venue=TopicVenue()) as recorder,
    ):
        recorder.on_state(lambda life, left, entered: states.append(entered.name))
        await until(lambda: recorder.connections[0].messages > 20)
        await announce(exchange, exchange.clients[0])
        await until(lambda: bool(wire.holds))
        exchange.clients[0].connection.transport.abort()
        await until(lambda: recorder.connections[0].disconnects == 1)
        wire.let_go()
        seen = recorder.connections[0].messages
        await until(lambda: recorder.connections[0].messages > seen + 50)
        assert (recorder.connections[0].connects, recorder.connections[0].disconnects) == (2, 1)
        assert states == ["CONNECTING", "CONNECTED", "RECONNECTING", "CONNECTING", "CONNECTED"]
    kinds = [frame.kind for frame in frames_of(tmp_path)]
    assert kinds.count(FrameKind.OPENED) == kinds.count(FrameKind.CLOSED) == 2
    assert "Error" not in caplog.text


async def test_a_handshake_that_ends_as_we_stop_is_a_connection_that_was_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wire = HeldWire(monkeypatch, 1)
    states: list[str] = []

    def watch(life: Lifecycle, left: ConnectionState, entered: ConnectionState) -> None:
        states.append(entered.name)
        if entered is ConnectionState.CLOSING:
            wire.let_go()

    async with topic_exchange() as exchange:
        recorder = Recorder([tiny_stream(exchange.url)], tmp_path, venues=lambda name: TopicVenue())
        recorder.on_state(watch)
        starting = asyncio.ensure_future(recorder.start())
        await until(lambda: bool(wire.holds))
        await recorder.stop()
        await asyncio.gather(starting, return_exceptions=True)
    assert states == ["CONNECTING", "CLOSING", "DISCONNECTED"]
    frames = frames_of(tmp_path)
    (closed,) = (read_marker(each, Closed) for each in frames if each.kind is FrameKind.CLOSED)
    assert closed.stopped
    assert [each.kind for each in frames].count(FrameKind.OPENED) == 1
    assert "Error" not in caplog.text
