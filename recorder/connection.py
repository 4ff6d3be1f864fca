"""One WebSocket connection: bytes from the socket in, whole messages out, nothing in between.

Theory. `websockets` parses; we stand where its parser hands over, and take messages there, in the
callback in which their bytes left the socket: no queue, no task switch, no `recv()`. So the
receive time is that of the bytes, and a burst costs a few microseconds a message.

Order, held by the callbacks of the transport, whatever happens: `opened` once, when the handshake
is done and before any message; then messages; then `closed` once; then nothing.

What ends a connection at once, by aborting the transport, because waiting for the other side to
behave is what a broken other side does not deserve:

- a breach of the protocol, or a message above the limit (told of as lost, cause `oversize`):
  websockets would send a close frame and go on waiting for the other side to hang up;
- a message in more than `FRAGMENTS_MAX` fragments: a stream of empty ones would cost no bytes;
- more than `UNREAD_BYTES_MAX` of what we send (pongs, above all) that the other side doesn't read;
- a close frame from the other side that is not followed by the end within `HANG_UP_LIMIT_S`.

Text is not checked to be UTF-8: a recorder keeps what came, and whether it can be read is a
finding for the engine, no reason to hang up.

Compression is not offered by default: for messages of 300 bytes, inflating added a quarter to a
third to the time of parsing (measured: 4.1 to 5.1 µs, 4.4 to 5.7 µs), all of it on the one core
that bounds what a recorder can take. What it saves is bandwidth (a quarter or less of the bytes
were left); where that is dear, `compression` is a setting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import PayloadTooBig
from websockets.frames import BINARY, CLOSE, CONT, TEXT
from websockets.frames import Frame as WireFrame
from websockets.protocol import CONNECTING, OPEN, Event

from recorder.tls_context import tls_context
from venues.frame import FrameKind

MESSAGE_BYTES_MAX = 16 * 2**20
FRAGMENTS_MAX = 4096
HANG_UP_LIMIT_S = 1.0
UNREAD_BYTES_MAX = 8 * 2**20
"""Every ping has its pong: who pings without end and reads none would fill our memory."""

wire_log = logging.getLogger("tickreel.recorder.wire")
# At DEBUG, websockets logs every frame it sends, logins among them. Nothing may turn that on.
wire_log.setLevel(logging.INFO)


class Listener(Protocol):
    """Who is told what happens on a connection, in order."""

    def opened(self, at: tuple[int, int]) -> None:
        """Say that the handshake is done. `at` is wall and steady clock."""

    def message(
        self, kind: FrameKind, receive_time_ns: int, monotonic_time_ns: int, payload: bytes
    ) -> None:
        """Hand over a whole message."""

    def oversize(self, size: int | None, limit: str, at: tuple[int, int]) -> None:
        """Say that a message was above a limit and is lost; `size` in bytes where it is known."""

    def closed(self, code: int | None, reason: str, *, by_us: bool) -> None:
        """Say that the connection is gone; `code` is the close frame's, None without one."""


@dataclass(frozen=True, slots=True)
class ConnectSettings:
    """How a connection is made.

    Attributes:
        open_limit_s: how long connecting and the handshake may take together.
        close_limit_s: how long the closing handshake may take.
        message_bytes_max: the largest message taken, decompressed.
        compression: whether permessage-deflate is offered.
        ping_interval_s: how often a protocol ping is sent.
        ping_limit_s: dead without a single byte so long after a ping.
        quiet_limit_s: a ping is sent after so long without a single byte, and dead after as long.
    """

    open_limit_s: float = 10.0
    close_limit_s: float = 1.0
    message_bytes_max: int = MESSAGE_BYTES_MAX
    compression: bool = False
    ping_interval_s: float = 20.0
    ping_limit_s: float = 10.0
    quiet_limit_s: float = 5.0


class FrameConnection(ClientConnection):
    """A client connection that hands each message to a listener as its bytes arrive.

    Attributes:
        last_message_ns: steady time of the last message; of the handshake before the first.
        last_bytes_ns: steady time of the last bytes of any kind, pongs included.
    """

    def __init__(
        self,
        protocol: ClientProtocol,
        *,
        listener: Listener,
        clock: Callable[[], tuple[int, int]],
        **options: Any,  # noqa: ANN401 - websockets' own, passed on as they are
    ) -> None:
        super().__init__(protocol, **options)
        self._listener = listener
        self._clock = clock
        self._was_opened = False
        self._fragments: list[bytes] = []
        self._fragments_kind = FrameKind.TEXT
        self._end_reason = ""
        self._ended_by_us = False
        self._wall_ns = 0
        self.last_bytes_ns = 0
        self.last_message_ns = 0

    def data_received(self, data: bytes) -> None:
        """Stamp the time, then let websockets parse."""
        self._wall_ns, self.last_bytes_ns = self._clock()
        super().data_received(data)
        if self.protocol.parser_exc is not None:
            self._breach(self.protocol.parser_exc)
        elif self.transport.get_write_buffer_size() > UNREAD_BYTES_MAX and not self._end_reason:
            self.end(f"more than {UNREAD_BYTES_MAX:,} bytes are not read by the other side")

    def process_event(self, event: Event) -> None:
        """Take one message, or hand anything else to websockets."""
        if self.response is None:
            super().process_event(event)
            if self.protocol.handshake_exc is None and self.protocol.state is not CONNECTING:
                self._was_opened = True
                self.last_message_ns = self.last_bytes_ns
                self._listener.opened((self._wall_ns, self.last_bytes_ns))
            return
        assert isinstance(event, WireFrame)
        opcode = event.opcode
        if opcode is TEXT and event.fin:
            self.last_message_ns = self.last_bytes_ns
            self._listener.message(
                FrameKind.TEXT, self._wall_ns, self.last_bytes_ns, bytes(event.data)
            )
        elif opcode is TEXT or opcode is BINARY or opcode is CONT:
            self._assemble(event)
        else:
            super().process_event(event)
            if opcode is CLOSE:
                self.loop.call_later(HANG_UP_LIMIT_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that it is gone, after websockets has tidied up."""
        secured = self.transport.get_extra_info("ssl_object")
        if secured is not None:
            tls_context().remember(secured)
        super().connection_lost(exc)
        if not self._was_opened:
            return
        self._was_opened = False
        close = self.protocol.close_rcvd
        reason = self._end_reason or ("" if close is not None else _loss_text(exc))
        if close is not None and close.reason:
            reason = close.reason
        self._listener.closed(
            None if close is None else int(close.code), reason, by_us=self._ended_by_us
        )

    def end(self, reason: str) -> None:
        """Abort the transport now, for a reason that goes into the CLOSED frame."""
        self._end_reason = self._end_reason or reason
        self._ended_by_us = True
        self.transport.abort()

    async def hang_up(self, reason: str) -> None:
        """Close as the protocol wants it, within the limit for that; nothing if it is gone."""
        if not self._end_reason and self.protocol.state is OPEN:
            self._end_reason, self._ended_by_us = reason, True
        await self.close()

    async def drop(self, reason: str) -> None:
        """Abort the transport and wait for the end, where the handshake was done."""
        if self._was_opened:
            self.end(reason)
            await self.gone()

    async def gone(self) -> None:
        """Wait until the connection is lost."""
        await asyncio.shield(self.connection_lost_waiter)

    def _assemble(self, event: WireFrame) -> None:
        """Put fragments together; the parser has bounded their sum and checked their order."""
        if event.opcode is not CONT:
            self._fragments_kind = FrameKind.TEXT if event.opcode is TEXT else FrameKind.BINARY
            self._fragments = []
        self._fragments.append(bytes(event.data))
        if len(self._fragments) > FRAGMENTS_MAX:
            if not self._end_reason:
                self._tell_oversize(None, f"more than {FRAGMENTS_MAX:,} fragments")
            self._fragments = []
            return
        if not event.fin or self._end_reason:
            return
        payload, self._fragments = b"".join(self._fragments), []
        self.last_message_ns = self.last_bytes_ns
        self._listener.message(self._fragments_kind, self._wall_ns, self.last_bytes_ns, payload)

    def _tell_oversize(self, size: int | None, limit: str) -> None:
        self._listener.oversize(size, limit, (self._wall_ns, self.last_bytes_ns))
        self.end(f"a message of {limit}")

    def _breach(self, fault: Exception) -> None:
        if self._end_reason or not self._was_opened:
            return
        if isinstance(fault, PayloadTooBig):
            limit = f"more than {self.protocol.max_message_size:,} bytes"
            self._tell_oversize(fault.size, limit)
        elif not isinstance(fault, EOFError):
            self.end(f"breach of the WebSocket protocol: {fault}")


class _Connect(connect):
    """Connects without following redirects: the budget is per host, and so are the keys."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_connection(
    url: str,
    listener: Listener,
    clock: Callable[[], tuple[int, int]],
    settings: ConnectSettings,
    headers: Sequence[tuple[str, str]] = (),
) -> FrameConnection:
    """Connect and shake hands; `headers` go with the handshake and are seen by nobody else.

    Cancelled, it leaves nothing behind: where `opened` was called, `closed` was too.

    Raises whatever `websockets.asyncio.client.connect` raises: see `recorder.connect_fault`.
    """
    made: list[FrameConnection] = []

    def create(protocol: ClientProtocol, **options: Any) -> FrameConnection:  # noqa: ANN401
        made.append(FrameConnection(protocol, listener=listener, clock=clock, **options))
        return made[-1]

    transport_options: dict[str, Any] = {"ssl": tls_context()} if url.startswith("wss:") else {}
    connecting = _Connect(
        url,
        create_connection=cast("type[ClientConnection]", create),
        additional_headers=list(headers),
        compression="deflate" if settings.compression else None,
        open_timeout=settings.open_limit_s,
        close_timeout=settings.close_limit_s,
        ping_interval=None,  # pings are sent and judged by `recorder.watchdog`
        max_size=settings.message_bytes_max,
        logger=wire_log,
        **transport_options,
    )
    try:
        return cast(FrameConnection, await connecting)
    except asyncio.CancelledError:
        for connection in made:
            await connection.drop("stopped")
        raise


def _loss_text(exc: Exception | None) -> str:
    if exc is None:
        return "the connection ended without a close frame"
    return f"the connection was lost: {exc}"
