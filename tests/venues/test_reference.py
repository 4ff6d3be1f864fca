"""The reference protocol, word by word."""

from __future__ import annotations

import hashlib
import hmac
import json
import zlib
from decimal import Decimal

import pytest

from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples.first_three import (
    BYBIT_ORDER,
    BYBIT_POSITION,
    BYBIT_WALLET,
    REFERENCE_DELTA,
    REFERENCE_LIQUIDATION,
    REFERENCE_LIQUIDATIONS,
    REFERENCE_SNAPSHOT,
    REFERENCE_TRADES,
)
from venues.channel import Channel
from venues.event import (
    BookDelta,
    BookSnapshot,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Side,
    Trade,
    WalletUpdate,
)
from venues.registry import venue_named
from venues.traits import ChecksumLayout
from venues.venue import Credentials, StreamRequest

MS = 1_000_000
REFERENCE = venue_named("reference")
KEYS = Credentials("key-1", "secret-1")


def test_a_snapshot_states_the_book_with_its_checksum() -> None:
    assert decoded("reference", REFERENCE_SNAPSHOT) == [
        BookSnapshot(
            "BTCUSDT",
            RECEIVED_NS,
            None,
            [("100.50", "2"), ("100.40", "1.0")],
            [("100.60", "0.500")],
            7,
            1732041059,
        )
    ]


def test_the_declared_checksum_is_of_the_interleaved_levels_in_the_digits_sent() -> None:
    """The sample's checksum is that of the text that the declared rule gives, written out here."""
    rule = REFERENCE.traits.checksum
    assert rule is not None
    assert (rule.layout, rule.levels, rule.signed, rule.separator) == (
        ChecksumLayout.INTERLEAVED,
        25,
        False,
        "|",
    )
    text = b"100.50:2|100.60:0.500|100.40:1.0"
    assert json.loads(REFERENCE_SNAPSHOT)["data"]["checksum"] == zlib.crc32(text)


def test_a_delta_may_come_without_a_checksum() -> None:
    expected = BookDelta("BTCUSDT", RECEIVED_NS, None, [("100.40", "0")], [], 8, 8, None, None)
    assert decoded("reference", REFERENCE_DELTA) == [expected]
    absent = REFERENCE_DELTA.replace(b',"checksum":null', b"")
    assert decoded("reference", absent) == [expected]


def test_a_book_with_a_time_has_it() -> None:
    payload = REFERENCE_DELTA[:-1] + b',"ts":1700000000123}'
    (event,) = decoded("reference", payload)
    assert event.exchange_time_ns == 1700000000123 * MS


@pytest.mark.parametrize("checksum", [b"-1", b"4294967296", b'"7"'])
def test_a_checksum_is_an_unsigned_32_bit_number(checksum: bytes) -> None:
    with pytest.raises(ValueError, match="checksum"):
        decoded("reference", REFERENCE_DELTA.replace(b"null", checksum))


def test_trades_are_read_in_order() -> None:
    assert decoded("reference", REFERENCE_TRADES) == [
        Trade("BTCUSDT", RECEIVED_NS, 1700000000000 * MS, "100.50", "0.10", Side.BUY, "t-1"),
        Trade("BTCUSDT", RECEIVED_NS, 1700000000001 * MS, "100.40", "1", Side.SELL, "t-2"),
    ]


def test_a_sell_liquidates_a_long_and_data_may_be_one_or_a_list() -> None:
    assert decoded("reference", REFERENCE_LIQUIDATION) == [
        Liquidation(
            "BTCUSDT",
            RECEIVED_NS,
            1700000000002 * MS,
            "100.40",
            "3",
            LiquidatedSide.LONG,
            "Sell",
            Decimal("301.20"),
        )
    ]
    assert decoded("reference", REFERENCE_LIQUIDATIONS) == [
        Liquidation(
            "BTCUSDT",
            RECEIVED_NS,
            1700000000003 * MS,
            "100.40",
            "0.5",
            LiquidatedSide.SHORT,
            "Buy",
            Decimal("50.200"),
        )
    ]


def test_private_updates_have_the_documented_shapes() -> None:
    events = [
        event
        for payload in (BYBIT_ORDER, BYBIT_POSITION, BYBIT_WALLET)
        for event in decoded("reference", payload)
    ]
    assert [type(event) for event in events] == [OrderUpdate, PositionUpdate, WalletUpdate]
    assert [event.symbol for event in events] == ["BTCUSDT", "ETHUSDT", "BTC"]


@pytest.mark.parametrize(
    "result",
    [
        {"s": "BTCUSDT", "b": [["1", "2"]], "a": [["3", "4"]], "ts": 1700000000000, "seq": 9},
        {"s": "BTCUSDT", "b": [["1", "2"]], "a": [["3", "4"]], "ts": 1700000000000, "u": 9},
        {"bids": [["1", "2"]], "asks": [["3", "4"]], "ts": 1700000000000, "seq": 9, "u": 8},
    ],
)
def test_a_rest_book_is_read_in_both_spellings(result: dict[str, object]) -> None:
    body = json.dumps({"retCode": 0, "retMsg": "OK", "result": result}).encode()
    assert decoded_http("reference", http_frame(body, "BTCUSDT")) == [
        BookSnapshot(
            "BTCUSDT",
            RECEIVED_NS,
            1700000000000 * MS,
            [("1", "2")],
            [("3", "4")],
            9,
            None,
            True,
        )
    ]


def test_a_rest_book_that_lacks_its_sequence_is_refused() -> None:
    body = b'{"retCode":0,"retMsg":"OK","result":{"s":"X","b":[],"a":[]}}'
    with pytest.raises(ValueError, match="lacks"):
        decoded_http("reference", http_frame(body))


def test_the_dialects_rest_book_is_read_back() -> None:
    body = REFERENCE.dialect.snapshot_body("BTCUSDT", [("1", "2")], [("3", "4")], 9, 1700000000000)
    assert json.loads(body) == {
        "retCode": 0,
        "retMsg": "OK",
        "result": {
            "s": "BTCUSDT",
            "b": [["1", "2"]],
            "a": [["3", "4"]],
            "ts": 1700000000000,
            "seq": 9,
            "u": 9,
        },
    }
    (event,) = decoded_http("reference", http_frame(body))
    assert event == BookSnapshot(
        "BTCUSDT",
        RECEIVED_NS,
        1700000000000 * MS,
        [("1", "2")],
        [("3", "4")],
        9,
        None,
        True,
    )


def test_subscribing_says_what_the_protocol_says() -> None:
    channels = (Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS)
    (plan,) = REFERENCE.plan(StreamRequest("reference", ("BTCUSDT",), channels))
    assert plan.url == "ws://127.0.0.1:8765/realtime"
    assert plan.subscribe_messages == (
        '{"op":"subscribe","args":["orderbook.50.BTCUSDT","publicTrade.BTCUSDT",'
        '"allLiquidation.BTCUSDT"]}',
    )
    request = REFERENCE.dialect.read_request(plan.subscribe_messages[0].encode())
    assert REFERENCE.dialect.answer(request, None) == [
        '{"success":true,"op":"subscribe","ret_msg":""}'
    ]
    assert REFERENCE.dialect.answer(request, "unknown topic x") == [
        '{"success":false,"op":"subscribe","ret_msg":"unknown topic x"}'
    ]


def login_message(time_ms: int) -> str:
    (plan,) = REFERENCE.plan(StreamRequest("reference", (), (Channel.ORDER,)))
    message = REFERENCE.login(plan, KEYS, time_ms, b"").message
    assert message is not None
    return message


def test_a_login_is_signed_over_time_method_and_path() -> None:
    message = json.loads(login_message(1700000000000))
    signed = hmac.new(b"secret-1", b"1700000000000GET/realtime", hashlib.sha256).hexdigest()
    assert message == {"op": "auth", "args": ["key-1", 1700000000000, signed]}


def test_a_login_with_its_time_as_text_is_valid_too() -> None:
    signed = hmac.new(b"secret-1", b"1700000000000GET/realtime", hashlib.sha256).hexdigest()
    payload = json.dumps({"op": "auth", "args": ["key-1", "1700000000000", signed]}).encode()
    request = REFERENCE.dialect.read_request(payload)
    assert REFERENCE.dialect.login_valid(request, KEYS)


def test_a_login_is_answered_without_an_operation() -> None:
    request = REFERENCE.dialect.read_request(login_message(1).encode())
    assert REFERENCE.dialect.answer(request, None) == ['{"success":true,"ret_msg":""}']
    assert REFERENCE.dialect.answer(request, "bad signature") == [
        '{"success":false,"ret_msg":"bad signature"}'
    ]


@pytest.mark.parametrize(
    ("payload", "kind", "text"),
    [
        (b'{"success":true,"ret_msg":""}', NoticeKind.LOGGED_IN, ""),
        (b'{"success":false,"ret_msg":"bad signature"}', NoticeKind.LOGIN_REFUSED, "bad signature"),
        (b'{"success":true,"op":"auth","ret_msg":""}', NoticeKind.LOGGED_IN, ""),
        (b'{"success":true,"op":"subscribe","ret_msg":""}', NoticeKind.ACKNOWLEDGED, ""),
        (b'{"success":false,"op":"subscribe","ret_msg":"no"}', NoticeKind.REJECTED, "no"),
        (b'{"op":"pong"}', NoticeKind.HEARTBEAT, ""),
    ],
)
def test_answers_are_notices(payload: bytes, kind: NoticeKind, text: str) -> None:
    assert REFERENCE.read_notice(payload) == Notice("", 0, None, kind, text)
    assert decoded("reference", payload) == [Notice("", RECEIVED_NS, None, kind, text)]


def test_a_ping_is_answered_by_a_pong() -> None:
    message = REFERENCE.traits.keepalive.message
    assert message == '{"op":"ping"}'
    request = REFERENCE.dialect.read_request(message.encode())
    assert REFERENCE.dialect.answer(request, None) == ['{"op":"pong"}']


def test_a_snapshot_is_fetched_at_the_depth_of_the_stream() -> None:
    request = StreamRequest("reference", ("BTCUSDT",), (Channel.BOOK,), depth=200)
    (plan,) = REFERENCE.plan(request)
    wish = REFERENCE.snapshot_request(plan, "BTCUSDT")
    assert wish is not None
    assert wish.url == "http://127.0.0.1:8765/v5/market/orderbook?symbol=BTCUSDT&limit=200"
    assert REFERENCE.dialect.snapshot_symbol(wish.url.partition(":8765")[2]) == "BTCUSDT"
