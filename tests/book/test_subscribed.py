"""What the exchange's answer to a subscription brings about: routes, depth, a watch."""

from __future__ import annotations

import pytest

from book.engine import Engine
from book.finding import FindingKind
from book.route_table import CONNECTIONS_MAX, ROUTES_MAX, RouteTable
from tests.book.exchange_history import checksum
from tests.book.made_events import SECOND_NS, delta, snapshot, trade
from tests.book.made_venue import VENUES, MadeFeed, MadeVenue
from tests.book.plain_book import PlainBook
from venues.channel import Channel
from venues.event import Notice, NoticeKind, Subscribed, Trade
from venues.frame import Frame, FrameKind

pytestmark = pytest.mark.usefixtures("made_venues")

ROUTED = next(venue for venue in VENUES if venue.name == "made-routed")


def subscribed(
    reference: str = "", symbol: str = "S", channel: Channel | None = Channel.BOOK, depth: int = 0
) -> Subscribed:
    return Subscribed(symbol, 0, None, channel, depth or None, reference, "topic")


def nameless() -> Trade:
    return Trade("", 0, None, "100", "1", trade("1", "1").aggressor_side, "")


def test_a_reference_means_its_subscription_on_its_own_connection_until_that_ends() -> None:
    feed, engine = MadeFeed("made-routed"), Engine()
    told: list[str] = []
    engine.on(Trade, lambda event, market: told.append(event.symbol))
    engine.on(Notice, lambda event, market: told.append(event.text))
    engine.apply(feed.text(nameless(), reference="7"))
    engine.apply(feed.text(subscribed("7")))
    engine.apply(feed.text(nameless(), reference="7"))
    feed.connection_id = 2
    engine.apply(feed.text(nameless(), reference="7"))
    feed.connection_id = 1
    engine.apply(feed.closed())
    engine.apply(feed.text(nameless(), reference="7"))
    unknown = "nothing is known of 7"
    assert told == [unknown, "S", unknown, unknown]
    assert engine.undecodable == 0


def test_a_reference_that_is_given_again_means_what_was_said_last() -> None:
    feed, engine = MadeFeed("made-routed"), Engine()
    for symbol in ("S", "T"):
        engine.apply(feed.text(subscribed("7", symbol)))
        engine.apply(feed.text(nameless(), reference="7"))
    assert [market.counters.trades for market in engine.markets.values()] == [1, 1]


def test_a_counted_venue_can_be_routed_as_well() -> None:
    feed, engine = MadeFeed("made-counted-routed"), Engine()
    engine.apply(feed.text(subscribed("7")))
    engine.apply(feed.text(nameless(), reference="7"))
    assert engine.markets["made-counted-routed", "S"].counters.trades == 1


def test_a_venue_that_is_not_routed_is_asked_without_routes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def decode(self: MadeVenue, *arguments: object) -> list[Subscribed]:
        asked.append(len(arguments))
        return [subscribed("7")]

    monkeypatch.setattr(MadeVenue, "decode", decode)
    for venue in ("made", "made-routed"):
        engine = Engine()
        engine.apply(MadeFeed(venue).text())
    assert asked == [1, 2]


def test_what_is_remembered_of_references_is_bounded() -> None:
    table = RouteTable(ROUTED)
    for number in range(ROUTES_MAX + 5):
        table.add(subscribed(str(number)), 1)
    table.add(subscribed("0", "T"), 1)
    for connection_id in range(2, CONNECTIONS_MAX + 1):
        table.add(subscribed("1"), connection_id)
    kept = dict(table.state())
    assert len(kept) == CONNECTIONS_MAX
    assert len(kept[1]) == ROUTES_MAX
    assert kept[1]["0"].symbol == "T"
    table.add(subscribed("1"), CONNECTIONS_MAX + 1)
    assert 1 not in dict(table.state())
    table.forget(None)
    assert table.state() == []


def test_an_answer_without_a_reference_makes_no_route() -> None:
    table = RouteTable(ROUTED)
    table.add(subscribed(""), 1)
    assert table.state() == []


def test_a_book_that_we_cut_is_cut_at_the_depth_that_the_exchange_says() -> None:
    feed, engine = MadeFeed("made-client-cut"), Engine()
    bids = [(str(price), "1") for price in range(99, 96, -1)]
    book = PlainBook()
    book.replace([("99.5", "2"), *bids[:2]], [("101", "1")])
    engine.apply(feed.text(subscribed(depth=3)))
    engine.apply(feed.text(snapshot(bids, [("101", "1")], None)))
    engine.apply(feed.text(delta([("99.5", "2")], [], None, checksum=checksum(book.rows()))))
    market = engine.markets["made-client-cut", "S"]
    assert [level.price_text for level in market.book.depth(10)[0]] == ["99.5", "99", "98"]
    assert market.counters.checksums_verified == 1
    engine.apply(feed.text(subscribed(depth=2, channel=Channel.TRADES)))
    engine.apply(feed.text(subscribed()))
    assert market.book.depth_kept == 3


def test_a_channel_is_watched_for_silence_from_the_answer_on() -> None:
    feed, engine = MadeFeed("made"), Engine()
    answers = (
        subscribed(),
        subscribed(channel=Channel.TRADES),
        subscribed(channel=None),
        subscribed(channel=Channel.ORDER),
        subscribed(symbol=""),
    )
    engine.apply(feed.text(*answers))
    begun_ns = engine.now_ns
    notice = Notice("", 0, None, NoticeKind.HEARTBEAT)
    payload = feed.text(notice).payload
    later_ns = begun_ns + 20 * SECOND_NS
    engine.apply(Frame(9, 1, "made", FrameKind.TEXT, later_ns, None, payload))
    silent = [(finding.kind, finding.symbol, finding.received) for finding in engine.findings]
    assert silent == [(FindingKind.STALE, "S", str(begun_ns))] * 2


def test_the_depth_of_a_connection_that_the_book_does_not_follow_is_not_its_depth() -> None:
    feed, engine = MadeFeed("made-client-cut"), Engine()
    asks = [(f"{101 + step}", "1") for step in range(5)]
    feed.connection_id = 2
    engine.apply(feed.text(subscribed(depth=3), snapshot([], asks[:3], None)))
    feed.connection_id = 1
    engine.apply(feed.text(subscribed(depth=5), snapshot([], asks, None)))
    feed.connection_id = 2
    plain = PlainBook()
    plain.replace([], [("100.5", "1"), *asks[:2]])
    engine.apply(feed.text(delta([], [("100.5", "1")], None, checksum=checksum(plain.rows()))))
    book = engine.markets["made-client-cut", "S"].book
    assert [price for price, _ in book.asks] == ["100.5", "101", "102"]
    assert book.proven
