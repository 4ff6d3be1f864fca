"""What is done about channels that fell silent on a connection that lives.

Theory. `recorder.channel_watch` says what is mute. Each silence is in the recording as a LOST frame
(cause `stall`, of unknown size) that begins with the last message and ends where it was found, and
another from there to the message that ends it, which stands right before that message. Then:

1. A book is asked for anew on the socket, where the exchange sends one then.
2. What that does not cure within `CURE_LIMIT_NS`, and what cannot be asked for anew, is left to a
   new connection, which takes this one's place without a hole for all that still speaks.
3. What is still mute on that one was asked for by subscribing: it is left to another, in its turn,
   and so on, as an exchange may have taken the subscription while it could not serve it.
4. Where all that ever spoke is mute, there is nothing to keep: the connection is ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from recorder.channel_watch import ChannelWatch, Silence
from recorder.line_group import Line, LineGroup
from venues.channel import Channel
from venues.traits import SnapshotSource
from venues.venue import ConnectionPlan, Venue

log = logging.getLogger("tickreel.recorder")

CURE_LIMIT_NS = 10_000_000_000


class StalledLine(Line, Protocol):
    """A line, and what can be done about it."""

    def renew(self, reason: str, *, urgent: bool = True) -> None:
        """Ask for a connection in its place."""


class Stalls:
    """The silences of one connection."""

    def __init__(
        self,
        line: StalledLine,
        watch: ChannelWatch,
        group: LineGroup,
        venue: Venue,
        plan: ConnectionPlan,
        say: Callable[[Sequence[str]], None],
    ) -> None:
        self._line = line
        self._watch = watch
        self._group = group
        self._venue = venue
        self._plan = plan
        self._say = say
        self._asked_ns: int | None = None
        self._checked = False

    def check(self, at: tuple[int, int]) -> None:
        """See whether something fell silent; to be called a few times a second."""
        now_ns = at[1]
        if not self._line.joined:
            return
        if not self._checked:
            self._checked = True
            self._asked_ns = now_ns if self._watch.mute_topics else None
        for silence in self._watch.silent(now_ns):
            self._see_to(silence, at)
        if self._asked_ns is not None and now_ns - self._asked_ns > CURE_LIMIT_NS:
            self._asked_ns = None
            if self._watch.mute_topics:
                self._line.renew("what is mute did not speak when asked", urgent=False)

    def ended(self, silence: Silence, at: tuple[int, int]) -> None:
        """Say in the recording that something speaks again."""
        self._group.stalled(self._line, silence.subscriptions, silence.since_ns, "ended", at)

    def _see_to(self, silence: Silence, at: tuple[int, int]) -> None:
        now_ns = at[1]
        what = "all channels" if silence.channel is None else f"{silence.channel}"
        symbols = sorted({one.symbol for one in silence.subscriptions})
        where = f"{what} of {', '.join(symbols[:5])}" + (" and others" if len(symbols) > 5 else "")
        silent_s = (now_ns - silence.since_ns) / 1e9
        detail = f"{where} silent for {silent_s:.1f} s while the connection lives"
        log.warning("%s: %s", self._plan.stream, detail, extra={"event": "stall"})
        self._group.stalled(self._line, silence.subscriptions, silence.since_ns, detail, at)
        if self._watch.all_mute:
            return self._line.give_up(detail)
        messages = self._resubscription(silence.channel, symbols)
        if messages:
            self._say(messages)
            self._asked_ns = self._asked_ns or now_ns
        else:
            self._line.renew(detail, urgent=False)
        return None

    def _resubscription(self, channel: Channel | None, symbols: Sequence[str]) -> list[str]:
        on_socket = self._venue.traits.snapshot_source is not SnapshotSource.REST
        if channel is not Channel.BOOK or not on_socket:
            return []
        return [
            message
            for symbol in symbols
            for message in self._venue.resubscribe_messages(self._plan, symbol)
        ]
