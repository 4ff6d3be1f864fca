"""The way out to one client: messages in chunks, a bounded buffer, and how a connection ends.

To a client that is up to time (`live`), nothing waits: what it does not read is buffered here, up
to `SEND_BUFFER_MAX`, and a client that falls further behind is dropped with 1013, as exchanges do.
Otherwise (at max speed, and while a client catches up) its reading sets the pace, and a chunk is
written when the last one has gone.

A frame of a server is not masked: a header of two to ten bytes and the payload as it is. A chunk is
put together here and written at once, as 50 clients at max speed leave few microseconds a message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from websockets.asyncio.server import ServerConnection
from websockets.frames import EXTERNAL_CLOSE_CODES, CloseCode

from replay.feed import Cutting, Sending
from replay.sent_ledger import UNASSIGNED, SentLedger

SEND_BUFFER_MAX = 8 * 1024 * 1024
WRITE_LIMIT = 4 * SEND_BUFFER_MAX
"""What the connection itself may buffer before writing waits: out of reach, as we look first."""

UNPACED_BUFFER = 256 * 1024
CHUNK_MESSAGES = 256
CHUNK_BYTES = 256 * 1024
REASON_BYTES_MAX = 123
"""A close frame holds 125 bytes, two of which are the code (RFC 6455, section 5.5)."""

_TEXT, _BINARY = 0x81, 0x82
_LOOK_AGAIN_S = 0.002


class SessionOutlet:
    """Sends to one connection, and keeps the ledger.

    Attributes:
        live: whether the client is up to time, and has to stay so.
    """

    def __init__(self, connection: ServerConnection, ledger: SentLedger) -> None:
        self.live = False
        self._connection = connection
        self._ledger = ledger

    async def send(self, messages: Sequence[Sending], *, waits: bool = False) -> None:
        """Send messages in order; with `waits`, at the client's pace whatever the time is.

        Raises:
            ConnectionClosed: the client is gone, or was dropped because it does not keep up.
        """
        for chunk in _chunks(messages):
            if self.live and not waits:
                await self._drop_if_slow()
            else:
                await self._wait_until_read()
            await self._send_chunk(chunk)

    async def answer(self, messages: Sequence[str | bytes]) -> None:
        """Send the server's own answers.

        Raises:
            ConnectionClosed: the client is gone.
        """
        for message in messages:
            payload = message.encode() if isinstance(message, str) else message
            self._ledger.add(None, payload)
            await self._connection.send(message)

    async def cut(self, cutting: Cutting) -> None:
        """End the connection the way that it ended for the recording client."""
        code = cutting.code
        if code is not None and (code in EXTERNAL_CLOSE_CODES or 3000 <= code < 5000):
            await self.close(code, cutting.reason)
        else:
            # No close frame came then, or one that says nothing: now none is sent either.
            self._connection.transport.abort()

    async def close(self, code: int, reason: str) -> None:
        """Close the connection; a reason that a close frame cannot hold is cut."""
        short = reason.encode()[:REASON_BYTES_MAX].decode("utf-8", "ignore")
        await self._connection.close(code, short)

    async def _drop_if_slow(self) -> None:
        buffered = self._connection.transport.get_write_buffer_size()
        if buffered > SEND_BUFFER_MAX:
            await self.close(CloseCode.TRY_AGAIN_LATER, f"{buffered:,} bytes not read")

    async def _wait_until_read(self) -> None:
        transport = self._connection.transport
        # A transport announces only that it is over its limit, which is not this one.
        while transport.get_write_buffer_size() > UNPACED_BUFFER and not transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _send_chunk(self, chunk: Sequence[Sending]) -> None:
        # Entered first: what is handed over may arrive before this task runs again.
        self._ledger.add_all([(each.topic or UNASSIGNED, each.payload) for each in chunk])
        async with self._connection.send_context():
            self._connection.protocol.writes.append(b"".join(_framed(chunk)))
        # A connection that never makes its writer wait would keep the others from their turn.
        await asyncio.sleep(0)


def _framed(messages: Sequence[Sending]) -> Iterator[bytes]:
    """Return each message as one frame that is not masked (RFC 6455, section 5.2)."""
    for message in messages:
        payload = message.payload
        first, size = _BINARY if message.binary else _TEXT, len(payload)
        if size < 126:
            yield bytes((first, size))
        elif size < 65_536:
            yield bytes((first, 126, size >> 8, size & 0xFF))
        else:
            yield bytes((first, 127)) + size.to_bytes(8, "big")
        yield payload


def _chunks(messages: Sequence[Sending]) -> Iterator[Sequence[Sending]]:
    begin, size = 0, 0
    for number, message in enumerate(messages):
        if number > begin and (size >= CHUNK_BYTES or number - begin >= CHUNK_MESSAGES):
            yield messages[begin:number]
            begin, size = number, 0
        size += len(message.payload)
    if begin < len(messages):
        yield messages[begin:]
