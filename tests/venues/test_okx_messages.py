"""Every message file of OKX decodes, to values that were written down by hand."""

from __future__ import annotations

import json

import pytest

from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples import okx as samples
from venues.errors import DecodeError
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
from venues.registry import venue_named

MS = 1_000_000
MESSAGES = REAL_DATA / "messages"
R = RECEIVED_NS

ASKS = [
    *(("8476.98", "415"), ("8477", "7"), ("8477.34", "85"), ("8477.56", "1")),
    *(("8505.84", "8"), ("8506.37", "85"), ("8506.49", "2"), ("8506.96", "100")),
]
BIDS = [
    *(("8476.97", "256"), ("8475.55", "101"), ("8475.54", "100"), ("8475.3", "1")),
    *(("8447.32", "6"), ("8447.02", "246"), ("8446.83", "24"), ("8446", "95")),
]
BOOK_NS = 1_597_026_383_085 * MS
SWAP = "BTC-USDT-SWAP"


def order(
    order_id: str,
    side: Side,
    size: str,
    filled: str,
    status: str,
    time_ms: int,
    *,
    symbol: str = SWAP,
    client_order_id: str = "",
    price: str = "",
) -> OrderUpdate:
    return OrderUpdate(
        symbol, R, time_ms * MS, order_id, client_order_id, side, price, size, filled, status
    )


def wallet(coin: str, balance: str, time_ms: int) -> WalletUpdate:
    return WalletUpdate(coin, R, time_ms * MS, balance, balance)


EXPECTED: dict[str, list[Event]] = {
    "ws_account": [
        wallet("USDT", "100.52768569797846", 1751526647084),
        wallet("BTC", "0.0000000051", 1746947295126),
        wallet("ETH", "0.000000185", 1746947229325),
    ],
    "ws_account_empty": [],
    "ws_bbo_tbt": [Quote("BTC-USDT", R, BOOK_NS, "8476.97", "256", "8476.98", "415")],
    "ws_books_snapshot": [
        BookSnapshot("BTC-USDT", R, BOOK_NS, BIDS, ASKS, 123456, -855196043),
    ],
    "ws_books_update": [
        BookDelta("BTC-USDT", R, BOOK_NS, BIDS, ASKS, 123457, 123457, 123456, -855196043),
    ],
    "ws_candle": [Notice("", R, None, NoticeKind.INFORMATION, "candle1D")],
    "ws_funding_rate": [Ticker(SWAP, R, 1744590349506 * MS, funding_rate_text="0.0001")],
    "ws_instruments": [Instrument(SWAP, R, None, "0.1", "1", ContractKind.LINEAR, "0.01")],
    "ws_orders": [
        order(
            *("2497956918703120384", Side.BUY, "0.03", "0.03", "filled", 1746947317402),
            client_order_id="001BTCUSDT20250106001",
        )
    ],
    "ws_orders_adl": [
        order(
            *("2497956918703121000", Side.BUY, "0.3", "0.3", "filled", 1746947318402),
            symbol="ETH-USDT-SWAP",
        )
    ],
    "ws_orders_algo": [
        order(
            *("706620792746729472", Side.SELL, "0.01", "0", "live", 1737400000000),
            client_order_id="STOP001BTCUSDT20250120",
        ),
        order(
            *("706620792746729473", Side.BUY, "0.02", "0", "live", 1737400100000),
            client_order_id="STOP002BTCUSDT20250120",
            price="106000",
        ),
        order(
            *("706620792746729474", Side.SELL, "0.01", "0.01", "order_placed", 1737400200000),
            client_order_id="STOP003BTCUSDT20250120",
        ),
        order(
            *("706620792746729475", Side.BUY, "0.015", "0", "canceled", 1737400300000),
            client_order_id="STOP004BTCUSDT20250120",
            price="98500",
        ),
        order(
            *("706620792746729476", Side.SELL, "0.005", "0.005", "filled", 1737400400000),
            client_order_id="STOP005BTCUSDT20250120",
            price="102900",
        ),
    ],
    "ws_orders_fok": [
        order(
            *("2497956918703120385", Side.BUY, "0.05", "0.05", "filled", 1746947317402),
            symbol="BTC-USDT",
            client_order_id="FOK-TEST-001",
            price="50000.0",
        )
    ],
    "ws_orders_ioc": [
        order(
            *("2497956918703120386", Side.SELL, "0.05", "0.02", "partially_filled"),
            1746947318502,
            symbol="BTC-USDT",
            client_order_id="IOC-TEST-001",
            price="50100.0",
        )
    ],
    "ws_orders_liquidation": [
        order("2497956918703120999", Side.SELL, "0.5", "0.5", "filled", 1746947317402)
    ],
    "ws_orders_optimal_limit_ioc": [
        order(
            *("2497956918703120387", Side.BUY, "0.1", "0.1", "filled", 1746947319602),
            client_order_id="OPTIMAL-IOC-TEST-001",
        )
    ],
    "ws_orders_option": [
        order(
            *("2497956918703120500", Side.BUY, "1", "1", "filled", 1746947317402),
            symbol="BTC-USD-250328-50000-C",
            client_order_id="001BTCUSD-OPT-250328-50000-C",
            price="0.0325",
        )
    ],
    "ws_orders_trigger": [
        order(
            *("706620792746729999", Side.SELL, "0.01", "0.01", "filled", 1737400200100),
            client_order_id="706620792746729474_0",
        )
    ],
    "ws_sprd_orders": [
        order(
            *("3386544889978159104", Side.BUY, "0.01", "0", "live", 1779648155000),
            symbol="BCH-USDT_BCH-USDT-SWAP",
            client_order_id="O202605250630050010011",
            price="1.0",
        )
    ],
    "ws_tickers": [Ticker("BTC-USDT", R, BOOK_NS, "9999.99")],
    "ws_trades": [
        Trade("BTC-USD", R, 1630048897897 * MS, "42219.9", "0.12060306", Side.BUY, "130639474")
    ],
}
NOT_MESSAGES = {"http_get_order_book", "ws_opt_summary"}
"""An HTTP answer, and rows that no message carries them around: each has a test of its own."""


@needs_real_data
def test_no_message_file_is_left_out() -> None:
    files = {path.stem for path in (MESSAGES / "okx").glob("*.json")}
    assert files == EXPECTED.keys() | NOT_MESSAGES
    assert len(files) == 22
    assert {path.name for path in (MESSAGES / "gct_okx").iterdir()} == {
        "wsAllTrades.json",
        "wsOrders.json",
    }


@needs_real_data
@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("compact", [False, True], ids=["as it is", "as it was sent"])
def test_a_message_file_decodes_to_what_was_written_down(name: str, compact: bool) -> None:
    payload = (MESSAGES / "okx" / f"{name}.json").read_bytes()
    if compact:
        payload = json.dumps(json.loads(payload), separators=(",", ":")).encode()
    assert decoded("okx", payload) == EXPECTED[name]


@needs_real_data
def test_the_book_by_http_has_no_number_and_is_not_joined() -> None:
    body = (MESSAGES / "okx" / "http_get_order_book.json").read_bytes()
    assert decoded_http("okx", http_frame(body, "BTC-USDT")) == [
        BookSnapshot(
            "BTC-USDT",
            R,
            1704067200000 * MS,
            [("41006.7", "0.48792100"), ("41006.6", "0.23970000"), ("41006.5", "1.12500000")],
            [("41006.8", "0.60038921"), ("41006.9", "0.30178218"), ("41007.0", "2.05842530")],
            None,
            None,
            unjoined=True,
        )
    ]


@needs_real_data
def test_rows_without_a_message_around_them_are_refused() -> None:
    rows = (MESSAGES / "okx" / "ws_opt_summary.json").read_bytes()
    with pytest.raises(ValueError, match="Expected `object`, got `array`"):
        decoded("okx", rows)
    message = b'{"arg":{"channel":"opt-summary","instFamily":"BTC-USD"},"data":' + rows + b"}"
    assert decoded("okx", message) == [
        Notice("", R, None, NoticeKind.INFORMATION, "opt-summary"),
    ]


@needs_real_data
def test_the_other_projects_messages_decode_line_by_line() -> None:
    trades = (MESSAGES / "gct_okx" / "wsAllTrades.json").read_bytes().splitlines()
    assert [decoded("okx", line) for line in trades] == [
        [
            Trade(
                *("BTC-USDT", R, 1740394561685 * MS, "95634.9", "0.00011186", Side.BUY),
                "674510826",
            )
        ],
        [
            Trade(
                *("BTC-USDT", R, 1740394561686 * MS, "95635.3", "0.00011194", Side.SELL),
                "674510827",
            )
        ],
    ]
    orders = (MESSAGES / "gct_okx" / "wsOrders.json").read_bytes().splitlines()
    sold = ("620258920632008725", Side.SELL, "10")
    assert [decoded("okx", line) for line in orders] == [
        [
            order(
                *("452197707845865472", Side.SELL, "0.001", "0.001", "filled", 1654084353264),
                symbol="BTC-USDT",
                client_order_id="HamsterParty14",
                price="31527.1",
            )
        ],
        [order(*sold, "0", "live", 1694153250532, symbol="BTC-USDT")],
        [order(*sold, "0.00038128", "partially_filled", 1694153250535, symbol="BTC-USDT")],
        [order(*sold, "0.00038128", "filled", 1694153250535, symbol="BTC-USDT")],
    ]


# Messages that no file has, made from the documentation.


def test_a_books_update_without_a_checksum_has_none_to_check() -> None:
    (delta,) = decoded("okx", samples.BOOK_UPDATE)
    assert delta == BookDelta(
        "BTC-USDT",
        R,
        1597026383185 * MS,
        [("8475.55", "101")],
        [("8477", "0")],
        123457,
        123457,
        123456,
        None,
    )


def test_every_message_of_five_levels_is_a_whole_book() -> None:
    assert decoded("okx", samples.BOOKS5) == [
        BookSnapshot(
            "BTC-USDT",
            R,
            BOOK_NS,
            [("8476.97", "256")],
            [("8476.98", "415")],
            123456,
            alone=True,
        )
    ]


def test_an_empty_side_of_a_quote_is_empty() -> None:
    payload = samples.QUOTE.replace(b'[["8476.97","256","0","12"]]', b"[]")
    assert decoded("okx", payload) == [Quote("BTC-USDT", R, BOOK_NS, "", "", "8476.98", "415")]


def test_a_closing_sale_liquidates_a_long_and_its_notional_waits_for_the_contract() -> None:
    symbol = "IOST-USDT-SWAP"
    assert decoded("okx", samples.LIQUIDATIONS) == [
        Liquidation(
            symbol, R, 1692266434010 * MS, "0.007831", "13", LiquidatedSide.SHORT, "buy", None
        ),
        Liquidation(
            symbol, R, 1692266434011 * MS, "0.0077", "2", LiquidatedSide.LONG, "sell", None
        ),
    ]


@pytest.mark.parametrize("bad", [b'"bkPx":""', b'"bkPx":"x"', b'"bkPx":"-1"'])
def test_a_liquidation_whose_price_is_no_number_is_refused(bad: bytes) -> None:
    with pytest.raises(ValueError, match="decimal number"):
        decoded("okx", samples.LIQUIDATIONS.replace(b'"bkPx":"0.007831"', bad))


def test_tickers_come_in_parts() -> None:
    assert [
        event
        for sample in (samples.MARK_PRICE, samples.FUNDING_RATE, samples.OPEN_INTEREST)
        for event in decoded("okx", sample)
    ] == [
        Ticker("LTC-USD-190628", R, BOOK_NS, mark_price_text="0.1"),
        Ticker(SWAP, R, 1744590349506 * MS, funding_rate_text="0.0001"),
        Ticker("LTC-USD-SWAP", R, BOOK_NS, open_interest_text="5000"),
    ]


def test_a_net_position_is_short_below_zero_and_flat_at_zero() -> None:
    assert decoded("okx", samples.POSITIONS) == [
        PositionUpdate(SWAP, R, 1746947317402 * MS, Side.SELL, "3", "103698.9"),
        PositionUpdate("ETH-USDT-SWAP", R, 1746947317403 * MS, None, "0", ""),
    ]
    bought = samples.POSITIONS.replace(b'"pos":"-3"', b'"pos":"3"')
    (first, _) = decoded("okx", bought)
    assert first == PositionUpdate(SWAP, R, 1746947317402 * MS, Side.BUY, "3", "103698.9")


@pytest.mark.parametrize(
    ("payload", "kind", "text"),
    [
        (b"pong", NoticeKind.HEARTBEAT, "pong"),
        (samples.ACKNOWLEDGED, NoticeKind.ACKNOWLEDGED, "trades:BTC-USDT"),
        (samples.WITHDRAWN, NoticeKind.ACKNOWLEDGED, "books:BTC-USDT"),
        (
            samples.REJECTED,
            NoticeKind.REJECTED,
            "Wrong URL or channel:books,instId:NO-SUCH doesn't exist. Please use the correct URL, "
            "channel and parameters referring to API document. (code 60018)",
        ),
        (samples.LOGGED_IN, NoticeKind.LOGGED_IN, ""),
        (samples.LOGIN_REFUSED, NoticeKind.LOGIN_REFUSED, "Login failed. (code 60009)"),
        (
            samples.WILL_CLOSE,
            NoticeKind.WILL_DISCONNECT,
            "The connection will soon be closed for a service upgrade. Please reconnect. "
            "(code 64008)",
        ),
        (samples.CONNECTION_COUNT, NoticeKind.INFORMATION, "channel-conn-count: orders"),
        (samples.TOO_MANY_CONNECTIONS, NoticeKind.REJECTED, "orders"),
        (b'{"event":"later"}', NoticeKind.INFORMATION, "later"),
    ],
)
def test_what_the_exchange_says_of_the_connection(
    payload: bytes, kind: NoticeKind, text: str
) -> None:
    assert decoded("okx", payload) == [Notice("", R, None, kind, text)]
    assert venue_named("okx").read_notice(payload) == Notice("", 0, None, kind, text)


@pytest.mark.parametrize("payload", [b'{"arg":{"channel":"books"}}', b'{"data":[]}', b"{}"])
def test_a_message_that_is_neither_an_answer_nor_data_is_refused(payload: bytes) -> None:
    with pytest.raises(DecodeError, match="neither an event nor a stream's data"):
        decoded("okx", payload)


@pytest.mark.parametrize("time", [b'"x"', b'"-1"', b'"99999999999999"', b"null"])
@pytest.mark.parametrize(
    ("sample", "sent"),
    [(samples.BOOK_UPDATE, b'"1597026383185"'), (samples.ORDERS, b'"1654084353264"')],
)
def test_a_time_that_is_none_is_refused(sample: bytes, sent: bytes, time: bytes) -> None:
    with pytest.raises(ValueError, match=r"time|Expected"):
        decoded("okx", sample.replace(sent, time))


def test_an_order_may_leave_its_time_empty() -> None:
    (event,) = decoded("okx", samples.ORDERS.replace(b'"1654084353264"', b'""'))
    assert isinstance(event, OrderUpdate)
    assert event.exchange_time_ns is None
