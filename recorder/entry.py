"""What has to be known before connecting: an address, headers, a token, and what is secret.

Theory. Each attempt begins anew, with a fresh token and a fresh signature:

1. The venue's request for access, where it has one, is sent and its head recorded.
2. From its answer and the keys the venue makes the `Login`: where to connect, with which headers,
   what to say first.

All that is secret in either is learnt before anything of it can be said: in the recording, in a
log, in an error.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from recorder.errors import AccessError, ConnectError, HandshakeRefusedError, LoginRefusedError
from recorder.http_desk import HTTP_OK, refused_for_good
from recorder.http_request import HttpAnswer
from recorder.redaction import Redaction, redacted_url
from recorder.stream_context import StreamContext
from venues.errors import UNDECODABLE, DecodeError
from venues.venue import HttpRequest, Login

NO_CONNECTION = 0
EXCERPT_BYTES = 240
KEYS_REFUSED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Entry:
    """How one connection begins, and what of it nobody may see."""

    login: Login
    redaction: Redaction


async def prepare_entry(context: StreamContext) -> Entry:
    """Fetch what is needed and return how to begin.

    Raises:
        AccessError: what has to be fetched first did not come.
        LoginRefusedError: the exchange does not accept the keys.
        CredentialsError: the venue cannot use them.
    """
    venue, plan, credentials = context.venue, context.plan, context.credentials
    redaction = Redaction(credentials, (plan.url, plan.rest_url, *plan.subscribe_messages))
    request = venue.access_request(plan, credentials, now_ms())
    access = b""
    if request is not None:
        redaction.learn_request(request)
        answer = await context.http.ask(venue, request)
        context.http.record(venue, NO_CONNECTION, request, answer, redaction)
        access = _granted(context, request, answer, redaction)
        redaction.learn_answer(access)
    try:
        login = venue.login(plan, credentials, now_ms(), access)
    except UNDECODABLE as fault:
        reason = fault.reason if isinstance(fault, DecodeError) else str(fault)
        shown = plan.url if request is None else request.url
        shown = redaction.text(redacted_url(shown))
        raise AccessError(plan.stream, shown, redaction.text(reason)) from None
    redaction.learn_login(login)
    return Entry(login, redaction)


def now_ms() -> int:
    """Return the wall clock, in ms since 1970."""
    return time.time_ns() // 1_000_000


def login_refusal(
    context: StreamContext, entry: Entry, fault: ConnectError
) -> LoginRefusedError | None:
    """Return the refusal of a login whose keys the handshake itself carried; None for others."""
    login, plan = entry.login, context.plan
    if not isinstance(fault, HandshakeRefusedError) or fault.status not in KEYS_REFUSED:
        return None
    if not plan.private or not (login.headers or login.url != plan.url):
        return None
    return LoginRefusedError(plan.stream, _refusal_text(fault.status, fault.excerpt))


def _refusal_text(status: int | None, said: str) -> str:
    return f"HTTP {status}" + (f", it said {said!r}" if said else "")


def _granted(
    context: StreamContext, request: HttpRequest, answer: HttpAnswer, redaction: Redaction
) -> bytes:
    if answer.status == HTTP_OK:
        return answer.body
    plan = context.plan
    # Cleaned before it is cut, or a secret could be cut in two and not be found.
    excerpt = redaction.payload(answer.body)[:EXCERPT_BYTES]
    said = excerpt.decode("utf-8", "backslashreplace").strip()
    if answer.status is None:
        reason = redaction.text(answer.error)
    else:
        reason = _refusal_text(answer.status, said)
    if plan.private and answer.status in KEYS_REFUSED:
        raise LoginRefusedError(plan.stream, reason)
    raise AccessError(
        plan.stream,
        redaction.text(redacted_url(request.url)),
        reason,
        transient=not refused_for_good(answer.status),
    )
