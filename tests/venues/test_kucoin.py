"""KuCoin: its recorded feed through the engine, what its messages mean, how it is asked."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from functools import cache
from urllib.parse import parse_qs, urlsplit

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from tests.feed_recordings import feed_frames
from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.bridged_books import BridgedBook, fetched, received
from tests.venues.plain_books import book_rows
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples import kucoin as samples
from venues.channel import Channel
from venues.errors import UNDECODABLE, CredentialsError, UnknownSymbolError
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    Instrument,
    Notice,
    NoticeKind,
    OrderUpdate,
    Quote,
    Side,
    Ticker,
    Trade,
    WalletUpdate,
)
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
R = RECEIVED_NS
MS = 1_000_000
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


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.BOOK,
            BookDelta(
                "BTC-USDT",
                R,
                1663747970273 * MS,
                [("18891.9", "0.15688")],
                [("18907.3", "0.58751503"), ("18906", "0.00331")],
                14103844,
                14103847,
                row_sequences=([14103847], [14103844, 14103845]),
            ),
        ),
        (
            samples.BOOK_OF_2021,
            BookDelta(
                "BCHSV-USDT", R, None, [], [], 1613277183874, 1613277183874, row_sequences=([], [])
            ),
        ),
        (
            samples.TRADE,
            Trade(
                "BTC-USDT",
                R,
                1545913818099033203,
                "0.08200000000000000000",
                "0.01022222000000000000",
                Side.BUY,
                "5c24c5da03aa673885cd67aa",
            ),
        ),
        (
            samples.QUOTE,
            Quote(
                "BTC-USDT", R, 1729757723612 * MS, "67218.6", "0.01", "67218.7", "1.92", 14103847
            ),
        ),
        (
            samples.QUOTE_OF_ALL,
            Quote(
                "FTM-ETH",
                R,
                1677320967673 * MS,
                "0.0002894",
                "65.536",
                "0.0002901",
                "3514.4978",
                186911324,
            ),
        ),
        (samples.SNAPSHOT, Ticker("BTC-USDT", R, 1700555342151 * MS, "37366.80")),
        (
            samples.INDEX,
            Ticker("USDT-BTC", R, 1551770400000 * MS, index_price_text="0.00010920"),
        ),
        (samples.MARK, Ticker("USDT-BTC", R, 1551770400000 * MS, mark_price_text="0.0001093")),
        (
            samples.ORDER,
            OrderUpdate(
                "KCS-USDT",
                R,
                1593487482038606000,
                "5efab07953bdea00089965fa",
                "1593487481000313",
                Side.SELL,
                "0.938",
                "0.1",
                "0.1",
                "done: filled",
            ),
        ),
        (samples.BALANCE, WalletUpdate("KCS", R, 1545743136994 * MS, "88", "87.5")),
        (
            samples.CANDLE,
            Notice("", R, None, NoticeKind.INFORMATION, "/market/candles:BTC-USDT_1hour"),
        ),
        (samples.WELCOME, Notice("", R, None, NoticeKind.INFORMATION, "welcome")),
        (samples.ACK, Notice("", R, None, NoticeKind.ACKNOWLEDGED, "ack")),
        (samples.PONG, Notice("", R, None, NoticeKind.HEARTBEAT, "pong")),
        (
            samples.REFUSED,
            Notice("", R, None, NoticeKind.REJECTED, "topic /market/x is not found (code 404)"),
        ),
    ],
)
def test_a_message_means_what_the_documentation_says(payload: bytes, expected: Event) -> None:
    assert decoded(NAME, payload) == [expected]


def test_rows_that_a_snapshot_has_already_are_left_out_when_a_delta_joins_it() -> None:
    body = (
        b'{"code":"200000","data":{"sequence":"14103845","bids":[["1","1"]],'
        b'"asks":[["18906","9"]]}}'
    )
    engine = played(
        [
            http_of(body, "BTC-USDT"),
            Frame(1, 1, NAME, FrameKind.TEXT, R, None, samples.BOOK),
        ]
    )
    book = engine.markets[NAME, "BTC-USDT"].book
    assert book.state is BookState.PROVEN
    assert book.sequence == 14103847
    assert list(book.asks) == [("18906", "9")]
    assert list(book.bids) == [("18891.9", "0.15688"), ("1", "1")]


def http_of(body: bytes, symbol: str) -> Frame:
    return Frame(0, 1, NAME, FrameKind.HTTP, R, None, http_frame(body, symbol).payload)


REFUSED_BY_REST = b'{"code":"900001","msg":"symbol not exists"}'


def test_http_answers_give_a_book_an_instrument_or_the_refusal() -> None:
    body = (
        b'{"code":"200000","data":{"time":1729176273859,"sequence":"14610502970",'
        b'"bids":[["66976.4","0.69109872"]],"asks":[["66976.5","0.05408199"]]}}'
    )
    assert decoded_http(NAME, http_frame(body, "BTC-USDT")) == [
        BookSnapshot(
            "BTC-USDT",
            R,
            1729176273859 * MS,
            [("66976.4", "0.69109872")],
            [("66976.5", "0.05408199")],
            14610502970,
            None,
            True,
        )
    ]
    body = (
        b'{"code":"200000","data":{"symbol":"BTC-USDT","baseIncrement":"0.00000001",'
        b'"quoteIncrement":"0.000001","priceIncrement":"0.1"}}'
    )
    frame = http_frame(body, "BTC-USDT", purpose=Purpose.INSTRUMENTS)
    assert decoded_http(NAME, frame) == [Instrument("BTC-USDT", R, None, "0.1", "0.00000001")]
    assert decoded_http(NAME, http_frame(REFUSED_BY_REST, "X-Y")) == [
        Notice("X-Y", R, None, NoticeKind.INFORMATION, "refused: symbol not exists (code 900001)")
    ]


NOTICES_OF_2023 = Counter(
    {
        "/spotMarket/level2Depth5": 1,
        "/market/candles": 1,
        "/margin/position": 2,
        "/margin/loan": 3,
        "/spotMarket/advancedOrders": 1,
        "/contractMarket/tickerV2": 1,
        "/contractMarket/level2": 1,
        "/contractMarket/execution": 1,
        "/contractMarket/level2Depth5": 1,
        "/contract/position": 3,
        "/contractAccount/wallet": 4,
        "/contractMarket/advancedOrders": 1,
        "/contractMarket/tradeOrders": 1,
        "/contractMarket/snapshot": 1,
        "/contract/announcement": 2,
        "/contract/instrument": 2,
    }
)
"""What is not of spot, or not offered: the topics of messages that are passed over."""


@needs_real_data
def test_every_message_file_is_decoded_and_what_is_not_of_spot_is_passed_over() -> None:
    lines = (REAL_DATA / "messages" / "gct_kucoin" / "wsHandleData.json").read_bytes().splitlines()
    events = [event for line in lines if line.strip() for event in decoded(NAME, line.strip())]
    notices = [event for event in events if isinstance(event, Notice)]
    assert {each.kind for each in notices} == {NoticeKind.INFORMATION}
    assert Counter(each.text.partition(":")[0] for each in notices) == NOTICES_OF_2023
    first, second = "5efab07953bdea00089965d2", "5efab07953bdea00089965fa"
    assert [event for event in events if not isinstance(event, Notice)] == [
        Quote(
            "FET-BTC",
            R,
            1677321643926 * MS,
            "0.000018622",
            "68.5961",
            "0.000018679",
            "258.4609",
            38509148,
        ),
        Quote(
            "FTM-ETH",
            R,
            1677320967673 * MS,
            "0.0002894",
            "65.536",
            "0.0002901",
            "3514.4978",
            186911324,
        ),
        Ticker("BTC-USDT", R, 1676310802092 * MS, "21423.1"),
        Ticker("KCS-BTC", R, 1548388122031 * MS, "0.00012"),
        Trade(
            "BTC-USDT",
            R,
            1545913818099033203,
            "0.08200000000000000000",
            "0.01022222000000000000",
            Side.BUY,
            "5c24c5da03aa673885cd67aa",
        ),
        Ticker("USDT-BTC", R, 1551770400000 * MS, index_price_text="0.0001092"),
        Ticker("USDT-BTC", R, 1551770400000 * MS, mark_price_text="0.0001093"),
        OrderUpdate(
            "KCS-USDT",
            R,
            1593487481683297800,
            first,
            "1593487481000906",
            Side.BUY,
            "0.937",
            "0.1",
            "0",
            "open",
        ),
        OrderUpdate(
            "KCS-USDT",
            R,
            1593487482038606000,
            second,
            "1593487481000313",
            Side.SELL,
            "0.938",
            "0.1",
            "0.1",
            "match",
        ),
        OrderUpdate(
            "KCS-USDT",
            R,
            1593487482038606000,
            second,
            "1593487481000313",
            Side.SELL,
            "0.938",
            "0.1",
            "0.1",
            "done: filled",
        ),
        OrderUpdate(
            "KCS-USDT",
            R,
            1593487481893140700,
            first,
            "1593487481000906",
            Side.BUY,
            "0.937",
            "0.1",
            "0",
            "done: canceled",
        ),
        OrderUpdate(
            "KCS-USDT",
            R,
            1593487682916117500,
            "5efab13f53bdea00089971df",
            "1593487679000249",
            Side.BUY,
            "0.937",
            "0.06",
            "0",
            "open: update",
        ),
        WalletUpdate("KCS", R, 1545743136994 * MS, "88", "88"),
        BookDelta(
            "BTC-USDT",
            R,
            1663747970273 * MS,
            [("18891.9", "0.15688")],
            [("18907.3", "0.58751503"), ("18906", "0.00331")],
            14103844,
            14103847,
            row_sequences=([14103847], [14103844, 14103845]),
        ),
    ]


@needs_real_data
def test_market_snapshots_are_tickers_in_the_exchanges_own_digits() -> None:
    path = REAL_DATA / "messages" / "gct_kucoin" / "wsMarketSnapshot.json"
    lines = [line for line in path.read_bytes().splitlines() if line.strip()]
    assert [event for line in lines for event in decoded(NAME, line)] == [
        Ticker("TRX-BTC", R, 1700555342007 * MS, "0.004415"),
        Ticker("ETH-BTC", R, 1700555340197 * MS, "0.053778"),
        Ticker("BTC-USDT", R, 1700555342151 * MS, "37366.8"),
    ]


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


def test_a_perpetual_is_not_listed_here() -> None:
    with pytest.raises(UnknownSymbolError, match="no such perpetual"):
        plans("BTC-USDT-PERP")


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
        REFUSED_BY_REST,
        b'{"code":"200000","data":{"token":"t","instanceServers":[]}}',
        b'{"code":"200000","data":{"token":"","instanceServers":[]}}',
    ],
)
def test_an_answer_without_a_token_is_refused(answer: bytes) -> None:
    (plan,) = plans("BTC-USDT")
    with pytest.raises(UNDECODABLE):
        KUCOIN.login(plan, None, 5, answer)


def test_a_token_for_ones_own_account_is_asked_for_with_signed_headers() -> None:
    (plan,) = plans(channels=(Channel.ORDER, Channel.WALLET))
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


def test_the_exchanges_side_gives_a_token_that_leads_to_itself() -> None:
    (plan,) = plans("BTC-USDT")
    body = KUCOIN.dialect.access_body("/api/v1/bullet-public", "ws://127.0.0.1:9/x")
    assert body is not None
    login = KUCOIN.login(plan, None, 5, body)
    assert login.url.startswith("ws://127.0.0.1:9/endpoint?token=")
    assert KUCOIN.dialect.serves_path("/endpoint")
    assert KUCOIN.dialect.access_body("/api/v1/market", "ws://127.0.0.1:9") is None
    (greeting,) = KUCOIN.dialect.greeting()
    notice = KUCOIN.read_notice(greeting.encode())
    assert notice is not None
    assert notice.text == "welcome"


def test_the_snapshot_is_the_public_one() -> None:
    (plan,) = plans("BTC-USDT")
    assert KUCOIN.snapshot_request(plan, "BTC-USDT") == HttpRequest(
        "https://api.kucoin.com/api/v1/market/orderbook/level2_100?symbol=BTC-USDT", "BTC-USDT"
    )
