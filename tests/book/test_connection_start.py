"""Messages that mean what they mean by being the first of their connection."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from book.book_state import BookState
from book.connection_start import CONNECTIONS_MAX, ConnectionStarts
from book.engine import Engine
from book.finding import FindingKind
from book.market import Market
from tests.book.made_events import delta, frame, liquidation, trade
from tests.book.made_venue import MadeFeed
from venues.channel import Channel
from venues.event import LiquidatedSide, Liquidation, Trade

pytestmark = pytest.mark.usefixtures("made_venues")

FIRST = "made-first-delta"


def market_of(engine: Engine) -> Market:
    (market,) = engine.markets.values()
    return market


def test_the_first_delta_of_a_connection_is_the_whole_book_with_its_number() -> None:
    feed, engine = MadeFeed(FIRST), Engine()
    engine.apply(feed.opened())
    engine.apply(feed.text(delta([("99", "1")], [("101", "1")], 20, first=3)))
    book = market_of(engine).book
    assert (book.state, book.sequence) == (BookState.PROVEN, 20)
    engine.apply(feed.text(delta([("98", "1")], [], 22, first=21)))
    assert [level.price_text for level in book.depth(9)[0]] == ["99", "98"]
    assert (market_of(engine).counters.snapshots, market_of(engine).counters.deltas) == (1, 1)


def test_on_the_next_connection_the_book_begins_anew() -> None:
    feed, engine = MadeFeed(FIRST), Engine()
    for connection_id, price in ((1, "99"), (2, "98")):
        feed.connection_id = connection_id
        engine.apply(feed.opened())
        engine.apply(feed.text(delta([(price, "1")], [("101", "1")], 20)))
        engine.apply(feed.closed())
    assert [level.price_text for level in market_of(engine).book.depth(9)[0]] == ["98"]


def test_a_later_delta_is_never_taken_for_the_whole_book() -> None:
    feed, engine = MadeFeed(FIRST), Engine()
    engine.apply(feed.opened())
    engine.apply(feed.text(delta([("99", "1")], [("101", "1")], 20)))
    engine.apply(feed.text(delta([("98", "1")], [], 25, first=24)))
    engine.apply(feed.text(delta([("97", "1")], [], 26)))
    assert market_of(engine).book.state is BookState.SUSPECT
    assert engine.findings.counts[FindingKind.GAP] == 1


def test_what_was_passed_over_is_not_begun_by_its_next_delta() -> None:
    feed, engine = MadeFeed(FIRST), Engine()
    for connection_id in (1, 2):
        feed.connection_id = connection_id
        engine.apply(feed.opened())
        engine.apply(feed.text(delta([("99", "1")], [("101", "1")], 20)))
    feed.connection_id = 1
    engine.apply(feed.text(delta([("98", "1")], [], 21)))
    feed.connection_id = 2
    engine.apply(feed.closed())
    feed.connection_id = 1
    engine.apply(feed.text(delta([("97", "1")], [], 22)))
    assert market_of(engine).book.state is BookState.SUSPECT


@pytest.mark.parametrize("lost", [True, False])
def test_where_the_first_delta_may_be_missing_there_is_no_book(lost: bool) -> None:
    feed, engine = MadeFeed(FIRST), Engine()
    if lost:
        engine.apply(feed.opened())
        engine.apply(feed.lost())
    engine.apply(feed.text(delta([("99", "1")], [("101", "1")], 20)))
    assert market_of(engine).book.state is BookState.EMPTY


def test_the_first_message_of_trades_and_liquidations_repeats_the_past() -> None:
    feed, engine = MadeFeed("made-history"), Engine()
    told: list[type] = []
    for kind in (Trade, Liquidation):
        engine.on(kind, lambda event, market: told.append(type(event)))
    forced = liquidation("10", LiquidatedSide.LONG, 0)
    for connection_id in (1, 2):
        feed.connection_id = connection_id
        engine.apply(feed.text(trade("1", "1"), trade("1", "1")))
        engine.apply(feed.text(forced))
        engine.apply(feed.text(trade("1", "1"), forced))
        engine.apply(feed.closed())
    counters = market_of(engine).counters
    assert (counters.trades, counters.trades_history) == (2, 4)
    assert (counters.liquidations, counters.liquidations_history) == (2, 2)
    assert told == [Trade, Liquidation] * 2
    assert market_of(engine).tape.trades == 2
    assert market_of(engine).liquidations.notional_total == Decimal(20)


def test_a_trade_that_says_that_it_is_history_is_only_counted() -> None:
    feed, engine = MadeFeed("made"), Engine()
    told: list[Trade] = []
    engine.on(Trade, lambda event, market: told.append(event))
    now = trade("100", "1", number=7)
    past = Trade("S", 0, None, "100", "1", now.aggressor_side, "", trade_number=3, history=True)
    engine.apply(feed.text(now, past, past, trade("100", "1", number=8)))
    counters = market_of(engine).counters
    assert (counters.trades, counters.trades_history, counters.trade_gaps) == (2, 2, 0)
    assert counters.duplicates == 0
    assert [each.trade_number for each in told] == [7, 8]
    assert market_of(engine).tape.trades == 2


def test_what_is_remembered_of_beginnings_is_bounded() -> None:
    starts = ConnectionStarts()
    for number in range(1, CONNECTIONS_MAX + 2):
        starts.open(number)
        assert starts.first(Channel.TRADES, "S", frame(number, number))
    assert not starts.seen_from_start(1)
    assert starts.seen_from_start(2)
    assert not starts.first(Channel.TRADES, "S", frame(999, 2))
    starts.forget(None)
    assert starts.state() == [[], []]


def test_a_loss_does_not_make_later_liquidations_the_past() -> None:
    """Of an instrument that was not liquidated before on the connection, the first is new."""
    feed, engine = MadeFeed("made-history"), Engine()
    opening, lost = feed.opened(), feed.lost()
    for each in (opening, lost):
        engine.apply(each)
    engine = Engine.restored(engine.checkpoint())
    made_ns = opening.receive_time_ns + 1
    older, newer = (
        msgspec.structs.replace(
            liquidation("7", LiquidatedSide.LONG, 0), symbol=symbol, exchange_time_ns=time_ns
        )
        for symbol, time_ns in (("S", made_ns - 2), ("T", made_ns))
    )
    engine.apply(feed.text(older, newer))
    counters = [market.counters for market in engine.markets.values()]
    assert [each.liquidations_history for each in counters] == [1, 0]
    assert [each.liquidations for each in counters] == [0, 1]
