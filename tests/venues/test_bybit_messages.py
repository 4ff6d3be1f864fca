"""Each Bybit v5 message means what its fields say."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.venues.sample_frames import BYBIT_NAMES, RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples.first_three import (
    BYBIT_DELTA,
    BYBIT_LIQUIDATIONS,
    BYBIT_ORDER,
    BYBIT_POSITION,
    BYBIT_SNAPSHOT,
    BYBIT_TICKER,
    BYBIT_TRADES,
    BYBIT_WALLET,
)
from venues.errors import DecodeError
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
    Ticker,
    Trade,
    WalletUpdate,
)
from venues.registry import venue_named

MS = 1_000_000


@pytest.mark.parametrize("venue", BYBIT_NAMES)
def test_a_snapshot_is_numbered_by_its_update_id_and_timed_by_the_matching_engine(
    venue: str,
) -> None:
    assert decoded(venue, BYBIT_SNAPSHOT) == [
        BookSnapshot(
            "BTCUSDT",
            RECEIVED_NS,
            1787612486093 * MS,
            [("78715", "1.271882")],
            [("78715.1", "0.02")],
            217107084,
        )
    ]


@pytest.mark.parametrize("venue", BYBIT_NAMES)
def test_a_delta_follows_by_its_update_id(venue: str) -> None:
    assert decoded(venue, BYBIT_DELTA) == [
        BookDelta(
            "BTCUSDT",
            RECEIVED_NS,
            1787612486108 * MS,
            [],
            [("78716.8", "0.027559"), ("78748.5", "0")],
            217107085,
            217107085,
        )
    ]


def test_a_book_without_the_matching_time_has_the_messages() -> None:
    (event,) = decoded("bybit-linear", BYBIT_DELTA.replace(b',"cts":1787612486108', b""))
    assert event.exchange_time_ns == 1787612486116 * MS


def test_update_id_1_is_a_snapshot_whatever_its_type_says() -> None:
    (event,) = decoded("bybit-linear", BYBIT_DELTA.replace(b'"u":217107085', b'"u":1'))
    assert isinstance(event, BookSnapshot)
    assert event.sequence == 1
    assert event.asks == [("78716.8", "0.027559"), ("78748.5", "0")]


def test_a_book_message_is_read_wherever_its_topic_stands() -> None:
    turned = b'{"type":"delta",' + BYBIT_DELTA[1:].replace(b'"type":"delta",', b"")
    assert decoded("bybit-linear", turned) == decoded("bybit-linear", BYBIT_DELTA)


@pytest.mark.parametrize("topic", [b"orderbook.full.BTCUSDT", b"orderbook.rpi.BTCUSDT"])
def test_books_of_other_kinds_are_not_taken_for_level_books(topic: bytes) -> None:
    payload = BYBIT_DELTA.replace(b"orderbook.50.BTCUSDT", topic)
    (event,) = decoded("bybit-spot", payload)
    assert event == Notice("", RECEIVED_NS, None, NoticeKind.INFORMATION, topic.decode())


def test_trades_come_in_lists_and_their_side_is_the_takers() -> None:
    assert decoded("bybit-spot", BYBIT_TRADES) == [
        Trade(
            "BTCUSDT",
            RECEIVED_NS,
            1672304486865 * MS,
            "16578.50",
            "0.001",
            Side.BUY,
            "20f43950-d8dd",
        ),
        Trade(
            "BTCUSDT",
            RECEIVED_NS,
            1672304486866 * MS,
            "16578.00",
            "2",
            Side.SELL,
            "20f43950-d8de",
        ),
    ]


def test_a_liquidations_side_is_the_positions() -> None:
    """The side is that of the position: Buy means that a long was liquidated."""
    assert decoded("bybit-linear", BYBIT_LIQUIDATIONS) == [
        Liquidation(
            "BTCUSDT",
            RECEIVED_NS,
            1739502302929 * MS,
            "0.04499",
            "20000",
            LiquidatedSide.LONG,
            "Buy",
            Decimal("899.80"),
        ),
        Liquidation(
            "BTCUSDT",
            RECEIVED_NS,
            1739502302930 * MS,
            "0.045",
            "3.5",
            LiquidatedSide.SHORT,
            "Sell",
            Decimal("0.1575"),
        ),
    ]


def test_an_inverse_contracts_notional_is_its_size() -> None:
    notionals = [
        event.notional
        for event in decoded("bybit-inverse", BYBIT_LIQUIDATIONS)
        if isinstance(event, Liquidation)
    ]
    assert notionals == [Decimal(20000), Decimal("3.5")]


def test_a_ticker_delta_carries_only_what_changed() -> None:
    assert decoded("bybit-linear", BYBIT_TICKER) == [
        Ticker("BTCUSDT", RECEIVED_NS, 1715748763063 * MS, None, "61875.06")
    ]


def test_private_updates_tell_of_orders_positions_and_coins() -> None:
    assert decoded("bybit-linear", BYBIT_ORDER) == [
        OrderUpdate(
            "BTCUSDT",
            RECEIVED_NS,
            1700000007000 * MS,
            "o-1",
            "client-1",
            Side.BUY,
            "30000",
            "0.010",
            "0.002",
            "New",
        )
    ]
    assert decoded("bybit-linear", BYBIT_POSITION) == [
        PositionUpdate("ETHUSDT", RECEIVED_NS, 1700000007001 * MS, None, "0", "0")
    ]
    assert decoded("bybit-linear", BYBIT_WALLET) == [
        WalletUpdate("BTC", RECEIVED_NS, 1700000007002 * MS, "0.5", "0.4")
    ]


def test_orders_of_another_category_belong_to_another_venue() -> None:
    assert decoded("bybit-spot", BYBIT_ORDER) == []
    assert decoded("bybit-inverse", BYBIT_POSITION) == []
    categorised = BYBIT_ORDER.replace(b'"topic":"order"', b'"topic":"order.linear"')
    assert len(decoded("bybit-linear", categorised)) == 1


@pytest.mark.parametrize(
    ("payload", "kind", "text"),
    [
        (
            b'{"success":true,"ret_msg":"subscribe","conn_id":"c","op":"subscribe"}',
            NoticeKind.ACKNOWLEDGED,
            "subscribe",
        ),
        (
            b'{"success":false,"ret_msg":"Invalid topic: x","conn_id":"c","op":"subscribe"}',
            NoticeKind.REJECTED,
            "Invalid topic: x",
        ),
        (
            b'{"success":true,"ret_msg":"","conn_id":"c","request":{"op":"subscribe","args":[]}}',
            NoticeKind.ACKNOWLEDGED,
            "",
        ),
        (
            b'{"success":true,"ret_msg":"pong","conn_id":"c","op":"ping"}',
            NoticeKind.HEARTBEAT,
            "pong",
        ),
        (
            b'{"req_id":"1","op":"pong","args":["1675418560633"],"conn_id":"c"}',
            NoticeKind.HEARTBEAT,
            "",
        ),
        (
            b'{"success":true,"ret_msg":"","op":"auth","conn_id":"c"}',
            NoticeKind.LOGGED_IN,
            "",
        ),
        (
            b'{"op":"auth","success":false,"retCode":10003,"retMsg":"Invalid apikey"}',
            NoticeKind.LOGIN_REFUSED,
            "Invalid apikey",
        ),
        (
            b'{"op":"auth","retCode":0,"retMsg":"","connId":"c"}',
            NoticeKind.LOGGED_IN,
            "",
        ),
        (
            b'{"op":"order.create","retCode":0,"retMsg":"OK","data":{}}',
            NoticeKind.INFORMATION,
            "order.create: OK",
        ),
    ],
)
def test_answers_are_notices(payload: bytes, kind: NoticeKind, text: str) -> None:
    for name in BYBIT_NAMES:
        assert venue_named(name).read_notice(payload) == Notice("", 0, None, kind, text)
        assert decoded(name, payload) == [Notice("", RECEIVED_NS, None, kind, text)]


def test_a_message_that_neither_accepts_nor_refuses_is_no_refusal() -> None:
    """What a client says, should it come back, is no answer to it."""
    for operation in ("subscribe", "auth"):
        payload = f'{{"op":"{operation}","args":["x"]}}'.encode()
        expected = Notice("", RECEIVED_NS, None, NoticeKind.INFORMATION, operation)
        assert decoded("bybit-linear", payload) == [expected]
        assert decoded("reference", payload) == [expected]


def test_market_data_are_no_notices() -> None:
    turned = b'{"type":"delta",' + BYBIT_DELTA[1:].replace(b'"type":"delta",', b"")
    for payload in (BYBIT_DELTA, turned, BYBIT_ORDER):
        assert venue_named("bybit-linear").read_notice(payload) is None


@pytest.mark.parametrize("payload", [b'{"foo":1}', b"{}", b'{"data":{"s":"BTCUSDT"}}'])
def test_an_object_without_topic_or_operation_is_refused(payload: bytes) -> None:
    with pytest.raises(DecodeError, match="neither a topic nor an operation"):
        decoded("bybit-linear", payload)


REST_BODY = (
    b'{"retCode":0,"retMsg":"OK","result":{"s":"BTCUSDT","b":[["27450.50","1.500"]],'
    b'"a":[["27451.00","1.200"]],"ts":1709891679000,"u":1234567,"seq":9876543,'
    b'"cts":1709891678990},"time":1709891679050}'
)


def test_a_rest_book_is_numbered_like_the_stream() -> None:
    assert decoded_http("bybit-linear", http_frame(REST_BODY)) == [
        BookSnapshot(
            "BTCUSDT",
            RECEIVED_NS,
            1709891678990 * MS,
            [("27450.50", "1.500")],
            [("27451.00", "1.200")],
            1234567,
            None,
            True,
        )
    ]


def test_a_refused_rest_book_is_a_notice() -> None:
    body = b'{"retCode":10001,"retMsg":"Not supported symbols","result":{}}'
    text = "refused: Not supported symbols (retCode 10001)"
    assert decoded_http("bybit-linear", http_frame(body, "X")) == [
        Notice("X", RECEIVED_NS, None, NoticeKind.INFORMATION, text)
    ]
