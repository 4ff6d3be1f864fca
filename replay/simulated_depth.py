"""Books of a simulation at other depths than the one that its markets publish.

A view follows its market: whenever that publishes a delta, the view states what changed among its
own levels since its last one, with the same sequence; nothing, where nothing did, but the message
is sent all the same, as each sequence has to follow the one before it. A delta that the scenario
loses is lost at every depth, and one that is sent twice is sent twice.

A view deeper than what a market holds (some 80 levels a side) states all that there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from replay import simulated_messages as messages
from replay.market_simulator import Action, MarketSimulator
from replay.simulated_market import Message
from venues.event import Row
from venues.registry import venue_named

Rows = tuple[list[Row], list[Row]]


class _State(msgspec.Struct):
    sequence: int = msgspec.field(name="seq")


class _Told(msgspec.Struct):
    data: _State


_TOLD = msgspec.json.Decoder(_Told)


def depth_topics(symbols: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Return symbol and depth of each topic that a view can be had by."""
    depths = venue_named(messages.VENUE).traits.depths or ()
    return {
        messages.book_topic(symbol, depth): (symbol, depth)
        for symbol in symbols
        for depth in depths
        if depth != messages.DEPTH
    }


class DepthViews:
    """The views that somebody asked for."""

    def __init__(self, simulator: MarketSimulator, symbols: Iterable[str]) -> None:
        self._simulator = simulator
        self.topics = depth_topics(symbols)
        self._views: dict[str, Rows] = {}

    def snapshot(self, topic: str) -> bytes | None:
        """Open a view, and return its book; None where there is no such depth."""
        if topic not in self.topics:
            return None
        symbol, depth = self.topics[topic]
        market = self._simulator.market(symbol)
        assert market is not None, "its topics are those of the markets"
        window = self._views[topic] = market.book.window(depth)
        return _payload(symbol, depth, "snapshot", market.book.sequence, window, window)

    def told(self, actions: Sequence[Action]) -> list[Action]:
        """Return `actions`, and behind each delta of a market what it means to its views."""
        if not self._views:
            return list(actions)
        every: list[Action] = []
        for action in actions:
            every.append(action)
            if isinstance(action, Message):
                every += self._deltas(action)
        return every

    def _deltas(self, message: Message) -> list[Message]:
        sequence: int | None = None
        deltas: list[Message] = []
        for topic, before in self._views.items():
            symbol, depth = self.topics[topic]
            market = self._simulator.market(symbol)
            if message.topic != messages.book_topic(symbol) or market is None:
                continue
            sequence = sequence or _sequence(message.payload)
            if sequence is None:
                return []
            now = self._views[topic] = market.book.window(depth)
            gone = market.instrument.size_text(0)
            changed = (_changes(before[0], now[0], gone), _changes(before[1], now[1], gone))
            deltas.append(Message(topic, _payload(symbol, depth, "delta", sequence, changed, now)))
        return deltas


def _changes(before: list[Row], now: list[Row], gone: str) -> list[Row]:
    was, has = dict(before), dict(now)
    deleted = [(price, gone) for price in was if price not in has]
    return deleted + [row for row in now if was.get(row[0]) != row[1]]


def _payload(symbol: str, depth: int, kind: str, sequence: int, rows: Rows, window: Rows) -> bytes:
    return messages.book_payload(
        symbol, kind, sequence, rows, messages.checksum(*window), depth=depth
    )


def _sequence(payload: bytes) -> int | None:
    try:
        return _TOLD.decode(payload).data.sequence
    except ValueError:
        return None
