"""Upbit: whole books in binary frames, two spellings, codes and pairs, tokens in the handshake."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from book.book_state import BookState
from book.engine import Engine
from tests.venues.plain_books import book_rows
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples import upbit as samples
from venues.channel import Channel, Subscription
from venues.errors import UNDECODABLE, CredentialsError, UnknownDepthError, UnknownSymbolError
from venues.event import (
    BookSnapshot,
    Instrument,
    Notice,
    NoticeKind,
    OrderUpdate,
    Side,
    Ticker,
    Trade,
    WalletUpdate,
)
from venues.frame import Frame, FrameKind
from venues.registry import venue_named
from venues.traits import LossDetection
from venues.venue import ConnectionPlan, Credentials, Purpose, RequestKind, StreamRequest

NAME = "upbit"
VENUE = venue_named(NAME)
R = RECEIVED_NS
BUY, SELL = Side.BUY, Side.SELL
KEYS = Credentials("key-1", "secret-1")
TIME_MS = 1_700_000_000_123


def plans(*symbols: str, **wishes: Any) -> list[ConnectionPlan]:
    wishes.setdefault("channels", ())
    return VENUE.plan(StreamRequest(NAME, symbols, **wishes))


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.BOOK,
            BookSnapshot(
                "KRW-BTC",
                R,
                1_790_134_773_006_000_000,
                [("116534000", "7.9276E-4")],
                [("116606000", "0.06288509"), ("116609000", "5.0E-4")],
            ),
        ),
        (
            samples.LONG_BOOK,
            BookSnapshot(
                "KRW-BTC",
                R,
                1_790_134_742_106_000_000,
                [("1.16538E8", "0.08120946"), ("1.16537E8", "0.01129382")],
                [("1.16539E8", "0.02054761"), ("1.16542E8", "0.00077720")],
            ),
        ),
        (
            samples.TRADE,
            Trade(
                "KRW-BTC",
                R,
                1_790_134_743_066_000_000,
                "116538000",
                "0.0012",
                SELL,
                "17901347430660000",
            ),
        ),
        (
            samples.LONG_TRADE,
            Trade(
                "KRW-DOGE",
                R,
                1_614_729_599_000_000_000,
                "58.4",
                "836.12040133",
                BUY,
                "1614729599000000",
                history=True,
            ),
        ),
        (samples.TICKER, Ticker("KRW-BTC", R, 1_790_134_743_100_000_000, "116538000")),
        (
            samples.ORDER,
            OrderUpdate(
                "KRW-BTC",
                R,
                1_710_751_597_500_000_000,
                "ac2dc2a3",
                "mine-1",
                BUY,
                "",
                "0.50",
                "0.10",
                "trade",
            ),
        ),
        (
            samples.LONG_ORDER,
            OrderUpdate(
                "KRW-BTC",
                R,
                1_750_000_000_001_000_000,
                "ac2dc2a4",
                "",
                SELL,
                "120000000",
                "0.001",
                "0",
                "wait",
            ),
        ),
        (
            samples.ASSET,
            WalletUpdate("KRW", R, 1_710_146_517_267_000_000, "1397259.04", "1386929.37"),
        ),
        (samples.CANDLE, Notice("", R, None, NoticeKind.INFORMATION, "candle.1s")),
        (samples.UP, Notice("", R, None, NoticeKind.HEARTBEAT, "UP")),
        (
            samples.REFUSED,
            Notice("", R, None, NoticeKind.REJECTED, "WRONG_FORMAT: Format 이 맞지 않습니다."),
        ),
        (
            samples.UNAUTHENTICATED,
            Notice("", R, None, NoticeKind.LOGIN_REFUSED, "INVALID_AUTH: no"),
        ),
    ],
)
def test_a_message_means_what_it_says(payload: bytes, expected: object) -> None:
    assert decoded(NAME, payload) == [expected]


@pytest.mark.parametrize(
    ("payload", "old", "new"),
    [
        (samples.BOOK, b'"ap":116606000', b'"ap":[1]'),
        (samples.BOOK, b'"ap":116606000', b'"ap":null'),
        (samples.BOOK, b'"bs":7.9276E-4', b'"bs":true'),
        (samples.BOOK, b'"cd":"KRW-BTC",', b""),
        (samples.LONG_BOOK, b'"ask_price":1.16539E8', b'"ask_price":{}'),
        (samples.LONG_BOOK, b'"timestamp":1790134742106,', b""),
        (samples.TRADE, b'"ASK"', b'"SELL"'),
        (samples.TRADE, b'"sid":17901347430660000', b'"sid":-1'),
        (samples.ORDER, b'"rv":0.4', b'"rv":"rest"'),
    ],
)
def test_a_message_that_is_not_written_as_it_should_be_is_refused(
    payload: bytes, old: bytes, new: bytes
) -> None:
    assert old in payload
    with pytest.raises(UNDECODABLE):
        decoded(NAME, payload.replace(old, new))


def test_each_message_is_the_whole_book_and_none_is_called_proven() -> None:
    engine = Engine()
    later = samples.BOOK.replace(b"116606000", b"116605000").replace(b"SNAPSHOT", b"REALTIME")
    for place, payload in enumerate((samples.LONG_BOOK, samples.BOOK, later)):
        engine.apply(Frame(place, 1, NAME, FrameKind.BINARY, R + place, None, payload))
    book = engine.markets[NAME, "KRW-BTC"].book
    bids, asks = book_rows(book)
    assert [int(price) for price, _ in bids] == [116534000]
    assert [int(price) for price, _ in asks] == [116605000, 116609000]
    assert book.state is BookState.UNVERIFIABLE
    assert not engine.findings.counts
    assert VENUE.traits.loss_detection is LossDetection.NONE


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ("BTC-KRW", "KRW-BTC"),
        ("KRW-BTC", "KRW-BTC"),
        ("btc-krw", "KRW-BTC"),
        ("ETH-BTC", "BTC-ETH"),
        ("BTC-ETH", "BTC-ETH"),
        ("BTC-USDT", "USDT-BTC"),
        ("USDT-BTC", "USDT-BTC"),
        ("USDT-KRW", "KRW-USDT"),
        ("KRW-USDT", "KRW-USDT"),
        ("XRP-KRW", "KRW-XRP"),
        ("KRW-XRP", "KRW-XRP"),
    ],
)
def test_a_pair_and_a_code_name_the_same_market(text: str, native: str) -> None:
    (plan,) = plans(text, channels=(Channel.TRADES,))
    assert plan.subscriptions == (Subscription(Channel.TRADES, native),)


@pytest.mark.parametrize("text", ["BTC-KRW-PERP", "ETH-USD", "XRP-EUR", "KRWBTC"])
def test_what_is_not_listed_is_refused(text: str) -> None:
    with pytest.raises(UnknownSymbolError):
        plans(text)


def test_one_message_subscribes_to_all_of_a_connection() -> None:
    channels = (Channel.BOOK, Channel.TRADES, Channel.TICKERS)
    (plan,) = plans("BTC-KRW", "KRW-ETH", channels=channels, depth=15)
    assert (plan.url, plan.depth) == ("wss://api.upbit.com/websocket/v1", 15)
    (message,) = plan.subscribe_messages
    assert json.loads(message) == [
        {"ticket": "tickreel"},
        {"type": "orderbook", "codes": ["KRW-BTC.15", "KRW-ETH.15"]},
        {"type": "trade", "codes": ["KRW-BTC", "KRW-ETH"]},
        {"type": "ticker", "codes": ["KRW-BTC", "KRW-ETH"]},
        {"format": "SIMPLE"},
    ]
    assert VENUE.resubscribe_messages(plan, "KRW-BTC") == [message]
    with pytest.raises(UnknownDepthError):
        plans("KRW-BTC", depth=20)
    request = VENUE.dialect.read_request(message.encode())
    assert request.kind is RequestKind.SUBSCRIBE
    assert request.topics[:2] == ("orderbook:KRW-BTC", "orderbook:KRW-ETH")
    assert VENUE.dialect.answer(request, None) == []


def test_the_handshake_of_an_account_carries_a_token_signed_with_hs512() -> None:
    (plan,) = plans(channels=(Channel.ORDER, Channel.WALLET))
    assert (plan.private, plan.url) == (True, "wss://api.upbit.com/websocket/v1/private")
    (message,) = plan.subscribe_messages
    assert json.loads(message)[1:3] == [{"type": "myOrder"}, {"type": "myAsset"}]
    ((name, value),) = VENUE.login(plan, KEYS, TIME_MS, b"").headers
    assert name == "Authorization"
    token = value.removeprefix("Bearer ")
    header, claims, signature = token.split(".")

    def plain(part: str) -> bytes:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    assert json.loads(plain(header)) == {"alg": "HS512", "typ": "JWT"}
    told = json.loads(plain(claims))
    assert told["access_key"] == "key-1"
    assert len(told["nonce"]) == 36
    signed = hmac.new(b"secret-1", f"{header}.{claims}".encode(), hashlib.sha512).digest()
    assert plain(signature) == signed
    again = VENUE.login(plan, KEYS, TIME_MS + 1, b"").headers[0][1]
    assert json.loads(plain(again.split(".")[1]))["nonce"] != told["nonce"]
    accepts = VENUE.dialect.handshake_valid
    assert accepts("/", {"authorization": value}, KEYS)
    assert not accepts("/", {"authorization": value}, Credentials("key-1", "secret-2"))
    assert not accepts("/", {"authorization": value}, Credentials("key-2", "secret-1"))
    assert not accepts("/", {"authorization": "Bearer a.b.c"}, KEYS)
    assert not accepts("/", {}, KEYS)
    with pytest.raises(CredentialsError):
        VENUE.login(plan, Credentials("key-1", ""), TIME_MS, b"")


def test_a_heartbeat_and_a_refusal_are_binary_as_all_that_the_exchange_sends() -> None:
    ping = VENUE.dialect.read_request((VENUE.heartbeat(0) or "").encode())
    assert ping.kind is RequestKind.PING
    assert VENUE.dialect.answer(ping, None) == [b'{"status":"UP"}']
    unreadable = VENUE.dialect.read_request(b'{"ticket":"t"}')
    assert unreadable.kind is RequestKind.UNREADABLE
    assert VENUE.dialect.answer(unreadable, None) == [samples.REFUSED]


@pytest.mark.parametrize(
    ("payload", "topic"),
    [
        (samples.BOOK, "orderbook:KRW-BTC"),
        (samples.LONG_BOOK, "orderbook:KRW-BTC"),
        (samples.LONG_TRADE, "trade:KRW-DOGE"),
        (samples.ORDER, "myOrder"),
        (samples.ASSET, "myAsset"),
        (samples.UP, None),
    ],
)
def test_a_recorded_message_tells_its_topic(payload: bytes, topic: str | None) -> None:
    assert VENUE.dialect.topic(payload) == topic


def test_price_steps_of_all_symbols_are_asked_for_at_once() -> None:
    (plan,) = plans("KRW-BTC", "KRW-ETH")
    (request,) = VENUE.instrument_requests(plan)
    assert request.url == ("https://api.upbit.com/v1/orderbook/instruments?markets=KRW-BTC,KRW-ETH")
    body = (
        b'[{"market":"KRW-BTC","quote_currency":"KRW","tick_size":"1000",'
        b'"supported_levels":["0","10000"]}]'
    )
    frame = http_frame(body, "", purpose=Purpose.INSTRUMENTS)
    assert decoded_http(NAME, frame) == [Instrument("KRW-BTC", R, None, "1000", None)]
