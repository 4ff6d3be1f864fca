"""What a server sent is what the recording gives, and how every kind of end is recorded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from recorder.connection import ConnectSettings
from recorder.lifecycle import ConnectionState
from recorder.recorder_settings import RecorderSettings
from tests.recorder.tiny_venue import (
    capturing,
    frames_of,
    payloads,
    tiny_exchange,
    tiny_stream,
    until,
    with_traits,
)
from tests.recorder.wire import proxy_to, raw_server, wire_frame
from venues.channel import Channel
from venues.frame import Frame, FrameKind
from venues.marker import Closed, Lines, Lost, Opened, read_marker
from venues.traits import Keepalive

TEXT, BINARY, CONTINUATION, CLOSE, PING = 1, 2, 0, 8, 9
RECEIVED = (FrameKind.TEXT, FrameKind.BINARY)


async def _record_raw(
    folder: Path, sent: bytes, *, connect: ConnectSettings | None = None
) -> list[Frame]:
    """Record what comes of these bytes after a handshake, until the connection ends."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()

    settings = RecorderSettings(connect=connect or ConnectSettings())
    async with (
        raw_server(talk) as url,
        capturing(folder, tiny_stream(url), settings=settings) as recorder,
    ):
        await until(lambda: recorder.connections[0].disconnects > 0)
    return [frame for frame in frames_of(folder) if frame.connection_id == 1]


async def _record_until_quiet(folder: Path, sent: bytes, messages: int) -> list[Frame]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()

    settings = RecorderSettings(connect=ConnectSettings(close_limit_s=0.2))
    async with (
        raw_server(talk) as url,
        capturing(folder, tiny_stream(url), settings=settings) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages >= messages)
    return frames_of(folder)


def _closed(frames: list[Frame]) -> Closed:
    return read_marker(next(frame for frame in frames if frame.kind is FrameKind.CLOSED), Closed)


async def test_every_payload_is_recorded_as_it_was_sent(tmp_path: Path) -> None:
    large = bytes(range(256)) * (8 * 2**20 // 256)
    messages: list[str | bytes] = ["", "ä€𝄞 \x00\x1f", b"", b"\x00\xff", "x" * 125, "y" * 126]
    messages += ["z" * 65_535, "z" * 65_536, large, "[" * 30 + "]" * 30, "not JSON {"]

    async def talk(connection: ServerConnection) -> None:
        for message in messages:
            await connection.send(message)
        await connection.send(["a", "", "bc", "d" * 70_000])
        await connection.send([b"\x01", b"", b"\x02"])

    async with tiny_exchange(talk) as url, capturing(tmp_path, tiny_stream(url)) as recorder:
        await until(lambda: recorder.connections[0].messages == len(messages) + 3)
    frames = [frame for frame in frames_of(tmp_path) if frame.received]
    expected = [b"ok"] + [m.encode() if isinstance(m, str) else m for m in messages]
    expected += [b"abc" + b"d" * 70_000, b"\x01\x02"]
    assert [frame.payload for frame in frames] == expected
    kinds = [frame.kind is FrameKind.BINARY for frame in frames[1:-2]]
    assert kinds == [isinstance(message, bytes) for message in messages]
    assert [frame.kind for frame in frames[-2:]] == [FrameKind.TEXT, FrameKind.BINARY]


async def test_text_that_is_not_utf_8_is_kept_and_the_connection_too(tmp_path: Path) -> None:
    sent = wire_frame(TEXT, b"\xff\xfe{") + wire_frame(TEXT, b"after")
    frames = await _record_until_quiet(tmp_path, sent, 2)
    assert payloads(frames, *RECEIVED) == [b"\xff\xfe{", b"after"]


async def test_pings_between_fragments_do_not_disturb_a_message(tmp_path: Path) -> None:
    sent = wire_frame(TEXT, b"one ", fin=False) + wire_frame(PING, b"p")
    sent += wire_frame(CONTINUATION, b"two ", fin=False) + wire_frame(CONTINUATION, b"three")
    frames = await _record_until_quiet(tmp_path, sent, 1)
    assert payloads(frames, *RECEIVED) == [b"one two three"]


async def test_messages_in_the_same_packet_as_the_handshake_come_after_opened(
    tmp_path: Path,
) -> None:
    frames = await _record_until_quiet(tmp_path, wire_frame(TEXT, b"early"), 1)
    kinds = [frame.kind for frame in frames if frame.connection_id == 1]
    assert kinds[0] is FrameKind.OPENED
    assert FrameKind.TEXT in kinds


async def test_messages_of_one_chunk_bear_the_time_at_which_it_came(tmp_path: Path) -> None:
    before_ns = time.time_ns()
    sent = b"".join(wire_frame(TEXT, b"%d" % number) for number in range(500))
    frames = await _record_until_quiet(tmp_path, sent, 500)
    after_ns = time.time_ns()
    received = [frame for frame in frames if frame.received]
    assert len(received) == 500
    assert len({frame.receive_time_ns for frame in received}) < 10
    assert all(before_ns <= frame.receive_time_ns <= after_ns for frame in received)
    times = [frame.monotonic_time_ns or 0 for frame in frames]
    assert times == sorted(times)


async def test_the_marker_of_the_opening_says_what_was_asked(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        return

    async with tiny_exchange(talk) as url:
        asked = tiny_stream(url + "/path?streams=a&token=hush", Channel.BOOK, Channel.TRADES)
        async with capturing(tmp_path, asked) as recorder:
            await until(lambda: recorder.connections[0].messages == 1)
    frames = frames_of(tmp_path)
    opened = read_marker(next(f for f in frames if f.kind is FrameKind.OPENED), Opened)
    assert opened.url == url + "/path?streams=a&token=[redacted]"
    assert [one.channel for one in opened.subscriptions] == [Channel.BOOK, Channel.TRADES]
    assert opened.attempt == 1
    assert payloads(frames, FrameKind.SENT) == [b"sub book.BTC", b"sub trades.BTC"]


async def test_a_close_by_the_exchange_is_recorded_with_code_and_reason(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.close(1012, "restarting, come back")

    async with tiny_exchange(talk) as url, capturing(tmp_path, tiny_stream(url)) as recorder:
        await until(lambda: recorder.connections[0].disconnects > 0)
        assert recorder.connections[0].last_error == "closed with 1012 restarting, come back"
    closed = _closed(frames_of(tmp_path))
    assert (closed.code, closed.reason, closed.by_us) == (1012, "restarting, come back", False)


async def test_a_cut_without_a_close_frame_has_no_code(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send("last")
        connection.transport.abort()

    async with tiny_exchange(talk) as url, capturing(tmp_path, tiny_stream(url)) as recorder:
        await until(lambda: recorder.connections[0].disconnects > 0)
    closed = _closed(frames_of(tmp_path))
    assert closed.code is None
    assert not closed.by_us
    assert closed.reason


async def test_an_exchange_that_closes_and_does_not_hang_up_is_left(tmp_path: Path) -> None:
    began_s = time.monotonic()
    frames = await _record_raw(tmp_path, wire_frame(CLOSE, b"\x03\xe9bye"))
    assert _closed(frames).code == 1001
    assert time.monotonic() - began_s < 8.0


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x83\x01x",  # an opcode that does not exist
        b"\xf1\x01x",  # reserved bits without an extension
        wire_frame(CONTINUATION, b"of nothing"),
        wire_frame(TEXT, b"a", fin=False) + wire_frame(TEXT, b"b"),
        b"\x81\x81aaaax",  # masked, which a server must not do
        wire_frame(PING, bytes(126)),
        wire_frame(CLOSE, b"\x00"),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"<html>" * 20,
    ],
)
async def test_a_breach_of_the_protocol_ends_the_connection_at_once(
    tmp_path: Path, garbage: bytes
) -> None:
    began_s = time.monotonic()
    frames = await _record_raw(tmp_path, wire_frame(TEXT, b"good") + garbage)
    assert time.monotonic() - began_s < 5.0, "websockets by itself waits 20 s"
    assert payloads(frames, FrameKind.TEXT)[0] == b"good"
    closed = _closed(frames)
    assert closed.by_us
    assert closed.code is None
    assert "breach of the WebSocket protocol" in closed.reason


async def test_a_message_above_the_limit_is_told_of_as_lost(tmp_path: Path) -> None:
    sent = wire_frame(TEXT, b"good") + wire_frame(TEXT, bytes(1025))
    frames = await _record_raw(tmp_path, sent, connect=ConnectSettings(message_bytes_max=1024))
    lost = read_marker(next(frame for frame in frames if frame.kind is FrameKind.LOST), Lost)
    assert (lost.frames, lost.bytes, lost.cause) == (1, 1025, "oversize")
    assert "1,024 bytes" in lost.detail
    kinds = [frame.kind for frame in frames]
    assert kinds.index(FrameKind.LOST) < kinds.index(FrameKind.CLOSED)
    assert payloads(frames, FrameKind.TEXT)[0] == b"good"


async def test_a_message_above_the_limit_is_in_the_counts_of_what_is_lost(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wire_frame(TEXT, b"good") + wire_frame(TEXT, bytes(1025)))

    settings = RecorderSettings(connect=ConnectSettings(message_bytes_max=1024))
    async with (
        raw_server(talk) as url,
        capturing(tmp_path, tiny_stream(url), settings=settings) as recorder,
    ):
        await until(lambda: recorder.connections[0].disconnects > 0)
    assert recorder.report is not None
    assert recorder.report.lost_frames == recorder.connections[0].disconnects
    intake = recorder.report.intake
    assert intake.received_frames == intake.kept_frames + intake.lost_frames
    assert intake.received_frames == recorder.connections[0].messages


@pytest.mark.parametrize("beyond", [1, 2])
async def test_a_message_just_above_the_limit_is_never_cut_to_fit(
    tmp_path: Path, beyond: int
) -> None:
    sent = wire_frame(TEXT, bytes(1024)) + wire_frame(TEXT, bytes(1024 + beyond))
    frames = await _record_raw(tmp_path, sent, connect=ConnectSettings(message_bytes_max=1024))
    assert payloads(frames, FrameKind.TEXT) == [bytes(1024)]
    assert [frame.kind for frame in frames].count(FrameKind.LOST) == 1


async def test_fragments_that_add_up_above_the_limit_are_told_of_as_lost(tmp_path: Path) -> None:
    sent = wire_frame(TEXT, bytes(1000), fin=False) + wire_frame(CONTINUATION, bytes(1000))
    frames = await _record_raw(tmp_path, sent, connect=ConnectSettings(message_bytes_max=1024))
    assert [frame.kind for frame in frames].count(FrameKind.LOST) == 1
    assert not payloads(frames, FrameKind.TEXT)


async def test_a_length_beyond_all_memory_is_refused_unread(tmp_path: Path) -> None:
    frames = await _record_raw(tmp_path, b"\x82\x7f" + (2**62).to_bytes(8, "big"))
    lost = read_marker(next(frame for frame in frames if frame.kind is FrameKind.LOST), Lost)
    assert lost.bytes == 2**62


async def test_endless_empty_fragments_are_told_of_as_lost_once(tmp_path: Path) -> None:
    sent = wire_frame(BINARY, b"", fin=False)
    sent += wire_frame(CONTINUATION, b"", fin=False) * 2_000_000
    frames = await _record_raw(tmp_path, sent)
    lost = [read_marker(frame, Lost) for frame in frames if frame.kind is FrameKind.LOST]
    assert [(one.frames, one.bytes, one.cause) for one in lost] == [(1, None, "oversize")]
    assert not payloads(frames, *RECEIVED)


async def test_a_mute_exchange_is_found_within_the_silence_limit(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send("the last word")

    venue = with_traits(keepalive=Keepalive(silence_limit_s=0.4))
    async with (
        tiny_exchange(talk) as url,
        capturing(tmp_path, tiny_stream(url), venue=venue) as recorder,
    ):
        await until(lambda: recorder.connections[0].disconnects > 0, 3.0)
    frames = [frame for frame in frames_of(tmp_path) if frame.connection_id == 1]
    closed = next(frame for frame in frames if frame.kind is FrameKind.CLOSED)
    last = [frame for frame in frames if frame.received][-1]
    assert read_marker(closed, Closed).reason == "no message for 0.4 s"
    assert read_marker(closed, Closed).by_us
    assert closed.monotonic_time_ns is not None
    assert last.monotonic_time_ns is not None
    assert closed.monotonic_time_ns - last.monotonic_time_ns >= 400_000_000


async def test_a_heartbeat_without_an_answer_ends_the_connection(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        return

    keepalive = Keepalive(interval_s=0.2, message="beat", answer_limit_s=0.3)
    async with (
        tiny_exchange(talk) as url,
        capturing(tmp_path, tiny_stream(url), venue=with_traits(keepalive=keepalive)) as recorder,
    ):
        await until(lambda: recorder.connections[0].disconnects > 0, 3.0)
    frames = frames_of(tmp_path)
    assert _closed(frames).reason == "no answer to a heartbeat in 0.3 s"
    assert b"beat" in payloads(frames, FrameKind.SENT)


async def test_watching_a_venue_without_a_heartbeat_message_costs_no_time(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send("and then silence")

    venue = with_traits(keepalive=Keepalive(interval_s=0.05))
    async with (
        tiny_exchange(talk) as url,
        capturing(tmp_path, tiny_stream(url), venue=venue) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages == 2)
        sleeps = 0
        sleep = asyncio.sleep

        async def counted(delay_s: float) -> None:
            nonlocal sleeps
            sleeps += 1
            await sleep(delay_s)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("recorder.conversation.asyncio.sleep", counted)
            await sleep(0.4)
    assert sleeps < 20, "the recorder ticks 20 times a second, and nothing else is due"


async def test_any_message_is_an_answer_to_a_heartbeat(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send("some trade" if message == "beat" else "ok")

    keepalive = Keepalive(interval_s=0.05, message="beat", answer_limit_s=0.3, silence_limit_s=0.4)
    async with (
        tiny_exchange(talk) as url,
        capturing(tmp_path, tiny_stream(url), venue=with_traits(keepalive=keepalive)) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 20)
        assert recorder.connections[0].disconnects == 0


async def test_a_half_open_connection_is_found_and_made_again(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        number = 0
        while True:
            await connection.send(f"{number}")
            number += 1
            await asyncio.sleep(0.02)

    venue = with_traits(keepalive=Keepalive(silence_limit_s=0.5))
    async with (
        tiny_exchange(talk) as url,
        proxy_to(url) as (proxy, proxied),
        capturing(tmp_path, tiny_stream(proxied), venue=venue) as recorder,
    ):
        life = recorder.connections[0]
        await until(lambda: life.messages > 5)
        proxy.forwarding = False
        await until(lambda: life.disconnects == 1, 4.0)
        proxy.forwarding = True
        seen = life.messages
        await until(lambda: life.connects == 2 and life.messages > seen + 5)
    frames = frames_of(tmp_path)
    assert {frame.connection_id for frame in frames} == {0, 1, 2}
    assert _closed(frames).reason == "no message for 0.5 s"


async def test_a_quiet_private_feed_is_kept_while_its_pongs_come(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        return

    settings = RecorderSettings(connect=ConnectSettings(ping_interval_s=0.1))
    venue = with_traits(keepalive=Keepalive(silence_limit_s=0.4))
    async with (
        tiny_exchange(talk) as url,
        capturing(
            tmp_path, tiny_stream(url, Channel.LIQUIDATIONS), venue=venue, settings=settings
        ) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages == 1)
        await asyncio.sleep(1.0)
        assert recorder.connections[0].disconnects == 0


async def test_a_ping_that_nothing_follows_ends_the_connection(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wire_frame(TEXT, b"ok"))

    connect = ConnectSettings(ping_interval_s=0.1, ping_limit_s=0.2, close_limit_s=0.2)
    async with (
        raw_server(talk) as url,
        capturing(
            tmp_path, tiny_stream(url), settings=RecorderSettings(connect=connect)
        ) as recorder,
    ):
        await until(lambda: recorder.connections[0].disconnects > 0, 4.0)
    closed = _closed(frames_of(tmp_path))
    assert closed.by_us
    assert closed.reason == "not a byte came in 0.2 s after a ping"


async def test_where_messages_come_a_pong_may_stay_away(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(wire_frame(TEXT, b"ok"))
            await asyncio.sleep(0.02)

    connect = ConnectSettings(ping_interval_s=0.1, ping_limit_s=0.2, close_limit_s=0.2)
    settings = RecorderSettings(connect=connect)
    async with (
        raw_server(talk) as url,
        capturing(tmp_path, tiny_stream(url), settings=settings) as recorder,
    ):
        await until(lambda: recorder.connections[0].messages > 40)
        assert recorder.connections[0].disconnects == 0


async def test_an_announced_end_is_met_by_a_new_connection_before_the_old_one_goes(
    tmp_path: Path,
) -> None:
    codes: list[int | None] = []

    async def talk(connection: ServerConnection) -> None:
        first = not codes
        codes.append(None)
        if first:
            await connection.send("leaving for maintenance")
            await connection.wait_closed()
            codes[0] = connection.close_code

    async with tiny_exchange(talk) as url, capturing(tmp_path, tiny_stream(url)) as recorder:
        await until(lambda: recorder.connections[0].disconnects > 0)
        assert recorder.connections[0].state is ConnectionState.CONNECTED
    frames = frames_of(tmp_path)
    kinds = [frame.kind for frame in frames if frame.connection_id]
    assert kinds.count(FrameKind.OPENED) == kinds.count(FrameKind.CLOSED) == 1
    changes = [read_marker(frame, Lines) for frame in frames if frame.kind is FrameKind.LINES]
    assert [one.change for one in changes] == ["up", "joined", "down"]
    assert changes[-1].reason == "the exchange said that it will disconnect: for maintenance"
    assert codes == [1000, None]


async def test_a_stop_while_the_old_connection_goes_closes_the_new_one_too(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wire_frame(TEXT, b"ok"))
        await asyncio.sleep(0.1)
        writer.write(wire_frame(TEXT, b"leaving for maintenance"))
        while await reader.read(100):
            pass  # a closing handshake is never answered, so that it takes its time

    class Changes:
        """What was said of the lines so far."""

        def __init__(self) -> None:
            self.said: list[str] = []

        def accept(self, frames: Sequence[Frame]) -> None:
            lines = [read_marker(each, Lines) for each in frames if each.kind is FrameKind.LINES]
            self.said += [each.change for each in lines]

    changes = Changes()
    settings = RecorderSettings(connect=ConnectSettings(close_limit_s=1.0))
    async with (
        raw_server(talk) as url,
        capturing(tmp_path, tiny_stream(url), settings=settings) as recorder,
    ):
        recorder.add_sink(changes)
        await until(lambda: "joined" in changes.said)
        await asyncio.sleep(0.3)
        assert recorder.connections[0].disconnects == 0  # the old one is going
    kinds = [frame.kind for frame in frames_of(tmp_path) if frame.connection_id]
    assert kinds.count(FrameKind.OPENED) == kinds.count(FrameKind.CLOSED) == 1
    assert kinds[-1] is FrameKind.CLOSED


@pytest.mark.parametrize("compression", [False, True])
async def test_compression_changes_no_payload(tmp_path: Path, compression: bool) -> None:
    from websockets.asyncio.server import serve

    messages = ["x" * 5_000, "", "short", "y" * 100_000]

    async def talk(connection: ServerConnection) -> None:
        assert bool(connection.protocol.extensions) is compression
        await connection.recv()
        for message in messages:
            await connection.send(message)
        await connection.wait_closed()

    settings = RecorderSettings(connect=ConnectSettings(compression=compression))
    async with serve(talk, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with capturing(tmp_path, tiny_stream(url), settings=settings) as recorder:
            await until(lambda: recorder.connections[0].messages == len(messages))
    assert payloads(frames_of(tmp_path), *RECEIVED) == [one.encode() for one in messages]
