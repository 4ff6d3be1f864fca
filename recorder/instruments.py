"""Tick, lot and contract sizes: fetched at the start of a capture, and once a day while it runs.

Theory. What a price step or a contract is worth is the exchange's to say, and it may change; so it
is in the recording as the exchange said it, an HTTP frame a request. It is asked for when a stream
is connected for the first time, beside its subscription and never before it, and not again on a
reconnect. What two streams would ask alike is asked once. These requests are patient: snapshots and
logins at the same host go first. A failure is recorded, said, and tried again after a rest;
after `TRIES_MAX` failures the next day's round comes.
"""

from __future__ import annotations

import asyncio
import logging
import random

from recorder.http_desk import HTTP_OK, HttpDesk, refused_for_good
from recorder.reconnect import Backoff
from venues.venue import ConnectionPlan, HttpRequest, Venue

log = logging.getLogger("tickreel.recorder")

AGAIN_AFTER_S = 86_400.0
TRIES_MAX = 4
FAILURE_REST_S = 1.0
NO_CONNECTION = 0


class InstrumentDesk:
    """Sees to the instruments of each stream."""

    def __init__(self, http: HttpDesk, chance: random.Random) -> None:
        self._http = http
        self._chance = chance
        self._seen_to: set[tuple[str, str, bytes]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.fetches = 0
        self.failures = 0
        self.faults: list[str] = []

    def see_to(self, venue: Venue, plan: ConnectionPlan) -> None:
        """Fetch what the plan's symbols need and nobody has asked for yet."""
        task = asyncio.ensure_future(self._every_day(venue, plan))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def close(self) -> None:
        """Fetch no more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.faults.append(f"instruments are no longer fetched: {task.exception()!r}")
            log.error("instruments are no longer fetched", exc_info=task.exception())

    async def _every_day(self, venue: Venue, plan: ConnectionPlan) -> None:
        requests = []
        for request in venue.instrument_requests(plan):
            key = (venue.name, request.url, request.body)
            if key not in self._seen_to:
                self._seen_to.add(key)
                requests.append(request)
        while requests:
            for request in requests:
                await self._fetch(venue, plan.stream, request)
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _fetch(self, venue: Venue, stream: str, request: HttpRequest) -> None:
        rest = Backoff(self._chance)
        for _ in range(TRIES_MAX):
            self.fetches += 1
            answer = await self._http.ask(venue, request, patient=True)
            self._http.record(venue, NO_CONNECTION, request, answer)
            if answer.status == HTTP_OK:
                return
            self.failures += 1
            log.warning(
                "%s: no instruments%s: %s",
                stream,
                f" of {request.symbol}" if request.symbol else "",
                answer.error or f"HTTP {answer.status}",
            )
            if refused_for_good(answer.status):
                return
            await asyncio.sleep(FAILURE_REST_S + rest.lost(0.0))
