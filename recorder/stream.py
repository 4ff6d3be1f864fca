"""One connection plan, kept alive: connect, hold the conversation, rest, connect again.

Theory. A stream ends only by being cancelled (we stop) or with an error. An error is one of:

- the first attempt could not succeed, ever (no such host, TLS, 401, 403, 404, an address that is
  none), or, with `give_up_at_start`, at all: whoever mistyped a port wants a sentence;
- the exchange refused the login (in a message, in the handshake, or in the request for access that
  some need before it), or all subscriptions, before it ever took them.

Every attempt begins with a fresh `recorder.entry`: no token or signature is used twice.

Once a stream has been taken by the exchange, nothing ends it: whatever happens is waited out.

Succession. Where an exchange cuts every connection after a while, or announces the end of one, or
a channel is mute on one that lives, a new connection is made before the old one goes: it connects,
subscribes, and brings what the old one brings (`recorder.line_group` says when it has joined); only
then the old one is closed. If the new one fails, the old one stays, and another try follows after a
rest. If the old one goes first, the new one stays. A stream of several lines has its overlap in the
other line, and simply connects again, one line at a time.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time

from recorder.connect_fault import CONNECT_EXCEPTIONS, connect_fault
from recorder.connection import FrameConnection, open_connection
from recorder.conversation import Conversation
from recorder.entry import Entry, login_refusal, prepare_entry
from recorder.errors import AccessError, ConnectError, LoginRefusedError, SubscriptionRefusedError
from recorder.lifecycle import ConnectionState
from recorder.line_group import OVERLAP_MIN_NS
from recorder.reconnect import Backoff, HostGate
from recorder.stream_context import StreamContext

log = logging.getLogger("tickreel.recorder")

LIFETIME_SHARES = (0.90, 0.98)
"""In which part of its lifetime a connection is renewed: not all of them at once."""
OVERLAP_LIMIT_S = 30.0
"""A new connection that has not joined the old one by then is given up."""
OVERLAP_CHECK_S = 0.05
RENEWAL_REST_S = 60.0
RENEWAL_REST_LIMIT_S = 3600.0
SUCCESSION_REST_S = 5.0
_Holding = tuple[Conversation, "asyncio.Task[None]"]


class Stream:
    """Keeps one plan connected. `conversation` is the present one, None between connections."""

    def __init__(
        self,
        context: StreamContext,
        gate: HostGate,
        chance: random.Random,
        *,
        give_up_at_start: bool,
    ) -> None:
        self._context = context
        self._gate = gate
        self._backoff = Backoff(chance)
        self._give_up_at_start = give_up_at_start
        self._attempts = 0
        self._taken = False
        self._chance = chance
        self._renewed_s = float("-inf")
        self._renewal_rest_s = RENEWAL_REST_S / 2
        self.life = context.life
        self.conversation: Conversation | None = None

    @property
    def context(self) -> StreamContext:
        """What the stream shares with its conversations."""
        return self._context

    async def run(self) -> None:
        """Stay connected until cancelled.

        Raises:
            ConnectError: it could not be connected at the start.
            LoginRefusedError: the exchange refused the login at the start.
            SubscriptionRefusedError: it refused all that was asked at the start.
        """
        try:
            while True:
                await self._pass_gate()
                stood_s = await self._attempt()
                self.life.move(ConnectionState.RECONNECTING)
                if stood_s is not None:
                    await asyncio.sleep(self._backoff.lost(stood_s))
        finally:
            self.life.move(ConnectionState.DISCONNECTED)

    async def _pass_gate(self) -> None:
        wait_s = self._gate.ask(self, time.monotonic())
        while wait_s > 0.0:
            await asyncio.sleep(wait_s)
            wait_s = self._gate.ask(self, time.monotonic())

    async def _attempt(self) -> float | None:
        """Connect and stay until the connection is gone; return how long it stood, in seconds.

        None where the host was not reached: how long to rest is then the gate's to say.
        """
        self._attempts += 1
        self.life.move(ConnectionState.CONNECTING)
        try:
            entry = await prepare_entry(self._context)
            conversation, connection = await self._connect(entry)
        except AccessError as fault:
            # It says nothing of the host that is to be connected to, so the rest is our own.
            self._gate.reached(self)
            self._note(fault)
            return 0.0
        except ConnectError as fault:
            return self._failed(fault)
        except LoginRefusedError as refusal:
            self._gate.reached(self)
            self._refused(refusal)
            return 0.0
        self._gate.reached(self)
        try:
            conversation = await self._stay(conversation, connection)
        except (LoginRefusedError, SubscriptionRefusedError) as refusal:
            self._refused(refusal)
            return 0.0
        finally:
            self.conversation = None
        assert conversation.opened_ns is not None
        return (time.monotonic_ns() - conversation.opened_ns) / 1e9

    async def _stay(self, conversation: Conversation, connection: FrameConnection) -> Conversation:
        """Hold a connection, and those that take its place, until one is gone; return that one.

        Raises:
            LoginRefusedError, SubscriptionRefusedError: the first one was refused.
        """
        holding = self._hold(conversation, connection)
        try:
            while await self._until_due(conversation, holding):
                succession = await self._succeed(conversation, holding)
                if succession is not None:
                    conversation, holding = succession
                elif not holding.done():
                    await asyncio.wait([holding], timeout=SUCCESSION_REST_S)
            await holding
        finally:
            await _cancelled(holding)
            self._taken = self._taken or conversation.taken
        return conversation

    def _hold(self, conversation: Conversation, connection: FrameConnection) -> asyncio.Task[None]:
        self.conversation = conversation
        name = f"tickreel-{self._context.plan.stream}-{conversation.connection_id}"
        return asyncio.create_task(conversation.hold(connection), name=name)

    async def _until_due(self, conversation: Conversation, holding: asyncio.Task[None]) -> bool:
        """Wait until a connection is to be renewed; return False when it is gone."""
        lifetime_s, cut_s = self._context.venue.traits.limits.lifetime_s, float("inf")
        if lifetime_s is not None:
            assert conversation.opened_ns is not None
            share = self._chance.uniform(*LIFETIME_SHARES)
            cut_s = conversation.opened_ns / 1e9 + lifetime_s * share
        await _wait(holding, conversation.renewal, cut_s)
        if conversation.renewal.is_set() and not conversation.urgent.is_set():
            await self._rest(conversation, holding, cut_s)
        if holding.done():
            return False
        if not conversation.renewal.is_set() or time.monotonic() >= cut_s:
            conversation.renew(f"the exchange cuts connections after {lifetime_s:g} s")
        return True

    async def _rest(
        self, conversation: Conversation, holding: asyncio.Task[None], cut_s: float
    ) -> None:
        """Wait as long as renewals for a mute channel have to be apart, or until one is urgent."""
        now_s = time.monotonic()
        if now_s - self._renewed_s > RENEWAL_REST_LIMIT_S:
            self._renewal_rest_s = RENEWAL_REST_S / 2
        turn_s = self._renewed_s + self._renewal_rest_s
        await _wait(holding, conversation.urgent, min(turn_s, cut_s))
        self._renewed_s = time.monotonic()
        self._renewal_rest_s = min(RENEWAL_REST_LIMIT_S, self._renewal_rest_s * 2)

    async def _succeed(self, old: Conversation, holding: asyncio.Task[None]) -> _Holding | None:
        """Put a new connection in the place of `old`; None where that one stays, or is gone."""
        group, reason = self._context.group, old.renewal_reason
        log.info("%s: to be renewed: %s", self._context.plan.stream, reason)
        if group.standing > 1:
            if group.whole:  # the other line goes on meanwhile
                await old.retire(reason)
                await asyncio.wait([holding])
            return None
        made = await self._successor(holding)
        if made is None:
            return None
        try:
            return await self._take_over(old, holding, made)
        except asyncio.CancelledError:
            # We stop. The old one is its holder's to close; nobody else knows of the new one.
            await _cancelled(made[1])
            raise

    async def _take_over(
        self, old: Conversation, holding: asyncio.Task[None], made: _Holding
    ) -> _Holding | None:
        """Close `old` once the new one brings what it brings; None where that does not happen."""
        new, new_holding = made
        if await self._overlap(old, holding, made):
            await old.retire(old.renewal_reason)
            await _cancelled(holding)
            self._taken = self._taken or old.taken
            return made
        if not new_holding.done():
            # Its messages are not those of the old one: the next is a connection of its own. Not
            # where two lines are wanted, as all that comes would be recorded and count twice.
            self._context.group.apart = not self._context.group.redundant
            await new.retire("it did not join the connection that it was to take the place of")
        await _cancelled(new_holding)
        self.conversation = old
        return None

    async def _overlap(
        self, old: Conversation, holding: asyncio.Task[None], made: _Holding
    ) -> bool:
        """Wait until a new connection brings what the old one does; False where it does not."""
        new, new_holding = made
        deadline_s = time.monotonic() + OVERLAP_LIMIT_S
        while not new_holding.done():
            if holding.done() or self._has_joined(old, new):
                return True
            if time.monotonic() >= deadline_s:
                return False
            await asyncio.wait(
                [holding, new_holding],
                timeout=OVERLAP_CHECK_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
        return False

    async def _successor(self, holding: asyncio.Task[None]) -> _Holding | None:
        """Connect beside a connection that stands; None where that does not come about."""
        wait_s = self._gate.ask(self, time.monotonic())
        while wait_s > 0.0 and not holding.done():
            await asyncio.wait([holding], timeout=wait_s)
            wait_s = self._gate.ask(self, time.monotonic())
        if wait_s > 0.0:
            return None
        self._attempts += 1
        try:
            entry = await prepare_entry(self._context)
            conversation, connection = await self._connect(entry)
        except (AccessError, ConnectError, LoginRefusedError) as fault:
            transient = isinstance(fault, ConnectError) and fault.transient
            if isinstance(fault, ConnectError) and transient:
                self._gate.failed(self, time.monotonic(), fault.retry_after_s)
            else:
                self._gate.reached(self)
            self.life.failed_attempts += 1
            log.warning("%s; the connection that stands stays", fault)
            return None
        self._gate.reached(self)
        return conversation, self._hold(conversation, connection)

    def _has_joined(self, old: Conversation, new: Conversation) -> bool:
        if not self._context.group.apart:
            return new.joined and new.connection_id == old.connection_id
        since_ns = new.listens_since_ns
        return (
            since_ns is not None and new.taken and time.monotonic_ns() - since_ns >= OVERLAP_MIN_NS
        )

    async def _connect(self, entry: Entry) -> tuple[Conversation, FrameConnection]:
        context, login = self._context, entry.login
        conversation = Conversation(context, self._attempts, entry)
        try:
            connection = await open_connection(
                login.url, conversation, context.clock, context.connect, login.headers
            )
        except CONNECT_EXCEPTIONS as raised:
            # Without `from`: what websockets raises may hold the address with its keys.
            fault = connect_fault(context.plan.stream, login.url, raised, entry.redaction)
        else:
            return conversation, connection
        raise login_refusal(context, entry, fault) or fault

    def _failed(self, fault: ConnectError) -> float | None:
        if fault.transient:
            self._gate.failed(self, time.monotonic(), fault.retry_after_s)
        else:
            self._gate.reached(self)
        self._note(fault)
        return None if fault.transient else 0.0

    def _note(self, fault: ConnectError) -> None:
        self.life.failed_attempts += 1
        self.life.last_error = str(fault)
        if self._attempts == 1 and (self._give_up_at_start or not fault.transient):
            raise fault from None
        log.warning("%s", fault)

    def _refused(self, refusal: LoginRefusedError | SubscriptionRefusedError) -> None:
        self.life.last_error = str(refusal)
        if not self._taken:
            raise refusal
        log.warning("%s", refusal)


async def _wait(holding: asyncio.Task[None], event: asyncio.Event, until_s: float) -> None:
    """Wait for an event, as long as a connection is held and no longer than until then."""
    wanted = asyncio.ensure_future(event.wait())
    left_s = None if until_s == float("inf") else max(0.0, until_s - time.monotonic())
    try:
        await asyncio.wait([wanted, holding], timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        wanted.cancel()


async def _cancelled(holding: asyncio.Task[None]) -> None:
    """End a task that holds a connection, which closes that in good order."""
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
