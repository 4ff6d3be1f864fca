"""One connection of the recording: what happens on it, and what is to be said.

Theory. One `Conversation` is one connection of the recording, from OPENED to CLOSED. It is told
what happens by the connection's callbacks (`opened`, `message`, `oversize`, `closed`, in this
order and never after `closed`), puts it into the intake first and only then looks at it, and
speaks in tasks of its own:

- greeting: login and subscriptions, as `recorder.greeting` says;
- replying to what the exchange wants answered, as `recorder.speech` says;
- watching: pings, the exchange's own heartbeat, and the end of the connection when it is dead, as
  `recorder.watchdog` says.

Nothing is read in the messages but what the exchange says of the connection itself, and after the
greeting only in small ones. The one message that is looked at before it is recorded is the answer
to a login: the tokens in it must not be.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence

from recorder.connection import FrameConnection
from recorder.entry import Entry, now_ms
from recorder.greeting import Greeting
from recorder.lifecycle import ConnectionState
from recorder.redaction import redacted_url
from recorder.speech import REPLIES_MAX, Speech
from recorder.stream_context import StreamContext
from recorder.watchdog import Watchdog
from venues.event import NoticeKind
from venues.frame import FrameKind
from venues.marker import Closed, Lost, Opened
from venues.venue import ConnectionPlan, Venue

log = logging.getLogger("tickreel.recorder")

NOTICE_BYTES_MAX = 256
"""After the greeting, only messages up to this size are looked at for a notice or a question."""
WATCH_INTERVAL_MIN_S = 0.01
BEAT_INTERVAL_MIN_S = 1.0
"""No exchange is sent heartbeats more often because it says so."""


class Conversation:
    """One connection of the recording: see the theory above.

    Attributes:
        connection_id: its number in the recording; 0 before the handshake.
        opened_ns: steady time of the handshake; None before it.
        is_closed: whether it is over.
    """

    def __init__(self, context: StreamContext, attempt: int, entry: Entry) -> None:
        self._context = context
        self._attempt = attempt
        self._life = context.life
        self._venue = context.venue
        self._venue_name = context.venue.name
        self._plan = context.plan
        self._login = entry.login
        self._receive = context.intake.receive
        secret = context.plan.private or bool(entry.redaction)
        self._redaction = entry.redaction if secret else None
        self._greeting = Greeting(context.venue, context.plan, context.life, entry)
        self._admission = self._greeting.admission
        self._greeted = False  # whether the first message after subscribing was seen
        self._connection: FrameConnection | None = None
        self._speech: Speech | None = None
        self._early_replies: deque[str] = deque(maxlen=REPLIES_MAX)
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
        admission = self._admission
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
        said = payload
        if self._redaction is not None:
            said, payload = self._cleaned(payload)
        self._receive(
            self.connection_id,
            self._venue_name,
            kind,
            receive_time_ns,
            monotonic_time_ns,
            payload,
        )
        greeting = self._greeting
        if len(payload) <= NOTICE_BYTES_MAX:
            self._read_notice(said)
            self._answer(payload)
        elif greeting.listening or (greeting.all_asked and not self._greeted):
            self._read_notice(said)

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
        if self._speech is not None:
            self._speech.end()
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

    def _cleaned(self, payload: bytes) -> tuple[bytes, bytes]:
        """Return what a message says to us, and what may be recorded of it."""
        redaction = self._redaction
        assert redaction is not None
        if self._admission.login_awaited:
            notice = self._venue.read_notice(payload)
            if notice is not None and notice.kind is NoticeKind.LOGGED_IN:
                redaction.learn_answer(payload)
                return payload, redaction.payload(payload)
        cleaned = redaction.payload(payload)
        return cleaned, cleaned

    def _read_notice(self, payload: bytes) -> None:
        greeting, admission = self._greeting, self._admission
        greeting.take(self._venue.read_notice(payload))
        if greeting.all_asked and not self._greeted:
            self._greeted = True
            if self._context.greeted is not None:
                self._context.greeted(self)
        if admission.leaving is not None:
            # Better to go now, in good order, than to be cut in the middle of a message.
            self.renew(f"the exchange said that it will disconnect: {admission.leaving}")

    def renew(self, reason: str) -> None:
        """Leave in good order, for a new connection to take its place."""
        if self._farewell is None and self._connection:
            self._farewell = asyncio.ensure_future(self._connection.hang_up(reason))

    def _answer(self, payload: bytes) -> None:
        reply = self._venue.reply(payload)
        if reply is None:
            return
        if self._speech is None:
            self._early_replies.append(reply)  # it came with the handshake
        else:
            self._speech.reply(reply)

    # What is said.

    async def hold(self, connection: FrameConnection) -> None:
        """Speak on `connection` until it is gone.

        Raises:
            LoginRefusedError: the exchange refused the login; the connection is closed then.
            SubscriptionRefusedError: it refused all that was asked; the same.
        """
        self._connection = connection
        speech = self._speech = self._begin_to_speak(connection)
        gone = asyncio.ensure_future(connection.gone())
        greeting = asyncio.ensure_future(self._greeting.hold(speech, connection))
        watching = asyncio.ensure_future(self._watch(connection, speech))
        waited_for = {gone, greeting, watching}
        try:
            while not gone.done():
                done, waited_for = await asyncio.wait(
                    waited_for, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()
            self._greeting.verdict()
        finally:
            speech.end()
            for task in (gone, greeting, watching):
                task.cancel()
            await asyncio.gather(gone, greeting, watching, return_exceptions=True)
            self._leaving = True
            await connection.hang_up("stopped")

    async def say(self, messages: Sequence[str]) -> None:
        """Send messages, with the pause between them that the exchange wants, and record them."""
        if self._speech is not None:
            await self._speech.say_all(messages)

    def _begin_to_speak(self, connection: FrameConnection) -> Speech:
        speech = Speech(
            connection,
            self._record_sent,
            stream=self._plan.stream,
            interval_s=self._venue.traits.limits.message_interval_s,
        )
        if self.is_closed:
            speech.end()
        for reply in self._early_replies:
            speech.reply(reply)
        return speech

    def _record_sent(self, message: bytes) -> None:
        if self._redaction is not None:
            message = self._redaction.payload(message)
        self._context.intake.mark_sent(self.connection_id, self._venue_name, message)

    async def _watch(self, connection: FrameConnection, speech: Speech) -> None:
        watchdog = self._watchdog()
        while True:
            now_s = time.monotonic()
            message_s, bytes_s = connection.last_message_ns / 1e9, connection.last_bytes_ns / 1e9
            fault = watchdog.fault(now_s, message_s, bytes_s)
            if fault is not None:
                return connection.end(fault)
            if watchdog.ping_due(now_s):
                await speech.ping()
            if watchdog.beat_due(now_s):
                heartbeat = self._venue.heartbeat(now_ms())
                if heartbeat is not None:
                    await speech.say(heartbeat)
            wait_s = watchdog.next_s(message_s, bytes_s) - time.monotonic()
            await asyncio.sleep(max(WATCH_INTERVAL_MIN_S, wait_s))

    def _watchdog(self) -> Watchdog:
        keepalive, connect = self._venue.traits.keepalive, self._context.connect
        beats = self._venue.heartbeat(now_ms()) is not None
        interval_s, silence_limit_s = keepalive.interval_s, keepalive.silence_limit_s
        if self._login.ping_interval_s is not None:
            interval_s = max(BEAT_INTERVAL_MIN_S, self._login.ping_interval_s)
            # Where nothing else is sent, the answers to heartbeats are all that breaks a silence.
            silence_limit_s = max(silence_limit_s, interval_s + keepalive.answer_limit_s)
        silence_limit_s = self._context.silence_limit_s or silence_limit_s
        return Watchdog(
            beat_interval_s=interval_s if beats else None,
            answer_limit_s=keepalive.answer_limit_s,
            silence_limit_s=silence_limit_s,
            pongs_count=not beats and self._is_quiet(silence_limit_s),
            ping_interval_s=connect.ping_interval_s,
            ping_limit_s=connect.ping_limit_s,
            now_s=time.monotonic(),
        )

    def _is_quiet(self, silence_limit_s: float) -> bool:
        """Return whether nothing was subscribed to that speaks within the limit by itself."""
        stale_limits_s = self._venue.traits.stale_limits_s
        return not any(
            stale_limits_s.get(one.channel, float("inf")) <= silence_limit_s
            for one in self._plan.subscriptions
        )
