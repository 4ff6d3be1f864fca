"""Fresh snapshots: fetched by HTTP and recorded, or asked for on the socket.

Theory. A snapshot is wanted when a REST-bridged book begins (the recorder's own wish, so that a
recording made without an engine can be replayed) and when the engine cannot trust a book (its
`SnapshotRequest`). Wishes for the same book on the same connection are one wish until it is met:
a storm of requests is what gets an address banned. A wish ends with its connection, since a new
one begins with its own snapshot; not with the line that wanted it, where another one goes on.

1. The first fetch waits `FIRST_DELAY_S` after the first message, so that deltas are in the
   recording that the snapshot can be joined to.
2. Fetches stay within their host's budget and are spaced for each book (`recorder.http_desk`).
3. Every answer becomes an HTTP frame: also a refusal (status and body) and a failure (no status).
4. A failed fetch is tried again after a rest; where the exchange sends snapshots on the socket, it
   is asked there after two failures, or at once where the answer was that there is none to fetch.
5. Where the socket is the source (in band, as the first delta, or requested there), the venue's
   `resubscribe_messages` ask for a snapshot, the more seldom the more often it was needed. Where
   a venue has none and numbers its connections as a whole, the connection is given up for a new
   one, which begins with snapshots.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from enum import Enum

from recorder.conversation import Conversation
from recorder.http_desk import HTTP_OK, HttpDesk, refused_for_good
from recorder.reconnect import Backoff
from venues.traits import SequenceScope, SnapshotSource
from venues.venue import HttpRequest

log = logging.getLogger("tickreel.recorder")

FIRST_DELAY_S = 0.5
SPACING_S = 1.0
SPACING_LIMIT_S = 60.0
FAILURES_BEFORE_SOCKET = 2


class _Outcome(Enum):
    """What became of a fetch."""

    MET = "met"
    FAILED = "failed"
    REFUSED = "refused"


class SnapshotDesk:
    """Takes wishes for snapshots and sees to them, each once."""

    def __init__(
        self,
        http: HttpDesk,
        chance: random.Random,
        line_of: Callable[[int], Conversation | None],
    ) -> None:
        """Ask through `http`; `line_of` gives the line to speak on, for a connection's number."""
        self._http = http
        self._line_of = line_of
        self._chance = chance
        self._wishes: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._resubscribed: dict[tuple[str, str], tuple[float, float]] = {}
        self.fetches = 0
        self.failures = 0
        self.resubscriptions = 0
        self.faults: list[str] = []

    def want_first(self, conversation: Conversation, symbols: list[str]) -> None:
        """See to the snapshots with which the books of a new connection begin."""
        for symbol in symbols:
            self._want(conversation, symbol, FIRST_DELAY_S)

    def want(self, conversation: Conversation, symbol: str) -> None:
        """See to a fresh snapshot of a book that cannot be trusted."""
        self._want(conversation, symbol, 0.0)

    def forget(self, connection_id: int) -> None:
        """Drop the wishes of a connection that is gone."""
        for key in [key for key in self._wishes if key[0] == connection_id]:
            self._wishes.pop(key).cancel()

    async def close(self) -> None:
        """Drop all wishes."""
        tasks = list(self._wishes.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _want(self, conversation: Conversation, symbol: str, delay_s: float) -> None:
        key = (conversation.connection_id, symbol)
        if key in self._wishes or conversation.is_closed:
            return
        task = asyncio.ensure_future(self._see_to(conversation, symbol, delay_s))
        self._wishes[key] = task

        def done(task: asyncio.Task[None]) -> None:
            if self._wishes.get(key) is task:
                del self._wishes[key]
            if not task.cancelled() and task.exception() is not None:
                self.faults.append(f"no snapshot of {symbol}: {task.exception()!r}")
                log.error(
                    "%s: no snapshot of %s",
                    conversation.plan.stream,
                    symbol,
                    exc_info=task.exception(),
                )

        task.add_done_callback(done)

    async def _see_to(self, conversation: Conversation, symbol: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        venue, plan = conversation.venue, conversation.plan
        traits = venue.traits
        on_socket = traits.snapshot_source is not SnapshotSource.REST
        request = None
        if traits.rest_resync or not on_socket:
            request = venue.snapshot_request(plan, symbol)
        if request is None:
            return await self._resubscribe(conversation, symbol)
        rest = Backoff(self._chance)
        failures = 0
        while (outcome := await self._fetch(conversation, request)) is not _Outcome.MET:
            failures += 1
            hopeless = outcome is _Outcome.REFUSED or failures >= FAILURES_BEFORE_SOCKET
            if on_socket and hopeless:
                return await self._resubscribe(conversation, symbol)
            await asyncio.sleep(SPACING_S + rest.lost(0.0))
        return None

    async def _resubscribe(self, conversation: Conversation, symbol: str) -> None:
        """Ask on the socket; the more often in a minute, the longer the pause between."""
        key = (conversation.plan.stream, symbol)
        last_s, pause_s = self._resubscribed.get(key, (float("-inf"), SPACING_S / 2))
        now_s = time.monotonic()
        pause_s = (
            min(pause_s * 2, SPACING_LIMIT_S) if now_s - last_s < SPACING_LIMIT_S else SPACING_S
        )
        await asyncio.sleep(max(0.0, last_s + pause_s - now_s))
        self._resubscribed[key] = (time.monotonic(), pause_s)
        self.resubscriptions += 1
        venue = conversation.venue
        line = self._line_of(conversation.connection_id) or conversation
        messages = venue.resubscribe_messages(conversation.plan, symbol)
        if messages:
            await line.say(messages)
        elif venue.traits.sequence_scope is SequenceScope.CONNECTION:
            line.renew(f"the book of {symbol} begins anew on a new connection alone")

    async def _fetch(self, conversation: Conversation, request: HttpRequest) -> _Outcome:
        """Fetch once and record what came."""
        venue = conversation.venue
        self.fetches += 1
        answer = await self._http.ask(venue, request)
        kept = self._http.record(venue, conversation.connection_id, request, answer)
        if answer.status == HTTP_OK and kept:
            return _Outcome.MET
        self.failures += 1
        log.warning(
            "%s: no snapshot of %s: %s",
            conversation.plan.stream,
            request.symbol,
            answer.error or (f"HTTP {answer.status}" if kept else "there was no room to keep it"),
        )
        return _Outcome.REFUSED if refused_for_good(answer.status) else _Outcome.FAILED
