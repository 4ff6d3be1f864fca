"""When a connection is dead: pure policy over the steady clock.

Theory. Three questions, any of which can end a connection:

1. Silence: nothing that counts as life came for `silence_limit_s`. What counts is a message; where
   the exchange has no heartbeat message and nothing was subscribed to that could be called stale
   within the limit (liquidations, one's own orders), a quiet feed is not a dead one, and bytes of
   any kind count, pongs among them.
2. The exchange's own heartbeat, where it has one, is sent every `beat_interval_s`; dead when no
   message of any kind came within `answer_limit_s` after it.
3. A protocol ping is sent every `ping_interval_s`, and at once where not a byte came for
   `quiet_limit_s` (and then dead after as long again); dead when not a single byte came within
   `ping_limit_s` after it. It need not be the pong: in a burst the pong waits in line behind
   thousands of messages, and a connection that delivers those is not dead. (This is why it is not
   left to websockets, which insists on the pong.) So a link that was cut without a word is found
   within twice `quiet_limit_s`, however quiet the market is.
"""

from __future__ import annotations


class Watchdog:
    """Says what is due and whether it is over. All times are seconds of one steady clock."""

    def __init__(
        self,
        *,
        beat_interval_s: float | None,
        answer_limit_s: float,
        silence_limit_s: float,
        pongs_count: bool,
        ping_interval_s: float,
        ping_limit_s: float,
        now_s: float,
        quiet_limit_s: float = float("inf"),
    ) -> None:
        self._answer_limit_s = answer_limit_s
        self._silence_limit_s = silence_limit_s
        self._pongs_count = pongs_count
        self._ping_interval_s = ping_interval_s
        self._ping_limit_s = ping_limit_s
        self._quiet_limit_s = quiet_limit_s
        self._next_ping_s = now_s + ping_interval_s
        self._beat_interval_s = float("inf") if beat_interval_s is None else beat_interval_s
        self._next_beat_s = now_s + self._beat_interval_s
        self._pinged_s: float | None = None
        self._beat_s: float | None = None

    def fault(self, now_s: float, message_s: float, bytes_s: float) -> str | None:
        """Return why the connection is dead, None while it is not.

        `message_s` is when the last message came, `bytes_s` when the last bytes did.
        """
        if self._beat_s is not None and message_s > self._beat_s:
            self._beat_s = None
        if self._pinged_s is not None and bytes_s > self._pinged_s:
            self._pinged_s = None
        if now_s >= (bytes_s if self._pongs_count else message_s) + self._silence_limit_s:
            return f"no message for {self._silence_limit_s:g} s"
        if self._beat_s is not None and now_s >= self._beat_s + self._answer_limit_s:
            return f"no answer to a heartbeat in {self._answer_limit_s:g} s"
        if self._pinged_s is not None and now_s >= self._pinged_s + self._ping_limit_s:
            return f"not a byte came in {self._ping_limit_s:g} s after a ping"
        quiet_s = self._quiet_limit_s
        if self._pinged_s is not None and now_s >= max(bytes_s + quiet_s, self._pinged_s) + quiet_s:
            return f"not a byte came in {2 * quiet_s:g} s, in spite of a ping"
        return None

    def beat_due(self, now_s: float) -> bool:
        """Return whether the exchange's heartbeat is to be sent now; if so, it is taken as sent."""
        if now_s < self._next_beat_s:
            return False
        self._next_beat_s = now_s + self._beat_interval_s
        if self._beat_s is None:
            self._beat_s = now_s
        return True

    def ping_due(self, now_s: float, bytes_s: float = float("inf")) -> bool:
        """Return whether a protocol ping is to be sent now; if so, it is taken as sent."""
        if now_s < self._next_ping_s and not self._quiet(now_s, bytes_s):
            return False
        self._next_ping_s = now_s + self._ping_interval_s
        if self._pinged_s is None:
            self._pinged_s = now_s
        return True

    def next_s(self, message_s: float, bytes_s: float) -> float:
        """Return when to look again."""
        heard_s = bytes_s if self._pongs_count else message_s
        due_s = min(heard_s + self._silence_limit_s, self._next_beat_s, self._next_ping_s)
        if self._pinged_s is None:
            due_s = min(due_s, bytes_s + self._quiet_limit_s)
        if self._beat_s is not None:
            due_s = min(due_s, self._beat_s + self._answer_limit_s)
        if self._pinged_s is not None:
            due_s = min(due_s, self._pinged_s + self._ping_limit_s)
            quiet_s = self._quiet_limit_s
            due_s = min(due_s, max(bytes_s + quiet_s, self._pinged_s) + quiet_s)
        return due_s

    def _quiet(self, now_s: float, bytes_s: float) -> bool:
        return self._pinged_s is None and now_s >= bytes_s + self._quiet_limit_s
