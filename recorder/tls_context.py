"""TLS, always verified, and resumed where the server allows it.

Theory. There is one context in a process: loading the system's certificates takes 20 ms. A server
gives tickets with which a later handshake need not show and prove its certificate again; asyncio
does not use them by itself (its transports wrap a connection without naming a session), so the
context does: it hands the last session of a host to the next connection to it.

What a resumed handshake skips, the one that gave the ticket has checked: for this host's name, in
this process, by this context, and a ticket dies with its lifetime (OpenSSL's, two hours, or less if
the server says so). A server that does not know the ticket makes a full handshake, as if there had
been none.

Measured (`python -m tests.benchmarks.tls --connects 500`: TLS 1.3, loopback, two shared processors,
two rounds): every connection but the first is resumed, on Python's loop and on uvloop alike. The
client's processor time for a connection with its WebSocket handshake goes from 2.7-3.2 ms to
2.6-2.9 ms on Python's loop and from 2.8 to 2.1 ms on uvloop. It takes as many round trips as a full
handshake: TLS 1.3 needs one either way, and Python sends no early data. So it spares the processor
where many connections come back at once, and makes none of them come back sooner.
"""

from __future__ import annotations

import functools
import ssl
from typing import Any

HOSTS_MAX = 256


class ResumingContext(ssl.SSLContext):
    """A client's context that remembers the last session of each host."""

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:  # noqa: ANN401 - ssl's own
        """Wrap a connection, with the session of its host if there is one."""
        host = options.get("server_hostname")
        sessions = self.__dict__.setdefault("_sessions", {})
        if options.get("session") is None and host in sessions:
            options["session"] = sessions[host]
        return super().wrap_bio(*args, **options)

    def remember(self, connection: object) -> None:
        """Keep the session of a connection that has been read from; nothing if it has none.

        In TLS 1.3 the tickets come after the handshake, so the best time is the connection's end.
        """
        if not isinstance(connection, ssl.SSLObject) or not connection.server_hostname:
            return
        session = connection.session
        sessions = self.__dict__.setdefault("_sessions", {})
        if session is not None and session.has_ticket:
            if len(sessions) >= HOSTS_MAX:
                sessions.clear()
            sessions[connection.server_hostname] = session

    def forget(self) -> None:
        """Keep no session."""
        self.__dict__.setdefault("_sessions", {}).clear()


def resuming_context() -> ResumingContext:
    """Return a new context that verifies as `ssl.create_default_context` does."""
    usual = ssl.create_default_context()
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options = usual.options
    context.verify_flags = usual.verify_flags
    context.load_default_certs()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    return context


@functools.cache
def tls_context() -> ResumingContext:
    """Return the one context of this process."""
    return resuming_context()
