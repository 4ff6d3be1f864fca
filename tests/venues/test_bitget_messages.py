"""What Bitget's messages of v3, v2 and v1 mean, and its instruments, by values written by hand."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples import bitget as samples
from venues.errors import DecodeError
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    Instrument,
    LiquidatedSide,
    Liquidation,
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
from venues.registry import venue_named
from venues.venue import Purpose, StreamRequest

MS = 1_000_000
R = RECEIVED_NS
FUTURE = "usdt-futures:BTCUSDT"
SEQUENCE = 1304314508780744705


# Messages of v3 and v2, by hand from the documentation and from other projects' notes.


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.BOOK_SNAPSHOT,
            [
                BookSnapshot(
                    *(FUTURE, R, 1746698732562 * MS),
                    [("99756.6", "0.0128"), ("99756.5", "2")],
                    [("99756.7", "23.9774")],
                    SEQUENCE,
                )
            ],
        ),
        (
            samples.BOOK_UPDATE,
            [
                BookDelta(
                    *(FUTURE, R, 1746698732762 * MS, [], [("99756.7", "0")]),
                    *(SEQUENCE + 4, SEQUENCE + 4, SEQUENCE),
                )
            ],
        ),
        (
            samples.BOOKS5,
            [
                BookSnapshot(
                    *("BTCUSDT", R, 1746698732562 * MS),
                    *([("99756.6", "0.0128")], [("99756.7", "23.9774")], SEQUENCE),
                    alone=True,
                )
            ],
        ),
        (
            samples.QUOTE,
            [
                Quote(
                    *("BTCUSDT", R, 1746698732562 * MS),
                    *("99756.6", "0.0128", "99756.7", "23.9774"),
                )
            ],
        ),
        (
            samples.HISTORIC_TRADES,
            [
                Trade(
                    *("BTCUSDT", R, 1736348770627 * MS, "100000", "0.00118", Side.BUY),
                    "1260903622036942849",
                    history=True,
                )
            ],
        ),
        (
            samples.TRADES,
            [
                Trade(
                    *(FUTURE, R, 1756287827920 * MS, "110878.5", "0.07", Side.SELL),
                    "1344534089797185549",
                )
            ],
        ),
        (
            samples.TICKER,
            [
                Ticker(
                    FUTURE, R, 1736371332162 * MS, "100100", "100090", "100080", "0.0001", "12345"
                )
            ],
        ),
        (samples.CANDLES, [Notice("", R, None, NoticeKind.INFORMATION, "kline")]),
        (
            samples.ORDER,
            [
                OrderUpdate(
                    *(FUTURE, R, 1784462400001 * MS, "456", "a1", Side.SELL),
                    *("62500.10", "0.010", "0.004", "partially_filled"),
                )
            ],
        ),
        (
            samples.POSITION,
            [
                PositionUpdate("BTCUSDT", R, 1736378720620 * MS, Side.BUY, "0.020", "61000.5"),
                PositionUpdate("ETHUSDT", R, 1736378720621 * MS, None, "0", "0"),
            ],
        ),
        (samples.ACCOUNT, [WalletUpdate("USDT", R, 1720000000002 * MS, "9", "8")]),
        (
            samples.V2_BOOK,
            [
                BookSnapshot(
                    *("GEMSUSDT", R, 1730963759993 * MS),
                    *([("0.22785", "73.41")], [("0.22816", "155.25")]),
                    alone=True,
                )
            ],
        ),
        (
            samples.V2_QUOTE,
            [Quote("METISUSDT", R, 1730332859988 * MS, "44.82", "3.5344", "44.90", "0.6927")],
        ),
        (
            samples.V2_TRADE,
            [
                Trade(
                    *("OPUSDT", R, 1730332800983 * MS, "1.717", "56.16", Side.BUY),
                    "1235670816495050754",
                )
            ],
        ),
        (
            samples.V2_TICKER,
            [
                Ticker(
                    *("coin-futures:BTCUSD", R, 1730332823217 * MS),
                    *("72331.5", "72330.1", "72340.2", "0.000116", "1234.5"),
                )
            ],
        ),
    ],
)
def test_a_message_decodes_to_what_was_written_down(payload: bytes, expected: list[Event]) -> None:
    assert decoded("bitget", payload) == expected
    pretty = json.dumps(json.loads(payload), indent=2).encode()
    assert decoded("bitget", pretty) == expected


def test_a_bought_position_that_is_liquidated_was_long() -> None:
    long, short = decoded("bitget", samples.LIQUIDATIONS)
    assert long == Liquidation(
        *(FUTURE, R, 1736371332162 * MS, "89000", "37.722858", LiquidatedSide.LONG, "buy"),
        89000 * Decimal("37.722858"),
    )
    assert short == Liquidation(
        *("usdt-futures:ETHUSDT", R, 1736371332163 * MS, "3000.5", "2", LiquidatedSide.SHORT),
        *("sell", Decimal("6001.0")),
    )


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.V1_BOOK_UPDATE,
            BookDelta(
                *("mc:BTCUSDT", R, 1649290077550 * MS, [], [("44000.5", "0")]),
                *(None, None, None, 5),
            ),
        ),
        (
            samples.V1_MIX_TICKER,
            Ticker(
                *("mc:BTCUSDT", R, 1649290076193 * MS),
                *("44962.00", "44936.2", "44959.2", "-0.00011", "1245.6"),
            ),
        ),
        (samples.V1_CANDLE, Notice("", R, None, NoticeKind.INFORMATION, "candle1m")),
    ],
)
def test_contracts_and_candles_of_v1(payload: bytes, expected: Event) -> None:
    assert decoded("bitget-v1", payload) == [expected]


@pytest.mark.parametrize("venue", ["bitget", "bitget-v1"])
@pytest.mark.parametrize(
    ("payload", "kind", "text"),
    [
        (b"pong", NoticeKind.HEARTBEAT, "pong"),
        (samples.V1_ACKNOWLEDGED, NoticeKind.ACKNOWLEDGED, "sp/books/CULTUSDT"),
        (
            samples.REJECTED,
            NoticeKind.REJECTED,
            "instType:sp,channel:candleundefined,instId:BTCUSDT doesn't exist (code 30001)",
        ),
        (samples.LOGGED_IN, NoticeKind.LOGGED_IN, ""),
        (samples.LOGIN_REFUSED, NoticeKind.LOGIN_REFUSED, "Invalid sign (code 30015)"),
    ],
)
def test_what_the_exchange_says_of_the_connection(
    venue: str, payload: bytes, kind: NoticeKind, text: str
) -> None:
    assert decoded(venue, payload) == [Notice("", R, None, kind, text)]
    assert venue_named(venue).read_notice(payload) == Notice("", 0, None, kind, text)


@pytest.mark.parametrize("venue", ["bitget", "bitget-v1"])
@pytest.mark.parametrize("payload", [b"{}", b'{"arg":{"channel":"books"}}', b'{"data":[]}'])
def test_a_message_that_is_neither_an_answer_nor_data_is_refused(
    venue: str, payload: bytes
) -> None:
    with pytest.raises(DecodeError, match="neither an event nor"):
        decoded(venue, payload)


# Instruments.


def test_instruments_are_asked_for_in_their_market() -> None:
    venue = venue_named("bitget")
    (plan,) = venue.plan(StreamRequest("bitget", ("BTCUSDT", FUTURE), ()))
    assert [request.url for request in venue.instrument_requests(plan)] == [
        "https://api.bitget.com/api/v3/market/instruments?category=SPOT&symbol=BTCUSDT",
        "https://api.bitget.com/api/v3/market/instruments?category=USDT-FUTURES&symbol=BTCUSDT",
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            '"category":"SPOT","pricePrecision":"2","quantityPrecision":"6"',
            ("BTCUSDT", "0.01", "0.000001"),
        ),
        (
            '"category":"USDT-FUTURES","pricePrecision":"1","quantityPrecision":"4",'
            '"priceMultiplier":"0.5","quantityMultiplier":"0.0001"',
            (FUTURE, "0.5", "0.0001"),
        ),
        ('"category":"SPOT","pricePrecision":"0"', ("BTCUSDT", "1", None)),
    ],
)
def test_steps_are_multipliers_or_the_last_decimal(
    row: str, expected: tuple[str, str, str | None]
) -> None:
    body = f'{{"code":"00000","data":[{{"symbol":"BTCUSDT",{row}}}]}}'.encode()
    symbol, tick, lot = expected
    frame = http_frame(body, symbol, purpose=Purpose.INSTRUMENTS)
    assert decoded_http("bitget", frame) == [Instrument(symbol, R, None, tick, lot)]


def test_a_precision_that_is_none_is_refused() -> None:
    body = b'{"code":"00000","data":[{"symbol":"X","category":"SPOT","pricePrecision":"-1"}]}'
    with pytest.raises(ValueError, match="number of decimals"):
        decoded_http("bitget", http_frame(body, "X", purpose=Purpose.INSTRUMENTS))


def test_v1_tells_of_one_spot_symbol() -> None:
    venue = venue_named("bitget-v1")
    plans = venue.plan(StreamRequest("bitget-v1", ("BTCUSDT", "mc:BTCUSDT"), ()))
    assert [request.url for plan in plans for request in venue.instrument_requests(plan)] == [
        "https://api.bitget.com/api/spot/v1/public/product?symbol=BTCUSDT_SPBL"
    ]
    body = (
        b'{"code":"00000","data":{"symbol":"BTCUSDT_SPBL","symbolName":"BTCUSDT",'
        b'"priceScale":"2","quantityScale":"4"}}'
    )
    frame = http_frame(body, "BTCUSDT", purpose=Purpose.INSTRUMENTS)
    assert decoded_http("bitget-v1", frame) == [Instrument("BTCUSDT", R, None, "0.01", "0.0001")]


@pytest.mark.parametrize("venue", ["bitget", "bitget-v1"])
def test_a_refused_request_is_a_notice_and_a_book_by_http_is_not_read(venue: str) -> None:
    refused = http_frame(b'{"code":"40034","msg":"no such"}', "X", purpose=Purpose.INSTRUMENTS)
    (notice,) = decoded_http(venue, refused)
    assert notice == Notice(
        *("X", R, None, NoticeKind.INFORMATION, "no instruments: no such (code 40034)")
    )
    with pytest.raises(DecodeError, match="no book by HTTP"):
        decoded_http(venue, http_frame(b'{"code":"00000","data":{}}', "X"))
