"""Every message file of Bybit and Binance decodes, to values that were written down by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from venues.errors import DecodeError
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
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

pytestmark = needs_real_data

MS = 1_000_000
MESSAGES = REAL_DATA / "messages"
R = RECEIVED_NS


def info(text: str) -> Notice:
    return Notice("", R, None, NoticeKind.INFORMATION, text)


def said(kind: NoticeKind, text: str) -> Notice:
    return Notice("", R, None, kind, text)


def order(
    order_id: str,
    client_order_id: str,
    side: Side,
    price: str,
    size: str,
    filled: str,
    status: str,
    *,
    symbol: str = "BTCUSDT",
    time_ms: int = 1672364262474,
) -> OrderUpdate:
    return OrderUpdate(
        symbol, R, time_ms * MS, order_id, client_order_id, side, price, size, filled, status
    )


def waiting(order_id: str, client: str, side: Side, price: str, size: str) -> OrderUpdate:
    return order(order_id, client, side, price, size, "0", "Untriggered")


BUY, SELL = Side.BUY, Side.SELL
SHORT_ETH = ("ETHUSDT", SELL, "0.01", "3641.075")

BYBIT: dict[str, list[Event]] = {
    "ws_account_execution": [info("execution")],
    "ws_account_execution_adl": [info("execution")],
    "ws_account_execution_fast": [info("execution.fast")],
    "ws_account_execution_fast_envelope_id": [info("execution.fast")],
    "ws_account_order": [
        order(
            "abcdef123456",
            "client-1",
            BUY,
            "30000",
            "0.010",
            "0",
            "Cancelled",
            time_ms=1700000007000,
        )
    ],
    "ws_account_order_buy_stop_market": [
        waiting("test-buy-stop-market-001", "test-client-buy-stop-market-001", BUY, "", "0.100")
    ],
    "ws_account_order_filled": [
        order(
            "5cf98598-39a7-459e-97bf-76ca765ee020",
            "test-client-order-001",
            BUY,
            "30000.50",
            "0.100",
            "0.100",
            "Filled",
        )
    ],
    "ws_account_order_limit_if_touched": [
        waiting("test-lit-001", "test-client-lit-001", BUY, "55500.00", "0.100")
    ],
    "ws_account_order_market_if_touched": [
        waiting("test-mit-001", "test-client-mit-001", BUY, "", "0.100")
    ],
    "ws_account_order_partially_filled_rejected": [],  # category spot
    "ws_account_order_sell_market_if_touched": [
        waiting("test-sell-mit-001", "test-client-sell-mit-001", SELL, "", "0.100")
    ],
    "ws_account_order_stop_limit": [
        waiting("test-stop-limit-001", "test-client-stop-limit-001", SELL, "44500.00", "0.100")
    ],
    "ws_account_order_stop_loss": [
        waiting("test-stop-loss-001", "test-client-sl-001", SELL, "", "0.500")
    ],
    "ws_account_order_stop_market": [
        waiting("test-stop-market-001", "test-client-stop-market-001", SELL, "", "0.100")
    ],
    "ws_account_order_take_profit": [
        waiting("test-take-profit-001", "test-client-tp-001", SELL, "", "0.500")
    ],
    "ws_account_position": [
        PositionUpdate("ETHUSDT", R, 1762199126022 * MS, SELL, "0.01", "3641.075")
    ],
    "ws_account_position_short": [
        PositionUpdate("ETHUSDT", R, 1697682417044 * MS, SELL, "0.01", "3641.075")
    ],
    "ws_account_wallet": [
        WalletUpdate("BTC", R, 1700034722104 * MS, "0.00102964", "0.00092964"),
        WalletUpdate("USDT", R, 1700034722104 * MS, "9647.75537647", "9519.89806037"),
    ],
    "ws_account_wallet_locked_exceeds_total": [
        WalletUpdate("USDT", R, 1762960669000 * MS, "100.0", "0")
    ],
    "ws_account_wallet_small_order": [
        WalletUpdate("USDT", R, 1762960669000 * MS, "51333.82543837", "0")
    ],
    "ws_auth_failure": [said(NoticeKind.LOGIN_REFUSED, "Invalid apikey")],
    "ws_auth_success": [said(NoticeKind.LOGGED_IN, "")],
    "ws_kline": [info("kline.5.BTCUSDT")],
    "ws_order_response": [info("order.create: OK")],
    "ws_orderbook_delta": [
        BookDelta(
            "BTCUSDT",
            R,
            1709891679500 * MS,
            [("27450.00", "0.400")],
            [("27451.00", "0")],
            123456790,
            123456790,
        )
    ],
    "ws_orderbook_snapshot": [
        BookSnapshot(
            "BTCUSDT",
            R,
            1709891679000 * MS,
            [("27450.00", "0.500"), ("27449.50", "1.000")],
            [("27451.00", "0.750"), ("27451.50", "0.900")],
            123456789,
            alone=True,
        )
    ],
    "ws_public_trade": [
        Trade(
            "BTCUSDT",
            R,
            1709891679000 * MS,
            "27451.00",
            "0.010",
            BUY,
            "9dc75fca-4bdd-4773-9f78-6f5d7ab2a110",
        )
    ],
    "ws_subscription_ack": [said(NoticeKind.ACKNOWLEDGED, "")],
    "ws_subscription_failure": [said(NoticeKind.REJECTED, "Invalid topic: invalid.topic.BTCUSDT")],
    "ws_ticker_linear": [
        Ticker(
            "BTCUSDT",
            R,
            1673272861686 * MS,
            "17216.00",
            "17217.33",
            "17227.36",
            "-0.000212",
            "68744.761",
        )
    ],
    "ws_ticker_option": [
        Ticker(
            "BTC-6JAN23-17500-C",
            R,
            1672917511074 * MS,
            "10",
            "7.86976724",
            "16823.73",
            None,
            "49.85",
        )
    ],
}


def traded(size: str) -> OrderUpdate:
    status, time_ms = "PARTIALLY_FILLED", 1568879465651
    return order("8886774", "TEST", BUY, "7100.50", size, "0.001", status, time_ms=time_ms)


BINANCE: dict[str, list[Event]] = {
    "agg_trade_stream": [
        Trade("BTCUSDT", R, 123456785 * MS, "0.001", "100", SELL, "5933014", None, True)
    ],
    "book_ticker_stream": [
        Quote(
            "BNBUSDT",
            R,
            1568014460893 * MS,
            "25.35190000",
            "31.21000000",
            "25.36520000",
            "40.66000000",
            400900217,
        )
    ],
    "depth_update_stream": [
        BookDelta(
            "BTCUSDT",
            R,
            123456789 * MS,
            [("0.0024", "10")],
            [("0.0026", "100")],
            157,
            160,
            149,
        )
    ],
    "execution_report_trade": [
        order(
            "12345678",
            "x-TD67BGP9-T0000000000000",
            BUY,
            "2500.00000000",
            "1.00000000",
            "1.00000000",
            "FILLED",
            symbol="ETHUSDT",
            time_ms=1709654401000,
        )
    ],
    "kline_stream_closed": [info("kline")],
    "kline_stream_open": [info("kline")],
    "liquidation_stream": [
        Liquidation(
            "BTCUSDT",
            R,
            1568014460893 * MS,
            "9910.12345678",
            "0.014",
            LiquidatedSide.LONG,
            "SELL",
            Decimal("138.74172839492"),
        )
    ],
    "mark_price_stream": [
        Ticker(
            "BTCUSDT",
            R,
            1562305380000 * MS,
            None,
            "11794.15000000",
            "11784.62659091",
            "0.00038167",
        )
    ],
    "order_update_trade": [traded("0.001")],
    "order_update_trade_partial": [traded("0.002")],
    "ticker_stream": [Ticker("BTCUSDT", R, 1672515782136 * MS, "16584.60000000")],
    "trade_lite": [info("TRADE_LITE")],
    "trade_stream": [Trade("BTCUSDT", R, 123456785 * MS, "0.001", "100", SELL, "5933014", 5933014)],
}

BYBIT_SEQUENCES: dict[str, list[list[Event]]] = {
    "wsAuth.json": [
        [PositionUpdate("XRPUSDT", R, 1672364174455 * MS, BUY, "75", "0.3615")],
        [],  # category option
        [
            WalletUpdate("USDC", R, 1672364262482 * MS, "201.34882644", "0"),
            WalletUpdate("BTC", R, 1672364262482 * MS, "0.06488393", "0.06488393"),
            WalletUpdate("ETH", R, 1672364262482 * MS, "0", "0"),
            WalletUpdate("USDT", R, 1672364262482 * MS, "11728.54414904", "11723.92075829"),
            WalletUpdate("EOS3L", R, 1672364262482 * MS, "215.0570412", "215.0570412"),
            WalletUpdate("BIT", R, 1672364262482 * MS, "1.82", "1.82"),
        ],
        [info("greeks")],
        [info("execution")],
        [order("c1956690-b731-4191-97c0-94b00422231b", "", SELL, "4.033", "1.7", "1.7", "Filled")],
        [WalletUpdate("BREAK", R, 1672364262483 * MS, "201.34882644", "")],
    ],
    "wsTicker.json": [
        [Ticker("BTCUSDT", R, 1715742949283 * MS, "21109.77")],
        [
            Ticker(
                "BTC-28JUN24-60000-P",
                R,
                1715742949283 * MS,
                "3565",
                "3502.0715721",
                "61912.8",
                None,
                "29.35",
            )
        ],
        [
            Ticker(
                "BTCUSDT",
                R,
                1715748762463 * MS,
                "61874.00",
                "61875.25",
                "61903.73",
                "0.00008055",
                "58117.022",
            )
        ],
        [Ticker("BTCUSDT", R, 1715748763063 * MS, None, "61875.06", "61903.59")],
        [
            Ticker(
                "BTCPERP",
                R,
                1715756612118 * MS,
                "61945.70",
                "61943.58",
                "61942.85",
                "0.00004979",
                "526.806",
            )
        ],
        [Ticker("BTCPERP", R, 171575661221 * MS)],
        [
            Ticker(
                "BTCUSD",
                R,
                1715757637952 * MS,
                "61894.00",
                "61894.00",
                "61923.36",
                "0.0001",
                "931760496",
            )
        ],
        [Ticker("BTCUSD", R, 1715757638152 * MS)],
    ],
}

BINANCE_SEQUENCE: list[list[Event]] = [
    [Ticker("BNBBTC", R, 1580254809477 * MS, "9338.96000000")],
    [info("kline")],
    [Trade("BNBBTC", R, 123456785 * MS, "0.001", "100", SELL, "12345", 12345)],
    [BookDelta("BNBBTC", R, 1234567880 * MS, [("6621.45", "0.3")], [("6622.46", "1.5")], 157, 160)],
    [info("balanceUpdate")],
    [info("listStatus")],
    [
        order(
            "5340845958",
            "c4wyKsIhoAaittTYlIVLqk",
            BUY,
            "52789.10000000",
            "0.00028400",
            "0.00000000",
            "NEW",
            symbol="BNBBTC",
            time_ms=1616627567900,
        )
    ],
    [
        WalletUpdate("BTC", R, 1616628815745 * MS, "0.00348109", "0.00225109"),
        WalletUpdate("BNB", R, 1616628815745 * MS, "0.00000000", "0.00000000"),
        WalletUpdate("USDT", R, 1616628815745 * MS, "54.43390661", "54.43390661"),
    ],
]


def messages_in(path: Path) -> list[bytes]:
    """Return the JSON values of a file that holds several, each as it is written there."""
    text, decoder = path.read_text(), json.JSONDecoder()
    found, start = [], 0
    while text[start:].strip():
        start += len(text[start:]) - len(text[start:].lstrip())
        _, end = decoder.raw_decode(text, start)
        found.append(text[start:end].encode())
        start = end
    return found


@pytest.mark.parametrize("name", sorted(BYBIT))
def test_a_bybit_message_file(name: str) -> None:
    assert (
        decoded("bybit-linear", (MESSAGES / "bybit" / f"{name}.json").read_bytes()) == BYBIT[name]
    )


@pytest.mark.parametrize("venue", ["binance-spot", "binance-usdm"])
@pytest.mark.parametrize("name", sorted(BINANCE))
def test_a_binance_message_file(name: str, venue: str) -> None:
    assert decoded(venue, (MESSAGES / "binance" / f"{name}.json").read_bytes()) == BINANCE[name]


@pytest.mark.parametrize("name", sorted(BYBIT_SEQUENCES))
def test_an_older_bybit_message_file(name: str) -> None:
    found = [
        decoded("bybit-linear", payload) for payload in messages_in(MESSAGES / "gct_bybit" / name)
    ]
    assert found == BYBIT_SEQUENCES[name]


def test_the_older_binance_message_file() -> None:
    payloads = messages_in(MESSAGES / "gct_binance" / "wsHandleData.json")
    assert [decoded("binance-spot", payload) for payload in payloads] == BINANCE_SEQUENCE


def test_the_rejected_spot_order_belongs_to_spot() -> None:
    path = MESSAGES / "bybit" / "ws_account_order_partially_filled_rejected.json"
    assert decoded("bybit-spot", path.read_bytes()) == [
        order(
            "5cf98598-39a7-459e-97bf-76ca765ee021",
            "O-20251001-164609-APEX-000-49",
            BUY,
            "1.500",
            "100.0",
            "50.0",
            "Rejected",
            symbol="APEXUSDT",
        )
    ]


def test_a_row_without_its_message_is_refused() -> None:
    """The file holds a row of a position message, without the message around it."""
    path = MESSAGES / "bybit" / "ws_account_position_with_open_time.json"
    with pytest.raises(DecodeError, match="neither a topic nor an operation"):
        decoded("bybit-linear", path.read_bytes())


def test_the_rest_answers() -> None:
    book = (MESSAGES / "bybit" / "http_get_orderbook.json").read_bytes()
    assert decoded_http("bybit-linear", http_frame(book)) == [
        BookSnapshot(
            "BTCUSDT",
            R,
            1709891679000 * MS,
            [("27450.50", "1.500"), ("27450.00", "2.000"), ("27449.50", "0.750")],
            [("27451.00", "1.200"), ("27451.50", "3.000"), ("27452.00", "0.500")],
            1234567,
            None,
            True,
        )
    ]
    depth = (MESSAGES / "binance" / "depth_response.json").read_bytes()
    assert decoded_http("binance-spot", http_frame(depth, "BNBBTC")) == [
        BookSnapshot(
            "BNBBTC",
            R,
            None,
            [("4.00000000", "431.00000000")],
            [("4.00000200", "12.00000000")],
            1027024,
            None,
            True,
        )
    ]
    for name in ("trades_response", "account_trades_response"):
        body = (MESSAGES / "binance" / f"{name}.json").read_bytes()
        assert decoded_http("binance-spot", http_frame(body, "BNBBTC", purpose="trades")) == []


def test_no_message_file_is_left_out() -> None:
    bybit = {path.stem for path in (MESSAGES / "bybit").iterdir()}
    assert bybit - set(BYBIT) == {"http_get_orderbook", "ws_account_position_with_open_time"}
    binance = {path.stem for path in (MESSAGES / "binance").iterdir()}
    rest = {"depth_response", "trades_response", "account_trades_response"}
    assert binance - set(BINANCE) == rest
    assert {path.name for path in (MESSAGES / "gct_bybit").iterdir()} == set(BYBIT_SEQUENCES)
