"""One connection plan, kept alive: connect, hold the conversation, rest, connect again.

Theory. A stream ends only by being cancelled (we stop) or with an error. An error is one of:

- the first attempt could not succeed, ever (no such host, TLS, 401, 403, 404, an address that is
  none), or, with `give_up_at_start`, at all: whoever mistyped a port wants a sentence;
- the exchange refused the login, or all subscriptions, before it ever took them.

Once a stream has been taken by the exchange, nothing ends it: whatever happens is waited out.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time

from recorder.connect_fault import CONNECT_EXCEPTIONS, connect_fault
from recorder.connection import open_connection
from recorder.conversation import Conversation, StreamContext
from recorder.errors import ConnectError, LoginRefusedError, SubscriptionRefusedError
from recorder.lifecycle import ConnectionState
from recorder.reconnect import Backoff, HostGate

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
        conversation = Conversation(self._context, self._attempts)
        url = self._context.plan.url
        try:
            connection = await open_connection(
                url, conversation, self._context.clock, self._context.connect
            )
        except CONNECT_EXCEPTIONS as fault:
            # Without `from`: what websockets raises may hold the address with its keys.
            return self._failed(connect_fault(self._context.plan.stream, url, fault))
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

    def _failed(self, fault: ConnectError) -> float | None:
        self.life.failed_attempts += 1
        self.life.last_error = str(fault)
        now_s = time.monotonic()
        if fault.transient:
            self._gate.failed(self, now_s, fault.retry_after_s)
        else:
            self._gate.reached(self)
        if self._attempts == 1 and (self._give_up_at_start or not fault.transient):
            raise fault from None
        log.warning("%s", fault)
        return None if fault.transient else 0.0

    def _refused(self, refusal: LoginRefusedError | SubscriptionRefusedError) -> None:
        self.life.last_error = str(refusal)
        if not self._taken:
            raise refusal
        log.warning("%s", refusal)
