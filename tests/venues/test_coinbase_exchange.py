"""Coinbase Exchange: its recorded feed, its messages, plans and the signed subscription."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from book.book_state import BookState
from book.engine import Engine
from tests.feed_recordings import feed_frames
from tests.real_data import needs_real_data
from tests.venues.bridged_books import BridgedBook, received
from tests.venues.plain_books import book_rows
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples import coinbase as samples
from venues.channel import Channel, Subscription
from venues.errors import UNDECODABLE, CredentialsError, UnknownSymbolError
from venues.event import (
    BookDelta,
    BookSnapshot,
    Instrument,
    Notice,
    NoticeKind,
    OrderUpdate,
    Side,
    Ticker,
    Trade,
)
from venues.registry import venue_at, venue_named
from venues.traits import LossDetection
from venues.venue import ConnectionPlan, Credentials, Purpose, RequestKind, StreamRequest

NAME, FEED = "coinbase-exchange", "COINBASE.ws.28.0"
VENUE = venue_named(NAME)
R = RECEIVED_NS
KEYS = Credentials("key-1", "c2VjcmV0LTE=", "phrase-1")


def plans(*symbols: str, **wishes: Any) -> list[ConnectionPlan]:
    wishes.setdefault("channels", ())
    return VENUE.plan(StreamRequest(NAME, symbols, **wishes))


@needs_real_data
def test_the_recorded_feed_decodes_whole_and_gives_the_books_that_a_plain_reading_gives() -> None:
    engine = Engine()
    for frame in feed_frames(NAME, FEED):
        engine.apply(frame)
    assert not engine.findings.counts
    plain: dict[str, BridgedBook] = {}
    for message in received(FEED):
        if message["type"] == "snapshot":
            book = plain[message["product_id"]] = BridgedBook(0)
            book.change(message["bids"], message["asks"])
        elif message["type"] == "l2update":
            rows: dict[str, list[list[str]]] = {"buy": [], "sell": []}
            for side, price, size in message["changes"]:
                rows[side].append([price, size])
            plain[message["product_id"]].change(rows["buy"], rows["sell"])
    assert len(plain) == len(engine.markets) == 10
    for (_, symbol), market in engine.markets.items():
        assert book_rows(market.book) == plain[symbol].rows()
        assert market.book.state is BookState.UNVERIFIABLE
        assert market.book.counters.crossed == 0
    counters = [market.book.counters for market in engine.markets.values()]
    assert sum(each.deltas for each in counters) == 4901
    assert sum(each.snapshots for each in counters) == 10


@needs_real_data
def test_recorded_trades_are_numbered_without_a_hole_and_the_last_match_is_history() -> None:
    trades = [
        event
        for frame in feed_frames(NAME, FEED)
        if frame.received
        for event in VENUE.decode(frame)
        if isinstance(event, Trade)
    ]
    assert Counter(trade.history for trade in trades) == {True: 10, False: 31}
    numbers: dict[str, int] = {}
    for trade in trades:
        assert trade.trade_number is not None
        assert trade.history is (trade.symbol not in numbers)
        assert numbers.get(trade.symbol, trade.trade_number - 1) == trade.trade_number - 1
        numbers[trade.symbol] = trade.trade_number


@needs_real_data
def test_the_ticker_of_a_trade_tells_the_takers_side_which_is_not_the_matchs() -> None:
    """Whoever buys lifts the ask: the price of a match by a selling maker is the best ask's."""
    messages = list(received(FEED))
    makers = {
        (each["product_id"], each["trade_id"]): each["side"]
        for each in messages
        if each["type"] in ("match", "last_match")
    }
    tickers = [each for each in messages if each["type"] == "ticker"]
    assert len(tickers) == 41
    opposite = {"buy": "sell", "sell": "buy"}
    for each in tickers:
        assert each["side"] == opposite[makers[each["product_id"], each["trade_id"]]]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.EXCHANGE_SNAPSHOT,
            BookSnapshot(
                "BAND-GBP",
                R,
                None,
                [("14.7550", "0.14")],
                [("14.8024", "12.77"), ("14.8069", "12.49")],
            ),
        ),
        (
            samples.EXCHANGE_UPDATE,
            BookDelta(
                "SKL-BTC",
                R,
                1_618_677_817_075_687_000,
                [("0.00001302", "0.0")],
                [("0.00001306", "660.5")],
            ),
        ),
        (
            samples.EXCHANGE_MATCH,
            Trade(
                "SKL-BTC",
                R,
                1_618_677_817_089_723_000,
                "0.00001305",
                "985",
                Side.BUY,
                "280232",
                280232,
            ),
        ),
        (
            samples.EXCHANGE_LAST_MATCH,
            Trade(
                "SKL-BTC",
                R,
                1_618_677_817_089_723_000,
                "0.00001305",
                "985",
                Side.BUY,
                "280231",
                280231,
                history=True,
            ),
        ),
        (
            samples.EXCHANGE_TICKER,
            Ticker("SKL-BTC", R, 1_618_677_817_089_723_000, "0.00001305"),
        ),
        (
            samples.EXCHANGE_HEARTBEAT,
            Notice("BTC-USD", R, 1_415_348_368_464_459_000, NoticeKind.HEARTBEAT),
        ),
        (
            samples.EXCHANGE_RECEIVED,
            OrderUpdate(
                "BTC-USD",
                R,
                1_415_348_366_000_000_000,
                "d50ec984",
                "client-1",
                Side.BUY,
                "502.1",
                "1.34",
                "",
                "received",
            ),
        ),
        (
            samples.EXCHANGE_OPEN,
            OrderUpdate(
                "BTC-USD",
                R,
                1_415_348_367_028_459_000,
                "d50ec984",
                "",
                Side.SELL,
                "200.2",
                "",
                "",
                "open",
            ),
        ),
        (
            samples.EXCHANGE_DONE,
            OrderUpdate(
                "BTC-USD",
                R,
                1_415_348_368_000_000_000,
                "d50ec984",
                "",
                Side.SELL,
                "200.2",
                "",
                "",
                "filled",
            ),
        ),
        (
            samples.EXCHANGE_OWN_FILL,
            Notice(
                "SKL-BTC",
                R,
                1_618_677_817_089_723_000,
                NoticeKind.INFORMATION,
                "fill of an order",
            ),
        ),
        (samples.EXCHANGE_SUBSCRIPTIONS, Notice("", R, None, NoticeKind.ACKNOWLEDGED)),
        (
            b'{"type":"error","message":"Failed to subscribe","reason":"no such product"}',
            Notice("", R, None, NoticeKind.REJECTED, "Failed to subscribe: no such product"),
        ),
        (
            b'{"type":"error","message":"Authentication Failed","reason":"{}"}',
            Notice("", R, None, NoticeKind.LOGIN_REFUSED, "Authentication Failed: {}"),
        ),
        (
            b'{"type":"status","products":[]}',
            Notice("", R, None, NoticeKind.INFORMATION, "status"),
        ),
    ],
)
def test_a_message_means_what_it_says(payload: bytes, expected: object) -> None:
    assert decoded(NAME, payload) == [expected]


def test_an_order_of_somebody_else_is_no_update_of_ours() -> None:
    anybody = samples.EXCHANGE_DONE.replace(b',"user_id":"5844eceecf7e803e259d0365"', b"")
    (notice,) = decoded(NAME, anybody)
    assert isinstance(notice, Notice)
    assert (notice.kind, notice.text) == (NoticeKind.INFORMATION, "done")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"sell"', b'"SELL"'),
        (b'280232,"maker', b'-1,"maker'),
        (b'"985"', b"985"),
        (b"2021-04-17T16:43:37.089723Z", b"yesterday"),
        (b'"product_id":"SKL-BTC",', b""),
    ],
)
def test_a_match_that_is_not_written_as_it_should_be_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(UNDECODABLE):
        decoded(NAME, samples.EXCHANGE_MATCH.replace(old, new))


def test_nothing_would_show_a_lost_message_and_the_venue_says_so() -> None:
    assert VENUE.traits.loss_detection is LossDetection.NONE
    assert "cannot be seen" in VENUE.traits.detection_limits[0]


def test_a_message_names_one_product_as_one_that_is_none_refuses_all_of_a_message() -> None:
    (plan,) = plans("BTC-USD", "eth-eur", channels=(Channel.BOOK, Channel.TRADES, Channel.TICKERS))
    assert plan.url == "wss://ws-feed.exchange.coinbase.com"
    assert [json.loads(message) for message in plan.subscribe_messages] == [
        {
            "type": "subscribe",
            "product_ids": [product],
            "channels": ["level2_batch", "matches", "ticker", "heartbeat"],
        }
        for product in ("BTC-USD", "ETH-EUR")
    ]
    assert Subscription(Channel.BOOK, "ETH-EUR") in plan.subscriptions
    off, on = (json.loads(each) for each in VENUE.resubscribe_messages(plan, "BTC-USD"))
    assert (off["type"], on["type"]) == ("unsubscribe", "subscribe")
    assert on["product_ids"] == ["BTC-USD"]
    assert on["channels"] == ["level2_batch"]


def test_many_products_take_several_connections() -> None:
    symbols = [f"A{number}-USD" for number in range(120)]
    split = plans(*symbols)
    assert [plan.stream for plan in split] == [NAME, f"{NAME}/2", f"{NAME}/3"]
    assert sum(len(plan.subscriptions) for plan in split) == 240


@pytest.mark.parametrize("symbol", ["BTC-USD-PERP", "BTCUSD", "BTC_USD"])
def test_what_is_no_product_is_refused(symbol: str) -> None:
    with pytest.raises(UnknownSymbolError):
        plans(symbol)


def test_the_private_subscription_is_signed_and_the_exchanges_side_accepts_it() -> None:
    (plan,) = plans("BTC-USD", channels=(Channel.ORDER,))
    assert plan.private
    login = VENUE.login(plan, KEYS, 1_700_000_000_123, b"")
    assert login.message is None
    (message,) = VENUE.subscribe_messages(plan, login, "", 1_700_000_000_123)
    # printf '1700000000.123GET/users/self/verify' | openssl dgst -sha256 -hmac secret-1 -binary
    # | base64
    assert json.loads(message) == {
        "type": "subscribe",
        "product_ids": ["BTC-USD"],
        "channels": ["user", "heartbeat"],
        "key": "key-1",
        "passphrase": "phrase-1",
        "timestamp": "1700000000.123",
        "signature": "W6N3ROfj9kBxGTAku9tkUMUPq1vkVa0DKv/qKCcuHqw=",
    }
    request = VENUE.dialect.read_request(message.encode())
    assert request.kind is RequestKind.SUBSCRIBE
    assert request.topics == ("user:BTC-USD", "heartbeat:BTC-USD")
    assert VENUE.dialect.login_valid(request, KEYS)
    for others in (
        Credentials("key-1", "c2VjcmV0LTI=", "phrase-1"),
        Credentials("key-2", "c2VjcmV0LTE=", "phrase-1"),
        Credentials("key-1", "c2VjcmV0LTE=", "phrase-2"),
        Credentials("key-1", "no base64!", "phrase-1"),
    ):
        assert not VENUE.dialect.login_valid(request, others)


@pytest.mark.parametrize(
    "keys",
    [
        None,
        Credentials("", "c2VjcmV0LTE=", "p"),
        Credentials("k", "c2VjcmV0LTE="),
        Credentials("k", "no base64!", "p"),
    ],
)
def test_keys_that_cannot_sign_are_told_without_being_repeated(keys: Credentials | None) -> None:
    (plan,) = plans("BTC-USD", channels=(Channel.ORDER,))
    with pytest.raises(CredentialsError) as refusal:
        VENUE.login(plan, keys, 1, b"")
    assert "no base64!" not in str(refusal.value)


@pytest.mark.parametrize(
    ("payload", "topic"),
    [
        (samples.EXCHANGE_SNAPSHOT, "level2:BAND-GBP"),
        (samples.EXCHANGE_UPDATE, "level2:SKL-BTC"),
        (samples.EXCHANGE_MATCH, "matches:SKL-BTC"),
        (samples.EXCHANGE_OWN_FILL, "user:SKL-BTC"),
        (samples.EXCHANGE_TICKER, "ticker:SKL-BTC"),
        (samples.EXCHANGE_OPEN, "user:BTC-USD"),
        (samples.EXCHANGE_SUBSCRIPTIONS, None),
    ],
)
def test_a_recorded_message_tells_its_topic(payload: bytes, topic: str | None) -> None:
    assert VENUE.dialect.topic(payload) == topic


def test_both_ways_to_name_channels_are_understood_and_answered() -> None:
    request = VENUE.dialect.read_request(
        b'{"type":"subscribe","product_ids":["BTC-USD"],"channels":["level2_batch",'
        b'{"name":"ticker","product_ids":["ETH-USD"]}]}'
    )
    assert request.topics == ("level2:BTC-USD", "ticker:ETH-USD")
    (answer,) = VENUE.dialect.answer(request, None)
    assert json.loads(answer) == {
        "type": "subscriptions",
        "channels": [
            {"name": "level2", "product_ids": ["BTC-USD"]},
            {"name": "ticker", "product_ids": ["ETH-USD"]},
        ],
    }
    (refusal,) = VENUE.dialect.answer(request, "no such product")
    assert isinstance(refusal, str)
    notice = VENUE.read_notice(refusal.encode())
    assert notice is not None
    assert notice.text == "Failed to subscribe: no such product"


def test_an_instrument_has_the_steps_of_its_product() -> None:
    body = (
        b'{"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD","quote_increment":"0.01",'
        b'"base_increment":"0.00000001","status":"online"}'
    )
    frame = http_frame(body, "BTC-USD", purpose=Purpose.INSTRUMENTS)
    (one,) = decoded_http(NAME, frame)
    assert one == Instrument("BTC-USD", R, None, "0.01", "0.00000001")
    (plan,) = plans("BTC-USD")
    (request,) = VENUE.instrument_requests(plan)
    assert request.url == "https://api.exchange.coinbase.com/products/BTC-USD"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("wss://ws-feed.pro.coinbase.com", NAME),
        ("wss://ws-feed.exchange.coinbase.com/", NAME),
        ("wss://advanced-trade-ws.coinbase.com", "coinbase"),
        ("wss://advanced-trade-ws-user.coinbase.com", "coinbase"),
    ],
)
def test_a_recorded_address_tells_which_of_the_two_it_is(url: str, name: str) -> None:
    found = venue_at(url)
    assert found is not None
    assert found.name == name


def test_sizes_stay_the_exchanges_own_digits() -> None:
    (update,) = decoded(NAME, samples.EXCHANGE_UPDATE)
    assert isinstance(update, BookDelta)
    assert update.bids[0][1] == "0.0"
    assert Decimal(update.bids[0][1]) == 0
