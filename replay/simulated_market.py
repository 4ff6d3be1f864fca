"""One simulated market: orders come and go near the touch, trades take them, positions fail.

Theory. The market is a book, a random source of its own and a phase. It moves in steps, each of
which is one of: a requote (levels are added, resized or cancelled, mostly near the touch), a trade
(an aggressor takes from the best level on), or a liquidation (a forced order, which trades). A
step gives the messages that it causes, in the order in which an exchange sends them: liquidation,
trades, then the delta of the book. All is integers from one seeded source, so that the same seed
gives the same bytes everywhere.

Phases alternate: quiet, then fast, each some seconds long; they set how long until the next step.
The book never crosses by itself: an order that would reach the other side is a trade. Only
`crossing()` makes one, for a scenario that asks for it, and takes it back in the next delta.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from replay import simulated_messages as messages
from replay.simulated_book import Instrument, SimulatedBook, SimulatedSide
from venues.event import Row, Side

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000

QUIET_INTERVAL_NS = 36 * MILLISECOND_NS
FAST_INTERVAL_NS = 9 * MILLISECOND_NS
PHASE_MIN_NS = 2 * SECOND_NS
PHASE_MAX_NS = 5 * SECOND_NS

RESERVE_LEVELS = 30
"""How many levels a side holds behind the published window when it is filled up."""

REQUOTES_PER_1000 = 680
LIQUIDATIONS_PER_1000 = 5
LONE_LIQUIDATION_NOTIONAL_MAX = 15_000
FILLS_MAX = 12


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the exchange, and the topic that one subscribes to for it."""

    topic: str
    payload: bytes


class SimulatedMarket:
    """One instrument's market. Times are virtual: nanoseconds since the simulation began."""

    def __init__(self, instrument: Instrument, seed: int, start_time_ns: int) -> None:
        self.instrument = instrument
        self.book = SimulatedBook(instrument, messages.DEPTH)
        self._start_time_ns = start_time_ns
        self._random = random.Random(f"{seed} {instrument.symbol}")  # noqa: S311 - a simulation
        self._fast = False
        self._phase_end_ns = self._between(PHASE_MIN_NS, PHASE_MAX_NS)
        self._trade_number = 0
        self._open()

    @property
    def symbol(self) -> str:
        """The venue's spelling."""
        return self.instrument.symbol

    def interval_ns(self, now_ns: int) -> int:
        """Return how long it is until the next step, by the phase that the market is in."""
        while now_ns >= self._phase_end_ns:
            self._fast = not self._fast
            self._phase_end_ns += self._between(PHASE_MIN_NS, PHASE_MAX_NS)
        return self._between(1, 2 * (FAST_INTERVAL_NS if self._fast else QUIET_INTERVAL_NS))

    def step(self, now_ns: int) -> list[Message]:
        """Let the market move once, and return what the exchange says of it."""
        choice = self._random.randrange(1000)
        if choice < REQUOTES_PER_1000:
            return self._requote()
        order_side = (Side.BUY, Side.SELL)[self._random.randrange(2)]
        if choice >= 1000 - LIQUIDATIONS_PER_1000:
            notional = self._between(1_000, LONE_LIQUIDATION_NOTIONAL_MAX)
            return self.liquidate(now_ns, order_side, notional)
        resting = self._resting(order_side)
        size = self._between(1, resting.size_at(resting.best) * 3 // 2 + 1)
        return self._trade(now_ns, order_side, size)

    def liquidate(self, now_ns: int, order_side: Side, notional: int) -> list[Message]:
        """Force a position of at least `notional` quote units closed; SELL closes a long."""
        resting = self._resting(order_side)
        price = resting.best
        size = self.instrument.size_worth(notional, price)
        row = (self.instrument.price_text(price), self.instrument.size_text(size))
        payload = messages.liquidation_payload(
            self.symbol, self._exchange_time_ms(now_ns), order_side, row
        )
        told = Message(messages.liquidation_topic(self.symbol), payload)
        return [told, *self._trade(now_ns, order_side, size)]

    def snapshot(self) -> bytes:
        """Return a snapshot message of the book as it is."""
        window = self.book.window()
        return messages.book_payload(
            self.symbol, "snapshot", self.book.sequence, window, messages.checksum(*window)
        )

    def crossing(self) -> list[Message]:
        """Publish a bid above the best ask, then take it back: two deltas, rightly numbered."""
        price = self.book.bids.behind(self.book.asks.best, -self.instrument.tick)
        self.book.bids.set_size(price, 1)
        crossed = self._delta()
        self.book.bids.set_size(price, 0)
        return crossed + self._delta()

    def _open(self) -> None:
        tick = self.instrument.tick
        start = self.instrument.start_price // tick * tick
        self.book.bids.set_size(start, self._level_size())
        self.book.asks.set_size(start + tick, self._level_size())
        self._fill()
        self.book.open_window()

    def _requote(self) -> list[Message]:
        for _ in range(self._between(1, 4)):
            side = (Side.BUY, Side.SELL)[self._random.randrange(2)]
            choice = self._random.randrange(100)
            if choice < 25:
                self._improve(side)
            elif choice < 45:
                self._cancel(side)
            else:
                self._resize(side)
        return self._delta()

    def _improve(self, side: Side) -> None:
        """Place a better price inside the spread; where there is no room, resize the best."""
        resting = self.book.side(side)
        room = self.book.spread // self.instrument.tick - 1
        steps = self._between(1, min(room, 8)) if room > 0 else 0
        price = resting.behind(resting.best, -steps * self.instrument.tick)
        resting.set_size(price, self._level_size())

    def _cancel(self, side: Side) -> None:
        resting = self.book.side(side)
        resting.set_size(resting.price_at(self._rank()), 0)

    def _resize(self, side: Side) -> None:
        resting = self.book.side(side)
        price = resting.price_at(self._rank())
        if self._random.randrange(4) == 0:
            # Next to a level rather than on it: this is how gaps between levels fill up.
            price = resting.behind(price, self.instrument.tick)
        resting.set_size(price, self._level_size())

    def _trade(self, now_ns: int, order_side: Side, size: int) -> list[Message]:
        resting = self._resting(order_side)
        fills: list[tuple[Row, str]] = []
        while size and len(fills) < FILLS_MAX:
            price = resting.best
            taken = min(size, resting.size_at(price))
            resting.set_size(price, resting.size_at(price) - taken)
            size -= taken
            self._trade_number += 1
            row = (self.instrument.price_text(price), self.instrument.size_text(taken))
            fills.append((row, f"{self.symbol}-{self._trade_number:09d}"))
        payload = messages.trade_payload(
            self.symbol, self._exchange_time_ms(now_ns), order_side, fills
        )
        return [Message(messages.trade_topic(self.symbol), payload), *self._delta()]

    def _delta(self) -> list[Message]:
        self._fill()
        rows = self.book.publish()
        if rows is None:
            return []
        book_checksum = messages.checksum(*self.book.window(messages.CHECKSUM_LEVELS))
        payload = messages.book_payload(
            self.symbol, "delta", self.book.sequence, rows, book_checksum
        )
        return [Message(messages.book_topic(self.symbol), payload)]

    def _fill(self) -> None:
        """Keep the reserve between its full size and half as much again."""
        full = messages.DEPTH + RESERVE_LEVELS
        for resting in (self.book.bids, self.book.asks):
            while len(resting) < full:
                distance = self._between(1, 3) * self.instrument.tick
                resting.set_size(resting.behind(resting.worst, distance), self._level_size())
            while len(resting) > full + RESERVE_LEVELS // 2:
                resting.set_size(resting.worst, 0)

    def _resting(self, order_side: Side) -> SimulatedSide:
        return self.book.asks if order_side is Side.BUY else self.book.bids

    def _rank(self) -> int:
        """Return a rank within the window; the nearer to the touch, the likelier."""
        return min(self._random.randrange(messages.DEPTH) for _ in range(3))

    def _level_size(self) -> int:
        return self._between(1, self.instrument.level_size_max)

    def _between(self, low: int, high: int) -> int:
        return self._random.randrange(low, high + 1)

    def _exchange_time_ms(self, now_ns: int) -> int:
        return (self._start_time_ns + now_ns) // MILLISECOND_NS
