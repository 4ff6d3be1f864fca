"""Each Binance message means what its fields say, at every venue that sends it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.venues.sample_frames import (
    BINANCE_NAMES,
    RECEIVED_NS,
    decoded,
    decoded_http,
    http_frame,
    text_frame,
)
from tests.venues.samples.first_three import (
    AGGREGATE_TRADE,
    COIN_FORCE_ORDER,
    FORCE_ORDER,
    MARK_PRICE,
    SPOT_DEPTH,
    SPOT_QUOTE,
    SPOT_TRADE,
    USDM_DEPTH,
    USDM_QUOTE,
    USDM_TRADE,
    wrapped,
)
from venues.errors import DecodeError
from venues.event import (
    BookDelta,
    BookSnapshot,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    Quote,
    Side,
    Ticker,
    Trade,
)
from venues.frame import FrameKind
from venues.registry import venue_named

MS = 1_000_000


def test_a_spot_depth_update_names_its_first_and_last_id_and_no_predecessor() -> None:
    expected = BookDelta(
        "BTCUSDT",
        RECEIVED_NS,
        1723161255208 * MS,
        [("61737.63000000", "0.00000000")],
        [("61837.64000000", "1.54698000")],
        50093239189,
        50093239202,
        None,
        None,
    )
    assert decoded("binance-spot", wrapped("btcusdt@depth@100ms", SPOT_DEPTH)) == [expected]
    assert decoded("binance-spot", SPOT_DEPTH) == [expected]


@pytest.mark.parametrize("venue", ["binance-usdm", "binance-coinm"])
def test_a_futures_depth_update_names_its_predecessor(venue: str) -> None:
    expected = BookDelta(
        "BTCUSDT",
        RECEIVED_NS,
        1723161256299 * MS,
        [("58710.20", "0.014"), ("61510.90", "0.000")],
        [],
        5123107832006,
        5123107837557,
        5123107831937,
        None,
    )
    assert decoded(venue, wrapped("btcusdt@depth@0ms", USDM_DEPTH)) == [expected]
    assert decoded(venue, USDM_DEPTH) == [expected]


def test_a_spot_quote_has_the_books_update_id_and_no_time() -> None:
    expected = Quote(
        "BTCUSDT",
        RECEIVED_NS,
        None,
        "61837.63000000",
        "3.78826000",
        "61837.64000000",
        "1.54698000",
        50093239212,
    )
    assert decoded("binance-spot", wrapped("btcusdt@bookTicker", SPOT_QUOTE)) == [expected]
    assert decoded("binance-spot", SPOT_QUOTE) == [expected]


@pytest.mark.parametrize("venue", BINANCE_NAMES)
def test_a_futures_quote_has_its_event_time_wherever_its_name_stands(venue: str) -> None:
    expected = Quote(
        "BTCUSDT",
        RECEIVED_NS,
        1723161256314 * MS,
        "61800.20",
        "2.507",
        "61800.30",
        "2.510",
        5123107839020,
    )
    second = b'{"u":5123107839020,"e":"bookTicker",' + USDM_QUOTE.split(b",", 2)[2]
    for message in (USDM_QUOTE, second):
        assert decoded(venue, message) == [expected]
        assert decoded(venue, wrapped("btcusdt@bookTicker", message)) == [expected]


def test_the_members_of_a_wrapped_message_may_come_in_any_order() -> None:
    turned = b'{"data":' + SPOT_QUOTE + b',"stream":"btcusdt@bookTicker"}'
    spaced = b'{ "stream" : "btcusdt@bookTicker" , "data" : ' + SPOT_QUOTE + b" }"
    expected = decoded("binance-spot", SPOT_QUOTE)
    assert decoded("binance-spot", turned) == expected
    assert decoded("binance-spot", spaced) == expected


@pytest.mark.parametrize(
    ("venue", "message", "expected"),
    [
        (
            "binance-spot",
            SPOT_TRADE,
            Trade(
                "BTCUSDT",
                RECEIVED_NS,
                1723161255342 * MS,
                "61837.63000000",
                "0.02000000",
                Side.SELL,
                "3735683259",
                3735683259,
            ),
        ),
        (
            "binance-usdm",
            USDM_TRADE,
            Trade(
                "BTCUSDT",
                RECEIVED_NS,
                1723161256322 * MS,
                "61800.30",
                "0.006",
                Side.BUY,
                "5266583935",
                5266583935,
            ),
        ),
    ],
)
def test_a_trades_aggressor_is_the_one_who_is_not_the_maker(
    venue: str, message: bytes, expected: Trade
) -> None:
    assert decoded(venue, message) == [expected]
    assert decoded(venue, wrapped("btcusdt@trade", message)) == [expected]


def test_a_trade_outside_the_open_market_is_marked_and_keeps_its_number() -> None:
    message = USDM_TRADE.replace(b'"X":"MARKET"', b'"X":"INSURANCE_FUND"')
    (plain,), (marked,) = decoded("binance-usdm", USDM_TRADE), decoded("binance-usdm", message)
    assert isinstance(plain, Trade)
    assert isinstance(marked, Trade)
    assert not plain.off_market
    assert marked.off_market
    assert marked.trade_number == plain.trade_number == 5266583935


@pytest.mark.parametrize("venue", BINANCE_NAMES)
def test_an_aggregate_trade_is_marked_and_has_no_trade_number(venue: str) -> None:
    assert decoded(venue, wrapped("btcusdt@aggTrade", AGGREGATE_TRADE)) == [
        Trade(
            "BTCUSDT",
            RECEIVED_NS,
            123456785 * MS,
            "0.001",
            "100",
            Side.SELL,
            "5933014",
            None,
            True,
        )
    ]


def test_a_liquidation_is_what_was_filled_at_the_average_price() -> None:
    assert decoded("binance-usdm", FORCE_ORDER) == [
        Liquidation(
            "BTCUSDT",
            RECEIVED_NS,
            1568014460893 * MS,
            "9910.5",
            "0.014",
            LiquidatedSide.LONG,
            "SELL",
            Decimal("138.7470"),
        )
    ]


@pytest.mark.parametrize(
    ("message", "symbol", "notional", "side"),
    [
        (COIN_FORCE_ORDER, "ETHUSD_PERP", Decimal(70), LiquidatedSide.SHORT),
        (
            COIN_FORCE_ORDER.replace(b"ETHUSD", b"BTCUSD"),
            "BTCUSD_PERP",
            Decimal(700),
            LiquidatedSide.SHORT,
        ),
        (
            COIN_FORCE_ORDER.replace(b"ETHUSD_PERP", b"BTCUSD_261225").replace(b"BUY", b"SELL"),
            "BTCUSD_261225",
            Decimal(700),
            LiquidatedSide.LONG,
        ),
    ],
)
def test_a_coin_margined_notional_is_contracts_times_contract_size(
    message: bytes, symbol: str, notional: Decimal, side: LiquidatedSide
) -> None:
    (event,) = decoded("binance-coinm", message)
    assert isinstance(event, Liquidation)
    assert (event.symbol, event.notional, event.liquidated_side) == (symbol, notional, side)
    assert event.size_text == "7"


@pytest.mark.parametrize("text", [b"NaN", b"-1", b"1e100", b"", b"Infinity", b"1_000", b" 1"])
def test_a_liquidation_whose_notional_cannot_be_told_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="plain decimal number"):
        decoded("binance-usdm", FORCE_ORDER.replace(b'"9910.5"', b'"' + text + b'"'))


def test_mark_prices_and_day_tickers_are_tickers() -> None:
    assert decoded("binance-usdm", wrapped("btcusdt@markPrice@1s", MARK_PRICE)) == [
        Ticker(
            "BTCUSDT", RECEIVED_NS, 1562305380000 * MS, None, "11794.15", "11784.62", "0.00038167"
        )
    ]
    day = b'{"e":"24hrTicker","E":1672515782136,"s":"BTCUSDT","p":"-1","c":"16584.60","x":"1"}'
    assert decoded("binance-spot", wrapped("btcusdt@ticker", day)) == [
        Ticker("BTCUSDT", RECEIVED_NS, 1672515782136 * MS, "16584.60")
    ]


def test_a_delivery_contract_without_funding_has_none() -> None:
    (event,) = decoded("binance-coinm", MARK_PRICE.replace(b'"0.00038167"', b'""'))
    assert isinstance(event, Ticker)
    assert event.funding_rate_text is None


@pytest.mark.parametrize(
    ("payload", "kind", "text"),
    [
        (b'{"result":null,"id":1}', NoticeKind.ACKNOWLEDGED, "request 1"),
        (b'{"id":"a","result":null}', NoticeKind.ACKNOWLEDGED, "request a"),
        (b'{"result":["btcusdt@trade"],"id":3}', NoticeKind.ACKNOWLEDGED, "request 3"),
        (
            b'{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":2}',
            NoticeKind.REJECTED,
            "Invalid request: invalid stream (code 2)",
        ),
        (
            b'{"code":0,"msg":"Unknown property","id":2}',
            NoticeKind.REJECTED,
            "Unknown property (code 0)",
        ),
        (
            b'{"e":"serverShutdown","E":1778000000000}',
            NoticeKind.WILL_DISCONNECT,
            "serverShutdown",
        ),
        (
            b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1778000000000}}',
            NoticeKind.WILL_DISCONNECT,
            "serverShutdown",
        ),
    ],
)
def test_what_the_exchange_says_of_the_connection_is_a_notice(
    payload: bytes, kind: NoticeKind, text: str
) -> None:
    for name in BINANCE_NAMES:
        notice = venue_named(name).read_notice(payload)
        assert notice == Notice("", 0, None, kind, text)
        (event,) = decoded(name, payload)
        assert isinstance(event, Notice)
        assert (event.kind, event.text, event.receive_time_ns) == (kind, text, RECEIVED_NS)


def test_market_data_are_no_notices() -> None:
    for message in (SPOT_QUOTE, USDM_DEPTH, wrapped("btcusdt@trade", SPOT_TRADE), FORCE_ORDER):
        assert venue_named("binance-usdm").read_notice(message) is None


@pytest.mark.parametrize(
    "payload",
    [
        wrapped("btcusdt@kline_1m", b'{"e":"kline","E":1,"s":"BTCUSDT","k":{}}'),
        b'{"e":"MARGIN_CALL","E":1,"cw":"3.16812045","p":[]}',
        wrapped("!ticker@arr", b'[{"e":"24hrTicker"}]'),
    ],
)
def test_messages_that_nobody_here_reads_are_named_and_passed_over(payload: bytes) -> None:
    (event,) = decoded("binance-usdm", payload)
    assert isinstance(event, Notice)
    assert event.kind is NoticeKind.INFORMATION
    assert event.text in ("kline", "MARGIN_CALL", "!ticker@arr")


DEPTH_BODY = b'{"lastUpdateId":1027024,"bids":[["4.00","431.0"]],"asks":[["4.02","12"]]}'
FUTURES_BODY = b'{"lastUpdateId":1027024,"E":1589436922972,"T":1589436922959,' + DEPTH_BODY[24:]
COIN_BODY = FUTURES_BODY[:-1] + b',"symbol":"BTCUSD_PERP","pair":"BTCUSD"}'


@pytest.mark.parametrize(
    ("venue", "body", "asked", "symbol", "time_ms"),
    [
        ("binance-spot", DEPTH_BODY, "BTCUSDT", "BTCUSDT", None),
        ("binance-usdm", FUTURES_BODY, "BTCUSDT", "BTCUSDT", 1589436922972),
        ("binance-coinm", COIN_BODY, "", "BTCUSD_PERP", 1589436922972),
    ],
)
def test_a_depth_answer_is_a_snapshot_of_the_symbol_asked_about(
    venue: str, body: bytes, asked: str, symbol: str, time_ms: int | None
) -> None:
    assert decoded_http(venue, http_frame(body, asked)) == [
        BookSnapshot(
            symbol,
            RECEIVED_NS,
            None if time_ms is None else time_ms * MS,
            [("4.00", "431.0")],
            [("4.02", "12")],
            1027024,
            None,
            True,
        )
    ]


def test_the_symbol_is_taken_from_the_url_where_the_head_does_not_say_it() -> None:
    url = "https://api.binance.com/api/v3/depth?symbol=BNBBTC&limit=5000"
    (event,) = decoded_http("binance-spot", http_frame(DEPTH_BODY, url=url))
    assert event.symbol == "BNBBTC"


def test_a_snapshot_of_nobody_knows_what_is_refused() -> None:
    with pytest.raises(DecodeError, match="whose book"):
        decoded_http("binance-spot", http_frame(DEPTH_BODY))


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (
            http_frame(b'{"code":-1121,"msg":"Invalid symbol."}', "X", status=400),
            'no snapshot (HTTP 400): {"code":-1121,"msg":"Invalid symbol."}',
        ),
        (
            http_frame(b"", "X", status=None, error="connection refused"),
            "no snapshot (HTTP not answered): connection refused",
        ),
    ],
)
def test_a_refused_snapshot_is_a_notice(frame: object, text: str) -> None:
    assert list(venue_named("binance-spot").decode(frame)) == [  # type: ignore[arg-type]
        Notice("X", RECEIVED_NS, None, NoticeKind.INFORMATION, text)
    ]


def test_an_answer_to_another_question_is_nothing() -> None:
    frame = http_frame(b'[{"id":28457,"price":"4.0"}]', "BNBBTC", purpose="recent trades")
    assert decoded_http("binance-spot", frame) == []


def test_a_binary_frame_is_read_like_a_text_frame() -> None:
    frame = text_frame(SPOT_TRADE, kind=FrameKind.BINARY)
    assert list(venue_named("binance-spot").decode(frame)) == decoded("binance-spot", SPOT_TRADE)
