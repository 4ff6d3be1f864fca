"""Bitstamp: recorded books joined to REST by time, each message, and the token of one's orders."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from tests.feed_recordings import feed_frames
from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.bridged_books import BridgedBook, fetched, received
from tests.venues.plain_books import book_rows
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples import bitstamp as samples
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
from venues.frame import Frame, FrameKind
from venues.registry import venue_at, venue_named
from venues.traits import LossDetection
from venues.venue import (
    ConnectionPlan,
    Credentials,
    HttpRequest,
    Purpose,
    RequestKind,
    StreamRequest,
)

NAME, FEED, REST = "bitstamp", "BITSTAMP.ws.1.0", "BITSTAMP.http.0.0"
VENUE = venue_named(NAME)
R = RECEIVED_NS
BUY, SELL = Side.BUY, Side.SELL
KEYS = Credentials("key-1", "secret-1")
TIME_MS = 1_700_000_000_123


def plans(*symbols: str, **wishes: Any) -> list[ConnectionPlan]:
    wishes.setdefault("channels", ())
    return VENUE.plan(StreamRequest(NAME, symbols, **wishes))


@needs_real_data
def test_the_recorded_books_are_what_the_snapshots_and_the_diffs_after_them_make() -> None:
    engine = Engine()
    for frame in feed_frames(NAME, FEED, REST):
        engine.apply(frame)
    assert not engine.findings.counts
    plain: dict[str, BridgedBook] = {}
    for url, body in fetched(REST):
        book = BridgedBook(int(body["microtimestamp"]))
        book.change(body["bids"], body["asks"])
        plain[url.rpartition("/")[2]] = book
    dropped = applied = 0
    for message in received(FEED):
        if message["event"] != "data":
            continue
        book, data = plain[message["channel"].rpartition("_")[2]], message["data"]
        if int(data["microtimestamp"]) <= book.sequence:
            dropped += 1
        else:
            applied += 1
            book.joined = True
            book.change(data["bids"], data["asks"])
    assert len(plain) == len(engine.markets) == 10
    for (_, symbol), market in engine.markets.items():
        assert book_rows(market.book) == plain[symbol].rows()
        joined = BookState.UNVERIFIABLE if plain[symbol].joined else BookState.BRIDGING
        assert market.book.state is joined
        assert market.book.counters.bridges == plain[symbol].joined
        assert market.book.counters.crossed == 0
    assert dropped + applied == 717
    assert dropped > 0
    assert sum(book.joined for book in plain.values()) == 9


@needs_real_data
def test_recorded_trades_are_those_of_the_file() -> None:
    trades = [
        event
        for frame in feed_frames(NAME, FEED)
        if frame.received
        for event in VENUE.decode(frame)
        if isinstance(event, Trade)
    ]
    told = [each["data"] for each in received(FEED) if each["event"] == "trade"]
    assert len(trades) == len(told) == 10
    for trade, data in zip(trades, told, strict=True):
        assert (trade.symbol, trade.trade_id) == ("ethusd", str(data["id"]))
        assert (trade.price_text, trade.size_text) == (data["price_str"], data["amount_str"])
        assert trade.price == Decimal(data["price"])
        assert trade.exchange_time_ns == int(data["microtimestamp"]) * 1000
        assert trade.aggressor_side is (SELL if data["type"] else BUY)


@needs_real_data
def test_who_sold_took_the_bids_that_the_book_had() -> None:
    """A trade of type 1 is nearer to the best bid before it, one of type 0 to the ask."""
    engine = Engine()
    agreeing: list[bool] = []
    book = None
    for frame in feed_frames(NAME, FEED, REST):
        trades = VENUE.decode(frame) if frame.received else ()
        for trade in trades:
            book = engine.markets[NAME, "ethusd"].book if engine.markets else None
            if isinstance(trade, Trade) and book is not None and book.best_bid and book.best_ask:
                middle = (book.best_bid.price + book.best_ask.price) / 2
                agreeing.append((trade.price < middle) is (trade.aggressor_side is SELL))
        engine.apply(frame)
    assert len(agreeing) == 10
    assert sum(agreeing) >= 9


ORDERS = [
    # id, side, client's id, then of each message: time in us, price, size, filled, event
    (
        "1658864794234880",
        BUY,
        "test_market_buy",
        1693831262313000,
        "999999999",
        "0",
        "0",
        "created",
    ),
    (
        *("1658864794234880", BUY, "test_market_buy", 1693831262313000),
        *("25862", "0.00038667", "0.00038666", "changed"),
    ),
    (
        *("1658864794234880", BUY, "test_market_buy", 1693831262313000),
        *("25862", "0.00038667", "0.00038666", "deleted"),
    ),
    ("1658870500933632", SELL, "test_market_sell", 1693832655550000, "0", "0", "0", "created"),
    (
        *("1658870500933632", SELL, "test_market_sell", 1693832655550000),
        *("25854", "0.00038679", "0.00038678", "changed"),
    ),
    (
        *("1658870500933632", SELL, "test_market_sell", 1693832655550000),
        *("25854", "0.00038679", "0.00038678", "deleted"),
    ),
    (
        *("1658869033291777", SELL, "test_limit_sell", 1693832297239000),
        *("25845", "0.00038692", "0.00000000", "created"),
    ),
    (
        *("1658869033291777", SELL, "test_limit_sell", 1693832302664000),
        *("25845", "0.00038692", "0.00038692", "deleted"),
    ),
]


@needs_real_data
def test_every_order_message_at_hand_means_what_was_written_down() -> None:
    lines = (REAL_DATA / "messages" / "gct_bitstamp" / "wsMyOrders.json").read_bytes().splitlines()
    told = [event for line in lines if line.strip() for event in decoded(NAME, line)]
    assert told == [
        OrderUpdate(
            "btcusd", R, time_us * 1000, order, client, side, price, size, filled, f"order_{event}"
        )
        for order, side, client, time_us, price, size, filled, event in ORDERS
    ]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.DIFF,
            BookDelta(
                "bateur",
                R,
                1_641_343_691_244_908_000,
                [("1.15979", "993.02588113"), ("1.14866", "0.00000000")],
                [("1.16601", "1200.00000000")],
                1_641_343_691_244_908,
                1_641_343_691_244_908,
            ),
        ),
        (
            samples.BOOK,
            BookSnapshot(
                "btcusd-perp",
                R,
                1_789_457_617_906_487_000,
                [("77188", "0.41122")],
                [("77189", "0.41124")],
                1_789_457_617_906_487,
            ),
        ),
        (
            samples.TRADE,
            Trade(
                "ethusd", R, 1_641_343_709_599_000_000, "3802.93", "0.93100000", SELL, "216000484"
            ),
        ),
        (
            samples.TRADE_OF_TODAY,
            Trade(
                "btcusd-perp",
                R,
                1_789_456_400_586_000_000,
                "77204",
                "0.00921",
                BUY,
                "2001939623936278528",
            ),
        ),
        (
            samples.FUNDING,
            Ticker(
                "btcusd-perp",
                R,
                1_789_457_618_000_000_000,
                None,
                "77186.81199586",
                "77177.99454545454",
                "0.000123",
            ),
        ),
        (
            samples.DETAIL,
            Notice(
                "",
                R,
                None,
                NoticeKind.INFORMATION,
                "data detail_order_book_btcusd-perp",
            ),
        ),
        (
            samples.MARKET_ORDER,
            Notice("", R, None, NoticeKind.INFORMATION, "order_deleted live_orders_asterusd-perp"),
        ),
        (
            samples.SUBSCRIBED,
            Notice("", R, None, NoticeKind.ACKNOWLEDGED, "live_trades_ethusd"),
        ),
        (samples.HEARTBEAT, Notice("", R, None, NoticeKind.HEARTBEAT)),
        (
            samples.RECONNECT,
            Notice("", R, None, NoticeKind.WILL_DISCONNECT, "bts:request_reconnect"),
        ),
        (
            samples.REFUSED,
            Notice("", R, None, NoticeKind.REJECTED, "Bad subscription string."),
        ),
        (
            samples.UNAUTHENTICATED,
            Notice("", R, None, NoticeKind.LOGIN_REFUSED, "Connection is unauthorized."),
        ),
    ],
)
def test_a_message_means_what_it_says(payload: bytes, expected: object) -> None:
    assert decoded(NAME, payload) == [expected]


@pytest.mark.parametrize(
    ("payload", "old", "new"),
    [
        (samples.DIFF, b'"microtimestamp":"1641343691244908",', b""),
        (samples.DIFF, b'"1641343691244908"', b'"99999999999999999"'),
        (samples.DIFF, b'"1641343691244908"', b'"-1"'),
        (samples.DIFF, b',"asks":[["1.16601","1200.00000000"]]', b""),
        (samples.TRADE, b'"type":1', b'"type":2'),
        (samples.TRADE, b'"price_str":"3802.93",', b""),
        (samples.ORDER, b'"order_type":0,', b""),
        (samples.ORDER, b'"amount_at_create":"0.00038667"', b'"amount_at_create":"all"'),
    ],
)
def test_a_message_that_lacks_what_it_needs_is_refused(
    payload: bytes, old: bytes, new: bytes
) -> None:
    assert old in payload
    with pytest.raises(UNDECODABLE):
        decoded(NAME, payload.replace(old, new))


def test_a_rest_book_is_told_apart_from_the_stream_and_needs_to_be_whose() -> None:
    body = (
        b'{"timestamp": "1641343695", "microtimestamp": "1641343695572693", '
        b'"bids": [["0.14695", "4567.41344936"]], "asks": []}'
    )
    (event,) = decoded_http(NAME, http_frame(body, "sgbeur"))
    assert event == BookSnapshot(
        "sgbeur",
        R,
        1_641_343_695_572_693_000,
        [("0.14695", "4567.41344936")],
        [],
        1_641_343_695_572_693,
        None,
        True,
    )
    with pytest.raises(UNDECODABLE):
        decoded_http(NAME, http_frame(body))


def test_a_diff_of_the_snapshots_own_time_is_in_it_already_and_no_book_is_proven() -> None:
    assert VENUE.traits.loss_detection is LossDetection.NONE
    engine = Engine()

    def apply(place: int, kind: FrameKind, payload: bytes) -> None:
        engine.apply(Frame(place, 1, NAME, kind, R + place, None, payload))

    def diff(time_us: int, bid: str) -> bytes:
        data = {"microtimestamp": str(time_us), "bids": [[bid, "1"]], "asks": []}
        channel = "diff_order_book_btcusd"
        return json.dumps({"data": data, "channel": channel, "event": "data"}).encode()

    apply(0, FrameKind.TEXT, diff(5, "1"))
    apply(1, FrameKind.TEXT, diff(10, "2"))
    apply(2, FrameKind.TEXT, diff(11, "3"))
    body = VENUE.dialect.snapshot_body("btcusd", [("9", "1")], [("10", "1")], 10)
    apply(3, FrameKind.HTTP, http_frame(body, "btcusd").payload)
    book = engine.markets[NAME, "btcusd"].book
    assert [int(price) for price, _ in book_rows(book)[0]] == [9, 3]
    assert book.state is BookState.UNVERIFIABLE
    assert not book.proven
    assert FindingKind.UNNUMBERED not in engine.findings.counts


def test_each_channel_is_asked_for_by_a_message_of_its_own() -> None:
    (plan,) = plans("BTC-USD", "ETH-EUR-PERP")
    assert (plan.url, plan.rest_url) == ("wss://ws.bitstamp.net", "https://www.bitstamp.net")
    assert [json.loads(message)["data"] for message in plan.subscribe_messages] == [
        {"channel": "diff_order_book_btcusd"},
        {"channel": "live_trades_btcusd"},
        {"channel": "diff_order_book_etheur-perp"},
        {"channel": "live_trades_etheur-perp"},
    ]
    assert all(len(message) < 512 for message in plan.subscribe_messages)
    assert Subscription(Channel.BOOK, "etheur-perp") in plan.subscriptions
    assert VENUE.snapshot_request(plan, "btcusd") == HttpRequest(
        "https://www.bitstamp.net/api/v2/order_book/btcusd/?group=1", "btcusd"
    )
    with pytest.raises(UnknownSymbolError):
        plans("BTC/USD")


def test_more_channels_than_a_connection_takes_are_divided() -> None:
    split = plans(*(f"a{number}usd" for number in range(501)))
    assert [len(plan.subscribe_messages) for plan in split] == [1000, 2]


def test_a_token_is_asked_for_with_a_signed_post_and_goes_into_the_subscription() -> None:
    (plan,) = plans("BTC-USD", channels=(Channel.ORDER,))
    request = VENUE.access_request(plan, KEYS, TIME_MS)
    assert request is not None
    assert (request.method, request.purpose) == ("POST", Purpose.ACCESS)
    assert request.url == "https://www.bitstamp.net/api/v2/websockets_token/"
    headers = dict(request.headers)
    assert headers["X-Auth"] == "BITSTAMP key-1"
    assert (headers["X-Auth-Version"], headers["X-Auth-Timestamp"]) == ("v2", str(TIME_MS))
    assert len(headers["X-Auth-Nonce"]) == 36
    # printf 'BITSTAMP key-1POSTwww.bitstamp.net/api/v2/websockets_token/application/x-www-form-'\
    # 'urlencodedNONCE1700000000123v2unused=1' | openssl dgst -sha256 -hmac secret-1
    assert headers["X-Auth-Nonce"] == "bc16456c-fa36-49bc-8795-1431328f18ce"
    assert (
        headers["X-Auth-Signature"]
        == "d175f5224a66e7637d4d340224ab85a6463e1b44d46769804636d3e2b0252997"
    )
    assert request.body == b"unused=1"
    answer = b'{"token":"abc def","valid_sec":60,"user_id":314159}'
    login = VENUE.login(plan, KEYS, TIME_MS, answer)
    (message,) = VENUE.subscribe_messages(plan, login, "", TIME_MS)
    assert json.loads(message) == {
        "event": "bts:subscribe",
        "data": {"channel": "private-my_orders_btcusd-314159", "auth": "abc def"},
    }
    with pytest.raises(CredentialsError):
        VENUE.access_request(plan, Credentials("key-1", ""), TIME_MS)
    with pytest.raises(UNDECODABLE):
        VENUE.login(plan, KEYS, TIME_MS, b'{"token":"abc"}')


def test_the_exchanges_side_hands_out_a_token_and_knows_it_again() -> None:
    (plan,) = plans("BTC-USD", channels=(Channel.ORDER,))
    request = VENUE.access_request(plan, KEYS, TIME_MS)
    assert request is not None
    body = VENUE.dialect.access_body(urlsplit(request.url).path, "ws://127.0.0.1:9", {})
    assert body is not None
    login = VENUE.login(plan, KEYS, TIME_MS, body)
    (message,) = VENUE.subscribe_messages(plan, login, "", TIME_MS)
    asked = VENUE.dialect.read_request(message.encode())
    assert asked.kind is RequestKind.SUBSCRIBE
    assert asked.topics == ("private-my_orders_btcusd",)
    assert VENUE.dialect.topic(samples.ORDER) == "private-my_orders_btcusd"
    assert VENUE.dialect.login_valid(asked, KEYS)
    bare = VENUE.dialect.read_request(plan.subscribe_messages[0].encode())
    assert not VENUE.dialect.login_valid(bare, KEYS)
    assert VENUE.dialect.access_body("/api/v2/order_book/btcusd/", "ws://127.0.0.1:9", {}) is None


def test_a_heartbeat_is_answered_and_an_unknown_message_refused() -> None:
    ping = VENUE.dialect.read_request((VENUE.heartbeat(0) or "").encode())
    assert ping.kind is RequestKind.PING
    (pong,) = VENUE.dialect.answer(ping, None)
    assert pong == samples.HEARTBEAT.decode()
    unknown = VENUE.dialect.read_request(b'{"event":"bts:ping"}')
    assert unknown.kind is RequestKind.UNREADABLE


@pytest.mark.parametrize(
    ("path", "symbol"),
    [
        ("/api/v2/order_book/sgbeur", "sgbeur"),
        ("/api/v2/order_book/btcusd-perp/?group=1", "btcusd-perp"),
        ("/api/v2/order_book/", None),
        ("/api/v2/order_book/a/b", None),
        ("/api/v2/ticker/btcusd", None),
    ],
)
def test_a_snapshot_request_tells_its_symbol(path: str, symbol: str | None) -> None:
    assert VENUE.dialect.snapshot_symbol(path) == symbol


def test_all_markets_tell_their_decimals_in_one_answer() -> None:
    body = (
        b'[{"name":"BTC/USD","market_symbol":"btcusd","base_decimals":8,"counter_decimals":0,'
        b'"market_type":"SPOT"},{"name":"XRP/EUR","market_symbol":"xrpeur","base_decimals":5,'
        b'"counter_decimals":2}]'
    )
    frame = http_frame(body, "", purpose=Purpose.INSTRUMENTS)
    assert decoded_http(NAME, frame) == [
        Instrument("btcusd", R, None, "1", "0.00000001"),
        Instrument("xrpeur", R, None, "0.01", "0.00001"),
    ]
    (plan,) = plans("btcusd", "xrpeur")
    (request,) = VENUE.instrument_requests(plan)
    assert request.url == "https://www.bitstamp.net/api/v2/markets/"


def test_recorded_addresses_are_bitstamps() -> None:
    for url in ("wss://ws.bitstamp.net/", "https://www.bitstamp.net/api/v2/order_book/sgbeur"):
        found = venue_at(url)
        assert found is not None
        assert found.name == NAME
