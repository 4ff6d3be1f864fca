"""Kraken: what is asked for, where, how it is answered, and how one's own account is opened."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.venues.sample_frames import RECEIVED_NS, decoded
from tests.venues.samples import kraken as samples
from venues.channel import Channel, Subscription
from venues.errors import CredentialsError, DecodeError, UnknownDepthError, UnknownSymbolError
from venues.event import NoticeKind, Subscribed
from venues.kraken.signature import signed_challenge, signed_request, signing_key
from venues.pair import Pair
from venues.registry import venue_at, venue_named
from venues.venue import ConnectionPlan, Credentials, Purpose, RequestKind, StreamRequest

NAMES = ("kraken", "kraken-v1", "kraken-futures")
TIME_MS = 1_616_492_376_594

# The examples of the exchange's own documentation.
SPOT_SECRET = (
    "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
)
FUTURES_SECRET = (
    "7zxMEF5p/Z8l2p2U7Ghv6x14Af+Fx+92tPgUdVQ748FOIrEoT9bgT+bTRfXc5pz8na+hL/QdrCVG7bh9KpT0eMTm"
)
CHALLENGE = "c100b894-1729-464d-ace1-52dbce11db42"
SIGNED_CHALLENGE = (
    "4JEpF3ix66GA2B+ooK128Ift4XQVtc137N9yeg4Kqsn9PI0Kpzbysl9M1IeCEdjg0zl00wkVqcsnG4bmnlMb3A=="
)


def plans(name: str, *symbols: str, **wishes: Any) -> list[ConnectionPlan]:
    wishes.setdefault("channels", ())
    return venue_named(name).plan(StreamRequest(name, symbols, **wishes))


def said(plan: ConnectionPlan) -> list[dict[str, Any]]:
    return [json.loads(message) for message in plan.subscribe_messages]


def test_v2_names_all_symbols_of_a_channel_in_one_message() -> None:
    (plan,) = plans("kraken", "BTC-USDT", "ETH/USD", depth=100)
    assert (plan.url, plan.rest_url) == ("wss://ws.kraken.com/v2", "https://api.kraken.com")
    symbols = ["BTC/USDT", "ETH/USD"]
    assert said(plan) == [
        {
            "method": "subscribe",
            "params": {"channel": "book", "symbol": symbols, "depth": 100},
            "req_id": 1,
        },
        {
            "method": "subscribe",
            "params": {"channel": "trade", "symbol": symbols, "snapshot": False},
            "req_id": 2,
        },
    ]


def test_v1_writes_bitcoin_and_dogecoin_its_own_way() -> None:
    (plan,) = plans("kraken-v1", "BTC-USDT", "DOGE-BTC", channels=(Channel.BOOK,))
    assert plan.url == "wss://ws.kraken.com/"
    assert said(plan) == [
        {
            "event": "subscribe",
            "pair": ["XBT/USDT", "XDG/XBT"],
            "subscription": {"name": "book", "depth": 10},
            "reqid": 1,
        }
    ]


def test_futures_trades_bring_the_liquidations_and_are_asked_for_once() -> None:
    (plan,) = plans("kraken-futures", "BTC-USD-PERP", "pi_ethusd")
    assert plan.url == "wss://futures.kraken.com/ws/v1"
    products = ["PF_XBTUSD", "PI_ETHUSD"]
    assert said(plan) == [
        {"event": "subscribe", "feed": "book", "product_ids": products},
        {"event": "subscribe", "feed": "trade", "product_ids": products},
    ]
    assert Subscription(Channel.LIQUIDATIONS, "PF_XBTUSD") in plan.subscriptions


def test_quotes_come_with_the_tickers() -> None:
    (plan,) = plans("kraken", "BTC/USD", channels=(Channel.QUOTES, Channel.TICKERS))
    (message,) = said(plan)
    assert message["params"] == {
        "channel": "ticker",
        "symbol": ["BTC/USD"],
        "event_trigger": "bbo",
    }
    assert len(plan.subscriptions) == 2


@pytest.mark.parametrize(
    ("name", "pair", "symbol"),
    [
        ("kraken", Pair("BTC", "USDT"), "BTC/USDT"),
        ("kraken", Pair("BTC", "USDT", perpetual=True), None),
        ("kraken-v1", Pair("BTC", "USDT"), "XBT/USDT"),
        ("kraken-v1", Pair("BTC", "USD", perpetual=True), None),
        ("kraken-futures", Pair("BTC", "USD", perpetual=True), "PF_XBTUSD"),
        ("kraken-futures", Pair("ETH", "USD", perpetual=True), "PF_ETHUSD"),
        ("kraken-futures", Pair("BTC", "USDT", perpetual=True), None),
        ("kraken-futures", Pair("BTC", "USD"), None),
    ],
)
def test_a_pair_has_one_spelling_for_the_user(name: str, pair: Pair, symbol: str | None) -> None:
    assert venue_named(name).native_symbol(pair) == symbol


def test_a_tokenised_share_keeps_its_small_letter() -> None:
    (plan,) = plans("kraken", "AAPLx/USD", "btc/usd", channels=(Channel.BOOK,))
    assert [one.symbol for one in plan.subscriptions] == ["AAPLx/USD", "BTC/USD"]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("kraken", "BTCUSD"), ("kraken-v1", "XBT/"), ("kraken-futures", "BTC-USD")],
)
def test_what_cannot_be_a_symbol_is_refused(name: str, symbol: str) -> None:
    with pytest.raises(UnknownSymbolError):
        plans(name, symbol)


def test_only_spot_books_have_depths() -> None:
    with pytest.raises(UnknownDepthError, match="It offers: 10, 25, 100, 500, 1000"):
        plans("kraken", "BTC/USD", depth=50)
    with pytest.raises(UnknownDepthError, match="leave it out"):
        plans("kraken-futures", "PI_XBTUSD", depth=10)


def test_many_symbols_are_divided_among_connections() -> None:
    several = plans("kraken", *(f"COIN{number}/USD" for number in range(200)))
    assert [plan.stream for plan in several] == ["kraken", "kraken/2"]
    assert [len(plan.subscriptions) for plan in several] == [300, 100]


@pytest.mark.parametrize("name", NAMES)
def test_subscribing_anew_withdraws_the_book_and_asks_for_it_again(name: str) -> None:
    venue, symbol = venue_named(name), samples.SYMBOLS[name]
    (plan,) = plans(name, symbol, channels=(Channel.BOOK,))
    (topic,) = venue.dialect.read_request(plan.subscribe_messages[0].encode()).topics
    requests = [
        venue.dialect.read_request(message.encode())
        for message in venue.resubscribe_messages(plan, symbol)
    ]
    assert [(request.kind, request.topics) for request in requests] == [
        (RequestKind.UNSUBSCRIBE, (topic,)),
        (RequestKind.SUBSCRIBE, (topic,)),
    ]
    (trades,) = plans(name, symbol, channels=(Channel.TRADES,))
    assert venue.resubscribe_messages(trades, symbol) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_message_belongs_to_a_topic_that_is_asked_for(name: str) -> None:
    venue = venue_named(name)
    asked = {
        topic
        for plan in plans(name, samples.SYMBOLS[name], channels=tuple(venue.traits.channels))
        for message in plan.subscribe_messages
        for topic in venue.dialect.read_request(message.encode()).topics
    }
    found = set()
    for payload in samples.SAMPLES[name]:
        topic = venue.dialect.topic(payload)
        assert (topic is None) == (venue.read_notice(payload) is not None)
        found |= {topic} - {None}
    assert found == asked


@pytest.mark.parametrize("name", NAMES)
def test_an_exchange_answers_each_topic_and_the_client_understands(name: str) -> None:
    venue = venue_named(name)
    symbols = (samples.SYMBOLS[name], {"kraken-futures": "PF_SOLUSD"}.get(name, "SOL/EUR"))
    (plan,) = plans(name, *symbols, channels=(Channel.BOOK, Channel.TRADES), depth=None)
    told: list[Subscribed] = []
    for message in plan.subscribe_messages:
        request = venue.dialect.read_request(message.encode())
        for answer in venue.dialect.answer(request, None):
            assert isinstance(answer, str)
            notice, subscribed = decoded(name, answer.encode())
            assert venue.read_notice(answer.encode()) == timeless(notice)
            assert isinstance(subscribed, Subscribed)
            told.append(subscribed)
        for answer in venue.dialect.answer(request, "no such thing"):
            assert isinstance(answer, str)
            refusal = venue.read_notice(answer.encode())
            assert refusal is not None
            assert refusal.kind is NoticeKind.REJECTED
            assert "no such thing" in refusal.text
    depth = None if name == "kraken-futures" else 10
    assert [(one.symbol, one.channel, one.depth) for one in told] == [
        *((symbol, Channel.BOOK, depth) for symbol in symbols),
        *((symbol, Channel.TRADES, None) for symbol in symbols),
    ]
    asked = [
        topic
        for message in plan.subscribe_messages
        for topic in venue.dialect.read_request(message.encode()).topics
    ]
    assert [one.topic for one in told] == asked


def timeless(notice: Any) -> Any:
    """Return a notice without its time, as it is read before a frame has one."""
    return type(notice)(notice.symbol, 0, None, notice.kind, notice.text)


@pytest.mark.parametrize("name", ["kraken", "kraken-v1"])
def test_a_ping_is_answered_by_a_pong(name: str) -> None:
    venue = venue_named(name)
    ping = venue.heartbeat(TIME_MS)
    assert ping is not None
    request = venue.dialect.read_request(ping.encode())
    assert request.kind is RequestKind.PING
    (pong,) = venue.dialect.answer(request, None)
    own = venue.dialect.heartbeat(TIME_MS)
    for message in (pong, own):
        assert isinstance(message, str)
        notice = venue.read_notice(message.encode())
        assert notice is not None
        assert notice.kind is NoticeKind.HEARTBEAT


@pytest.mark.parametrize("name", NAMES)
def test_the_greeting_is_no_market_message(name: str) -> None:
    venue = venue_named(name)
    (greeting,) = venue.dialect.greeting()
    notice = venue.read_notice(greeting.encode())
    assert notice is not None
    assert notice.kind is NoticeKind.INFORMATION
    assert venue.dialect.topic(greeting.encode()) is None


def test_the_signatures_are_those_of_the_exchanges_examples() -> None:
    key = signing_key("kraken", Credentials("key", SPOT_SECRET))
    body = f"nonce={TIME_MS}&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    assert signed_request(key, "/0/private/AddOrder", str(TIME_MS), body) == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )
    key = signing_key("kraken-futures", Credentials("key", FUTURES_SECRET))
    assert signed_challenge(key, CHALLENGE) == SIGNED_CHALLENGE


@pytest.mark.parametrize("name", ["kraken", "kraken-v1"])
def test_a_private_subscription_carries_the_token_that_rest_gave(name: str) -> None:
    venue = venue_named(name)
    keys = Credentials("key-1", SPOT_SECRET)
    (plan,) = plans(name, channels=(Channel.ORDER,))
    assert (plan.private, plan.stream) == (True, f"{name}/private")
    assert plan.url.startswith("wss://ws-auth.kraken.com/")
    request = venue.access_request(plan, keys, TIME_MS)
    assert request is not None
    assert (request.method, request.purpose) == ("POST", Purpose.ACCESS)
    assert request.url == "https://api.kraken.com/0/private/GetWebSocketsToken"
    assert request.body == b"nonce=1616492376594"
    headers = dict(request.headers)
    key = signing_key(name, keys)
    path = "/0/private/GetWebSocketsToken"
    assert headers["API-Key"] == "key-1"
    assert headers["API-Sign"] == signed_request(key, path, str(TIME_MS), "nonce=1616492376594")
    access = venue.dialect.access_body(path, "ws://h:1/v2", {})
    assert access is not None
    login = venue.login(plan, keys, TIME_MS, access)
    assert (login.message, login.url) == (None, plan.url)
    (message,) = venue.subscribe_messages(plan, login, "", TIME_MS)
    assert f'"token":"{login.token}"' in message
    assert login.token
    assert "token" not in plan.subscribe_messages[0]
    dialect = venue.dialect
    assert dialect.login_valid(dialect.read_request(message.encode()), keys)
    for forged in (message.replace(login.token, "x"), plan.subscribe_messages[0], "no JSON"):
        assert not dialect.login_valid(dialect.read_request(forged.encode()), keys)
    assert (
        venue.dialect.read_request(message.encode()).topics
        == venue.dialect.read_request(plan.subscribe_messages[0].encode()).topics
    )
    (public,) = plans(name, samples.SYMBOLS[name])
    assert venue.access_request(public, None, TIME_MS) is None
    assert venue.subscribe_messages(public, venue.login(public, None, TIME_MS, b""), "", 0) == (
        public.subscribe_messages
    )


def test_a_refused_token_says_why() -> None:
    venue = venue_named("kraken")
    (plan,) = plans("kraken", channels=(Channel.ORDER,))
    with pytest.raises(DecodeError, match="EAPI:Invalid key"):
        venue.login(plan, Credentials("k", SPOT_SECRET), TIME_MS, b'{"error":["EAPI:Invalid key"]}')


def test_a_futures_challenge_is_signed_into_every_private_subscription() -> None:
    venue, keys = venue_named("kraken-futures"), Credentials("key-1", FUTURES_SECRET)
    (plan,) = plans("kraken-futures", channels=(Channel.ORDER, Channel.POSITION, Channel.WALLET))
    login = venue.login(plan, keys, TIME_MS, b"")
    assert login.message is not None
    assert json.loads(login.message) == {"event": "challenge", "api_key": "key-1"}
    request = venue.dialect.read_request(login.message.encode())
    assert request.kind is RequestKind.LOGIN
    assert venue.dialect.login_valid(request, keys)
    assert not venue.dialect.login_valid(request, Credentials("key-2", FUTURES_SECRET))
    (refusal,) = venue.dialect.answer(request, "unknown key")
    (answer,) = venue.dialect.answer(request, None)
    assert isinstance(refusal, str)
    assert isinstance(answer, str)
    refused, challenged = venue.read_notice(refusal.encode()), venue.read_notice(answer.encode())
    assert refused is not None
    assert challenged is not None
    assert refused.kind is NoticeKind.LOGIN_REFUSED
    assert challenged.kind is NoticeKind.LOGGED_IN
    assert challenged.text == "226aee50-88fc-4618-a42a-34f7709570b2"
    messages = venue.subscribe_messages(plan, login, CHALLENGE, TIME_MS)
    assert [json.loads(message) for message in messages] == [
        {
            "event": "subscribe",
            "feed": feed,
            "api_key": "key-1",
            "original_challenge": CHALLENGE,
            "signed_challenge": SIGNED_CHALLENGE,
        }
        for feed in ("open_orders", "open_positions", "balances")
    ]
    for message in messages:
        dialect = venue.dialect
        assert dialect.login_valid(dialect.read_request(message.encode()), keys)
        forged = dialect.read_request(message.replace(CHALLENGE, "x").encode())
        assert not dialect.login_valid(forged, keys)
    assert all(FUTURES_SECRET not in message for message in (login.message, *messages))
    assert "key-1" not in "".join(plan.subscribe_messages)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "keys",
    [None, Credentials("", SPOT_SECRET), Credentials("key-1", ""), Credentials("key-1", "é")],
)
def test_unusable_keys_are_refused_without_being_shown(name: str, keys: Credentials | None) -> None:
    venue = venue_named(name)
    (plan,) = plans(name, channels=(Channel.ORDER,))
    with pytest.raises(CredentialsError) as refusal:
        _ = venue.access_request(plan, keys, TIME_MS) or venue.login(plan, keys, TIME_MS, b"")
    assert "key-1" not in str(refusal.value)
    assert "é" not in str(refusal.value)


def test_instruments_are_asked_for_pair_by_pair_and_of_futures_once() -> None:
    (plan,) = plans("kraken", "BTC/USD", "ETH/EUR")
    assert [(one.url, one.symbol) for one in venue_named("kraken").instrument_requests(plan)] == [
        ("https://api.kraken.com/0/public/AssetPairs?pair=BTCUSD", "BTC/USD"),
        ("https://api.kraken.com/0/public/AssetPairs?pair=ETHEUR", "ETH/EUR"),
    ]
    (plan,) = plans("kraken-futures", "PI_XBTUSD", "PI_ETHUSD")
    (request,) = venue_named("kraken-futures").instrument_requests(plan)
    assert request.url == "https://futures.kraken.com/derivatives/api/v3/instruments"
    assert (request.symbol, request.purpose) == ("", Purpose.INSTRUMENTS)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("wss://ws.kraken.com", "kraken-v1"),
        ("wss://ws.kraken.com/", "kraken-v1"),
        ("wss://ws.kraken.com/v2", "kraken"),
        ("wss://ws-auth.kraken.com/v2", "kraken"),
        ("wss://futures.kraken.com/ws/v1", "kraken-futures"),
    ],
)
def test_a_recorded_address_tells_the_protocol(url: str, name: str) -> None:
    venue = venue_at(url)
    assert venue is not None
    assert venue.name == name


@pytest.mark.parametrize(
    ("name", "path"), [("kraken", "/v2"), ("kraken-v1", "/"), ("kraken-futures", "/ws/v1")]
)
def test_another_address_keeps_the_protocols_path(name: str, path: str) -> None:
    symbol = samples.SYMBOLS[name]
    wish: dict[str, Any] = {"url": "ws://127.0.0.1:9", "channels": (Channel.BOOK, Channel.ORDER)}
    for plan in plans(name, symbol, **wish):
        assert plan.url == f"ws://127.0.0.1:9{path}"
        assert plan.rest_url == "http://127.0.0.1:9"
        assert venue_named(name).dialect.serves_path(path)
    assert not venue_named(name).dialect.serves_path("/elsewhere")


def test_a_book_of_v1_says_its_depth_with_its_answer_and_with_its_snapshot() -> None:
    time_ns = RECEIVED_NS
    _, subscribed = decoded("kraken-v1", samples.V1_BOOK_ACK)
    assert subscribed == Subscribed(
        "XMR/USD", time_ns, None, Channel.BOOK, 1000, "", "book-1000:XMR/USD"
    )
    subscribed, _ = decoded("kraken-v1", samples.V1_SNAPSHOT)
    assert subscribed == Subscribed(
        "XBT/USD", time_ns, None, Channel.BOOK, 10, "", "book-10:XBT/USD"
    )
