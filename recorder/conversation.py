"""One connection of the recording: what happens on it, and what is to be said.

Theory. One `Conversation` is one connection of the recording, from OPENED to CLOSED. It is told
what happens by the connection's callbacks (`opened`, `message`, `oversize`, `closed`, in this
order and never after `closed`), puts it into the intake first and only then looks at it, and
speaks in tasks of its own:

- greeting: login and subscriptions, as `recorder.greeting` says;
- replying to what the exchange wants answered, as `recorder.speech` says;
- watching: pings, heartbeats, the end of a dead connection, silent channels: `recorder.vigil`;
- renewing what let it in, where that ends: `recorder.access_renewal`.

It is one line of its connection: see `recorder.line_group`. Nothing is read in the messages but
what the exchange says of the connection itself (after the greeting only in small ones) and which
topic they are of. The messages that are looked at before they are recorded are the answer to a
login, as the tokens in it must not be, and, while two lines stand, those that may have come on the
other one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence

from recorder.access_renewal import keep_access
from recorder.connection import FrameConnection
from recorder.entry import Entry
from recorder.greeting import Greeting
from recorder.lifecycle import ConnectionState
from recorder.line_group import Message
from recorder.redaction import redacted_url
from recorder.speech import REPLIES_MAX, Speech
from recorder.stalls import Stalls
from recorder.stream_context import StreamContext
from recorder.vigil import Vigil
from venues.channel import Subscription
from venues.event import NoticeKind
from venues.frame import FrameKind
from venues.marker import Closed, Lost, Opened
from venues.venue import ConnectionPlan, Venue

log = logging.getLogger("tickreel.recorder")

NOTICE_BYTES_MAX = 256
"""After the greeting, only messages up to this size are looked at for a notice or a question."""


class Conversation:
    """One connection of the recording: see the theory above.

    Attributes:
        connection_id: its number in the recording; 0 before the handshake.
        opened_ns: steady time of the handshake; None before it.
        joined: whether it is known to bring all that is subscribed to, from a point that no other
            line of the same connection is behind.
        brought: whether any market data came on it.
        renewal: set when a new connection is wanted in its place, for `renewal_reason`.
        urgent: set when that is wanted at once.
        leaving: whether it is on its way out, by our own will.
        is_closed: whether it is over.
    """

    def __init__(self, context: StreamContext, attempt: int, entry: Entry) -> None:
        self._context = context
        self._attempt = attempt
        self._life = context.life
        self._venue = context.venue
        self._venue_name = context.venue.name
        self._plan = context.plan
        self._entry = entry
        self._receive = context.intake.receive
        self._group = context.group
        self._channels = None if context.plan.private else context.channels
        self._listens_since_ns: int | None = None
        secret = context.plan.private or bool(entry.redaction)
        self._redaction = entry.redaction if secret else None
        self._greeting = Greeting(context.venue, context.plan, context.life, entry)
        self._admission = self._greeting.admission
        self._greeted = False  # whether the first message after subscribing was seen
        self._connection: FrameConnection | None = None
        self._speech: Speech | None = None
        self._stalls: Stalls | None = None
        if self._channels is not None:
            self._stalls = Stalls(
                self, self._channels, self._group, self._venue, self._plan, self._say_soon
            )
        self._given_up = ""
        self._early_replies: deque[str] = deque(maxlen=REPLIES_MAX)
        self.connection_id = 0
        self.opened_ns: int | None = None
        self.is_closed = False
        self.joined = True
        self.brought = False
        self.renewal = asyncio.Event()
        self.renewal_reason = ""
        self.leaving = False
        self.urgent = asyncio.Event()
        self._saying: set[asyncio.Task[None]] = set()

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
        answered = admission.acknowledged > 0 or admission.logged_in or admission.market_data
        # Whom the address lets in may have nothing to ask, and nothing is answered then.
        return answered or admission.subscribed

    @property
    def number(self) -> int:
        """Which of the redundant lines it is, from 1."""
        return self._context.line

    @property
    def listens_since_ns(self) -> int | None:
        """Since when all was subscribed to; None while answers to that are waited for."""
        greeting = self._greeting
        answered = self._admission.settled or not greeting.listening
        if self._listens_since_ns is None and greeting.all_asked and answered:
            self._listens_since_ns = time.monotonic_ns()
        return self._listens_since_ns

    @property
    def mute_subscriptions(self) -> set[Subscription]:
        """What of its subscriptions is silent that should not be."""
        return set() if self._channels is None else self._channels.mute_subscriptions

    # What happens: the callbacks of the connection.

    def opened(self, at: tuple[int, int]) -> None:
        """Take a place in the group, which gives the connection its number and says so."""
        context = self._context
        self.opened_ns = at[1]
        first = self._group.opened(self, self._opening(), at)
        life = self._life
        if self._channels is not None and life.standing == 0:
            self._channels.begin(at[1])
        life.connection_id = self.connection_id
        life.standing += 1
        life.connects += 1
        if first:
            life.subscribed = False
        life.refusals = []
        life.shook_hands()
        if context.began is not None:
            context.began(self)

    def _opening(self) -> Opened:
        url = redacted_url(self._plan.url)
        return Opened(
            stream=self._plan.stream,
            url=self._redaction.text(url) if self._redaction else url,
            subscriptions=list(self._plan.subscriptions),
            attempt=self._attempt,
        )

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
        channels = self._channels
        if channels is None:
            self._receive(
                self.connection_id,
                self._venue_name,
                kind,
                receive_time_ns,
                monotonic_time_ns,
                payload,
            )
        elif self._group.merging or channels.mute_topics:
            self._place(Message(kind, receive_time_ns, monotonic_time_ns, payload))
        else:
            self._receive(
                self.connection_id,
                self._venue_name,
                kind,
                receive_time_ns,
                monotonic_time_ns,
                payload,
            )
            topic = channels.topic(payload)
            self.brought = self.brought or topic is not None
            channels.heard(topic, payload, monotonic_time_ns)
        greeting = self._greeting
        if len(payload) <= NOTICE_BYTES_MAX:
            self._read_notice(said)
            self._answer(payload)
        elif greeting.listening or (greeting.all_asked and not self._greeted):
            self._read_notice(said)

    def _place(self, message: Message) -> None:
        """Record a message after it was looked at: what is mute speaks, or another line stands."""
        channels, group, payload = self._channels, self._group, message.payload
        assert channels is not None
        topic = channels.topic(payload)
        self.brought = self.brought or topic is not None
        if topic in channels.mute_topics and topic is not None and not self.joined:
            group.join_unmet(self, topic)
        ended = channels.heard(topic, payload, message.monotonic_time_ns)
        if ended is not None and self._stalls is not None:
            self._stalls.ended(ended, (message.receive_time_ns, message.monotonic_time_ns))
        group.take(self, topic, message)

    def oversize(self, size: int | None, limit: str, at: tuple[int, int]) -> None:
        """Say in the recording that a message was too large to be taken."""
        life = self._life
        life.messages += 1
        life.bytes += size or 0
        life.last_message_time_ns = at[0]
        self._context.intake.mark_lost(
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
        life = self._life
        stopping = life.state is ConnectionState.CLOSING
        left = stopping or self.leaving
        marker = Closed(code, reason, by_us=by_us, stopped=left)
        self._group.closed(self, marker, None if stopping else self._opening())
        life.standing -= 1
        life.disconnects += 1
        if not stopping and not life.standing:
            life.subscribed = False
        if not stopping and not self.leaving:
            life.last_error = reason if code is None else f"closed with {code} {reason}".strip()
            if life.standing:
                log.warning("%s: %s; another goes on", self._plan.stream, life.last_error)
            else:
                log.warning("%s: %s; connecting again", self._plan.stream, life.last_error)
        if not stopping and not life.standing:
            life.move(ConnectionState.RECONNECTING)
        if self._context.ended is not None:
            self._context.ended(self)

    def give_up(self, reason: str) -> None:
        """End the connection at once, or as soon as somebody holds it."""
        self._given_up = reason
        if self._connection is not None:
            self._connection.end(reason)

    def stands_alone(self) -> None:
        """Begin the books, which so far were those of the line before."""
        self._life.connection_id = self.connection_id
        if self._greeted and self._context.greeted is not None:
            self._context.greeted(self)

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
            self.renew(f"the exchange said that it will disconnect: {admission.leaving}")

    def renew(self, reason: str, *, urgent: bool = True) -> None:
        """Ask for a new connection in this one's place, which goes when that one is there."""
        if self.urgent.is_set() or (self.renewal.is_set() and not urgent):
            return
        self.renewal_reason = reason
        self.renewal.set()
        if urgent:
            self.urgent.set()

    async def retire(self, reason: str) -> None:
        """Leave in good order, as another line has taken this one's place."""
        self.leaving = True
        if self._connection is not None:
            await self._connection.hang_up(reason)

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
        if self._given_up:
            connection.end(self._given_up)
        speech = self._speech = self._begin_to_speak(connection)
        gone = asyncio.ensure_future(connection.gone())
        greeting = asyncio.ensure_future(self._greeting.hold(speech, connection))
        watching = asyncio.ensure_future(self._vigil().hold(connection, speech))
        renewing = asyncio.ensure_future(self._keep_access())
        tasks = (gone, greeting, watching, renewing)
        waited_for = set(tasks)
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
            for task in (*tasks, *self._saying):
                task.cancel()
            await asyncio.gather(*tasks, *self._saying, return_exceptions=True)
            self.leaving = True
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

    def _vigil(self) -> Vigil:
        return Vigil(self, self._context, self._entry.login, self._greeting, self._stalls)

    async def _keep_access(self) -> None:
        reason = await keep_access(self._context, self._entry, self.connection_id)
        if reason:
            self.renew(reason)

    def _say_soon(self, messages: Sequence[str]) -> None:
        task = asyncio.ensure_future(self.say(messages))
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    def _record_sent(self, message: bytes) -> None:
        if self._redaction is not None:
            message = self._redaction.payload(message)
        self._context.intake.mark_sent(self.connection_id, self._venue_name, message)
