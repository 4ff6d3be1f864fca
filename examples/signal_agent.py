"""An agent to start from: a signal line on every trade, and cascades of liquidations.

It runs unchanged beside a capture and in a replay, and says the same in both:

    tickreel capture bybit-linear BTCUSDT -o night --agent examples/signal_agent.py:SignalAgent
    tickreel replay night --agent examples/signal_agent.py:SignalAgent --signals signals.jsonl

What a handler returns is a signal; None is none.
"""

from __future__ import annotations

from decimal import Decimal

from book.liquidation_monitor import Cascade
from book.market import Market
from venues.event import Trade


class SignalAgent:
    """Says mid, spread, VWAP, net delta and volume spike at every trade on a proven book."""

    def on_trade(self, trade: Trade, market: Market) -> dict[str, object] | None:
        """Return the signal at this trade; nothing while the book cannot be trusted."""
        book, tape = market.book, market.tape
        vwap = tape.vwap()
        if not book.proven or vwap is None:
            return None
        return {
            "signal": "trade",
            "price": trade.price,
            "mid": book.mid,
            "spread": book.spread,
            "vwap": vwap.quantize(Decimal("0.0001")),
            "net_delta": tape.net_delta(),
            "volume_spike": tape.volume_spike(),
        }

    def on_cascade(self, cascade: Cascade, market: Market) -> dict[str, object]:
        """Return the signal at a cascade of liquidations."""
        return {
            "signal": "cascade",
            "liquidated": cascade.dominant_side,
            "notional": cascade.notional,
            "liquidations": cascade.liquidations,
            "mid": market.book.mid,
        }
