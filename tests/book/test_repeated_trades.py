"""What is told twice counts once: trades by their number, and the liquidations that they are."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from book.engine import Engine
from book.finding import FindingKind
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


def deribit_trade(number: int, made_ms: int, liquidation: bytes = b"T") -> bytes:
    payload = deribit.TRADES.replace(b'"MT"', b'"%s"' % liquidation)
    payload = re.sub(rb'"trade_seq":\d+', b'"trade_seq":%d' % number, payload)
    return re.sub(rb'"timestamp":\d+', b'"timestamp":%d' % made_ms, payload)


def test_trades_that_are_counted_anew_are_no_repeated_ones() -> None:
    """Numbers that begin again would else be below the last one for as long as anyone records."""
    messages = [
        *((1, deribit_trade(number, 1_765_531_356_000 + number)) for number in (501, 502, 503)),
        *((2, deribit_trade(number, 1_765_531_400_000 + number)) for number in (1, 2, 3)),
        (1, deribit_trade(2, 1_765_531_400_002)),
    ]
    engine, told = played("deribit", *messages)
    market = engine.markets["deribit", "BTC-PERPETUAL"]
    assert (market.counters.trades, market.tape.trades) == (6, 6)
    assert market.counters.duplicates == 1
    assert len(told) == 6
    gaps = [each for each in engine.findings if each.kind is FindingKind.TRADE_GAP]
    assert [(gap.expected, gap.received, gap.missing) for gap in gaps] == [("504", "1", None)]


def test_both_sides_of_one_trade_that_closed_two_positions_count() -> None:
    payload = deribit.TRADES
    engine, told = played("deribit", (1, payload), (2, payload))
    assert engine.markets["deribit", "BTC-PERPETUAL"].counters.liquidations == 2
    assert len({one.liquidated_side for one in told}) == 2
