"""What is said on one connection: login, subscriptions, heartbeats, and the answers.

Theory. One `Conversation` is one connection of the recording, from OPENED to CLOSED. It is told
what happens by the connection's callbacks (`opened`, `message`, `oversize`, `closed`, in this
order and never after `closed`), puts it into the intake first and only then looks at it, and
speaks in tasks of its own:

- greeting: login, wait for its answer, then the subscribe messages, then wait for theirs;
- watching: pings, the exchange's own heartbeat, and the end of the connection when it is dead, as
  `recorder.watchdog` says.

Nothing is read in the messages but what the exchange says of the connection itself, and after the
greeting only in small ones.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed

from recorder.admission import Admission
from recorder.connection import ConnectSettings, FrameConnection
from recorder.errors import LoginRefusedError, SubscriptionRefusedError
from recorder.frame_intake import FrameIntake
from recorder.lifecycle import ConnectionState, Lifecycle
from recorder.redaction import LOGIN_STANDIN, Redaction, redacted_url
from recorder.watchdog import Watchdog
from venues.frame import FrameKind
from venues.marker import Closed, Lost, Opened
from venues.venue import ConnectionPlan, Credentials, Venue

log = logging.getLogger("tickreel.recorder")

NOTICE_BYTES_MAX = 256
"""After the greeting, only messages up to this size are looked at for a notice."""
ANSWER_LIMIT_S = 10.0
"""How long the exchange may take to answer a login or a subscription."""
SEND_LIMIT_S = 5.0
WATCH_INTERVAL_MIN_S = 0.01


@dataclass(frozen=True, slots=True)
class StreamContext:
    """What a stream and its conversations share.

    `silence_limit_s` replaces the venue's where it is not None. `began` and `ended` are called
    with each conversation, `greeted` with its first message that follows the subscribing.
    """

    venue: Venue
    plan: ConnectionPlan
    intake: FrameIntake
    clock: Callable[[], tuple[int, int]]
    next_connection_id: Callable[[], int]
    life: Lifecycle
    credentials: Credentials | None = None
    silence_limit_s: float | None = None
    connect: ConnectSettings = field(default_factory=ConnectSettings)
    began: Callable[[Conversation], None] | None = None
    ended: Callable[[Conversation], None] | None = None
    greeted: Callable[[Conversation], None] | None = None


class Conversation:
    """One connection of the recording: see the theory above.

    Attributes:
        connection_id: its number in the recording; 0 before the handshake.
        opened_ns: steady time of the handshake; None before it.
        is_closed: whether it is over.
    """

    def __init__(self, context: StreamContext, attempt: int) -> None:
        self._context = context
        self._attempt = attempt
        self._life = context.life
        self._venue = context.venue
        self._venue_name = context.venue.name
        self._plan = context.plan
        self._receive = context.intake.receive
        self._redaction = Redaction(context.credentials) if context.plan.private else None
        self._connection: FrameConnection | None = None
        self._listening = True
        self._subscribing_done = False  # until the first message after it has been seen
        self._news = asyncio.Event()
        self._speaking = asyncio.Lock()
        self._spoke_s = float("-inf")
        self.admission = Admission(len(self._plan.subscribe_messages), login=self._plan.private)
        self.connection_id = 0
        self.opened_ns: int | None = None
        self.is_closed = False
        self._farewell: asyncio.Task[None] | None = None
        self._leaving = False

    @property
    def plan(self) -> ConnectionPlan:
        """The plan that this connection follows."""
        return self._plan

    @property
    def venue(self) -> Venue:
        """The venue at the other end."""
        return self._venue

    @property
    def taken(self) -> bool:
        """Whether the exchange has taken anything that was asked on this connection."""
        admission = self.admission
        return admission.acknowledged > 0 or admission.logged_in or admission.market_data

    # What happens: the callbacks of the connection.

    def opened(self, at: tuple[int, int]) -> None:
        """Give the connection its number and say so in the recording."""
        context = self._context
        self.connection_id = context.next_connection_id()
        self.opened_ns = at[1]
        url = redacted_url(self._plan.url)
        opened = Opened(
            stream=self._plan.stream,
            url=self._redaction.text(url) if self._redaction else url,
            subscriptions=list(self._plan.subscriptions),
            attempt=self._attempt,
        )
        context.intake.mark(self.connection_id, self._venue_name, opened, at)
        self._life.connection_id = self.connection_id
        self._life.connects += 1
        self._life.subscribed = False
        self._life.refusals = []
        self._life.move(ConnectionState.CONNECTED)
        if context.began is not None:
            context.began(self)

    def message(
        self, kind: FrameKind, receive_time_ns: int, monotonic_time_ns: int, payload: bytes
    ) -> None:
        """Put a message into the intake, and then see whether it speaks of the connection."""
        life = self._life
        life.messages += 1
        life.bytes += len(payload)
        life.last_message_time_ns = receive_time_ns
        if self._redaction is not None:
            payload = self._redaction.payload(payload)
        self._receive(
            self.connection_id,
            self._venue_name,
            kind,
            receive_time_ns,
            monotonic_time_ns,
            payload,
        )
        if self._listening or self._subscribing_done or len(payload) <= NOTICE_BYTES_MAX:
            self._read_notice(payload)

    def oversize(self, size: int | None, limit: str, at: tuple[int, int]) -> None:
        """Say in the recording that a message was too large to be taken."""
        self._context.intake.mark(
            self.connection_id,
            self._venue_name,
            Lost(1, size, at[0], at[0], "oversize", f"a message of {limit}"),
            at,
        )

    def closed(self, code: int | None, reason: str, *, by_us: bool) -> None:
        """Say in the recording that the connection is gone."""
        self.is_closed = True
        reason = self._redaction.text(reason) if self._redaction else reason
        stopping = self._life.state is ConnectionState.CLOSING
        left = stopping or self._leaving
        marker = Closed(code, reason, by_us=by_us, stopped=left)
        self._context.intake.mark(self.connection_id, self._venue_name, marker)
        self._life.disconnects += 1
        self._life.subscribed = False
        if not stopping:
            self._life.last_error = (
                reason if code is None else f"closed with {code} {reason}".strip()
            )
            if not left:
                log.warning("%s: %s; connecting again", self._plan.stream, self._life.last_error)
            self._life.move(ConnectionState.RECONNECTING)
        if self._context.ended is not None:
            self._context.ended(self)

    def _read_notice(self, payload: bytes) -> None:
        admission = self.admission
        admission.take(self._venue.read_notice(payload))
        if self._subscribing_done and self._context.greeted is not None:
            greeted, self._subscribing_done = self._context.greeted, False
            greeted(self)
        if self._listening:
            self._news.set()
        if admission.leaving is not None and self._farewell is None and self._connection:
            # Better to go now, in good order, than to be cut in the middle of a message.
            reason = f"the exchange said that it will disconnect: {admission.leaving}"
            self._farewell = asyncio.ensure_future(self._connection.hang_up(reason))

    # What is said.

    async def hold(self, connection: FrameConnection) -> None:
        """Speak on `connection` until it is gone.

        Raises:
            LoginRefusedError: the exchange refused the login; the connection is closed then.
            SubscriptionRefusedError: it refused all that was asked; the same.
        """
        self._connection = connection
        gone = asyncio.ensure_future(connection.gone())
        tasks = {asyncio.ensure_future(self._greet()), asyncio.ensure_future(self._watch())}
        waited_for = {gone, *tasks}
        try:
            while not gone.done():
                done, waited_for = await asyncio.wait(
                    waited_for, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()
            self._verdict()
        finally:
            for task in (gone, *tasks):
                task.cancel()
            await asyncio.gather(gone, *tasks, return_exceptions=True)
            self._leaving = True
            await connection.hang_up("stopped")

    async def say(self, messages: Sequence[str]) -> None:
        """Send messages, with the pause between them that the exchange wants, and record them."""
        for message in messages:
            await self._send(message, message.encode())

    async def _send(self, message: str, recorded: bytes) -> None:
        async with self._speaking:
            pause_s = self._venue.traits.limits.message_interval_s
            await asyncio.sleep(max(0.0, self._spoke_s + pause_s - time.monotonic()))
            connection = self._connection
            if connection is None or self.is_closed:
                return
            self._context.intake.mark_sent(self.connection_id, self._venue_name, recorded)
            try:
                async with asyncio.timeout(SEND_LIMIT_S):
                    await connection.send(message)
            except TimeoutError:
                connection.end(f"nothing could be sent for {SEND_LIMIT_S:g} s")
            except ConnectionClosed:
                pass  # the transport's own callback tells of it
            self._spoke_s = time.monotonic()

    async def _greet(self) -> None:
        if self._plan.private:
            await self._log_in()
        await self.say(self._plan.subscribe_messages)
        self._subscribing_done = True
        await self._hear(lambda: self.admission.settled or self.admission.refused)
        self._listening = False
        self._verdict()
        self._life.subscribed = self.admission.subscribed or self.admission.market_data
        self._life.refusals = list(self.admission.refusals)
        for refusal in self.admission.refusals:
            log.warning("%s: refused in part: %s", self._plan.stream, refusal)
        admission = self.admission
        answered = admission.settled or admission.acknowledged or admission.refusals
        if not (answered or admission.market_data or self.is_closed):
            log.warning(
                "%s: no answer to the subscription in %g s, and no market data. "
                "Check the address, symbols and channels.",
                self._plan.stream,
                ANSWER_LIMIT_S,
            )

    async def _log_in(self) -> None:
        credentials, redaction = self._context.credentials, self._redaction
        assert credentials is not None, "a private plan without credentials"
        assert redaction is not None
        login = self._venue.login(self._plan, credentials, time.time_ns() // 1_000_000, b"")
        message = login.message
        assert message is not None, "a private plan without a login message"
        redaction.learn(message)
        await self._send(message, LOGIN_STANDIN)
        admission = self.admission
        await self._hear(lambda: admission.logged_in or admission.login_refusal is not None)
        self._verdict()
        if not admission.logged_in and self._connection is not None:
            self._connection.end(f"the login was not answered within {ANSWER_LIMIT_S:g} s")
            await self._connection.gone()

    def _verdict(self) -> None:
        """Raise if the exchange has refused the login, or all that was asked of it."""
        admission, plan = self.admission, self._plan
        if admission.login_refusal is not None:
            answer = admission.login_refusal
            raise LoginRefusedError(
                plan.stream, self._redaction.text(answer) if self._redaction else answer
            )
        if admission.refused:
            topics = [f"{one.channel} {one.symbol}".strip() for one in plan.subscriptions]
            raise SubscriptionRefusedError(plan.stream, topics, admission.refusals)

    async def _hear(self, enough: Callable[[], bool]) -> None:
        """Wait until the exchange has said enough, or for the limit."""
        deadline_s = time.monotonic() + ANSWER_LIMIT_S
        while not enough() and time.monotonic() < deadline_s:
            await self._wait_for_news(deadline_s - time.monotonic())

    async def _wait_for_news(self, limit_s: float) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(limit_s):
                await self._news.wait()
        except TimeoutError:
            return

    async def _watch(self) -> None:
        connection = self._connection
        assert connection is not None
        watchdog = self._watchdog()
        while True:
            now_s = time.monotonic()
            message_s, bytes_s = connection.last_message_ns / 1e9, connection.last_bytes_ns / 1e9
            fault = watchdog.fault(now_s, message_s, bytes_s)
            if fault is not None:
                return connection.end(fault)
            if watchdog.ping_due(now_s):
                await self._ping(connection)
            heartbeat = self._venue.traits.keepalive.message
            if heartbeat is not None and watchdog.beat_due(now_s):
                await self.say([heartbeat])
            wait_s = watchdog.next_s(message_s, bytes_s) - time.monotonic()
            await asyncio.sleep(max(WATCH_INTERVAL_MIN_S, wait_s))

    async def _ping(self, connection: FrameConnection) -> None:
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                await connection.ping()
        except TimeoutError:
            connection.end(f"nothing could be sent for {SEND_LIMIT_S:g} s")
        except ConnectionClosed:
            pass  # the transport's own callback tells of it

    def _watchdog(self) -> Watchdog:
        keepalive = self._venue.traits.keepalive
        silence_limit_s = self._context.silence_limit_s or keepalive.silence_limit_s
        return Watchdog(
            keepalive,
            silence_limit_s=silence_limit_s,
            pongs_count=self._pongs_count(silence_limit_s),
            ping_interval_s=self._context.connect.ping_interval_s,
            ping_limit_s=self._context.connect.ping_limit_s,
            now_s=time.monotonic(),
        )

    def _pongs_count(self, silence_limit_s: float) -> bool:
        traits = self._venue.traits
        return traits.keepalive.message is None and not any(
            traits.stale_limits_s.get(one.channel, float("inf")) <= silence_limit_s
            for one in self._plan.subscriptions
        )
