"""Keeping a connection's access valid: some exchanges let a listener in for an hour and no longer.

Theory. `Login.renewal` is the request that makes what let the connection in good for another while.

1. It is sent every `renewal_interval_s`, which is well before the access ends.
2. Where no answer comes, or one that means "not now", it is sent again after `RETRY_S`.
3. Where it is refused for good, what let us in is known no more: a new connection is wanted, which
   begins with an access of its own.

Of each answer only the head is recorded, as of every request for access.
"""

from __future__ import annotations

import asyncio
import logging

from recorder.entry import Entry
from recorder.http_desk import HTTP_OK, refused_for_good
from recorder.stream_context import StreamContext

log = logging.getLogger("tickreel.recorder")

RETRY_S = 60.0


async def keep_access(context: StreamContext, entry: Entry, connection_id: int) -> str:
    """Renew a connection's access for as long as that can be done, and return why it cannot.

    The reason is '' where nothing has to be renewed.
    """
    login, http = entry.login, context.http
    if login.renewal is None:
        return ""
    wait_s = login.renewal_interval_s
    while True:
        await asyncio.sleep(wait_s)
        answer = await http.ask(context.venue, login.renewal)
        http.record(context.venue, connection_id, login.renewal, answer, entry.redaction)
        wait_s = login.renewal_interval_s
        if answer.status == HTTP_OK:
            continue
        said = f"HTTP {answer.status}" if answer.status else entry.redaction.text(answer.error)
        if refused_for_good(answer.status):
            return f"its access was not renewed: {said}"
        wait_s = min(RETRY_S, wait_s)
        log.warning(
            "%s: its access was not renewed: %s; asking again in %g s",
            context.plan.stream,
            said,
            wait_s,
        )
