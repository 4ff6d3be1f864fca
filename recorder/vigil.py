"""Who watches one connection: pings, heartbeats, its end when it is dead, and its channels.

Theory. `recorder.watchdog` says when a connection is dead and what is due, `recorder.stalls` what
is silent on one that lives; here they are asked, in time, and obeyed. What is dead is ended at
once, after it was said in the recording since when nothing came.
"""

from __future__ import annotations

import asyncio
import time

from recorder.connection import FrameConnection
from recorder.entry import now_ms
from recorder.greeting import Greeting
from recorder.line_group import Line
from recorder.speech import Speech
from recorder.stalls import Stalls
from recorder.stream_context import StreamContext
from recorder.watchdog import Watchdog
from venues.venue import Login

STALL_CHECK_S = 0.25
WATCH_INTERVAL_MIN_S = 0.01
BEAT_INTERVAL_MIN_S = 1.0
"""No exchange is sent heartbeats more often because it says so."""


class Vigil:
    """Watches `line`; `stalls` is None where no channel is to be watched (one's own account)."""

    def __init__(
        self,
        line: Line,
        context: StreamContext,
        login: Login,
        greeting: Greeting,
        stalls: Stalls | None,
    ) -> None:
        self._line = line
        self._context = context
        self._login = login
        self._greeting = greeting
        self._stalls = stalls
        self._asked_noted = False

    async def hold(self, connection: FrameConnection, speech: Speech) -> None:
        """Watch until the connection is dead, and end it then."""
        venue, watchdog = self._context.venue, self._watchdog()
        while True:
            now_s = time.monotonic()
            message_s, bytes_s = connection.last_message_ns / 1e9, connection.last_bytes_ns / 1e9
            fault = watchdog.fault(now_s, message_s, bytes_s)
            if fault is not None:
                return self._end_dead(connection, fault)
            self._check_channels()
            if watchdog.ping_due(now_s, bytes_s):
                await speech.ping()
            if watchdog.beat_due(now_s):
                heartbeat = venue.heartbeat(now_ms())
                if heartbeat is not None:
                    await speech.say(heartbeat)
            wait_s = watchdog.next_s(message_s, bytes_s) - time.monotonic()
            if self._stalls is not None:
                wait_s = min(wait_s, STALL_CHECK_S)
            await asyncio.sleep(max(WATCH_INTERVAL_MIN_S, wait_s))

    def _check_channels(self) -> None:
        if self._stalls is None:
            return
        if not self._asked_noted and self._greeting.all_asked:
            self._asked_noted = True
            self._context.channels.asked(time.monotonic_ns())
        self._stalls.check(self._context.clock())

    def _end_dead(self, connection: FrameConnection, fault: str) -> None:
        context = self._context
        subscriptions = context.plan.subscriptions
        context.group.stalled(self._line, subscriptions, connection.last_message_ns, fault)
        connection.end(fault)

    def _watchdog(self) -> Watchdog:
        context = self._context
        keepalive, connect = context.venue.traits.keepalive, context.connect
        beats = context.venue.heartbeat(now_ms()) is not None
        interval_s, silence_limit_s = keepalive.interval_s, keepalive.silence_limit_s
        if self._login.ping_interval_s is not None:
            interval_s = max(BEAT_INTERVAL_MIN_S, self._login.ping_interval_s)
            # Where nothing else is sent, the answers to heartbeats are all that breaks a silence.
            silence_limit_s = max(silence_limit_s, interval_s + keepalive.answer_limit_s)
        silence_limit_s = context.silence_limit_s or silence_limit_s
        return Watchdog(
            beat_interval_s=interval_s if beats else None,
            answer_limit_s=keepalive.answer_limit_s,
            silence_limit_s=silence_limit_s,
            pongs_count=not beats and self._is_quiet(silence_limit_s),
            ping_interval_s=connect.ping_interval_s,
            ping_limit_s=connect.ping_limit_s,
            quiet_limit_s=connect.quiet_limit_s,
            now_s=time.monotonic(),
        )

    def _is_quiet(self, silence_limit_s: float) -> bool:
        """Return whether nothing was subscribed to that speaks within the limit by itself."""
        stale_limits_s = self._context.venue.traits.stale_limits_s
        return not any(
            stale_limits_s.get(one.channel, float("inf")) <= silence_limit_s
            for one in self._context.plan.subscriptions
        )
