"""Gemini: the streams of today, chained, and the recorded Market Data version 2."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from book.book_state import BookState
from book.engine import Engine
from tests.feed_recordings import feed_frames
from tests.real_data import needs_real_data
from tests.venues.bridged_books import BridgedBook, received
from tests.venues.plain_books import book_rows
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples import gemini as samples
from venues.channel import Channel, Subscription
from venues.errors import UNDECODABLE, CredentialsError
from venues.event import (
    BookDelta,
    BookSnapshot,
    Instrument,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Quote,
    Side,
    Ticker,
    Trade,
    WalletUpdate,
)
from venues.frame import Frame, FrameKind
from venues.registry import venue_at, venue_named
from venues.traits import LossDetection
from venues.venue import ConnectionPlan, Credentials, Purpose, RequestKind, StreamRequest

NAME, V2_NAME, FEED = "gemini", "gemini-v2", "GEMINI.ws.1.0"
GEMINI, V2 = venue_named(NAME), venue_named(V2_NAME)
R = RECEIVED_NS
BUY, SELL = Side.BUY, Side.SELL
KEYS = Credentials("account-key", "secret-1")
TIME_MS = 1_700_000_000_999


def plans(name: str, *symbols: str, **wishes: Any) -> list[ConnectionPlan]:
    wishes.setdefault("channels", ())
    return venue_named(name).plan(StreamRequest(name, symbols, **wishes))


@needs_real_data
def test_the_recorded_feed_decodes_whole_and_gives_the_books_that_a_plain_reading_gives() -> None:
    engine = Engine()
    for frame in feed_frames(V2_NAME, FEED):
        engine.apply(frame)
    assert not engine.findings.counts
    plain: dict[str, BridgedBook] = {}
    levels = 0
    for message in received(FEED):
        if message["type"] != "l2_updates":
            continue
        rows: dict[str, list[list[str]]] = {"buy": [], "sell": []}
        for side, price, size in message["changes"]:
            rows[side].append([price, size])
        if "trades" in message:
            assert message["symbol"] not in plain
            plain[message["symbol"]] = BridgedBook(0)
        else:
            levels += len(message["changes"])
        plain[message["symbol"]].change(rows["buy"], rows["sell"])
    assert len(plain) == len(engine.markets) == 10
    for (_, symbol), market in engine.markets.items():
        assert book_rows(market.book) == plain[symbol].rows()
        assert market.book.state is BookState.UNVERIFIABLE
        assert market.book.counters.crossed == 0
    counters = [market.book.counters for market in engine.markets.values()]
    assert sum(each.level_updates for each in counters) == levels
    assert (sum(each.deltas for each in counters), len(counters)) == (645, 10)
    assert sum(each.trades for each in counters) == 16
    assert sum(each.trades_history for each in counters) == 500


@needs_real_data
def test_the_past_that_comes_with_a_book_is_told_oldest_first() -> None:
    for frame in feed_frames(V2_NAME, FEED):
        if frame.received and b'"trades"' in frame.payload:
            book, *past = V2.decode(frame)
            assert isinstance(book, BookSnapshot)
            assert len(past) == 50
            numbers = [int(trade.trade_id) for trade in past if isinstance(trade, Trade)]
            assert numbers == sorted(numbers)
            assert all(isinstance(trade, Trade) and trade.history for trade in past)


@needs_real_data
def test_recorded_messages_are_of_five_kinds() -> None:
    kinds = Counter(message["type"] for message in received(FEED))
    assert kinds == {"l2_updates": 655, "trade": 16, "heartbeat": 7}


STREAMS_MEANINGS: list[tuple[bytes, list[object]]] = [
    (
        samples.BOOK,
        [
            BookSnapshot(
                "avaxgusdperp",
                R,
                1789456740173524809,
                [("7.487000", "140.40000"), ("0.160000", "10000.00000")],
                [("7.503000", "142.60000")],
                1764527605191349,
            )
        ],
    ),
    (
        samples.DELTA,
        [
            BookDelta(
                "ethgusdperp",
                R,
                1789456742337187316,
                [("2482.5500", "0.000")],
                [("2483.5000", "0.000"), ("2483.4500", "1.047")],
                1764527605192686,
                1764527605192686,
                1764527605192323,
            )
        ],
    ),
    (
        samples.TRADE,
        [Trade("btcusd", R, 1789456742187316000, "77303.50", "0.25", SELL, "2840140956529623")],
    ),
    (
        samples.NAMED_TRADE,
        [Trade("btcusd", R, 1700000000000, "1000.00", "0.25", BUY, "123456789")],
    ),
    (
        samples.QUOTE,
        [Quote("btcusd", R, 1789456742187316001, "77303.50", "0.25", "77303.60", "1.00")],
    ),
    (samples.MARK_PRICE, [Ticker("btcgusdperp", R, 1789456746446652397, None, "77303.727")]),
    (samples.FUNDING, [Notice("", R, None, NoticeKind.INFORMATION, "fundingAmount")]),
    (samples.PARTIAL, [Notice("", R, None, NoticeKind.INFORMATION, "partial depth")]),
    (
        samples.ORDER,
        [
            OrderUpdate(
                "btcusd",
                R,
                1700000000000000000,
                "12345",
                "client-order-1",
                BUY,
                "1000.00",
                "0.25",
                "0.05",
                "PARTIALLY_FILLED",
            )
        ],
    ),
    (
        samples.CANCELED_ORDER,
        [
            OrderUpdate(
                "btcusd",
                R,
                1700000000000000000,
                "12345",
                "",
                SELL,
                "",
                "0.25",
                "0",
                "CANCELED",
            )
        ],
    ),
    (samples.BALANCE, [WalletUpdate("USD", R, 1700000000000000000, "100.00", "90.00")]),
    (
        samples.POSITION,
        [PositionUpdate("gemi-btc05m2606011000-up", R, 1700000000000000000, SELL, "3", "")],
    ),
    (samples.ACCEPTED, [Notice("", R, None, NoticeKind.ACKNOWLEDGED, "request 1")]),
    (samples.PONG, [Notice("", R, None, NoticeKind.HEARTBEAT)]),
    (
        samples.REFUSED,
        [
            Notice(
                "",
                R,
                None,
                NoticeKind.REJECTED,
                "Invalid stream name: nosuchperp@depth@100ms (code -1013)",
            )
        ],
    ),
]


@pytest.mark.parametrize(("payload", "expected"), STREAMS_MEANINGS)
def test_a_message_of_a_stream_means_what_it_says(payload: bytes, expected: list[object]) -> None:
    assert decoded(NAME, payload) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.V2_DELTA,
            [BookDelta("ETHEUR", R, None, [("1647.74", "1.844")], [("1657.29", "0")])],
        ),
        (
            samples.V2_BOOK,
            [
                BookSnapshot("ALCXUSD", R, None, [("302.75", "0.00001")], [("303.10", "8.36372")]),
                Trade(
                    "ALCXUSD",
                    R,
                    1624493651353000000,
                    "302.32",
                    "4.140581",
                    SELL,
                    "45465785690",
                    history=True,
                ),
                Trade(
                    "ALCXUSD",
                    R,
                    1624493651491000000,
                    "302.53",
                    "0.992143",
                    BUY,
                    "45465785975",
                    history=True,
                ),
            ],
        ),
        (
            samples.V2_TRADE,
            [
                Trade(
                    "ANKRUSD",
                    R,
                    1624493670759000000,
                    "0.07946",
                    "1020.482111",
                    BUY,
                    "45465818387",
                )
            ],
        ),
        (
            samples.V2_MARK_PRICE,
            [Ticker("BTCGUSDPERP", R, 1789456071687541147, None, "77233.302", "77188.41867")],
        ),
        (
            samples.V2_FUNDING,
            [Notice("", R, None, NoticeKind.INFORMATION, "funding_amount_updates")],
        ),
        (
            samples.V2_HEARTBEAT,
            [Notice("", R, 1624493666869000000, NoticeKind.HEARTBEAT)],
        ),
        (samples.V2_REFUSED, [Notice("", R, None, NoticeKind.REJECTED, "NoValidTradingPairs")]),
    ],
)
def test_a_message_of_version_2_means_what_it_says(payload: bytes, expected: list[object]) -> None:
    assert decoded(V2_NAME, payload) == expected


@pytest.mark.parametrize(
    ("payload", "old", "new"),
    [
        (samples.DELTA, b'"U":1764527605192323,', b""),
        (samples.DELTA, b'"b":[["2482.5500","0.000"]]', b'"b":"2482.5500"'),
        (samples.DELTA, b'"0.000"]],"a"', b'0.000]],"a"'),
        (samples.TRADE, b',"m":true', b""),
        (samples.TRADE, b'"p":"77303.50",', b""),
        (samples.QUOTE, b'"b":"77303.50"', b'"b":[]'),
        (samples.ORDER, b'"z":"0.20"', b'"z":"much"'),
        (samples.POSITION, b'"-3"', b'"--3"'),
    ],
)
def test_a_stream_message_that_lacks_what_it_needs_is_refused(
    payload: bytes, old: bytes, new: bytes
) -> None:
    assert old in payload
    with pytest.raises(UNDECODABLE):
        decoded(NAME, payload.replace(old, new))


def depth(first: int, last: int, bids: list[list[str]]) -> bytes:
    return json.dumps(
        {"e": "depthUpdate", "E": last, "s": "btcusd", "U": first, "u": last, "b": bids, "a": []}
    ).encode()


def test_each_message_follows_the_one_before_and_a_hole_asks_for_a_fresh_book() -> None:
    assert GEMINI.traits.loss_detection is LossDetection.EVERY_MESSAGE
    spoken = [
        depth(5, 5, [["100", "1"], ["99", "2"]]),
        depth(5, 9, [["100", "0"]]),
        depth(9, 14, [["98", "3"]]),
        depth(14, 15, [["97", "1"]]),
    ]

    def played(payloads: list[bytes]) -> Engine:
        engine = Engine()
        for place, payload in enumerate(payloads):
            engine.apply(Frame(place, 1, NAME, FrameKind.TEXT, R + place, None, payload))
        return engine

    whole = played(spoken)
    assert whole.markets[NAME, "btcusd"].book.proven
    bids, _ = book_rows(whole.markets[NAME, "btcusd"].book)
    assert [int(price) for price, _ in bids] == [99, 98, 97]
    holed = played([spoken[0], spoken[1], spoken[3]])
    assert not holed.markets[NAME, "btcusd"].book.proven
    assert [request.symbol for request in holed.take_snapshot_requests()] == ["btcusd"]
    for place, fresh in enumerate([depth(20, 20, [["96", "1"]]), depth(20, 21, [])], start=9):
        holed.apply(Frame(place, 1, NAME, FrameKind.TEXT, R + place, None, fresh))
    assert holed.markets[NAME, "btcusd"].book.proven


def test_streams_are_asked_for_a_symbol_at_a_time_with_a_whole_book_first() -> None:
    (plan,) = plans(NAME, "BTC-USD", "ethusd", channels=(Channel.BOOK, Channel.TRADES))
    assert plan.url == "wss://ws.gemini.com?snapshot=-1"
    assert [json.loads(message) for message in plan.subscribe_messages] == [
        {"id": 1, "method": "subscribe", "params": ["btcusd@depth@100ms", "btcusd@trade"]},
        {"id": 2, "method": "subscribe", "params": ["ethusd@depth@100ms", "ethusd@trade"]},
    ]
    again = [json.loads(message) for message in GEMINI.resubscribe_messages(plan, "btcusd")]
    assert [(each["method"], each["params"]) for each in again] == [
        ("unsubscribe", ["btcusd@depth@100ms"]),
        ("subscribe", ["btcusd@depth@100ms"]),
    ]
    (perpetual,) = plans(NAME, "BTC-USDC-PERP", channels=(Channel.QUOTES,))
    assert perpetual.subscriptions == (Subscription(Channel.QUOTES, "btcusdcperp"),)


def test_version_2_asks_for_book_and_trades_at_once() -> None:
    (plan,) = plans(V2_NAME, "BTC-USD", "ethusd", channels=(Channel.BOOK, Channel.TRADES))
    assert plan.url == "wss://api.gemini.com/v2/marketdata"
    (message,) = plan.subscribe_messages
    assert json.loads(message) == {
        "type": "subscribe",
        "subscriptions": [{"name": "l2", "symbols": ["BTCUSD", "ETHUSD"]}],
    }
    assert set(plan.subscriptions) == {
        Subscription(channel, symbol)
        for channel in (Channel.BOOK, Channel.TRADES)
        for symbol in ("BTCUSD", "ETHUSD")
    }
    assert V2.traits.loss_detection is LossDetection.NONE


def test_the_handshake_of_an_account_is_signed_and_the_exchanges_side_accepts_it() -> None:
    channels = (Channel.ORDER, Channel.POSITION, Channel.WALLET)
    (plan,) = plans(NAME, channels=channels)
    assert (plan.private, plan.url) == (True, "wss://ws.gemini.com")
    assert [json.loads(message)["params"] for message in plan.subscribe_messages] == [
        ["orders@account"],
        ["positions@account"],
        ["balances@account"],
    ]
    login = GEMINI.login(plan, KEYS, TIME_MS, b"")
    # printf 1700000000 | base64 | tr -d '\n' | openssl dgst -sha384 -hmac secret-1
    assert dict(login.headers) == {
        "X-GEMINI-APIKEY": "account-key",
        "X-GEMINI-NONCE": "1700000000",
        "X-GEMINI-PAYLOAD": "MTcwMDAwMDAwMA==",
        "X-GEMINI-SIGNATURE": (
            "8f3d268d043da6a2d7015c373ed02fed17e591d6618d3287"
            "b3ad4a818350e39ed520181778172640f791a52c2988ca80"
        ),
    }
    sent = {name.lower(): value for name, value in login.headers}
    accepts = GEMINI.dialect.handshake_valid
    assert accepts("/", sent, KEYS)
    assert not accepts("/", sent, Credentials("account-key", "secret-2"))
    assert not accepts("/", sent | {"x-gemini-nonce": "1700000001"}, KEYS)
    assert not accepts("/", {}, KEYS)
    with pytest.raises(CredentialsError):
        GEMINI.login(plan, None, TIME_MS, b"")


def test_what_a_client_says_is_understood_and_answered() -> None:
    dialect = GEMINI.dialect
    ping = dialect.read_request((GEMINI.heartbeat(0) or "").encode())
    assert ping.kind is RequestKind.PING
    (pong,) = dialect.answer(ping, None)
    assert json.loads(pong) == {"id": "ping", "status": 200}
    asked = dialect.read_request(b'{"id":7,"method":"SUBSCRIBE","params":["BTCUSD@trade"]}')
    assert (asked.kind, asked.topics) == (RequestKind.SUBSCRIBE, ("btcusd@trade",))
    listed = dialect.read_request(b'{"id":8,"method":"list_subscriptions"}')
    assert listed.kind is RequestKind.LIST
    (refusal,) = dialect.answer(asked, "Invalid stream name: btcusd@trade")
    assert json.loads(refusal)["error"] == {
        "code": -1013,
        "msg": "Invalid stream name: btcusd@trade",
    }


@pytest.mark.parametrize(
    ("name", "payload", "topic"),
    [
        (NAME, samples.DELTA, "ethgusdperp@depth@100ms"),
        (NAME, samples.TRADE, "btcusd@trade"),
        (NAME, samples.NAMED_TRADE, "btcusd@trade"),
        (NAME, samples.QUOTE, "btcusd@bookTicker"),
        (NAME, samples.ORDER, "orders@account"),
        (NAME, samples.ACCEPTED, None),
        (V2_NAME, samples.V2_BOOK, "l2:ALCXUSD"),
        (V2_NAME, samples.V2_TRADE, "l2:ANKRUSD"),
        (V2_NAME, samples.V2_HEARTBEAT, None),
    ],
)
def test_a_recorded_message_tells_its_topic(name: str, payload: bytes, topic: str | None) -> None:
    assert venue_named(name).dialect.topic(payload) == topic


def test_steps_written_as_powers_of_ten_are_plain_numbers() -> None:
    body = (
        b'{"symbol":"BTCUSD","base_currency":"BTC","quote_currency":"USD","tick_size":1E-8,'
        b'"quote_increment":0.01,"min_order_size":"0.00001","status":"open"}'
    )
    for name, symbol in ((NAME, "btcusd"), (V2_NAME, "BTCUSD")):
        frame = http_frame(body, symbol, purpose=Purpose.INSTRUMENTS)
        assert decoded_http(name, frame) == [Instrument(symbol, R, None, "0.01", "0.00000001")]
        (plan,) = plans(name, symbol)
        (request,) = venue_named(name).instrument_requests(plan)
        assert request.url == "https://api.gemini.com/v1/symbols/details/btcusd"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("wss://api.gemini.com/v2/marketdata/", V2_NAME),
        ("wss://ws.gemini.com/?snapshot=-1", NAME),
    ],
)
def test_a_recorded_address_tells_which_protocol_it_is(url: str, name: str) -> None:
    found = venue_at(url)
    assert found is not None
    assert found.name == name
