"""How each connection began: whether we saw it, and what came first on it.

Theory. Some messages mean what they mean by being the first: a delta that is the whole book, a list
of trades that repeats the past. A message is the first of its channel and symbol on a connection,
not the first that anyone kept: so a first delta counts only where the connection was seen to open
and nothing of it was lost since, as a recording may begin in the middle of one. For the past the
doubt goes the other way, as a trade that is told twice harms and one that is left out is counted.
Liquidations come for all instruments at once, and the first of an instrument may be new, days on:
so one is the past only if, besides, the exchange made it before the connection opened. When that
was is not forgotten with a loss.

Bounded: a connection is forgotten when it ends, and the oldest one when there are too many.
"""

from __future__ import annotations

import msgspec

from venues.channel import Channel
from venues.event import BookDelta, BookSnapshot
from venues.frame import Frame

CONNECTIONS_MAX = 256


class StartsParts(msgspec.Struct, frozen=True, array_like=True):
    """The beginnings of connections, for a checkpoint; both in the order in which they came."""

    opened: list[tuple[int, int | None]]
    firsts: list[tuple[int, list[tuple[Channel, str, int]]]]
    doubted: list[int] = []


class ConnectionStarts:
    """The beginnings of one venue's connections."""

    __slots__ = ("_doubted", "_firsts", "_opened")

    def __init__(self) -> None:
        self._opened: dict[int, int | None] = {}
        self._doubted: set[int] = set()
        self._firsts: dict[int, dict[tuple[Channel, str], int]] = {}

    def open(self, connection_id: int, opened_ns: int | None = None) -> None:
        """Note that a connection was seen to open, and when in receive time."""
        self._opened[connection_id] = opened_ns
        self._doubted.discard(connection_id)
        if len(self._opened) > CONNECTIONS_MAX:
            oldest = next(iter(self._opened))
            del self._opened[oldest]
            self._doubted.discard(oldest)

    def seen_from_start(self, connection_id: int) -> bool:
        """Say whether all of a connection was seen, from its opening on."""
        return connection_id in self._opened and connection_id not in self._doubted

    def made_before(self, connection_id: int, exchange_time_ns: int | None) -> bool:
        """Say whether something was, or may have been, made before a connection opened."""
        opened_ns = self._opened.get(connection_id)
        return opened_ns is None or exchange_time_ns is None or exchange_time_ns < opened_ns

    def doubt(self, connection_id: int | None) -> None:
        """Note that something of a connection (None: of each) was lost."""
        if connection_id is None:
            self._doubted.update(self._opened)
        elif connection_id in self._opened:
            self._doubted.add(connection_id)

    def first(self, channel: Channel, symbol: str, frame: Frame) -> bool:
        """Say whether `frame` is the first of its connection with this channel and symbol."""
        firsts = self._firsts.get(frame.connection_id)
        if firsts is None:
            firsts = self._firsts[frame.connection_id] = {}
            if len(self._firsts) > CONNECTIONS_MAX:
                del self._firsts[next(iter(self._firsts))]
        return firsts.setdefault((channel, symbol), frame.frame_number) == frame.frame_number

    def forget(self, connection_id: int | None) -> None:
        """Forget a connection (None: all of them)."""
        if connection_id is None:
            self._opened.clear()
            self._doubted.clear()
            self._firsts.clear()
        else:
            self._opened.pop(connection_id, None)
            self._doubted.discard(connection_id)
            self._firsts.pop(connection_id, None)

    def state(self) -> list[object]:
        """Return the canonical state, for the digest; times of opening are in the ledger's."""
        firsts = [
            [number, sorted([*key, first] for key, first in each.items())]
            for number, each in sorted(self._firsts.items())
        ]
        return [sorted(self._opened.keys() - self._doubted), firsts]

    def parts(self) -> StartsParts:
        """Return them, for a checkpoint."""
        firsts = [
            (number, [(*key, first) for key, first in each.items()])
            for number, each in self._firsts.items()
        ]
        return StartsParts(list(self._opened.items()), firsts, sorted(self._doubted))

    def take_parts(self, parts: StartsParts) -> None:
        """Be what a checkpoint says."""
        self._opened = dict(parts.opened)
        self._doubted = set(parts.doubted)
        self._firsts = {
            number: {(channel, symbol): first for channel, symbol, first in each}
            for number, each in parts.firsts
        }


def whole_book(delta: BookDelta) -> BookSnapshot:
    """Return the book that a first delta is."""
    return BookSnapshot(
        delta.symbol,
        delta.receive_time_ns,
        delta.exchange_time_ns,
        delta.bids,
        delta.asks,
        delta.sequence,
        delta.checksum,
        level_ids=delta.level_ids,
    )
