"""The way out to one client: messages in chunks, a bounded buffer, and how a connection ends.

At a speed (`paced`), nothing waits for the client: what it does not read is buffered here, up to
`SEND_BUFFER_MAX`, and a client that falls further behind is dropped with 1013, as exchanges do.
Otherwise the client's reading sets the pace, and a chunk is written when the last one has gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from websockets.asyncio.server import ServerConnection
from websockets.frames import EXTERNAL_CLOSE_CODES, CloseCode

from replay.feed import Cutting, Sending
from replay.sent_ledger import UNASSIGNED, SentLedger

SEND_BUFFER_MAX = 8 * 1024 * 1024
UNPACED_BUFFER = 256 * 1024
CHUNK_MESSAGES = 64
CHUNK_BYTES = 256 * 1024
REASON_BYTES_MAX = 123
"""A close frame holds 125 bytes, two of which are the code (RFC 6455, section 5.5)."""


def write_limit(*, paced: bool) -> int:
    """Return how much a connection may have buffered before writing to it waits.

    Paced, that is out of reach: the outlet drops the client first.
    """
    return 4 * SEND_BUFFER_MAX if paced else UNPACED_BUFFER


class SessionOutlet:
    """Sends to one connection, and keeps the ledger."""

    def __init__(self, connection: ServerConnection, ledger: SentLedger, *, paced: bool) -> None:
        self._connection = connection
        self._ledger = ledger
        self._paced = paced

    async def send(self, messages: Sequence[Sending]) -> None:
        """Send messages in order.

        Raises:
            ConnectionClosed: the client is gone, or was dropped because it does not keep up.
        """
        for chunk in _chunks(messages):
            if self._paced:
                await self._drop_if_slow()
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

    async def _send_chunk(self, chunk: Sequence[Sending]) -> None:
        protocol, ledger = self._connection.protocol, self._ledger
        async with self._connection.send_context():
            for message in chunk:
                # Entered first: what is handed over may arrive before this task runs again.
                ledger.add(message.topic or UNASSIGNED, message.payload)
                if message.binary:
                    protocol.send_binary(message.payload)
                else:
                    protocol.send_text(message.payload)
        # A connection that never makes its writer wait would keep the others from their turn.
        await asyncio.sleep(0)


def _chunks(messages: Sequence[Sending]) -> Iterator[Sequence[Sending]]:
    begin, size = 0, 0
    for number, message in enumerate(messages):
        if number > begin and (size >= CHUNK_BYTES or number - begin >= CHUNK_MESSAGES):
            yield messages[begin:number]
            begin, size = number, 0
        size += len(message.payload)
    if begin < len(messages):
        yield messages[begin:]
