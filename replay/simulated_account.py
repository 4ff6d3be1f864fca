"""An account at the simulated exchange: orders, the position of each symbol, the wallet.

Theory. The account has at most one order at a time. It places one at the touch of a market, which
is then filled or cancelled; a fill moves the position and costs a fee, and what closes a position
pays its result into the wallet. Its course is drawn from a seeded source of its own, so that the
markets are what they are without it, and its orders never rest in their books.

Prices and sizes are the instrument's integers; money is counted in 10**-8.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from replay.simulated_book import Instrument
from replay.simulated_market import MILLISECOND_NS, Message, SimulatedMarket
from replay.simulated_messages import SIDE_WORDS
from venues.event import Side

TOPICS = ("order", "position", "wallet")
COIN = "USDT"
START_BALANCE = Decimal(10_000)
FEE = Decimal("0.0005")
SIZE_MAX = 400
INTERVAL_MIN_NS = 200 * MILLISECOND_NS
INTERVAL_MAX_NS = 900 * MILLISECOND_NS
FILLED_PER_100 = 75
_CENT = Decimal("0.00000001")


@dataclass
class _Order:
    number: int
    market: SimulatedMarket
    side: Side
    price: int
    size: int


@dataclass
class _Position:
    size: int = 0
    entry_price: Decimal = Decimal(0)


class SimulatedAccount:
    """One account. `due_ns` is the virtual time of what it does next."""

    def __init__(self, markets: Sequence[SimulatedMarket], seed: int, start_time_ns: int) -> None:
        self._markets = markets
        self._random = random.Random(f"{seed} account")  # noqa: S311 - a simulation
        self._start_time_ns = start_time_ns
        self._order: _Order | None = None
        self._orders = 0
        self._positions = {market.symbol: _Position() for market in markets}
        self._balance = START_BALANCE
        self.due_ns = self._random.randint(INTERVAL_MIN_NS, INTERVAL_MAX_NS)

    def advance(self) -> list[Message]:
        """Do what is due, and return what the account's owner is told."""
        now_ns = self.due_ns
        self.due_ns += self._random.randint(INTERVAL_MIN_NS, INTERVAL_MAX_NS)
        if self._order is None:
            self._order = self._placed()
            return [self._told(now_ns, "order", _order_row(self._order, "New", 0))]
        order, self._order = self._order, None
        if self._random.randrange(100) >= FILLED_PER_100:
            return [self._told(now_ns, "order", _order_row(order, "Cancelled", 0))]
        self._fill(order)
        coin = {
            "coin": COIN,
            "walletBalance": _text(self._balance),
            "availableToWithdraw": _text(self._balance),
        }
        return [
            self._told(now_ns, "order", _order_row(order, "Filled", order.size)),
            self._told(now_ns, "position", self._position_row(order.market)),
            self._told(now_ns, "wallet", {"accountType": "UNIFIED", "coin": [coin]}),
        ]

    def _placed(self) -> _Order:
        market = self._markets[self._random.randrange(len(self._markets))]
        side = (Side.BUY, Side.SELL)[self._random.randrange(2)]
        self._orders += 1
        price = market.book.side(side).best
        return _Order(self._orders, market, side, price, self._random.randint(1, SIZE_MAX))

    def _fill(self, order: _Order) -> None:
        instrument = order.market.instrument
        price, size = _price(instrument, order.price), _size(instrument, order.size)
        position = self._positions[order.market.symbol]
        signed = order.size if order.side is Side.BUY else -order.size
        closes = min(abs(signed), abs(position.size)) if signed * position.size < 0 else 0
        direction = 1 if position.size > 0 else -1
        result = (price - position.entry_price) * _size(instrument, closes) * direction
        self._balance += result - (price * size * FEE)
        total = position.size + signed
        if not closes:
            held = abs(position.size) * position.entry_price + abs(signed) * price
            position.entry_price = held / abs(total)
        elif total * position.size <= 0:
            position.entry_price = price if total else Decimal(0)
        position.size = total

    def _position_row(self, market: SimulatedMarket) -> dict[str, object]:
        position = self._positions[market.symbol]
        side = Side.BUY if position.size > 0 else Side.SELL
        return {
            "symbol": market.symbol,
            "side": SIDE_WORDS[side] if position.size else "None",
            "size": market.instrument.size_text(abs(position.size)),
            "entryPrice": _text(position.entry_price),
        }

    def _told(self, now_ns: int, topic: str, row: dict[str, object]) -> Message:
        time_ms = (self._start_time_ns + now_ns) // MILLISECOND_NS
        stated = {"topic": topic, "creationTime": time_ms, "data": [row]}
        return Message(topic, msgspec.json.encode(stated))


def _order_row(order: _Order, status: str, filled: int) -> dict[str, object]:
    instrument = order.market.instrument
    return {
        "symbol": order.market.symbol,
        "orderId": f"sim-{order.number:06d}",
        "orderLinkId": "",
        "side": SIDE_WORDS[order.side],
        "price": instrument.price_text(order.price),
        "qty": instrument.size_text(order.size),
        "cumExecQty": instrument.size_text(filled),
        "orderStatus": status,
    }


def _price(instrument: Instrument, price: int) -> Decimal:
    return Decimal(price).scaleb(-instrument.price_decimals)


def _size(instrument: Instrument, size: int) -> Decimal:
    return Decimal(size).scaleb(-instrument.size_decimals)


def _text(value: Decimal) -> str:
    return f"{value.quantize(_CENT):f}"
