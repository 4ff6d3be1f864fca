"""What the exchanges' own endpoints say of their instruments, of Bybit and Binance."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.venues.sample_frames import RECEIVED_NS, decoded_http, http_frame
from venues.event import ContractKind, Event, Instrument
from venues.registry import venue_named
from venues.venue import Purpose, StreamRequest

R = RECEIVED_NS
BYBIT = (
    b'{"retCode":0,"retMsg":"OK","result":{"category":"x","list":[{"symbol":"BTCUSDT",'
    b'"priceFilter":{"minPrice":"0.10","tickSize":"0.10"},'
    b'"lotSizeFilter":{"maxOrderQty":"1190.000","qtyStep":"0.001"}}],"nextPageCursor":""}}'
)
BYBIT_SPOT = BYBIT.replace(b'"qtyStep":"0.001"', b'"basePrecision":"0.000001"')
BINANCE = (
    b'{"timezone":"UTC","serverTime":1,"symbols":[{"symbol":"BTCUSDT","status":"TRADING",'
    b'"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.01000000","tickSize":"0.01000000"},'
    b'{"filterType":"LOT_SIZE","stepSize":"0.00001000"},{"filterType":"MAX_NUM_ORDERS"}]}]}'
)
COIN_M = (
    b'{"symbols":[{"symbol":"BTCUSD_PERP","contractSize":100,"filters":[{"filterType":'
    b'"PRICE_FILTER","tickSize":"0.1"},{"filterType":"LOT_SIZE","stepSize":"1"}]}]}'
)


def instrument(symbol: str, tick: str, lot: str, kind: ContractKind, size: str | None) -> Event:
    return Instrument(symbol, R, None, tick, lot, kind, size)


@pytest.mark.parametrize(
    ("venue", "body", "expected"),
    [
        ("bybit-spot", BYBIT_SPOT, ("BTCUSDT", "0.10", "0.000001", ContractKind.COIN, None)),
        ("bybit-linear", BYBIT, ("BTCUSDT", "0.10", "0.001", ContractKind.COIN, None)),
        ("bybit-inverse", BYBIT, ("BTCUSDT", "0.10", "0.001", ContractKind.INVERSE, "1")),
        ("binance-spot", BINANCE, ("BTCUSDT", "0.01000000", "0.00001000", ContractKind.COIN, None)),
        ("binance-usdm", BINANCE, ("BTCUSDT", "0.01000000", "0.00001000", ContractKind.COIN, None)),
        ("binance-coinm", COIN_M, ("BTCUSD_PERP", "0.1", "1", ContractKind.INVERSE, "100")),
    ],
)
def test_an_instruments_answer_gives_its_steps_and_its_contract(
    venue: str, body: bytes, expected: tuple[str, str, str, ContractKind, str | None]
) -> None:
    frame = http_frame(body, "", purpose=Purpose.INSTRUMENTS)
    assert decoded_http(venue, frame) == [instrument(*expected)]


@pytest.mark.parametrize(
    ("venue", "symbols", "asked"),
    [
        ("bybit-linear", 2, "/v5/market/instruments-info?category=linear&symbol=BTCUSDT"),
        ("binance-spot", 2, "/api/v3/exchangeInfo?symbol=BTCUSDT"),
        ("binance-coinm", 1, "/dapi/v1/exchangeInfo"),
        ("reference", 0, None),
    ],
)
def test_instruments_are_asked_for_where_the_exchange_answers_about_them(
    venue: str, symbols: int, asked: str | None
) -> None:
    this = venue_named(venue)
    (plan, *_) = this.plan(StreamRequest(venue, ("BTCUSDT", "ETHUSDT"), ()))
    requests = this.instrument_requests(plan)
    assert len(requests) == symbols
    assert all(request.purpose is Purpose.INSTRUMENTS for request in requests)
    if asked is not None:
        url = urlsplit(requests[0].url)
        assert f"{url.path}?{url.query}".rstrip("?") == asked
