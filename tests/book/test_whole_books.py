"""Channels that send whole books alone: a lost one never shows, so that nothing proves them."""

from __future__ import annotations

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from tests.book.made_events import delta, snapshot
from tests.book.made_venue import MadeFeed
from tests.venues.samples import bitget, htx, okx
from venues.event import BookSnapshot
from venues.frame import Frame, FrameKind

pytestmark = pytest.mark.usefixtures("made_venues")

VENUE = "made-counter"
ASKS = [("101", "1"), ("102", "1"), ("103", "1")]


def whole(sequence: int) -> BookSnapshot:
    """The best level alone."""
    return BookSnapshot("S", 0, None, [], ASKS[:1], sequence, alone=True)


def top_message(depth: int, number: int) -> bytes:
    return (
        b'{"topic":"orderbook.%d.BTCUSDT","type":"snapshot","ts":1672304484978,"data":{"s":"BTCUSDT",'
        b'"b":[["16493.50","0.006"]],"a":[["16611.00","0.029"]],"u":%d,"seq":7961638724},"cts":1}'
        % (depth, number)
    )


def chained_okx(action: bytes, previous: int, sequence: int, prices: range) -> bytes:
    rows = b",".join(b'["%d","1","0","1"]' % price for price in prices)
    return (
        b'{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"%s","data":[{"asks":[%s],'
        b'"bids":[],"ts":"1597026383085","checksum":0,"prevSeqId":%d,"seqId":%d}]}'
        % (action, rows, previous, sequence)
    )


def played(venue: str, *payloads: bytes) -> Engine:
    engine = Engine()
    for number, payload in enumerate(payloads):
        time_ns = 1_790_000_000_000_000_000 + number * 100_000_000
        engine.apply(Frame(number, 1, venue, FrameKind.TEXT, time_ns, None, payload))
    return engine


@pytest.mark.parametrize(
    ("venue", "payload"),
    [
        ("okx", okx.BOOKS5),
        ("bitget", bitget.BOOKS5),
        ("bitget", bitget.V2_BOOK),
        ("bybit-linear", top_message(1, 7)),
        ("htx", next(each for each in htx.SAMPLES["htx"] if b"step0" in each)),
    ],
)
def test_a_channel_of_whole_books_proves_nothing_however_many_come(
    venue: str, payload: bytes
) -> None:
    engine = played(venue, payload, payload, payload)
    (market,) = engine.markets.values()
    assert market.book.state is BookState.UNVERIFIABLE
    assert market.book.following
    assert market.coverage.proven_ns == 0
    assert market.coverage.observed_ns == 200_000_000


def test_a_deeper_book_still_is_proven_by_its_numbers() -> None:
    (market,) = played("bybit-linear", top_message(50, 7)).markets.values()
    assert market.book.proven


def test_a_book_of_the_best_levels_beside_a_chain_does_not_cut_it_off() -> None:
    """At OKX both channels number the same states: the next delta would follow, on 5 levels."""
    engine = played(
        "okx",
        chained_okx(b"snapshot", -1, 123456, range(8477, 8497)),
        okx.BOOKS5,
        chained_okx(b"update", 123456, 123460, range(8500, 8501)),
    )
    (market,) = engine.markets.values()
    assert market.book.proven
    assert len(market.book.asks) == 21


def test_deltas_that_come_before_their_snapshot_are_not_applied_to_a_whole_book() -> None:
    feed, engine = MadeFeed(VENUE), Engine()
    engine.apply(feed.text(whole(5)))
    engine.apply(feed.text(delta([], [("102", "9")], 6)))
    book = engine.markets[VENUE, "S"].book
    assert (book.state, list(book.asks)) == (BookState.SUSPECT, ASKS[:1])
    engine.apply(feed.text(whole(6)))
    assert book.state is BookState.SUSPECT
    engine.apply(feed.text(snapshot([], ASKS, 7)))
    engine.apply(feed.text(whole(7)))
    assert (book.state, list(book.asks)) == (BookState.PROVEN, ASKS)


def test_on_the_next_connection_whole_books_may_be_all_there_is() -> None:
    feed, engine = MadeFeed(VENUE), Engine()
    engine.apply(feed.text(snapshot([], ASKS, 7)))
    engine.apply(feed.closed())
    feed.connection_id = 2
    engine.apply(feed.text(whole(8)))
    book = engine.markets[VENUE, "S"].book
    assert (book.state, list(book.asks)) == (BookState.UNVERIFIABLE, ASKS[:1])
    restored = Engine.restored(engine.checkpoint())
    assert restored.state_digest() == engine.state_digest()
    later = feed.text(delta([], [("102", "9")], 9))
    for each in (engine, restored):
        each.apply(later)
        assert each.markets[VENUE, "S"].book.state is BookState.SUSPECT
        assert not each.findings.counts[FindingKind.GAP]
    assert restored.state_digest() == engine.state_digest()
