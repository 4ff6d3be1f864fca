"""Gate.io: what its messages and HTTP answers mean, field by field."""

from __future__ import annotations

import pytest

from book.engine import Engine
from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame, text_frame
from tests.venues.samples import gateio as samples
from venues.event import (
    BookDelta,
    BookSnapshot,
    ContractKind,
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
from venues.venue import Purpose

SPOT, FUTURES = "gateio", "gateio-futures"
R = RECEIVED_NS
MS, S = 1_000_000, 1_000_000_000


@pytest.mark.parametrize(
    ("venue", "payload", "expected"),
    [
        (
            SPOT,
            samples.SPOT_BOOK,
            [
                BookDelta(
                    "BTC_USDT",
                    R,
                    1619093562998 * MS,
                    [("121.5", "0.148"), ("73.5", "0")],
                    [],
                    1750488,
                    1750490,
                )
            ],
        ),
        (
            SPOT,
            samples.SPOT_FULL_BOOK,
            [
                BookSnapshot(
                    "BTC_USDT",
                    R,
                    1747054612848 * MS,
                    [("104027.1", "509392")],
                    [("104027.2", "44617")],
                    73777715168,
                )
            ],
        ),
        (
            SPOT,
            samples.SPOT_TRADE,
            [
                Trade(
                    "BTC_USDT",
                    R,
                    1619093543708264200,
                    "121.5800000000",
                    "0.2010000000",
                    Side.SELL,
                    "816995772",
                )
            ],
        ),
        (
            SPOT,
            samples.SPOT_QUOTE,
            [
                Quote(
                    "BTC_USDT",
                    R,
                    1606293275123 * MS,
                    "19177.79",
                    "0.0003341504",
                    "19179.38",
                    "0.09",
                    48733182,
                )
            ],
        ),
        (SPOT, samples.SPOT_TICKER, [Ticker("BTC_USDT", R, 1619093535 * S, "7.915")]),
        (
            SPOT,
            samples.SPOT_ORDERS,
            [
                OrderUpdate(
                    "BTC_USDT",
                    R,
                    1605175506123 * MS,
                    "30784435",
                    "t-abc",
                    Side.SELL,
                    "10001",
                    "1.50",
                    "0.30",
                    "update",
                )
            ],
        ),
        (
            SPOT,
            samples.SPOT_BALANCES,
            [WalletUpdate("USDT", R, 1605248616763 * MS, "1032951.325075926", "1022943.325")],
        ),
        (
            FUTURES,
            samples.FUTURES_BOOK,
            [
                BookDelta(
                    "BTC_USDT",
                    R,
                    1678469222617 * MS,
                    [("19860.7", "5984"), ("19859.1", "0")],
                    [("19900.5", "0.8")],
                    4010424331,
                    4010424361,
                )
            ],
        ),
        (
            FUTURES,
            samples.FUTURES_FULL_BOOK,
            [
                BookSnapshot(
                    "BTC_USDT",
                    R,
                    1678470000100 * MS,
                    [("19901.20", "5000")],
                    [("19909", "3100")],
                    100,
                )
            ],
        ),
        (
            FUTURES,
            samples.FUTURES_TRADES,
            [
                Trade("BTC_USDT", R, 1545136464123 * MS, "96.4", "108", Side.SELL, "27753479"),
                Trade(
                    "BTC_USDT",
                    R,
                    1545136464124 * MS,
                    "96.50",
                    "2.5",
                    Side.BUY,
                    "27753480",
                    off_market=True,
                ),
            ],
        ),
        (
            FUTURES,
            samples.LIQUIDATIONS,
            [
                Liquidation(
                    "BTC_USDT",
                    R,
                    1541486601 * S,
                    "215.1",
                    "124.5",
                    LiquidatedSide.LONG,
                    "-",
                    None,
                ),
                Liquidation(
                    "BTC_USDT",
                    R,
                    1541486601123 * MS,
                    "215.20",
                    "7",
                    LiquidatedSide.SHORT,
                    "+",
                    None,
                ),
            ],
        ),
        (
            FUTURES,
            samples.FUTURES_QUOTE,
            [Quote("BTC_USDT", R, 1785548245214 * MS, "62914.2", "20884", "", "", 120900607904)],
        ),
        (
            FUTURES,
            samples.FUTURES_TICKERS,
            [
                Ticker(
                    "BTC_USDT",
                    R,
                    1541659086 * S,
                    "118.4",
                    "118.35",
                    "118.36",
                    "-0.000114",
                    "73648",
                )
            ],
        ),
        (
            FUTURES,
            samples.FUTURES_ORDERS,
            [
                OrderUpdate(
                    "BTC_USDT",
                    R,
                    1628736848321 * MS,
                    "4872460",
                    "t-1",
                    Side.SELL,
                    "40000.4",
                    "10",
                    "6",
                    "finished: cancelled",
                )
            ],
        ),
        (
            FUTURES,
            samples.POSITIONS,
            [
                PositionUpdate(
                    "BTC_USDT", R, 1628736848321 * MS, Side.SELL, "3", "40000.36666661111"
                ),
                PositionUpdate("ETH_USDT", R, 1628736848321 * MS, None, "0", "0"),
            ],
        ),
        (
            FUTURES,
            samples.FUTURES_BALANCES,
            [WalletUpdate("usdt", R, 1547199246123 * MS, "9.998739899488", "")],
        ),
        (SPOT, samples.CANDLES, [Notice("", R, None, NoticeKind.INFORMATION, "spot.candlesticks")]),
        (SPOT, samples.SUBSCRIBED, [Notice("", R, None, NoticeKind.ACKNOWLEDGED, "spot.trades")]),
        (FUTURES, samples.PONG, [Notice("", R, None, NoticeKind.HEARTBEAT, "futures.pong")]),
        (FUTURES, samples.UPGRADE, [Notice("", R, None, NoticeKind.WILL_DISCONNECT, "upgrade")]),
        (
            FUTURES,
            samples.REFUSED,
            [Notice("", R, None, NoticeKind.REJECTED, "unknown currency pair X_USDT (code 2)")],
        ),
    ],
)
def test_a_message_means_what_the_documentation_says(
    venue: str, payload: bytes, expected: list[Event]
) -> None:
    assert decoded(venue, payload) == expected


def test_a_book_of_the_second_version_begins_whole_and_goes_on_by_its_numbers() -> None:
    engine = Engine()
    engine.apply(text_frame(samples.SPOT_FULL_BOOK, SPOT))
    engine.apply(text_frame(samples.SPOT_SECOND_DELTA, SPOT))
    book = engine.markets[SPOT, "BTC_USDT"].book
    assert book.proven
    assert book.sequence == 73777715212
    later = samples.SPOT_SECOND_DELTA.replace(b"73777715169", b"73777715214")
    engine.apply(text_frame(later.replace(b"73777715212", b"73777715220"), SPOT))
    assert not book.proven


def notice(channel: str) -> Notice:
    return Notice("", R, None, NoticeKind.INFORMATION, f"futures.{channel}")


@needs_real_data
def test_every_message_of_futures_is_decoded_or_passed_over_by_name() -> None:
    lines = (REAL_DATA / "messages" / "gct_gateio" / "wsFutures.json").read_bytes().splitlines()
    events = [event for line in lines if line.strip() for event in decoded(FUTURES, line.strip())]
    (delta,) = [event for event in events if isinstance(event, BookDelta)]
    assert [event for event in events if event is not delta] == [
        Ticker("BTC_USD", R, 1541659086 * S, "118.4", "118.35", "118.36", "-0.000114", "73648"),
        Trade("BTC_USD", R, 1545136464123 * MS, "96.4", "108", Side.SELL, "27753479"),
        Quote("BTC_USD", R, 1615366379123 * MS, "54696.6", "37000", "54696.7", "47061", 2517661076),
        OrderUpdate(
            "BTC_USD",
            R,
            1628736848321 * MS,
            "4872460",
            "-",
            Side.BUY,
            "40000.4",
            "1",
            "1",
            "finished: filled",
        ),
        *map(notice, ("usertrades", "liquidates", "auto_deleverages", "position_closes")),
        WalletUpdate("", R, 1547199246123 * MS, "9.998739899488", ""),
        notice("reduce_risk_limits"),
        PositionUpdate("BTC_USD", R, 1628736848321 * MS, Side.BUY, "3", "40000.36666661111"),
        *map(notice, ("autoorders", "order_book")),
        BookSnapshot(
            "BTC_USD",
            R,
            1678470000100 * MS,
            [
                ("19901.2", "5000"),
                ("19900.3", "3100"),
                ("19899.2", "6035"),
                ("19897.2", "5000"),
                ("19895.7", "5984"),
            ],
            [
                ("19909", "3100"),
                ("19909.1", "5000"),
                ("19910", "3100"),
                ("19914.4", "4400"),
                ("19916.6", "5000"),
            ],
            100,
        ),
        notice("candlesticks"),
        Notice("", R, None, NoticeKind.HEARTBEAT, "futures.pong"),
    ]
    assert (delta.symbol, delta.exchange_time_ns) == ("BTC_USD", 1678469222617 * MS)
    assert (delta.first_sequence, delta.sequence) == (4010424331, 4010424361)
    assert (len(delta.bids), len(delta.asks)) == (32, 33)
    assert delta.bids[:3] == [("19860.7", "5984"), ("19858.6", "5000"), ("19845.4", "20864")]
    assert delta.asks[-2:] == [("20263.1", "0"), ("19900.2", "0")]


def test_http_answers_of_spot_and_futures_differ() -> None:
    spot = (
        b'{"id":123456,"current":1623898993123,"update":1623898993121,"asks":[["1.52","1.151"]],'
        b'"bids":[["1.17","201.863"]]}'
    )
    assert decoded_http(SPOT, http_frame(spot, "A_USDT")) == [
        BookSnapshot(
            "A_USDT",
            R,
            1623898993121 * MS,
            [("1.17", "201.863")],
            [("1.52", "1.151")],
            123456,
            None,
            True,
        )
    ]
    futures = (
        b'{"id":123456,"current":1623898993.123,"update":1623898993.121,"asks":[{"p":"1.52","s":'
        b'1151}],"bids":[{"p":"1.17","s":"201.5"}]}'
    )
    assert decoded_http(FUTURES, http_frame(futures, "A_USDT")) == [
        BookSnapshot(
            "A_USDT",
            R,
            1623898993121 * MS,
            [("1.17", "201.5")],
            [("1.52", "1151")],
            123456,
            None,
            True,
        )
    ]
    refused = b'{"label":"INVALID_CURRENCY_PAIR","message":"Invalid currency pair"}'
    text = "refused: Invalid currency pair (INVALID_CURRENCY_PAIR)"
    assert decoded_http(SPOT, http_frame(refused, "A_USDT")) == [
        Notice("A_USDT", R, None, NoticeKind.INFORMATION, text)
    ]


@pytest.mark.parametrize(
    ("venue", "body", "expected"),
    [
        (
            SPOT,
            b'{"id":"BTC_USDT","base":"BTC","precision":1,"amount_precision":6}',
            Instrument("BTC_USDT", R, None, "0.1", "0.000001"),
        ),
        (
            SPOT,
            b'{"id":"X_USDT","precision":0,"amount_precision":0}',
            Instrument("X_USDT", R, None, "1", "1"),
        ),
        (
            FUTURES,
            b'{"name":"BTC_USDT","type":"direct","quanto_multiplier":"0.0001",'
            b'"order_price_round":"0.1","order_size_min":1,"enable_decimal":false}',
            Instrument("BTC_USDT", R, None, "0.1", "1", ContractKind.LINEAR, "0.0001"),
        ),
        (
            FUTURES,
            b'{"name":"ETH_USDT","type":"direct","quanto_multiplier":"0.01",'
            b'"order_price_round":"0.01","order_size_min":0,"enable_decimal":true}',
            Instrument("ETH_USDT", R, None, "0.01", None, ContractKind.LINEAR, "0.01"),
        ),
        (
            FUTURES,
            b'{"name":"BTC_USD","type":"inverse","quanto_multiplier":"0",'
            b'"order_price_round":"0.1","order_size_min":1}',
            Instrument("BTC_USD", R, None, "0.1", "1", ContractKind.INVERSE, "1"),
        ),
    ],
)
def test_the_exchange_says_what_its_instruments_are(
    venue: str, body: bytes, expected: Instrument
) -> None:
    frame = http_frame(body, expected.symbol, purpose=Purpose.INSTRUMENTS)
    assert decoded_http(venue, frame) == [expected]
