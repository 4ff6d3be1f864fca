"""What is told twice counts once: trades by their number, and the liquidations that they are."""

from __future__ import annotations

from decimal import Decimal

import pytest

from book.engine import Engine
from tests.venues.samples import deribit, kraken
from venues.event import Liquidation
from venues.frame import Frame, FrameKind

START_NS = 1_790_000_000_000_000_000

LIQUIDATIONS = {
    "deribit": (deribit.TRADES.replace(b'"MT"', b'"T"'), "BTC-PERPETUAL"),
    "kraken-futures": (kraken.FUTURES_LIQUIDATION, "PI_XBTUSD"),
}


def played(venue: str, *sent: tuple[int, bytes]) -> tuple[Engine, list[Liquidation]]:
    """Play messages, each with the connection that it came on; return what was told besides."""
    engine, told = Engine(), list[Liquidation]()
    engine.on(Liquidation, lambda liquidation, _: told.append(liquidation))
    for number, (connection_id, payload) in enumerate(sent):
        time_ns = START_NS + number
        engine.apply(Frame(number, connection_id, venue, FrameKind.TEXT, time_ns, number, payload))
    return engine, told


@pytest.mark.parametrize("venue", LIQUIDATIONS)
def test_a_liquidation_that_is_a_repeated_trade_counts_once(venue: str) -> None:
    payload, symbol = LIQUIDATIONS[venue]
    once, _ = played(venue, (1, payload))
    twice, told = played(venue, (1, payload), (2, payload))
    market, alone = twice.markets[venue, symbol], once.markets[venue, symbol]
    assert alone.liquidations.notional > Decimal(0)
    assert market.counters.duplicates == 1
    assert (market.counters.trades, market.counters.liquidations) == (1, 1)
    assert market.liquidations.notional == alone.liquidations.notional
    assert len(told) == 1


def test_both_sides_of_one_trade_that_closed_two_positions_count() -> None:
    payload = deribit.TRADES
    engine, told = played("deribit", (1, payload), (2, payload))
    assert engine.markets["deribit", "BTC-PERPETUAL"].counters.liquidations == 2
    assert len({one.liquidated_side for one in told}) == 2
