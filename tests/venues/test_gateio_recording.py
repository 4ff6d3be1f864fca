"""Gate.io's recorded feed through the engine: each bridge holds and no update id is missing."""

from __future__ import annotations

import json
from functools import cache
from urllib.parse import parse_qs, urlsplit

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from tests.feed_recordings import feed_frames
from tests.real_data import needs_real_data
from tests.venues.bridged_books import BridgedBook, fetched, received
from tests.venues.plain_books import book_rows
from venues.event import Trade
from venues.frame import Frame, FrameKind
from venues.registry import venue_at, venue_named
from venues.venue import RequestKind

pytestmark = needs_real_data

NAME = "gateio"
GATE = venue_named(NAME)
FEED = ("GATEIO.ws.1.0", "GATEIO.http.0.0")


def played(frames: list[Frame]) -> Engine:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return engine


@cache
def rebuilt() -> dict[str, BridgedBook]:
    """Rebuild the books of the feed by hand."""
    books = {}
    for url, answer in fetched("GATEIO.http.0.0"):
        symbol = parse_qs(urlsplit(url).query)["currency_pair"][0]
        books[symbol] = BridgedBook(answer["id"])
        books[symbol].change(answer["bids"], answer["asks"])
    for message in received("GATEIO.ws.1.0"):
        if message["channel"] == "spot.order_book_update" and message["event"] == "update":
            data = message["result"]
            books[data["s"]].follow(data["U"], data["u"], data["b"], data["a"])
    return books


def test_every_book_is_bridged_and_has_no_gap() -> None:
    engine = played(feed_frames(NAME, *FEED))
    assert engine.undecodable == 0
    assert list(engine.findings) == []
    markets = {symbol: market for (_, symbol), market in engine.markets.items()}
    assert markets.keys() == rebuilt().keys()
    states = {symbol: market.book.state for symbol, market in markets.items()}
    # Of two, nothing came after the snapshot that could have joined it.
    waiting = {symbol for symbol, book in rebuilt().items() if not book.joined}
    assert waiting == {"BTC_USDC", "INK_USDT"}
    for symbol, book in rebuilt().items():
        expected = BookState.BRIDGING if symbol in waiting else BookState.PROVEN
        assert states[symbol] is expected
        assert markets[symbol].book.sequence == book.sequence
        assert book_rows(markets[symbol].book) == book.rows()
    counters = [market.counters for market in markets.values()]
    assert sum(each.bridges for each in counters) == 8
    assert sum(each.deltas for each in counters) == 172
    assert sum(each.trades for each in counters) == 9
    assert sum(each.tickers for each in counters) == 22


def test_each_removed_message_of_a_book_is_noticed() -> None:
    frames = [frame for frame in feed_frames(NAME, *FEED) if b"FAST_USDT" in frame.payload]
    (snapshot,) = (frame for frame in frames if frame.kind is FrameKind.HTTP)
    number = json.loads(snapshot.payload.split(b"\n", 1)[1])["id"]
    deltas = [
        frame
        for frame in frames
        if b'_update","event":"update"' in frame.payload
        and json.loads(frame.payload)["result"]["u"] > number
    ]
    assert len(deltas) >= 15
    for removed in deltas[:-1]:
        engine = played([frame for frame in frames if frame is not removed])
        kinds = set(engine.findings.counts)
        assert kinds & {FindingKind.GAP, FindingKind.BRIDGE_FAILED}


def test_a_trade_has_its_time_to_the_microsecond_below_the_millisecond() -> None:
    trades = [
        event
        for frame in feed_frames(NAME, "GATEIO.ws.1.0")
        if frame.kind is FrameKind.TEXT
        for event in GATE.decode(frame)
        if isinstance(event, Trade)
    ]
    assert len(trades) == 9
    assert trades[0].exchange_time_ns == 1619093543708264200
    assert (trades[0].price_text, trades[0].size_text) == ("121.5800000000", "0.2010000000")


def test_what_was_sent_is_understood_and_what_came_has_those_topics() -> None:
    asked: set[str] = set()
    for frame in feed_frames(NAME, "GATEIO.ws.1.0"):
        if frame.kind is FrameKind.SENT:
            request = GATE.dialect.read_request(frame.payload)
            assert request.kind is RequestKind.SUBSCRIBE
            asked.update(request.topics)
        elif frame.kind is FrameKind.TEXT:
            topic = GATE.dialect.topic(frame.payload)
            assert topic in asked or GATE.read_notice(frame.payload) is not None
    assert len(asked) == 40
    assert venue_at("wss://api.gateio.ws/ws/v4/") is GATE
    assert venue_at("wss://fx-ws.gateio.ws/v4/ws/usdt") is venue_named("gateio-futures")
