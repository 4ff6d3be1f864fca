"""Whether a channel still speaks: a silence that is usual for it, or a channel that died.

Theory. A limit in seconds cannot tell a quiet symbol from a mute channel: the trades of a rarely
traded symbol rest for minutes, and nothing is wrong. So a channel is measured by itself. It is
called dead when, at the end of the time it was listened to, it had been silent for longer than
its venue's limit, for `INTERVALS` times its own mean interval, and for `LONGEST_SILENCES` times its
own longest silence before. Messages that come by chance, without a pattern, keep silent for 50 mean
intervals once in e^50 times; the longest silence covers those that come in bursts. A channel with
fewer than `MESSAGES_MIN` messages is not judged.

A silence that ended is a note: what was lost in it, the numbers of book and trades say.
"""

from __future__ import annotations

INTERVALS = 50
LONGEST_SILENCES = 3
MESSAGES_MIN = 20


class ChannelPulse:
    """When one channel of one symbol spoke, in receive time.

    Attributes:
        messages: how many events came on it.
        first_ns: the first of them.
        last_ns: the last of them.
        longest_silence_ns: the longest time between two.
        longest_silence_from_ns: when that began.
    """

    __slots__ = ("first_ns", "last_ns", "longest_silence_from_ns", "longest_silence_ns", "messages")

    def __init__(self, now_ns: int) -> None:
        self.messages = 0
        self.first_ns = now_ns
        self.last_ns = now_ns
        self.longest_silence_ns = 0
        self.longest_silence_from_ns = now_ns

    def heard(self, now_ns: int) -> None:
        """Note an event."""
        self.messages += 1
        silence_ns = now_ns - self.last_ns
        if silence_ns > self.longest_silence_ns:
            self.longest_silence_ns = silence_ns
            self.longest_silence_from_ns = self.last_ns
        if silence_ns > 0:
            self.last_ns = now_ns

    def dead_at(self, end_ns: int, limit_ns: int) -> bool:
        """Return whether the silence at the end of the time listened to is not one of its own."""
        if self.messages < MESSAGES_MIN:
            return False
        silence_ns = end_ns - self.last_ns
        mean_ns = (self.last_ns - self.first_ns) / (self.messages - 1)
        usual_ns = max(INTERVALS * mean_ns, LONGEST_SILENCES * self.longest_silence_ns)
        return silence_ns > max(limit_ns, usual_ns)
