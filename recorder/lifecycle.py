"""What one connection is doing, what it has done, and who wants to know.

Theory. A connection is in one of five states and moves only as `TRANSITIONS` says:

    DISCONNECTED -> CONNECTING -> CONNECTED -> CLOSING -> DISCONNECTED
                        │   ▲          │
                        ▼   │          ▼
                     RECONNECTING <────┘

RECONNECTING is the rest between a loss (or a failed attempt) and the next attempt. CLOSING is
ours: we were told to stop. CONNECTED means that the WebSocket handshake is done; whether the
exchange has taken the subscriptions is told apart, in `subscribed`.

A handshake may end in two states more, as it goes on beside what else happens: RECONNECTING, where
the connection that the new one was to take the place of went first, and CLOSING, where we were told
to stop in the same moment. `shook_hands` knows what follows from each.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from enum import Enum

log = logging.getLogger("tickreel.recorder")


class ConnectionState(Enum):
    """What a connection is doing."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSING = "closing"


_S = ConnectionState
TRANSITIONS: Mapping[ConnectionState, frozenset[ConnectionState]] = {
    _S.DISCONNECTED: frozenset({_S.CONNECTING}),
    _S.CONNECTING: frozenset({_S.CONNECTED, _S.RECONNECTING, _S.CLOSING, _S.DISCONNECTED}),
    _S.CONNECTED: frozenset({_S.RECONNECTING, _S.CLOSING, _S.DISCONNECTED}),
    _S.RECONNECTING: frozenset({_S.CONNECTING, _S.CLOSING, _S.DISCONNECTED}),
    _S.CLOSING: frozenset({_S.DISCONNECTED}),
}

StateCallback = Callable[["Lifecycle", ConnectionState, ConnectionState], None]
"""Called with the lifecycle, the state left and the state entered. Must not block."""


class Lifecycle:
    """The state and the counts of one connection over all its attempts.

    Attributes:
        stream: what people call it.
        url: where it goes, without secrets.
        venue: the registry name of the venue.
        line: which of the redundant lines of its stream it is, from 1.
        connection_id: the number in the recording of the last connection made; 0 before the first.
        standing: connections that are up: two where one takes the place of another.
        connects: handshakes that succeeded.
        disconnects: connections lost or closed.
        failed_attempts: attempts that did not get through the handshake.
        messages: messages received, those too large to be kept among them.
        bytes: payload bytes of those.
        last_message_time_ns: UTC receive time of the last one; None before the first.
        last_error: why it was last lost or could not be made, for people; '' if it never was.
        subscribed: whether the exchange has acknowledged all that was asked.
        refusals: what the exchange refused and why, of the present connection.
    """

    def __init__(self, stream: str, url: str, venue: str = "", line: int = 1) -> None:
        self.stream = stream if line == 1 else f"{stream} line {line}"
        self.line = line
        self.url = url
        self.venue = venue
        self.state = ConnectionState.DISCONNECTED
        self.connection_id = 0
        self.standing = 0
        self.connects = 0
        self.disconnects = 0
        self.failed_attempts = 0
        self.messages = 0
        self.bytes = 0
        self.last_message_time_ns: int | None = None
        self.last_error = ""
        self.subscribed = False
        self.refusals: list[str] = []
        self._callbacks: list[StateCallback] = []

    def on_state(self, callback: StateCallback) -> None:
        """Call `callback` on every change of state, in the order in which they were added."""
        self._callbacks.append(callback)

    def shook_hands(self) -> None:
        """Enter CONNECTED, unless we were told to stop."""
        if self.state is ConnectionState.RECONNECTING:
            self.move(ConnectionState.CONNECTING)
        if self.state is not ConnectionState.CLOSING:
            self.move(ConnectionState.CONNECTED)

    def move(self, state: ConnectionState) -> None:
        """Enter `state`; staying where one is is no move.

        A callback that raises is reported in the log: a watcher must not end what it watches.
        """
        left = self.state
        if state is left:
            return
        assert state in TRANSITIONS[left], f"{self.stream}: from {left} to {state} is no move"
        self.state = state
        log.info(
            "%s: %s",
            self.stream,
            state.value,
            extra={
                "event": "connection state",
                "stream": self.stream,
                "venue": self.venue,
                "connection": self.connection_id or None,
                "state": state.value,
                "left": left.value,
                "error": self.last_error,
            },
        )
        for callback in self._callbacks:
            try:
                callback(self, left, state)
            except Exception:
                log.exception("%s: a callback for %s raised", self.stream, state.value)
