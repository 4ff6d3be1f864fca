"""Deribit: every message file, field by field."""

from __future__ import annotations

import json

import pytest

from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    Notice,
    NoticeKind,
    OrderUpdate,
    Quote,
    Side,
    Ticker,
    Trade,
    WalletUpdate,
)

NAME, BTC = "deribit", "BTC-PERPETUAL"
R = RECEIVED_NS
MS = 1_000_000


def said(kind: NoticeKind, text: str) -> Notice:
    return Notice("", R, None, kind, text)


def order(
    symbol: str,
    time_ms: int,
    order_id: str,
    number: int,
    side: Side,
    *numbers: str,
) -> OrderUpdate:
    label = f"O-19700101-000000-001-001-{number}"
    price, size, filled, status = numbers
    return OrderUpdate(symbol, R, time_ms * MS, order_id, label, side, price, size, filled, status)


ETH = "ETH_USDC-PERPETUAL"
FILES: dict[str, list[Event]] = {
    "ws_book_delta": [
        BookDelta(
            BTC,
            R,
            1699999999500 * MS,
            [("42500.0", "950.0"), ("42498.5", "300.0")],
            [("42501.0", "0"), ("42501.5", "700.0")],
            None,
            123456790,
            123456789,
        )
    ],
    "ws_book_grouped_snapshot": [
        BookSnapshot(
            BTC,
            R,
            1769246173071 * MS,
            [
                ("89532.5", "254900.0"),
                ("89532.0", "1000.0"),
                ("89531.0", "2000.0"),
                ("89529.5", "3530.0"),
                ("89529.0", "4030.0"),
                ("89528.0", "500.0"),
                ("89527.5", "35170.0"),
                ("89526.0", "75010.0"),
                ("89525.0", "10000.0"),
                ("89523.5", "11000.0"),
            ],
            [
                ("89533.0", "91570.0"),
                ("89533.5", "10000.0"),
                ("89537.0", "13290.0"),
                ("89538.5", "6990.0"),
                ("89540.0", "11000.0"),
                ("89540.5", "26520.0"),
                ("89541.0", "3550.0"),
                ("89542.5", "11000.0"),
                ("89543.0", "480.0"),
                ("89545.5", "29500.0"),
            ],
            136725664747,
            alone=True,
        )
    ],
    "ws_book_snapshot": [
        BookSnapshot(
            BTC,
            R,
            1699999999000 * MS,
            [
                ("42500.0", "1000.0"),
                ("42499.5", "500.0"),
                ("42499.0", "750.0"),
                ("42498.5", "1200.0"),
                ("42498.0", "800.0"),
            ],
            [
                ("42501.0", "800.0"),
                ("42501.5", "600.0"),
                ("42502.0", "400.0"),
                ("42502.5", "900.0"),
                ("42503.0", "550.0"),
            ],
            123456789,
        )
    ],
    "ws_chart": [said(NoticeKind.INFORMATION, "chart.trades.BTC-PERPETUAL.1")],
    "ws_error": [said(NoticeKind.REJECTED, "too_many_requests (code 10028)")],
    "ws_order_buy_response": [
        order(
            ETH,
            1767978363493,
            "USDC-104819327443",
            1,
            Side.BUY,
            "2973.55",
            "0.001",
            "0.0",
            "open",
        )
    ],
    "ws_order_cancel_response": [
        order(
            ETH,
            1767978373490,
            "USDC-104819327443",
            1,
            Side.BUY,
            "3067.2",
            "0.001",
            "0.0",
            "cancelled",
        )
    ],
    "ws_order_edit_response": [
        order(
            ETH,
            1767978368488,
            "USDC-104819327443",
            1,
            Side.BUY,
            "3067.2",
            "0.001",
            "0.0",
            "open",
        )
    ],
    "ws_order_sell_response": [
        order(
            ETH,
            1767978363496,
            "USDC-104819327458",
            2,
            Side.SELL,
            "3286.7",
            "0.001",
            "0.0",
            "open",
        )
    ],
    "ws_order_stop_market_no_filled_amount": [
        order(
            "BTC_USDC-PERPETUAL",
            1777923420773,
            "USDC-SLMB-19641",
            3,
            Side.SELL,
            "",
            "0.010",
            "",
            "untriggered",
        )
    ],
    "ws_order_stop_market_response": [
        order(
            ETH,
            1776960375531,
            "USDC-104819327499",
            3,
            Side.SELL,
            "",
            "0.010",
            "0.0",
            "untriggered",
        )
    ],
    "ws_portfolio": [WalletUpdate("USDT", R, None, "55.00055", "53.868247")],
    "ws_quote": [Quote(BTC, R, 1765541767174 * MS, "92288.0", "133440.0", "92288.5", "99470.0")],
    "ws_subscribe_response": [
        said(NoticeKind.ACKNOWLEDGED, "trades.BTC-PERPETUAL.100ms, book.BTC-PERPETUAL.100ms")
    ],
    "ws_test_request": [said(NoticeKind.HEARTBEAT, "")],
    "ws_ticker": [
        Ticker(
            BTC,
            R,
            1765541474086 * MS,
            "92283.5",
            "92281.78",
            "92263.55",
            "0.0",
            "1132329370.0",
        )
    ],
    "ws_trades": [
        Trade(BTC, R, 1765531356452 * MS, "92294.5", "10.0", Side.SELL, "403691824", 271252854),
        Trade(BTC, R, 1765531356452 * MS, "92288.5", "750.0", Side.SELL, "403691825", 271252855),
    ],
    "ws_trades_option_combo": [
        Trade(
            "BTC-CS-19MAY26-70000_75000",
            R,
            1779118041756 * MS,
            "0.0639",
            "0.1",
            Side.SELL,
            "244365193",
            1,
        )
    ],
    "ws_volatility_index": [said(NoticeKind.INFORMATION, "deribit_volatility_index.btc_usd")],
}


@needs_real_data
@pytest.mark.parametrize("name", FILES)
def test_every_message_file_decodes_to_what_it_says(name: str) -> None:
    payload = (REAL_DATA / "messages" / "deribit" / f"{name}.json").read_bytes()
    assert decoded(NAME, payload) == FILES[name]


@needs_real_data
def test_the_book_of_an_http_answer_is_read_and_no_file_is_left_out() -> None:
    folder = REAL_DATA / "messages" / "deribit"
    body = (folder / "http_get_order_book.json").read_bytes()
    (book,) = decoded_http(NAME, http_frame(body, BTC))
    assert isinstance(book, BookSnapshot)
    assert (book.symbol, book.sequence, book.exchange_time_ns, book.unjoined) == (
        BTC,
        133112427566,
        1766554855140 * MS,
        True,
    )
    assert (len(book.bids), book.bids[0], book.bids[-1]) == (
        20,
        ("87002.5", "199190.0"),
        ("86980.0", "100.0"),
    )
    assert (len(book.asks), book.asks[0], book.asks[-1]) == (
        20,
        ("87003.0", "125090.0"),
        ("87031.5", "32930.0"),
    )
    assert {path.stem for path in folder.iterdir()} == {*FILES, "http_get_order_book"}


@needs_real_data
def test_trades_of_the_second_collection() -> None:
    file = REAL_DATA / "messages" / "gct_deribit" / "wsAllTrades.json"
    bought, sold = (decoded(NAME, line) for line in file.read_bytes().splitlines())
    assert bought == [
        Trade(BTC, R, 1742627465811 * MS, "84295.5", "8430.0", Side.BUY, "356130997", 242126092)
    ]
    assert sold == [
        Trade(BTC, R, 1742627361899 * MS, "84319.0", "580.0", Side.SELL, "356130979", 242126084)
    ]
    # White space and the order of keys are free: a message is known by its fields.
    (payload, *_) = file.read_bytes().splitlines()
    shuffled = json.dumps(dict(reversed(json.loads(payload).items()))).encode()
    assert decoded(NAME, shuffled) == bought
