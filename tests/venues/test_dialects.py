"""What a server that stands in for an exchange understands and says."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tests.venues.sample_frames import (
    FIRST_NAMES,
    as_bytes,
    decoded,
    decoded_http,
    http_frame,
)
from tests.venues.samples.first_three import (
    COIN_FORCE_ORDER,
    SPOT_DEPTH,
    SPOT_QUOTE,
    SPOT_TRADE,
    USDM_QUOTE,
    wrapped,
)
from venues.event import BookSnapshot, NoticeKind
from venues.registry import venue_named
from venues.venue import ClientRequest, RequestKind

SPOT = venue_named("binance-spot").dialect
USDM = venue_named("binance-usdm").dialect
COINM = venue_named("binance-coinm").dialect
LINEAR = venue_named("bybit-linear").dialect


@pytest.mark.parametrize(
    ("path", "topics"),
    [
        (
            "/stream?streams=btcusdt@depth@100ms/btcusdt@trade",
            ("btcusdt@depth@100ms", "btcusdt@trade"),
        ),
        ("/stream?streams=btcusdt%40trade", ("btcusdt@trade",)),
        ("/stream", ()),
        ("/stream?streams=", ()),
        ("/ws/btcusdt@trade", ("btcusdt@trade",)),
        ("/ws/btcusdt@trade/ethusdt@trade", ("btcusdt@trade", "ethusdt@trade")),
        ("/ws", ()),
    ],
)
def test_binance_streams_may_stand_in_the_path(path: str, topics: tuple[str, ...]) -> None:
    assert SPOT.connect_topics(path) == topics


def test_usdm_streams_may_stand_in_the_path_of_either_part() -> None:
    assert USDM.connect_topics("/market/stream?streams=a@forceOrder") == ("a@forceOrder",)
    assert USDM.connect_topics("/public/ws/a@trade") == ("a@trade",)
    assert USDM.connect_topics("/stream?streams=a@trade") == ("a@trade",)


@pytest.mark.parametrize(
    ("payload", "kind", "topics"),
    [
        (
            b'{"method":"SUBSCRIBE","params":["a@trade"],"id":7}',
            RequestKind.SUBSCRIBE,
            ("a@trade",),
        ),
        (
            b'{"id":7,"method":"UNSUBSCRIBE","params":["a@trade"]}',
            RequestKind.UNSUBSCRIBE,
            ("a@trade",),
        ),
        (b'{"method":"LIST_SUBSCRIPTIONS","id":7}', RequestKind.LIST, ()),
        (
            b'{"method":"SET_PROPERTY","params":["combined"],"id":7}',
            RequestKind.UNREADABLE,
            ("combined",),
        ),
    ],
)
def test_binance_methods_are_understood(
    payload: bytes, kind: RequestKind, topics: tuple[str, ...]
) -> None:
    assert SPOT.read_request(payload) == ClientRequest(kind, topics, 7, payload)


def test_binance_answers_carry_the_requests_id() -> None:
    request = SPOT.read_request(b'{"method":"SUBSCRIBE","params":["a@trade"],"id":"x-1"}')
    assert SPOT.answer(request, None) == ['{"result":null,"id":"x-1"}']
    (refusal,) = SPOT.answer(request, "Invalid request: invalid stream")
    assert json.loads(refusal) == {
        "error": {"code": 2, "msg": "Invalid request: invalid stream"},
        "id": "x-1",
    }


def test_binance_lists_what_is_subscribed() -> None:
    request = SPOT.read_request(b'{"method":"LIST_SUBSCRIPTIONS","id":3}')
    answer = SPOT.answer(dataclasses.replace(request, topics=("a@trade",)), None)
    assert answer == ['{"result":["a@trade"],"id":3}']


@pytest.mark.parametrize("name", FIRST_NAMES)
@pytest.mark.parametrize("payload", [b"hello", b"", b"[]", b'{"op":7}', b"\xff", b"[" * 100_000])
def test_an_unreadable_request_is_refused_in_the_exchanges_words(name: str, payload: bytes) -> None:
    venue = venue_named(name)
    request = venue.dialect.read_request(payload)
    assert request.kind is RequestKind.UNREADABLE
    (answer,) = venue.dialect.answer(request, None)
    notice = venue.read_notice(as_bytes(answer))
    assert notice is not None
    assert notice.kind is NoticeKind.REJECTED


def test_bybit_echoes_the_request_id_and_pongs_differ() -> None:
    request = LINEAR.read_request(b'{"req_id":"100001","op":"ping"}')
    (public,) = LINEAR.answer(request, None)
    assert json.loads(public) == {
        "success": True,
        "ret_msg": "pong",
        "conn_id": "tickreel",
        "req_id": "100001",
        "op": "ping",
    }
    (private,) = LINEAR.answer(dataclasses.replace(request, private=True), None)
    pong = json.loads(private)
    assert (pong["op"], pong["req_id"]) == ("pong", "100001")
    for text in (public, private):
        notice = venue_named("bybit-linear").read_notice(as_bytes(text))
        assert notice is not None
        assert notice.kind is NoticeKind.HEARTBEAT


def test_bybit_without_a_request_id_gets_none_back() -> None:
    request = LINEAR.read_request(b'{"op":"subscribe","args":["publicTrade.BTCUSDT"]}')
    assert request.topics == ("publicTrade.BTCUSDT",)
    assert "req_id" not in json.loads(LINEAR.answer(request, None)[0])


def test_only_spot_repeats_the_operation_in_its_message() -> None:
    payload = b'{"op":"subscribe","args":["publicTrade.BTCUSDT"]}'
    for category, message in (("spot", "subscribe"), ("linear", ""), ("inverse", "")):
        dialect = venue_named(f"bybit-{category}").dialect
        (answer,) = dialect.answer(dialect.read_request(payload), None)
        assert json.loads(answer)["ret_msg"] == message


def test_a_message_is_wrapped_where_streams_are_combined_and_bare_elsewhere() -> None:
    message = wrapped("btcusdt@trade", SPOT_TRADE)
    assert SPOT.wire_payload(message, "/stream?streams=btcusdt@trade") == message
    assert SPOT.wire_payload(message, "/ws/btcusdt@trade") == SPOT_TRADE
    assert SPOT.wire_payload(SPOT_TRADE, "/stream") == message
    assert SPOT.wire_payload(SPOT_TRADE, "/ws") == SPOT_TRADE
    assert decoded("binance-spot", message) == decoded("binance-spot", SPOT_TRADE)


def test_answers_are_never_wrapped() -> None:
    assert SPOT.wire_payload(b'{"result":null,"id":1}', "/stream") == b'{"result":null,"id":1}'


@pytest.mark.parametrize(
    ("payload", "topic"),
    [
        (wrapped("btcusdt@depth@100ms", SPOT_DEPTH), "btcusdt@depth@100ms"),
        (SPOT_DEPTH, "btcusdt@depth"),
        (SPOT_QUOTE, "btcusdt@bookTicker"),
        (USDM_QUOTE, "btcusdt@bookTicker"),
        (COIN_FORCE_ORDER, "ethusd_perp@forceOrder"),
        (b'{"lastUpdateId":1,"bids":[],"asks":[]}', None),
        (b'{"result":null,"id":1}', None),
        (b'{"e":"serverShutdown","E":1}', None),
        (b"no JSON", None),
        (b'{"stream":"btcusdt\\u0040trade","data":{}}', "btcusdt@trade"),
        ('{"stream":"币安人生usdt@trade","data":{}}'.encode(), "币安人生usdt@trade"),
        (b'{"stream":"!serverShutdown","data":{"e":"serverShutdown"}}', None),
        (b'{"stream":"btcusdt@tra', None),
    ],
)
def test_a_recorded_message_tells_its_stream(payload: bytes, topic: str | None) -> None:
    assert COINM.topic(payload) == topic


@pytest.mark.parametrize("name", FIRST_NAMES)
@pytest.mark.parametrize("time_ms", [None, 1_700_000_000_123])
def test_a_served_snapshot_is_read_back(name: str, time_ms: int | None) -> None:
    bids, asks = [("100.50", "2"), ("100.40", "1")], [("100.60", "0.500")]
    body = venue_named(name).dialect.snapshot_body("BTCUSDT", bids, asks, 42, time_ms)
    (event,) = decoded_http(name, http_frame(body, "BTCUSDT"))
    assert isinstance(event, BookSnapshot)
    assert (event.symbol, event.bids, event.asks, event.sequence) == ("BTCUSDT", bids, asks, 42)
    assert event.unjoined
    timeless = time_ms is None or name == "binance-spot"
    assert event.exchange_time_ns == (None if timeless else 1_700_000_000_123_000_000)


@pytest.mark.parametrize(
    ("name", "path", "symbol"),
    [
        ("reference", "/v5/market/orderbook?symbol=BTCUSDT&limit=50", "BTCUSDT"),
        ("bybit-linear", "/v5/market/orderbook?category=linear&symbol=btcusdt", "BTCUSDT"),
        ("bybit-linear", "/v5/market/orderbook?category=spot&symbol=BTCUSDT", None),
        ("binance-spot", "/api/v3/depth?symbol=BTCUSDT", "BTCUSDT"),
        ("binance-spot", "/fapi/v1/depth?symbol=BTCUSDT", None),
        ("binance-usdm", "/fapi/v1/depth?limit=1000&symbol=BTCUSDT", "BTCUSDT"),
        ("binance-coinm", "/dapi/v1/depth?symbol=BTCUSD_PERP", "BTCUSD_PERP"),
        ("binance-spot", "/api/v3/depth", None),
        ("binance-spot", "/api/v3/depth?symbol=a/b", None),
        ("reference", "/elsewhere?symbol=BTCUSDT", None),
    ],
)
def test_a_snapshot_request_tells_its_symbol(name: str, path: str, symbol: str | None) -> None:
    assert venue_named(name).dialect.snapshot_symbol(path) == symbol


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("reference", ["/realtime"]),
        ("bybit-inverse", ["/v5/public/inverse", "/v5/private"]),
        ("binance-spot", ["/stream", "/ws", "/ws/btcusdt@trade"]),
        ("binance-usdm", ["/public/stream", "/market/ws/a@trade", "/stream", "/ws"]),
    ],
)
def test_the_paths_of_an_exchange_are_served(name: str, paths: list[str]) -> None:
    assert all(venue_named(name).dialect.serves_path(path) for path in paths)
