"""One's own account at Binance: how it is reached, and what its messages mean."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import msgspec
import pytest

from recorder.redaction import Redaction
from tests.venues.sample_frames import RECEIVED_NS, decoded
from tests.venues.samples.first_three import (
    ACCOUNT_POSITION,
    ACCOUNT_UPDATE,
    BALANCE_UPDATE,
    CANCELED_REPORT,
    EXECUTION_REPORT,
    LISTEN_KEY_EXPIRED,
    ORDER_TRADE_UPDATE,
    SIGNED_SUBSCRIPTION_REFUSED,
    SIGNED_SUBSCRIPTION_TAKEN,
    SPOT_DEPTH,
    TRADE_LITE,
    subscribed,
    wrapped,
)
from venues.channel import Channel, Subscription
from venues.errors import UNDECODABLE, CredentialsError, UnknownSymbolError
from venues.event import (
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Side,
    WalletUpdate,
)
from venues.registry import venue_named
from venues.venue import (
    ConnectionPlan,
    Credentials,
    HttpRequest,
    Purpose,
    RequestKind,
    StreamRequest,
)

MS = 1_000_000
R = RECEIVED_NS
KEYS = Credentials("key-1", "secret-1")
OTHER_KEYS = Credentials("key-2", "secret-1")
LISTEN_KEY = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
FUTURES = {
    "binance-usdm": ("wss://fstream.binance.com/private/ws", "https://fapi.binance.com/fapi"),
    "binance-coinm": ("wss://dstream.binance.com/ws", "https://dapi.binance.com/dapi"),
}


def account_plan(name: str, *channels: Channel) -> ConnectionPlan:
    request = StreamRequest(name, (), channels or (Channel.ORDER, Channel.WALLET))
    (plan,) = venue_named(name).plan(request)
    return plan


def test_an_order_at_spot_is_as_it_is_after_what_happened() -> None:
    report = OrderUpdate(
        "BTCUSDT",
        R,
        1709654401000 * MS,
        "12345678",
        "x-TD67BGP9-1",
        Side.BUY,
        "61837.63000000",
        "1.00000000",
        "0.25000000",
        "PARTIALLY_FILLED",
    )
    assert decoded("binance-spot", subscribed(EXECUTION_REPORT)) == [report]
    assert decoded("binance-spot", EXECUTION_REPORT) == [report]
    assert decoded("binance-spot", wrapped(LISTEN_KEY, EXECUTION_REPORT)) == [report]


def test_a_canceled_order_keeps_its_own_name_and_not_that_of_the_request_to_cancel() -> None:
    assert decoded("binance-spot", subscribed(CANCELED_REPORT)) == [
        OrderUpdate(
            "BTCUSDT",
            R,
            1709654402000 * MS,
            "12345679",
            "x-TD67BGP9-2",
            Side.SELL,
            "61999.00000000",
            "2.00000000",
            "0.00000000",
            "CANCELED",
        )
    ]


def test_a_balance_at_spot_is_what_is_free_and_what_is_locked_to_the_last_digit() -> None:
    time_ns = 1564034571073 * MS
    assert decoded("binance-spot", subscribed(ACCOUNT_POSITION)) == [
        WalletUpdate("BTC", R, time_ns, "10000.250000", "10000.000000"),
        WalletUpdate("USDT", R, time_ns, "0.00000000", "0.00000000"),
    ]
    long = ACCOUNT_POSITION.replace(b"10000.000000", b"1234567890123456789012345678901.1")
    (coin, _) = decoded("binance-spot", subscribed(long))
    assert isinstance(coin, WalletUpdate)
    assert coin.balance_text == "1234567890123456789012345678901.350000"


@pytest.mark.parametrize("name", sorted(FUTURES))
def test_an_order_of_the_futures(name: str) -> None:
    assert decoded(name, ORDER_TRADE_UPDATE) == [
        OrderUpdate(
            "BTCUSDT",
            R,
            1568879465651 * MS,
            "8886774",
            "TEST",
            Side.SELL,
            "7100.50",
            "0.002",
            "0.001",
            "PARTIALLY_FILLED",
        )
    ]


@pytest.mark.parametrize("name", sorted(FUTURES))
def test_an_account_of_the_futures_has_wallets_and_positions_of_both_modes(name: str) -> None:
    time_ns = 1564745798938 * MS
    assert decoded(name, ACCOUNT_UPDATE) == [
        WalletUpdate("USDT", R, time_ns, "122624.12345678", ""),
        PositionUpdate("BTCUSDT", R, time_ns, None, "0", "0.00000"),
        PositionUpdate("BTCUSDT", R, time_ns, Side.BUY, "20", "6563.66500"),
        PositionUpdate("BTCUSDT", R, time_ns, Side.SELL, "10", "6563.86000"),
        PositionUpdate("ETHUSDT", R, time_ns, Side.SELL, "0.5", "2500.1"),
    ]


@pytest.mark.parametrize(
    ("payload", "text"),
    [(subscribed(BALANCE_UPDATE), "balanceUpdate"), (TRADE_LITE, "TRADE_LITE")],
)
def test_what_is_no_state_of_the_account_is_passed_over_by_name(payload: bytes, text: str) -> None:
    assert decoded("binance-spot", payload) == [Notice("", R, None, NoticeKind.INFORMATION, text)]


@pytest.mark.parametrize(
    ("payload", "kind", "text"),
    [
        (SIGNED_SUBSCRIPTION_TAKEN, NoticeKind.ACKNOWLEDGED, "request 1"),
        (
            SIGNED_SUBSCRIPTION_REFUSED,
            NoticeKind.REJECTED,
            "Signature for this request is not valid. (code -1022)",
        ),
        (LISTEN_KEY_EXPIRED, NoticeKind.WILL_DISCONNECT, "listenKeyExpired"),
        (wrapped(LISTEN_KEY, LISTEN_KEY_EXPIRED), NoticeKind.WILL_DISCONNECT, "listenKeyExpired"),
        (
            subscribed(b'{"e":"eventStreamTerminated","E":1728973001334}'),
            NoticeKind.WILL_DISCONNECT,
            "eventStreamTerminated",
        ),
    ],
)
def test_the_end_of_an_account_s_events_is_announced(
    payload: bytes, kind: NoticeKind, text: str
) -> None:
    assert venue_named("binance-spot").read_notice(payload) == Notice("", 0, None, kind, text)


def test_a_position_at_spot_is_not_offered_and_market_data_still_need_a_symbol() -> None:
    spot = venue_named("binance-spot")
    assert Channel.POSITION not in spot.traits.channels
    with pytest.raises(UnknownSymbolError):
        spot.plan(StreamRequest("binance-spot", (), (Channel.ORDER, Channel.BOOK)))
    both = spot.plan(StreamRequest("binance-spot", ("BTCUSDT",), (Channel.ORDER, Channel.BOOK)))
    assert [plan.stream for plan in both] == ["binance-spot", "binance-spot/private"]


def test_spot_subscribes_with_a_signed_request_and_the_plan_holds_an_unsigned_one() -> None:
    spot, plan = venue_named("binance-spot"), account_plan("binance-spot")
    assert plan == ConnectionPlan(
        "binance-spot/private",
        "wss://ws-api.binance.com:443/ws-api/v3",
        (Subscription(Channel.ORDER, ""), Subscription(Channel.WALLET, "")),
        ('{"id":1,"method":"userDataStream.subscribe.signature"}',),
        True,
        "https://api.binance.com",
        None,
    )
    assert spot.access_request(plan, KEYS, 5) is None
    login = spot.login(plan, KEYS, 1747385641636, b"")
    (message,) = spot.subscribe_messages(plan, login, "", 1747385641636)
    # The signature is that of: printf … | openssl dgst -sha256 -hmac secret-1
    assert json.loads(message) == {
        "id": 1,
        "method": "userDataStream.subscribe.signature",
        "params": {
            "apiKey": "key-1",
            "recvWindow": 60000,
            "timestamp": 1747385641636,
            "signature": "e10f2eaa3ab44ca9cb84b6cb4669fcbb91b3f630570dc9964663d05c4567f24f",
        },
    }
    request = spot.dialect.read_request(message.encode())
    assert request.kind is RequestKind.SUBSCRIBE
    assert spot.dialect.login_valid(request, KEYS)
    assert not spot.dialect.login_valid(request, OTHER_KEYS)
    assert not spot.dialect.login_valid(request, Credentials("key-1", "secret-2"))
    unsigned = spot.dialect.read_request(plan.subscribe_messages[0].encode())
    assert not spot.dialect.login_valid(unsigned, KEYS)


def test_keys_that_cannot_sign_with_an_hmac_are_refused_with_a_word() -> None:
    spot, plan = venue_named("binance-spot"), account_plan("binance-spot")
    with pytest.raises(CredentialsError, match="HMAC"):
        spot.login(plan, Credentials("key-1", "-----BEGIN PRIVATE KEY-----\n…"), 5, b"")
    with pytest.raises(CredentialsError):
        spot.login(plan, Credentials("key-1", ""), 5, b"")


@pytest.mark.parametrize("name", sorted(FUTURES))
def test_the_futures_are_let_in_by_a_listen_key_that_is_renewed(name: str) -> None:
    venue, plan = venue_named(name), account_plan(name, Channel.POSITION)
    (stream_url, rest_url), header = FUTURES[name], (("X-MBX-APIKEY", "key-1"),)
    assert plan.url == f"{stream_url}/[listen-key]"
    assert plan.subscribe_messages == ()
    key_url = f"{rest_url}/v1/listenKey"
    asked = venue.access_request(plan, Credentials("key-1", ""), 5)
    assert asked == HttpRequest(key_url, "", Purpose.ACCESS, "POST", header)
    login = venue.login(plan, KEYS, 5, msgspec.json.encode({"listenKey": LISTEN_KEY}))
    assert login.url == f"{stream_url}/{LISTEN_KEY}"
    assert login.renewal == HttpRequest(key_url, "", Purpose.ACCESS, "PUT", header)
    assert login.renewal_interval_s == 1800.0
    assert venue.subscribe_messages(plan, login, "", 5) == ()
    for answer in (b'{"code":-2014,"msg":"API-key format invalid."}', b'{"listenKey":"a/../b"}'):
        with pytest.raises(UNDECODABLE):
            venue.login(plan, KEYS, 5, answer)
    with pytest.raises(CredentialsError):
        venue.login(plan, None, 5, b"")


@pytest.mark.parametrize("name", sorted(FUTURES))
def test_a_listen_key_is_taken_out_of_all_that_holds_it(name: str) -> None:
    venue, plan = venue_named(name), account_plan(name)
    answer = msgspec.json.encode({"listenKey": LISTEN_KEY})
    redaction = Redaction(KEYS, (plan.url, plan.rest_url))
    redaction.learn_answer(answer)
    login = venue.login(plan, KEYS, 5, answer)
    redaction.learn_login(login)
    for said in (answer, login.url.encode(), wrapped(LISTEN_KEY, ORDER_TRADE_UPDATE)):
        assert LISTEN_KEY.encode() not in redaction.payload(said)
    assert redaction.payload(ORDER_TRADE_UPDATE) == ORDER_TRADE_UPDATE


@pytest.mark.parametrize("name", sorted(FUTURES))
def test_the_exchanges_side_knows_whose_listen_key_an_address_holds(name: str) -> None:
    venue, plan = venue_named(name), account_plan(name)
    dialect = venue.dialect
    request = venue.access_request(plan, KEYS, 5)
    assert request is not None
    headers = {header.lower(): value for header, value in request.headers}
    body = dialect.access_body(urlsplit(request.url).path, "ws://127.0.0.1:9", headers)
    assert body is not None
    path = urlsplit(venue.login(plan, KEYS, 5, body).url).path
    assert dialect.serves_path(path)
    assert dialect.private_path(path)
    assert dialect.connect_topics(path) == dialect.connect_topics(urlsplit(plan.url).path)
    assert dialect.connect_topics(path) == (dialect.topic(ORDER_TRADE_UPDATE),)
    assert dialect.handshake_valid(path, {}, KEYS)
    assert not dialect.handshake_valid(path, {}, OTHER_KEYS)
    assert not dialect.handshake_valid(urlsplit(plan.url).path, {}, KEYS)
    assert dialect.access_body("/elsewhere", "ws://127.0.0.1:9", headers) is None


def test_account_events_are_of_one_topic_and_market_data_of_none_of_it() -> None:
    topic = venue_named("binance-spot").dialect.topic
    assert topic(subscribed(EXECUTION_REPORT)) == topic(subscribed(BALANCE_UPDATE)) == "account"
    assert topic(wrapped(LISTEN_KEY, ORDER_TRADE_UPDATE)) == "account"
    assert topic(wrapped("btcusdt@depth@100ms", SPOT_DEPTH)) == "btcusdt@depth@100ms"
