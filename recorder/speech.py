"""What we say on one connection: recorded, paced, and one thing at a time.

Theory. Everything that is sent goes through one `Speech`. Two messages are at least the venue's
`message_interval_s` apart. A message is recorded as SENT just before it is sent, without its
secrets.

A reply (to the exchange's own ping) is due at once, or the exchange hangs up, so it takes the next
turn, before a subscription that is waiting for its own. It is one for each turn, so that an
exchange that asks without end keeps nobody else from speaking; at most `REPLIES_MAX` wait, of
which the oldest give way, and two are `REPLY_INTERVAL_S` apart: what such an exchange can make us
send and record is bounded.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from websockets.exceptions import ConnectionClosed

from recorder.connection import FrameConnection

log = logging.getLogger("tickreel.recorder")

SEND_LIMIT_S = 5.0
REPLIES_MAX = 8
REPLY_INTERVAL_S = 0.05


class Speech:
    """Sends messages on `connection`, and gives each to `record` first.

    Attributes:
        ended: whether nothing is said any more.
    """

    def __init__(
        self,
        connection: FrameConnection,
        record: Callable[[bytes], None],
        *,
        stream: str,
        interval_s: float,
    ) -> None:
        self._connection = connection
        self._record = record
        self._stream = stream
        self._interval_s = interval_s
        self._turn = asyncio.Lock()
        self._spoke_s = float("-inf")
        self._replies: deque[str] = deque(maxlen=REPLIES_MAX)
        self._replying: asyncio.Task[None] | None = None
        self._flooded = False
        self.ended = False

    async def say(self, message: str, shown: bytes | None = None) -> None:
        """Send a message when it is its turn; `shown` is recorded in its place if given."""
        async with self._turn:
            await self._pause()
            if self._replies:
                await self._send_reply()
                await self._pause()
            await self._send(message, shown)

    async def say_all(self, messages: Sequence[str]) -> None:
        """Send messages one after the other."""
        for message in messages:
            await self.say(message)

    async def ping(self) -> None:
        """Send a protocol ping, which is no message and waits for no turn."""
        await self._within_limit(self._connection.ping)

    def reply(self, message: str) -> None:
        """Send an answer that is due at once. May be called in a callback of the connection."""
        if self.ended:
            return
        if len(self._replies) == REPLIES_MAX and not self._flooded:
            self._flooded = True
            log.warning("%s: more is asked than is answered; the oldest give way", self._stream)
        self._replies.append(message)
        if self._replying is None or self._replying.done():
            self._replying = asyncio.ensure_future(self._reply())

    def end(self) -> None:
        """Say nothing any more."""
        self.ended = True
        self._replies.clear()
        if self._replying is not None:
            self._replying.cancel()

    async def _reply(self) -> None:
        while self._replies:
            async with self._turn:
                await self._pause()
                if self._replies:
                    await self._send_reply()
            await asyncio.sleep(REPLY_INTERVAL_S)

    async def _send_reply(self) -> None:
        await self._send(self._replies.popleft(), None)

    async def _pause(self) -> None:
        await asyncio.sleep(max(0.0, self._spoke_s + self._interval_s - time.monotonic()))

    async def _send(self, message: str, shown: bytes | None) -> None:
        if self.ended:
            return
        self._record(message.encode() if shown is None else shown)
        await self._within_limit(lambda: self._connection.send(message))
        self._spoke_s = time.monotonic()

    async def _within_limit(self, send: Callable[[], Awaitable[object]]) -> None:
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                await send()
        except TimeoutError:
            self._connection.end(f"nothing could be sent for {SEND_LIMIT_S:g} s")
        except ConnectionClosed:
            pass  # the transport's own callback tells of it
