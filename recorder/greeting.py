"""How a conversation begins: the login and its answer, the subscriptions and theirs.

Theory. In order: the login message, where the venue has one, and its LOGGED_IN notice; the
subscribe messages, made only now, as they may need that answer, a token or the present time; then
the exchange's answers to them. What it refuses is raised by `verdict`; what it does not answer in
time ends the connection (a login) or is told (a subscription).

What is recorded of it:

- of the login nothing, but that there was one;
- of a private plan's subscribe messages that hold more than the plan says (a token, a signature,
  a time) the plan's own in their place, or the stand-in of a login where their counts differ;
- of a public plan's all as they are sent: they may hold a time, and no more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from recorder.admission import Admission
from recorder.connection import FrameConnection
from recorder.entry import Entry, now_ms
from recorder.errors import LoginRefusedError, SubscriptionRefusedError
from recorder.lifecycle import Lifecycle
from recorder.redaction import LOGIN_STANDIN
from recorder.speech import Speech
from venues.event import Notice
from venues.venue import ConnectionPlan, Venue

log = logging.getLogger("tickreel.recorder")

ANSWER_LIMIT_S = 10.0
"""How long the exchange may take to answer a login or a subscription."""


class Greeting:
    """The beginning of one conversation.

    Attributes:
        admission: what the exchange answered.
        listening: whether answers are still waited for, so that every message is to be taken.
        all_asked: whether everything was said that makes market data come.
    """

    def __init__(self, venue: Venue, plan: ConnectionPlan, life: Lifecycle, entry: Entry) -> None:
        self._venue = venue
        self._plan = plan
        self._life = life
        self._login = entry.login
        self._redaction = entry.redaction
        self._news = asyncio.Event()
        self.admission = Admission(login=entry.login.message is not None)
        self.listening = True
        self.all_asked = False

    def take(self, notice: Notice | None) -> None:
        """Take what a message says of the connection; None is market data."""
        self.admission.take(notice)
        if self.listening:
            self._news.set()

    async def hold(self, speech: Speech, connection: FrameConnection) -> None:
        """Log in, subscribe, and wait for the answers.

        Raises:
            LoginRefusedError, SubscriptionRefusedError: see `verdict`.
        """
        admission = self.admission
        if admission.login_awaited:
            await self._log_in(speech, connection)
        await self._subscribe(speech)
        self.all_asked = True
        await self._hear(lambda: admission.settled or self._is_refused())
        self.listening = False
        self.verdict()
        self._life.subscribed = admission.subscribed or admission.market_data
        self._life.refusals = list(admission.refusals)
        for refusal in admission.refusals:
            log.warning("%s: refused in part: %s", self._plan.stream, refusal)
        answered = admission.settled or admission.acknowledged or admission.refusals
        if not (answered or admission.market_data or speech.ended):
            log.warning(
                "%s: no answer to the subscription in %g s, and no market data. "
                "Check the address, symbols and channels.",
                self._plan.stream,
                ANSWER_LIMIT_S,
            )

    def verdict(self) -> None:
        """Raise if the exchange has refused the login, or all that was asked of it.

        Raises:
            LoginRefusedError, SubscriptionRefusedError: with what it said.
        """
        admission, plan = self.admission, self._plan
        if admission.login_refusal is not None:
            raise LoginRefusedError(plan.stream, self._redaction.text(admission.login_refusal))
        if admission.refused:
            topics = [f"{one.channel} {one.symbol}".strip() for one in plan.subscriptions]
            raise SubscriptionRefusedError(plan.stream, topics, admission.refusals)

    def _is_refused(self) -> bool:
        return self.admission.refused or self.admission.login_refusal is not None

    async def _log_in(self, speech: Speech, connection: FrameConnection) -> None:
        assert self._login.message is not None
        await speech.say(self._login.message, LOGIN_STANDIN)
        admission = self.admission
        await self._hear(lambda: not admission.login_awaited or self._is_refused())
        self.verdict()
        if admission.login_awaited:
            connection.end(f"the login was not answered within {ANSWER_LIMIT_S:g} s")
            await connection.gone()

    async def _subscribe(self, speech: Speech) -> None:
        plan, answer = self._plan, self.admission.login_answer
        messages = self._venue.subscribe_messages(plan, self._login, answer, now_ms())
        self.admission.asked(len(messages))
        own = plan.subscribe_messages
        for number, message in enumerate(messages):
            if not plan.private or message in own:
                await speech.say(message)
                continue
            self._redaction.learn(message)
            same_count = len(messages) == len(own)
            await speech.say(message, own[number].encode() if same_count else LOGIN_STANDIN)

    async def _hear(self, enough: Callable[[], bool]) -> None:
        """Wait until the exchange has said enough, or for the limit."""
        deadline_s = time.monotonic() + ANSWER_LIMIT_S
        while not enough() and time.monotonic() < deadline_s:
            self._news.clear()
            try:
                async with asyncio.timeout(deadline_s - time.monotonic()):
                    await self._news.wait()
            except TimeoutError:
                return
