"""What every venue promises by its traits, tried on every venue in the registry."""

from __future__ import annotations

from itertools import chain
from urllib.parse import urlsplit

import pytest

from tests.venues.sample_frames import (
    ALL_NAMES,
    SAMPLES,
    SYMBOLS,
    as_bytes,
    http_frame,
    text_frame,
)
from venues.channel import Channel
from venues.errors import CredentialsError, UnknownSymbolError
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    GameResult,
    Liquidation,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Quote,
    Subscribed,
    Ticker,
    Trade,
    WalletUpdate,
)
from venues.frame import Frame, FrameKind
from venues.pair import Pair
from venues.registry import venue_at, venue_named
from venues.traits import Continuity, LossDetection, SequenceScope, SnapshotSource
from venues.venue import ConnectionPlan, Credentials, RequestKind, StreamRequest, Venue

ASKED_FOR = {
    *("okx", "okcoin", "kraken", "kraken-v1", "kraken-futures", "bitget", "bitget-v1", "bitfinex"),
    *("coinbase", "coinbase-exchange", "deribit", "bitmex", "hyperliquid", "gateio", "kucoin"),
    *("gateio-futures", "gemini", "bitstamp", "htx", "htx-swap", "dydx", "cryptocom", "upbit"),
    "purpleflea",
}
EVENT_OF_CHANNEL: dict[Channel, tuple[type, ...]] = {
    Channel.BOOK: (BookSnapshot, BookDelta),
    Channel.TRADES: (Trade,),
    Channel.LIQUIDATIONS: (Liquidation,),
    Channel.QUOTES: (Quote,),
    Channel.TICKERS: (Ticker,),
    Channel.RESULTS: (GameResult,),
    Channel.ORDER: (OrderUpdate,),
    Channel.POSITION: (PositionUpdate,),
    Channel.WALLET: (WalletUpdate,),
}
MARKET = tuple(chain.from_iterable(EVENT_OF_CHANNEL.values()))
TIME_MS = 1_763_800_000_000


def symbol_of(name: str) -> tuple[str, ...]:
    return (SYMBOLS[name],)


def every_plan(name: str) -> list[ConnectionPlan]:
    channels = tuple(sorted(venue_named(name).traits.channels))
    return venue_named(name).plan(StreamRequest(name, symbol_of(name), channels))


def topics_asked_for(name: str) -> set[str]:
    dialect = venue_named(name).dialect
    messages = (message for plan in every_plan(name) for message in plan.subscribe_messages)
    return {topic for said in messages for topic in dialect.read_request(said.encode()).topics}


def sample_events(name: str) -> list[list[Event]]:
    """The events of each sample; what acknowledgements say is known to those after them."""
    routes: dict[str, Subscribed] = {}
    told: list[list[Event]] = []
    for payload in SAMPLES[name]:
        events = list(venue_named(name).decode(text_frame(payload, name), routes))
        routes |= {each.reference: each for each in events if isinstance(each, Subscribed)}
        told.append(events)
    return told


def test_every_venue_that_was_asked_for_is_there() -> None:
    assert set(ALL_NAMES) >= ASKED_FOR
    assert all(venue_named(name).name == name for name in ALL_NAMES)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_defaults_are_offered_and_planned_for(name: str) -> None:
    traits = venue_named(name).traits
    assert set(traits.default_channels) <= traits.channels
    plans = venue_named(name).plan(StreamRequest(name, symbol_of(name), ()))
    planned = {one.channel for plan in plans for one in plan.subscriptions}
    assert planned == set(traits.default_channels)
    assert traits.depth is None or not traits.depths or traits.depth in traits.depths


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_plan_is_for_the_symbol_asked_for_and_reaches_a_path_that_the_exchange_has(
    name: str,
) -> None:
    dialect = venue_named(name).dialect
    for plan in every_plan(name):
        symbols = {one.symbol for one in plan.subscriptions if not one.channel.private}
        assert symbols <= set(symbol_of(name))
        assert plan.private is any(one.channel.private for one in plan.subscriptions)
        path = urlsplit(plan.url).path
        assert dialect.serves_path(path)
        assert dialect.private_path(path) or not plan.private
    assert not dialect.serves_path("/elsewhere")


@pytest.mark.parametrize("name", ALL_NAMES)
def test_what_a_plan_asks_the_exchange_understands(name: str) -> None:
    dialect = venue_named(name).dialect
    for plan in every_plan(name):
        topics: list[str] = list(dialect.connect_topics(_path(plan)))
        for message in plan.subscribe_messages:
            request = dialect.read_request(message.encode())
            assert request.kind is not RequestKind.UNREADABLE, message
            topics += request.topics if request.kind is RequestKind.SUBSCRIBE else ()
        assert topics or plan.private
        assert len(topics) == len(set(topics))


def _path(plan: ConnectionPlan) -> str:
    parts = urlsplit(plan.url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@pytest.mark.parametrize("name", ALL_NAMES)
def test_an_answer_of_the_exchange_is_understood_by_the_client(name: str) -> None:
    venue = venue_named(name)
    for plan in every_plan(name):
        for message in plan.subscribe_messages:
            request = venue.dialect.read_request(message.encode())
            if request.kind is not RequestKind.SUBSCRIBE:
                continue
            accepted = [as_bytes(each) for each in venue.dialect.answer(request, None)]
            kinds = {notice.kind for notice in map(venue.read_notice, accepted) if notice}
            assert kinds <= {NoticeKind.ACKNOWLEDGED}
            assert kinds or _answered_by_the_first_message(name)
            refused = [as_bytes(each) for each in venue.dialect.answer(request, "no such thing")]
            refusals = [venue.read_notice(each) for each in refused]
            assert refusals
            assert all(notice and notice.kind is NoticeKind.REJECTED for notice in refusals)


def _answered_by_the_first_message(name: str) -> bool:
    """Whether the traits let a subscription be answered by what it brings."""
    traits = venue_named(name).traits
    return traits.sequence_scope is SequenceScope.CONNECTION or (
        traits.continuity is Continuity.NONE and traits.snapshot_source is SnapshotSource.IN_BAND
    )


@pytest.mark.parametrize("name", ALL_NAMES)
def test_both_sides_understand_each_others_heartbeats(name: str) -> None:
    venue = venue_named(name)
    beat = venue.heartbeat(TIME_MS)
    if beat is not None:
        request = venue.dialect.read_request(beat.encode())
        assert request.kind is RequestKind.PING
        for answer in venue.dialect.answer(request, None):
            notice = venue.read_notice(as_bytes(answer))
            assert notice is not None
            assert notice.kind is NoticeKind.HEARTBEAT
    asked = venue.dialect.heartbeat(TIME_MS)
    if asked is not None:
        notice = venue.read_notice(as_bytes(asked))
        assert notice is not None
        assert notice.kind is NoticeKind.HEARTBEAT
        reply = venue.reply(as_bytes(asked))
        if reply is not None:
            assert venue.dialect.read_request(reply.encode()).kind is RequestKind.PING


@pytest.mark.parametrize("name", ALL_NAMES)
def test_every_channel_that_is_offered_is_shown_by_a_sample(name: str) -> None:
    shown = {type(event) for events in sample_events(name) for event in events}
    missing = [
        channel.value
        for channel in sorted(venue_named(name).traits.channels)
        if not shown & set(EVENT_OF_CHANNEL[channel])
    ]
    assert missing == []


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_sample_of_market_data_is_of_a_topic_and_a_notice_of_none(name: str) -> None:
    venue = venue_named(name)
    routes: dict[str, Subscribed] = {}
    for payload, events in zip(SAMPLES[name], sample_events(name), strict=True):
        routes |= {each.reference: each for each in events if isinstance(each, Subscribed)}
        topic = venue.dialect.topic(payload, routes)
        notice = venue.read_notice(payload)
        if any(isinstance(event, MARKET) for event in events):
            assert topic is not None
            assert notice is None or notice.kind is NoticeKind.ACKNOWLEDGED
        elif notice is not None and notice.kind is not NoticeKind.ACKNOWLEDGED:
            # Coinbase has its heartbeats subscribed to, like market data.
            assert topic is None or topic in topics_asked_for(name)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_venue_says_what_it_cannot_reveal(name: str) -> None:
    traits = venue_named(name).traits
    assert traits.detection_limits
    assert all(limit.endswith(".") for limit in traits.detection_limits)
    if traits.loss_detection is LossDetection.NONE and Channel.BOOK in traits.channels:
        assert any("cannot be seen" in limit for limit in traits.detection_limits)
    if traits.snapshot_source in (SnapshotSource.REST, SnapshotSource.REQUESTED):
        assert traits.bridge is not None


@pytest.mark.parametrize("name", ALL_NAMES)
@pytest.mark.parametrize("symbol", ["", " ", "../x", "A" * 41, 'B"', "B\x00", "BTC\n", "BTC USDT"])
def test_what_cannot_be_a_symbol_is_refused(name: str, symbol: str) -> None:
    with pytest.raises(UnknownSymbolError):
        venue_named(name).plan(StreamRequest(name, (*symbol_of(name), symbol), ()))


@pytest.mark.parametrize("name", ALL_NAMES)
def test_market_data_need_a_symbol(name: str) -> None:
    with pytest.raises(UnknownSymbolError):
        venue_named(name).plan(StreamRequest(name, (), ()))


PAIRS = [
    Pair(base, quote, perpetual)
    for base in ("BTC", "ETH")
    for quote in ("USDT", "USD", "USDC", "EUR", "KRW")
    for perpetual in (False, True)
]


@pytest.mark.parametrize("name", [each for each in ALL_NAMES if each != "purpleflea"])
def test_a_pair_is_spelled_and_the_spelling_is_a_symbol_of_its_own(name: str) -> None:
    venue = venue_named(name)
    native = {pair: venue.native_symbol(pair) for pair in PAIRS}
    assert any(native.values())
    for pair, symbol in native.items():
        if symbol is not None:
            by_pair = venue.plan(StreamRequest(name, (str(pair),), ()))
            by_symbol = venue.plan(StreamRequest(name, (symbol,), ()))
            assert by_pair == by_symbol
            assert {one.symbol for plan in by_pair for one in plan.subscriptions} == {symbol}


@pytest.mark.parametrize("name", [each for each in ALL_NAMES if each != "reference"])
def test_a_recorded_address_tells_its_venue(name: str) -> None:
    for plan in every_plan(name):
        if not plan.private:
            found = venue_at(plan.url)
            assert found is not None
            assert found.name == name


KEYS = Credentials("key-123456", "c2VjcmV0LTEyMzQ1Njc4OTA=", "passphrase-1")
OTHER_KEYS = Credentials("key-654321", "b3RoZXItMTIzNDU2Nzg5MDA=", "passphrase-2")


def _begin_without_keys(venue: Venue, plan: ConnectionPlan) -> None:
    venue.access_request(plan, None, TIME_MS)
    venue.login(plan, None, TIME_MS, b"")


@pytest.mark.parametrize("name", ALL_NAMES)
def test_keys_are_asked_for_and_are_in_no_plan(name: str) -> None:
    venue = venue_named(name)
    for plan in every_plan(name):
        if plan.private:
            with pytest.raises(CredentialsError) as refusal:
                _begin_without_keys(venue, plan)
            assert name in str(refusal.value)
        assert "secret" not in repr(plan)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_login_message_is_valid_with_its_own_keys_and_no_others(name: str) -> None:
    venue = venue_named(name)
    for plan in every_plan(name):
        try:
            if not plan.private or venue.access_request(plan, KEYS, TIME_MS) is not None:
                continue
            login = venue.login(plan, KEYS, TIME_MS, b"")
        except CredentialsError:
            continue  # keys of another kind (a PEM): the exchange's own test has them
        assert KEYS.secret not in repr(login)
        if login.message is None:
            continue
        assert KEYS.secret not in login.message or "client_secret" in login.message
        request = venue.dialect.read_request(login.message.encode())
        assert request.kind is RequestKind.LOGIN
        assert venue.dialect.login_valid(request, KEYS)
        assert not venue.dialect.login_valid(request, OTHER_KEYS)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_instruments_are_asked_for_where_there_are_any(name: str) -> None:
    venue = venue_named(name)
    private = [plan for plan in every_plan(name) if plan.private]
    plans = [plan for plan in every_plan(name) if not plan.private]
    # An account names no symbols, so there is nothing to ask about.
    assert not any(venue.instrument_requests(plan) for plan in private)
    requests = [each for plan in plans for each in venue.instrument_requests(plan)]
    # No endpoint of Bitfinex tells a step of prices or sizes.
    assert requests or name in ("reference", "purpleflea", "bitfinex")
    assert all(urlsplit(each.url).scheme in ("https", "http") for each in requests)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_snapshot_that_is_fetched_is_answered_by_the_exchanges_side(name: str) -> None:
    venue = venue_named(name)
    if venue.traits.snapshot_source is not SnapshotSource.REST:
        return
    (plan, *_) = [plan for plan in every_plan(name) if Channel.BOOK in _channels(plan)]
    (symbol,) = symbol_of(name)
    wish = venue.snapshot_request(plan, symbol)
    assert wish is not None
    parts = urlsplit(wish.url)
    assert venue.dialect.snapshot_symbol(f"{parts.path}?{parts.query}") == symbol
    assert venue.dialect.snapshot_symbol("/elsewhere") is None
    body = venue.dialect.snapshot_body(symbol, [("10.5", "1")], [("11.0", "2.50")], 7, TIME_MS)
    frame = http_frame(body, symbol, url=wish.url)
    (book,) = venue.decode(Frame(0, 1, name, FrameKind.HTTP, 1, None, frame.payload))
    assert isinstance(book, BookSnapshot)
    assert (book.symbol, book.unjoined) == (symbol, True)
    assert (book.bids, book.asks) == ([("10.5", "1")], [("11.0", "2.50")])
    assert book.sequence is not None


def _channels(plan: ConnectionPlan) -> set[Channel]:
    return {one.channel for one in plan.subscriptions}
