"""Channels that fell silent, in frame time.

Theory. A channel is watched from its first message (or from the subscription, where the recording
says what was subscribed). It is stale once nothing came on it for longer than its limit, which is
noticed at the first frame of any kind after that: time goes on only with frames, and a live
recorder writes a clock frame where everything is silent. One silence is reported once; the next
message ends it.

Looking at all channels on every frame would cost more than decoding it, so the guard knows the
earliest instant at which any channel can become stale, and looks only past that.
"""

from __future__ import annotations

import msgspec

from venues.channel import Channel


class Stale(msgspec.Struct, frozen=True, gc=False):
    """A channel is silent for longer than its limit. `silent_since_ns` is its last message."""

    venue: str
    symbol: str
    channel: Channel
    connection_id: int
    silent_since_ns: int
    receive_time_ns: int
    limit_ns: int

    def __str__(self) -> str:
        """Return the sentence for people."""
        return f"{self.venue} {self.channel} silent for more than {self.limit_ns / 10**9:g} s"


class ChannelWatch:
    """One channel of one symbol: when it last spoke, and whether it is stale now."""

    __slots__ = ("channel", "connection_id", "last_ns", "limit_ns", "stale", "symbol", "venue")

    def __init__(
        self, venue: str, symbol: str, channel: Channel, limit_ns: int, now_ns: int
    ) -> None:
        self.venue = venue
        self.symbol = symbol
        self.channel = channel
        self.limit_ns = limit_ns
        self.last_ns = now_ns
        self.connection_id = 0
        self.stale = False


class WatchParts(msgspec.Struct, frozen=True, array_like=True):
    """A watched channel, for a checkpoint."""

    venue: str
    symbol: str
    channel: Channel
    limit_ns: int
    last_ns: int
    connection_id: int
    stale: bool

    @classmethod
    def of(cls, watch: ChannelWatch) -> WatchParts:
        """Return what a checkpoint says of a watch."""
        return cls(*(getattr(watch, name) for name in cls.__struct_fields__))

    def watch(self) -> ChannelWatch:
        """Return the watch that it speaks of."""
        watch = ChannelWatch(self.venue, self.symbol, self.channel, self.limit_ns, self.last_ns)
        watch.connection_id = self.connection_id
        watch.stale = self.stale
        return watch


class GuardParts(msgspec.Struct, frozen=True, array_like=True):
    """All watched channels, in the order in which silence is looked for, for a checkpoint."""

    watches: list[WatchParts]
    next_check_ns: int


class StalenessGuard:
    """All watched channels."""

    __slots__ = ("_watches", "next_check_ns")

    NEVER_NS = 1 << 63

    def __init__(self) -> None:
        self._watches: dict[tuple[str, str, Channel], ChannelWatch] = {}
        self.next_check_ns = self.NEVER_NS

    def watch(
        self, venue: str, symbol: str, channel: Channel, limit_ns: int, now_ns: int
    ) -> ChannelWatch:
        """Return the watch of a channel; begin to watch it now if it is not watched yet."""
        key = (venue, symbol, channel)
        watch = self._watches.get(key)
        if watch is None:
            watch = self._watches[key] = ChannelWatch(venue, symbol, channel, limit_ns, now_ns)
            self.next_check_ns = min(self.next_check_ns, now_ns + limit_ns)
        return watch

    def heard(self, watch: ChannelWatch, connection_id: int, now_ns: int) -> None:
        """Note a message on a channel."""
        watch.last_ns = now_ns
        watch.connection_id = connection_id
        if watch.stale:
            watch.stale = False
            self.next_check_ns = min(self.next_check_ns, now_ns + watch.limit_ns)

    def forget(self, connection_id: int) -> None:
        """Stop watching a connection's channels: it was closed by ourselves."""
        gone = [key for key, each in self._watches.items() if each.connection_id == connection_id]
        for key in gone:
            del self._watches[key]

    def silent(self, now_ns: int) -> list[Stale]:
        """Return the channels that became stale by `now_ns`; to be called past `next_check_ns`."""
        found: list[Stale] = []
        next_check_ns = self.NEVER_NS
        for watch in self._watches.values():
            if watch.stale:
                continue
            if now_ns - watch.last_ns > watch.limit_ns:
                watch.stale = True
                found.append(
                    Stale(
                        watch.venue,
                        watch.symbol,
                        watch.channel,
                        watch.connection_id,
                        watch.last_ns,
                        now_ns,
                        watch.limit_ns,
                    )
                )
            else:
                next_check_ns = min(next_check_ns, watch.last_ns + watch.limit_ns)
        self.next_check_ns = next_check_ns
        return found

    def state(self) -> list[list[object]]:
        """Return the canonical state, for the digest."""
        return sorted(
            [*key, watch.connection_id, watch.last_ns, watch.stale]
            for key, watch in self._watches.items()
        )

    def watch_of(self, venue: str, symbol: str, channel: Channel) -> ChannelWatch | None:
        """Return the watch of a channel, None where it is not watched."""
        return self._watches.get((venue, symbol, channel))

    def parts(self) -> GuardParts:
        """Return it, for a checkpoint."""
        return GuardParts(
            [WatchParts.of(each) for each in self._watches.values()], self.next_check_ns
        )

    def take_parts(self, parts: GuardParts) -> None:
        """Be what a checkpoint says."""
        watches = [each.watch() for each in parts.watches]
        self._watches = {(each.venue, each.symbol, each.channel): each for each in watches}
        self.next_check_ns = parts.next_check_ns
