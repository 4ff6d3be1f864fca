"""HTTP requests beside the streams: sent when their host may be asked, and recorded.

Theory. All that is asked over HTTP goes through one desk, because what an exchange counts and bans
is the address that asks:

1. Per host, no more requests in any minute than the venue's traits allow; of several venues at
   one host the least; and two for the same of one symbol are a second apart. Requests that are not
   urgent leave half of that to those that are.
2. 418, 429 and Retry-After are obeyed for the host by everyone.
3. The answer to an ACCESS request holds tokens: only its head is recorded, never its body, and
   both it and what is logged have their secrets removed. So has a refusal of any request.

An answer that belongs to no connection (access is asked for before there is one, instruments
belong to none) is recorded on connection 0, under the venue's name.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from recorder.connect_fault import retry_after_s
from recorder.frame_intake import FrameIntake
from recorder.http_request import HttpAnswer, send_request
from recorder.own_thread import in_own_thread
from recorder.reconnect import HostBudget
from recorder.redaction import Redaction, redacted_url
from venues.frame import FrameKind
from venues.marker import HttpResponse, http_payload
from venues.venue import HttpRequest, Purpose, Venue

WINDOW_S = 60.0
SPACING_S = 1.0
"""Between two requests for the same of one symbol."""
PATIENT_PART = 0.5
"""Of a host's budget, what requests that are not urgent may take."""
HTTP_OK = 200

_LATER = frozenset({408, 418, 425, 429})
"""Refusals that mean: not now. Every other 4xx means: not here."""


def refused_for_good(status: int | None) -> bool:
    """Return whether asking again later cannot help."""
    return status is not None and 400 <= status < 500 and status not in _LATER


class HttpDesk:
    """Sends requests within each host's budget, and records what came."""

    def __init__(
        self,
        intake: FrameIntake,
        clock: Callable[[], tuple[int, int]],
        *,
        send: Callable[[HttpRequest], HttpAnswer] = send_request,
    ) -> None:
        self._intake = intake
        self._clock = clock
        self._send = send
        self._budgets: dict[str, HostBudget] = {}
        self._not_before_s: dict[str, float] = {}
        self._asked_s: dict[tuple[str, str, str], float] = {}

    async def ask(self, venue: Venue, request: HttpRequest, *, patient: bool = False) -> HttpAnswer:
        """Send `request` when its host may be asked, and return what came.

        `patient` leaves part of the budget to others.
        """
        host = urlsplit(request.url).netloc
        subject = (host, request.purpose, request.symbol)
        budget = self._budget(host, venue.traits.rest_requests_per_minute)
        while True:
            now_s = time.monotonic()
            wait_s = max(
                budget.wait_s(now_s, PATIENT_PART if patient else 1.0),
                self._not_before_s.get(host, 0.0) - now_s,
                self._asked_s.get(subject, float("-inf")) + SPACING_S - now_s,
            )
            if wait_s <= 0.0:
                break
            await asyncio.sleep(wait_s + 0.001)
        budget.spend(now_s)
        if request.symbol:
            self._asked_s[subject] = now_s
        answer = await in_own_thread(lambda: self._send(request))
        if answer.status is not None and answer.status != HTTP_OK:
            asked_s = retry_after_s(answer.retry_after, answer.status)
            if asked_s is not None:
                self._not_before_s[host] = time.monotonic() + asked_s
        return answer

    def record(
        self,
        venue: Venue,
        connection_id: int,
        request: HttpRequest,
        answer: HttpAnswer,
        redaction: Redaction | None = None,
    ) -> bool:
        """Put what came into the recording: an answer, a refusal, or that there was neither.

        Returns whether there was room for it.
        """
        clean = redaction.text if redaction is not None else str
        head = HttpResponse(
            method=request.method,
            url=clean(redacted_url(request.url)),
            status=answer.status,
            purpose=request.purpose,
            symbol=request.symbol,
            error=clean(answer.error),
        )
        body = b"" if request.purpose is Purpose.ACCESS else answer.body
        if answer.status != HTTP_OK:
            # A refusal may say again what was asked; in an answer there is nothing to take out.
            asked = Redaction()
            asked.learn_request(request)
            body = asked.payload(body)
        wall_ns, monotonic_ns = self._clock()
        return self._intake.receive(
            connection_id,
            venue.name,
            FrameKind.HTTP,
            wall_ns,
            monotonic_ns,
            http_payload(head, body),
        )

    def _budget(self, host: str, requests_per_minute: int) -> HostBudget:
        budget = self._budgets.get(host)
        if budget is None:
            budget = self._budgets[host] = HostBudget(requests_per_minute, WINDOW_S, 1.0)
        budget.narrow(requests_per_minute)
        return budget
