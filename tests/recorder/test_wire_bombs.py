"""What a hostile exchange sends to fill our memory: a typed end at once, and memory that stays."""

from __future__ import annotations

import asyncio
import resource
import zlib
from pathlib import Path

from recorder.connection import MESSAGE_BYTES_MAX, UNREAD_BYTES_MAX, ConnectSettings
from recorder.recorder_settings import RecorderSettings
from tests.recorder.tiny_venue import capturing, frames_of, payloads, tiny_stream, until
from tests.recorder.wire import RawTalk, raw_server, shake_hands, wire_frame
from venues.frame import FrameKind
from venues.marker import Closed, Lost, read_marker

MIB = 2**20
MEMORY_MAX = 2 * MESSAGE_BYTES_MAX + 32 * MIB


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def deflated_zeros(size: int) -> bytes:
    """Return `size` zeros as permessage-deflate has them, without ever having them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    chunk = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    assert zlib.decompressobj(-15).decompress(again) == bytes(MIB)
    return chunk + again * (size // MIB - 1)


def compressed_frame(payload: bytes) -> bytes:
    frame = bytearray(wire_frame(1, payload))
    frame[0] |= 0x40  # RSV1, RFC 7692
    return bytes(frame)


async def deflating(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write = _with_extension(writer.write)  # type: ignore[method-assign,assignment]
    await shake_hands(reader, writer)


def _with_extension(write: object) -> object:
    def add(answer: bytes) -> None:
        extension = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        if answer.startswith(b"HTTP/1.1 101"):
            answer = answer.removesuffix(b"\r\n") + extension
        write(answer)  # type: ignore[operator]

    return add


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await shake_hands(reader, writer)
    writer.transport.abort()


async def ended_by(talk: RawTalk, folder: Path, *, compression: bool) -> tuple[Closed, list[Lost]]:
    settings = RecorderSettings(connect=ConnectSettings(compression=compression))
    async with (
        raw_server(talk, websocket=False) as url,
        capturing(folder, tiny_stream(url), settings=settings) as recorder,
    ):
        await until(lambda: recorder.connections[0].disconnects > 0)
    frames = [frame for frame in frames_of(folder) if frame.connection_id == 1]
    lost = [read_marker(frame, Lost) for frame in frames if frame.kind is FrameKind.LOST]
    return read_marker(frames[-1], Closed), lost


async def test_a_gigabyte_in_a_megabyte_is_lost_and_takes_no_memory(tmp_path: Path) -> None:
    bomb = compressed_frame(deflated_zeros(1024 * MIB))
    assert len(bomb) < 2 * MIB

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await deflating(reader, writer)
        writer.write(bomb)

    # The first recording of a process loads what every recording needs.
    await ended_by(_hang_up, tmp_path / "first", compression=True)
    before = peak_bytes()
    closed, lost = await ended_by(talk, tmp_path / "second", compression=True)
    assert peak_bytes() - before < MEMORY_MAX
    assert closed.by_us
    assert [(one.frames, one.cause) for one in lost] == [(1, "oversize")]


async def test_tens_of_thousands_of_pings_are_answered_and_what_follows_is_recorded(
    tmp_path: Path,
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wire_frame(9, b"") * 40_000 + wire_frame(1, b"after them"))

    before = peak_bytes()
    async with raw_server(talk) as url, capturing(tmp_path, tiny_stream(url)) as recorder:
        await until(lambda: recorder.connections[0].messages == 1, 30.0)
    assert peak_bytes() - before < MEMORY_MAX
    assert payloads(frames_of(tmp_path), FrameKind.TEXT) == [b"after them"]


async def test_who_pings_without_end_and_reads_no_pong_is_left(tmp_path: Path) -> None:
    pings = wire_frame(9, b"x" * 125) * 1000

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake_hands(reader, writer)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        while not writer.transport.is_closing():
            writer.write(pings)
            await writer.drain()

    before = peak_bytes()
    closed, _ = await ended_by(talk, tmp_path, compression=False)
    assert peak_bytes() - before < MEMORY_MAX
    assert closed.reason == f"more than {UNREAD_BYTES_MAX:,} bytes are not read by the other side"
