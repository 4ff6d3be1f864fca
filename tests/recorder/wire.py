"""Servers that behave badly below the level of messages, and a proxy that falls silent."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

RawTalk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def wire_frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """Return an unmasked frame, as servers send them (RFC 6455, 5.2)."""
    head = bytes([(0x80 if fin else 0) | opcode])
    size = len(payload)
    if size < 126:
        return head + bytes([size]) + payload
    if size < 65536:
        return head + b"\x7e" + size.to_bytes(2, "big") + payload
    return head + b"\x7f" + size.to_bytes(8, "big") + payload


async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = await reader.readuntil(b"\r\n\r\n")
    key = next(
        line.split(b":", 1)[1].strip()
        for line in request.split(b"\r\n")
        if line.lower().startswith(b"sec-websocket-key")
    )
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


async def _serve(handler: RawTalk) -> tuple[asyncio.Server, int, set[asyncio.StreamWriter]]:
    writers: set[asyncio.StreamWriter] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1], writers


@asynccontextmanager
async def raw_server(talk: RawTalk, *, websocket: bool = True) -> AsyncIterator[str]:
    """Serve bytes after a handshake (or instead of one); never hangs up by itself."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if websocket:
            await shake_hands(reader, writer)
        await talk(reader, writer)
        while await reader.read(65536):
            pass

    server, port, writers = await _serve(handler)
    try:
        yield f"ws://127.0.0.1:{port}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


class Proxy:
    """Forwards bytes until it is told to stop, and then keeps both sockets open and mute."""

    def __init__(self) -> None:
        self.forwarding = True
        self.connections = 0


@asynccontextmanager
async def proxy_to(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    proxy = Proxy()
    host, _, port = url.removeprefix("ws://").partition(":")
    upstreams: list[asyncio.StreamWriter] = []
    tasks: list[asyncio.Task[None]] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(65536):
                if proxy.forwarding:
                    writer.write(chunk)
        if proxy.forwarding:
            writer.close()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        proxy.connections += 1
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        upstreams.append(up_writer)
        tasks.append(asyncio.ensure_future(pump(up_reader, writer)))
        await pump(reader, up_writer)

    server, own_port, writers = await _serve(handler)
    try:
        yield proxy, f"ws://127.0.0.1:{own_port}"
    finally:
        server.close()
        for writer in (*writers, *upstreams):
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
