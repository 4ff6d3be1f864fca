"""KuCoin: its recorded feed through the engine, and how it is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from functools import cache
from urllib.parse import parse_qs, urlsplit

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from tests.feed_recordings import feed_frames
from tests.real_data import needs_real_data
from tests.venues.bridged_books import BridgedBook, fetched, received
from tests.venues.plain_books import book_rows
from tests.venues.sample_frames import RECEIVED_NS, decoded
from tests.venues.samples.kucoin import (
    FUTURES_AVAILABLE,
    FUTURES_BOOK,
    FUTURES_ORDER,
    FUTURES_POSITION,
    FUTURES_WALLET,
)
from venues.channel import Channel
from venues.errors import UNDECODABLE, CredentialsError, UnknownSymbolError
from venues.event import Notice, WalletUpdate
from venues.frame import Frame, FrameKind
from venues.registry import venue_at, venue_named
from venues.venue import (
    ConnectionPlan,
    Credentials,
    HttpRequest,
    Login,
    Purpose,
    RequestKind,
    StreamRequest,
)

NAME = "kucoin"
KUCOIN = venue_named(NAME)
KEYS = Credentials("key-1", "secret-1", "passphrase-1")
FEED = ("KUCOIN.ws.1.0", "KUCOIN.http.0.0")


def played(frames: list[Frame]) -> Engine:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return engine


@cache
def rebuilt() -> tuple[dict[str, BridgedBook], int]:
    """The books of the feed by hand, and how many tickers show the top of the state they name."""
    books = {}
    for url, answer in fetched("KUCOIN.http.0.0"):
        symbol = parse_qs(urlsplit(url).query)["symbol"][0]
        books[symbol] = BridgedBook(int(answer["data"]["sequence"]))
        books[symbol].change(answer["data"]["bids"], answer["data"]["asks"])
    tops: dict[tuple[str, int], tuple[Decimal, ...]] = {}
    tickers = []
    for message in received("KUCOIN.ws.1.0"):
        data = message.get("data", {})
        if message.get("subject") == "trade.ticker":
            tickers.append((message["topic"].partition(":")[2], data))
        if message.get("subject") != "trade.l2update" or data["symbol"] not in books:
            continue
        book, changes = books[data["symbol"]], data["changes"]
        bids, asks = (
            [row[:2] for row in changes[side] if row[0] != "0"] for side in ("bids", "asks")
        )
        book.follow(data["sequenceStart"], data["sequenceEnd"], bids, asks)
        best_bids, best_asks = book.rows()
        tops[data["symbol"], book.sequence] = (*best_bids[0], *best_asks[0])
    words = ("bestBid", "bestBidSize", "bestAsk", "bestAskSize")
    shown = 0
    for symbol, data in tickers:
        top = tops.get((symbol, int(data["sequence"])))
        if top is not None:
            assert top == tuple(Decimal(data[word]) for word in words)
            shown += 1
    return books, shown


@needs_real_data
def test_every_book_of_the_recorded_feed_is_bridged_and_has_no_gap() -> None:
    engine = played(feed_frames(NAME, *FEED))
    books, _ = rebuilt()
    assert engine.undecodable == 0
    assert list(engine.findings) == []
    markets = {symbol: market for (_, symbol), market in engine.markets.items()}
    assert set(books) == {symbol for symbol, market in markets.items() if market.counters.snapshots}
    assert len(books) == 9
    for symbol, book in books.items():
        assert book.joined
        assert markets[symbol].book.state is BookState.PROVEN
        assert markets[symbol].book.sequence == book.sequence
        assert book_rows(markets[symbol].book) == book.rows()
        assert markets[symbol].counters.bridges == 1
    assert sum(market.counters.deltas for market in markets.values()) == 1937
    assert sum(market.counters.trades for market in markets.values()) == 13


@needs_real_data
def test_a_ticker_shows_the_top_of_the_book_whose_number_it_bears() -> None:
    engine = played(feed_frames(NAME, *FEED))
    _, shown = rebuilt()
    counters = [market.counters for market in engine.markets.values()]
    assert sum(each.quotes for each in counters) == 418
    assert sum(each.quote_checks for each in counters) == 398
    assert sum(each.quote_matches for each in counters) == 398
    assert shown == 407  # nine of them before the snapshot of their book was there


@needs_real_data
def test_each_removed_message_of_a_book_is_noticed() -> None:
    frames = [frame for frame in feed_frames(NAME, *FEED) if b"EQZ-BTC" in frame.payload]
    deltas = [frame for frame in frames if b"trade.l2update" in frame.payload]
    assert list(played(frames).findings) == []
    (snapshot,) = (frame for frame in frames if frame.kind is FrameKind.HTTP)
    number = int(json.loads(snapshot.payload.split(b"\n", 1)[1])["data"]["sequence"])
    after = [each for each in deltas if json.loads(each.payload)["data"]["sequenceEnd"] > number]
    assert len(after) >= 10
    for removed in after[:-1]:
        engine = played([frame for frame in frames if frame is not removed])
        kinds = set(engine.findings.counts)
        assert kinds & {FindingKind.GAP, FindingKind.BRIDGE_FAILED}


@needs_real_data
def test_the_feed_is_recognised_and_its_messages_have_the_topics_asked_for() -> None:
    asked: set[str] = set()
    for frame in feed_frames(NAME, "KUCOIN.ws.1.0"):
        if frame.kind is FrameKind.SENT:
            request = KUCOIN.dialect.read_request(frame.payload)
            assert request.kind is RequestKind.SUBSCRIBE
            asked.update(request.topics)
        elif frame.kind is FrameKind.TEXT:
            topic = KUCOIN.dialect.topic(frame.payload)
            assert topic in asked or KUCOIN.read_notice(frame.payload) is not None
    assert len(asked) == 40
    assert venue_at("wss://push-private.kucoin.com/endpoint?token=TOKEN") is KUCOIN


def plans(*symbols: str, channels: tuple[Channel, ...] = ()) -> list[ConnectionPlan]:
    return KUCOIN.plan(StreamRequest(NAME, symbols, channels))


def test_one_message_asks_for_a_channel_of_several_symbols() -> None:
    (plan,) = plans("BTC-USDT", "eth-btc")
    assert [json.loads(message) for message in plan.subscribe_messages] == [
        {
            "id": f"subscribe-{number}",
            "type": "subscribe",
            "topic": f"/market/{channel}:BTC-USDT,ETH-BTC",
            "privateChannel": False,
            "response": True,
        }
        for number, channel in enumerate(("level2", "match", "ticker"), start=1)
    ]


def test_many_symbols_are_divided_among_messages_and_connections() -> None:
    symbols = [f"A{number}-USDT" for number in range(350)]
    several = plans(*symbols, channels=(Channel.BOOK,))
    assert [len(plan.subscriptions) for plan in several] == [300, 50]
    assert [len(plan.subscribe_messages) for plan in several] == [3, 1]


def test_contracts_have_topics_hosts_and_a_connection_of_their_own() -> None:
    spot, contracts = plans("BTC-USDT", "BTC-USDT-PERP", "ETHUSDTM", channels=(Channel.BOOK,))
    assert (spot.stream, contracts.stream) == (NAME, f"{NAME}/futures")
    (message,) = contracts.subscribe_messages
    assert json.loads(message)["topic"] == "/contractMarket/level2:XBTUSDTM,ETHUSDTM"
    host = "https://api-futures.kucoin.com"
    request = KUCOIN.access_request(contracts, None, 5)
    assert request is not None
    assert request.url == f"{host}/api/v1/bullet-public"
    wish = KUCOIN.snapshot_request(contracts, "XBTUSDTM")
    assert wish is not None
    assert wish.url == f"{host}/api/v1/level2/snapshot?symbol=XBTUSDTM"
    assert [each.url for each in KUCOIN.instrument_requests(contracts)] == [
        f"{host}/api/v1/contracts/ETHUSDTM",
        f"{host}/api/v1/contracts/XBTUSDTM",
    ]


def test_a_perpetual_in_euros_is_not_listed() -> None:
    with pytest.raises(UnknownSymbolError, match="no such perpetual"):
        plans("BTC-EUR-PERP")


def test_a_token_is_fetched_and_says_where_to_connect_and_how_often_to_ping() -> None:
    (plan,) = plans("BTC-USDT")
    assert KUCOIN.access_request(plan, None, 5) == HttpRequest(
        "https://api.kucoin.com/api/v1/bullet-public", "", Purpose.ACCESS, "POST"
    )
    answer = (
        b'{"code":"200000","data":{"token":"2neA==","instanceServers":[{"endpoint":'
        b'"wss://ws-api-spot.kucoin.com/","encrypt":true,"protocol":"websocket","pingInterval":'
        b'18000,"pingTimeout":10000}]}}'
    )
    assert KUCOIN.login(plan, None, 5, answer) == Login(
        "wss://ws-api-spot.kucoin.com/?token=2neA==&connectId=tickreel-5", ping_interval_s=18.0
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b'{"code":"900001","msg":"symbol not exists"}',
        b'{"code":"200000","data":{"token":"t","instanceServers":[]}}',
        b'{"code":"200000","data":{"token":"","instanceServers":[]}}',
    ],
)
def test_an_answer_without_a_token_is_refused(answer: bytes) -> None:
    (plan,) = plans("BTC-USDT")
    with pytest.raises(UNDECODABLE):
        KUCOIN.login(plan, None, 5, answer)


def test_a_token_for_ones_own_account_is_asked_for_with_signed_headers() -> None:
    (plan,) = plans("BTC-USDT", channels=(Channel.ORDER, Channel.WALLET))
    assert [json.loads(message)["topic"] for message in plan.subscribe_messages] == [
        "/spotMarket/tradeOrdersV2",
        "/account/balance",
    ]
    request = KUCOIN.access_request(plan, KEYS, 1_700_000_000_000)
    assert request is not None
    assert request.url == "https://api.kucoin.com/api/v1/bullet-private"
    # openssl dgst -sha256 -hmac secret-1 -binary | base64, over
    # 1700000000000POST/api/v1/bullet-private and over passphrase-1.
    assert dict(request.headers) == {
        "KC-API-KEY": "key-1",
        "KC-API-SIGN": "xbqDDhdi2ZFCT4koiHHKiHi+JI6AbK7GWxMiiyM428c=",
        "KC-API-TIMESTAMP": "1700000000000",
        "KC-API-PASSPHRASE": "FwmEeQHT0bxpQfp6oIb4SPZ+5Npip0NmZTumgIAX6ow=",
        "KC-API-KEY-VERSION": "2",
    }
    with pytest.raises(CredentialsError):
        KUCOIN.access_request(plan, Credentials("key-1", "secret-1"), 5)


def test_ones_own_accounts_are_those_of_the_symbols_and_both_without_any() -> None:
    both = plans(channels=(Channel.ORDER, Channel.POSITION, Channel.WALLET))
    topics = {
        plan.stream: [json.loads(message)["topic"] for message in plan.subscribe_messages]
        for plan in both
    }
    of_futures = [
        "/contractMarket/tradeOrders",
        "/contract/positionAll",
        "/contractAccount/wallet",
    ]
    assert topics == {
        "kucoin/private": ["/spotMarket/tradeOrdersV2", "/account/balance"],
        "kucoin/futures/private": of_futures,
    }
    (contracts,) = plans("XBTUSDTM", channels=(Channel.ORDER,))
    assert contracts.stream == "kucoin/futures/private"
    request = KUCOIN.access_request(contracts, KEYS, 5)
    assert request is not None
    assert request.url == "https://api-futures.kucoin.com/api/v1/bullet-private"
    (spot, positions) = plans("BTC-USDT", channels=(Channel.ORDER, Channel.POSITION))
    assert [one.channel for one in spot.subscriptions] == [Channel.ORDER]
    assert [one.channel for one in positions.subscriptions] == [Channel.POSITION]


def test_a_wallet_of_futures_is_told_where_the_message_says_its_balance() -> None:
    assert decoded(NAME, FUTURES_WALLET) == [
        WalletUpdate("USDT", RECEIVED_NS, 1731916996764000000, "81.072921258", "26.144281178")
    ]
    (notice,) = decoded(NAME, FUTURES_AVAILABLE)
    assert isinstance(notice, Notice)
    assert notice.text == "/contractAccount/wallet"


def test_a_message_of_ones_own_futures_is_of_the_topic_that_all_of_them_are() -> None:
    topic = KUCOIN.dialect.topic
    assert topic(FUTURES_POSITION) == "/contract/positionAll"
    order = FUTURES_ORDER.replace(b"tradeOrders", b"tradeOrders:XBTUSDTM")
    assert topic(order) == topic(FUTURES_ORDER) == "/contractMarket/tradeOrders"
    assert decoded(NAME, order) == decoded(NAME, FUTURES_ORDER)
    assert topic(FUTURES_BOOK) == "/contractMarket/level2:XBTUSDTM"


def test_a_token_says_with_which_keys_it_was_asked_for() -> None:
    (plan,) = plans("BTC-USDT", channels=(Channel.ORDER,))
    request = KUCOIN.access_request(plan, KEYS, 1_700_000_000_000)
    assert request is not None
    headers = {name.lower(): value for name, value in request.headers}
    body = KUCOIN.dialect.access_body("/api/v1/bullet-private", "ws://127.0.0.1:9", headers)
    assert body is not None
    path = KUCOIN.login(plan, KEYS, 5, body).url.partition(":9")[2]
    assert KUCOIN.dialect.handshake_valid(path, {}, KEYS)
    for part in ("key", "secret", "passphrase"):
        assert not KUCOIN.dialect.handshake_valid(path, {}, replace(KEYS, **{part: "another"}))
    assert not KUCOIN.dialect.handshake_valid("/endpoint?token=x", {}, KEYS)
    assert not KUCOIN.dialect.handshake_valid("/endpoint", {}, KEYS)


def test_the_exchanges_side_gives_a_token_that_leads_to_itself() -> None:
    (plan,) = plans("BTC-USDT")
    body = KUCOIN.dialect.access_body("/api/v1/bullet-public", "ws://127.0.0.1:9/x", {})
    assert body is not None
    login = KUCOIN.login(plan, None, 5, body)
    assert login.url.startswith("ws://127.0.0.1:9/endpoint?token=")
    assert KUCOIN.dialect.serves_path("/endpoint")
    assert KUCOIN.dialect.access_body("/api/v1/market", "ws://127.0.0.1:9", {}) is None
    (greeting,) = KUCOIN.dialect.greeting()
    notice = KUCOIN.read_notice(greeting.encode())
    assert notice is not None
    assert notice.text == "welcome"


def test_the_snapshot_is_the_public_one() -> None:
    (plan,) = plans("BTC-USDT")
    assert KUCOIN.snapshot_request(plan, "BTC-USDT") == HttpRequest(
        "https://api.kucoin.com/api/v1/market/orderbook/level2_100?symbol=BTC-USDT", "BTC-USDT"
    )
