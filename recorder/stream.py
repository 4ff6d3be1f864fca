"""One connection plan, kept alive: connect, hold the conversation, rest, connect again.

Theory. A stream ends only by being cancelled (we stop) or with an error. An error is one of:

- the first attempt could not succeed, ever (no such host, TLS, 401, 403, 404, an address that is
  none), or, with `give_up_at_start`, at all: whoever mistyped a port wants a sentence;
- the exchange refused the login (in a message, in the handshake, or in the request for access that
  some need before it), or all subscriptions, before it ever took them.

Every attempt begins with a fresh `recorder.entry`: no token or signature is used twice.

Once a stream has been taken by the exchange, nothing ends it: whatever happens is waited out.
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
from recorder.reconnect import Backoff, HostGate
from recorder.stream_context import StreamContext

log = logging.getLogger("tickreel.recorder")


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
        self.conversation = conversation
        try:
            await conversation.hold(connection)
            self._taken = self._taken or conversation.taken
        except (LoginRefusedError, SubscriptionRefusedError) as refusal:
            self._refused(refusal)
            return 0.0
        finally:
            self.conversation = None
        assert conversation.opened_ns is not None
        return (time.monotonic_ns() - conversation.opened_ns) / 1e9

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
