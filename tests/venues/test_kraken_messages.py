"""Every message file of Kraken decodes, to values that were written down by hand."""

from __future__ import annotations

import pytest

from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from venues.channel import Channel
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    Notice,
    NoticeKind,
    OrderUpdate,
    Quote,
    Side,
    Subscribed,
    Ticker,
    Trade,
)
from venues.registry import venue_named

R = RECEIVED_NS
MS = 1_000_000
US = 1_000
BUY, SELL = Side.BUY, Side.SELL
OCTOBER_NS = 1_696_613_755_440_295_000  # 2023-10-06T17:35:55.440295Z


def info(text: str) -> Notice:
    return Notice("", R, None, NoticeKind.INFORMATION, text)


def v2_trade(side: Side, price: str, size: str, number: int, time_ns: int) -> Trade:
    return Trade("BTC/USD", R, time_ns, price, size, side, str(number))


V2: dict[str, list[Event]] = {
    # What we would say to trade, and what the exchange would answer, is nothing to a recorder.
    "ws_add_order_request": [info("add_order")],
    "ws_add_order_response_failure": [info("add_order: EOrder:Insufficient funds")],
    "ws_add_order_response_success": [info("add_order")],
    "ws_amend_order_request": [info("amend_order")],
    "ws_batch_add_request": [info("batch_add")],
    "ws_batch_add_response_partial": [info("batch_add")],
    "ws_cancel_order_request": [info("cancel_order")],
    "ws_book_snapshot": [
        BookSnapshot(
            "BTC/USD",
            R,
            OCTOBER_NS,
            [("105944.20", "0.136"), ("105935.40", "0.024"), ("105920.10", "0.052")],
            [("105944.30", "0.136"), ("105946.90", "0.095"), ("105955.80", "0.003")],
            None,
            2439117997,
        )
    ],
    "ws_book_update": [
        BookDelta(
            "BTC/USD",
            R,
            OCTOBER_NS,
            [("105944.20", "0.250")],
            [],
            None,
            None,
            None,
            2114181697,
        )
    ],
    "ws_l3_snapshot": [info("level3")],
    "ws_l3_update_add": [info("level3")],
    "ws_l3_update_delete": [info("level3")],
    "ws_l3_update_modify_price": [info("level3")],
    "ws_l3_update_modify_qty": [info("level3")],
    "ws_ohlc_update": [info("ohlc")],
    "ws_pong": [Notice("", R, None, NoticeKind.HEARTBEAT)],
    "ws_subscribe_response": [
        Notice("BTC/USD", R, None, NoticeKind.ACKNOWLEDGED, "ticker BTC/USD"),
        Subscribed("BTC/USD", R, None, Channel.TICKERS, None, "", "ticker:BTC/USD"),
    ],
    "ws_ticker_snapshot": [
        Ticker("BTC/USD", R, 1_671_960_659_123_456_000, "105899.40"),
        Quote("BTC/USD", R, 1_671_960_659_123_456_000, "105944.20", "2.5", "105944.30", "3.2"),
    ],
    "ws_trade_update": [
        v2_trade(BUY, "105944.20", "0.00027625", 10218208, OCTOBER_NS),
        v2_trade(SELL, "105910.50", "0.00012460", 10218209, OCTOBER_NS + 683_161 * US),
    ],
}

XBT = "PI_XBTUSD"
FEBRUARY_NS = 1_612_269_825_817 * MS


def past_trade(trade_id: str, number: int, time_ms: int, price: str, size: str) -> Trade:
    return Trade(
        XBT, R, time_ms * MS, price, size, SELL, trade_id, number, False, False, history=True
    )


FUTURES: dict[str, list[Event]] = {
    # A book by REST says no number by which it could be joined to the changes.
    "ws_futures_book_delta": [
        BookDelta(XBT, R, 1_612_269_953_629 * MS, [], [("34981", "0")], 326094134, 326094134)
    ],
    "ws_futures_book_snapshot": [
        BookSnapshot(
            XBT,
            R,
            FEBRUARY_NS,
            [("34892.5", "6385"), ("34892", "10924")],
            [("34911.5", "20598"), ("34912", "2300")],
            326072249,
        )
    ],
    "ws_futures_book_snapshot_with_zero_qty": [
        BookSnapshot(
            XBT,
            R,
            FEBRUARY_NS,
            [("34892.5", "6385"), ("34892", "0"), ("34891.5", "100")],
            [("34911.5", "0"), ("34912", "2300")],
            326072249,
        )
    ],
    "ws_futures_fills_delta": [info("fills")],
    "ws_futures_fills_snapshot": [info("fills_snapshot")],
    "ws_futures_open_orders_cancel": [
        OrderUpdate(
            "",
            R,
            None,
            "660c6b23-8007-48c1-a7c9-4893f4572e8c",
            "",
            None,
            "",
            "",
            "",
            "cancelled_by_user",
        )
    ],
    "ws_futures_open_orders_cancel_post_only": [
        OrderUpdate(
            "",
            R,
            None,
            "770d7b34-9118-59d2-b8da-5a04e3683fa9",
            "O-20250306-001",
            None,
            "",
            "",
            "",
            "post_order_failed_because_it_would_filled",
        )
    ],
    "ws_futures_open_orders_delta": [
        OrderUpdate(
            XBT,
            R,
            1_567_702_877_410 * MS,
            "59302619-41d2-4f0b-941f-7e7914760ad3",
            "",
            SELL,
            "10640.0",
            "304.0",
            "0.0",
            "new_placed_order_by_user",
        )
    ],
    "ws_futures_open_orders_delta_full_fill": [
        OrderUpdate(
            "PF_XBTUSD",
            R,
            1_775_831_973_330 * MS,
            "a182cf4f-fd35-4ab1-b6b8-67ef5561bde5",
            "",
            BUY,
            "73110.0",
            "0.0001",
            "0.0001",
            "full_fill",
        )
    ],
    "ws_futures_open_orders_snapshot": [
        OrderUpdate(
            XBT,
            R,
            1_612_275_024_153 * MS,
            "723ba95f-13b7-418b-8fcf-ab7ba6620555",
            "",
            SELL,
            "34900",
            "1000",
            "0",
            "open",
        )
    ],
    "ws_futures_ticker": [
        Ticker(
            XBT,
            R,
            1_676_393_235_406 * MS,
            "21983.5",
            "21979.68641534714",
            "21984.54",
            "-1.380384722222e-6",
            "30072580.0",
        ),
        Quote(XBT, R, 1_676_393_235_406 * MS, "21978.5", "2536.0", "21987.0", "13948.0"),
    ],
    "ws_futures_trade": [
        Trade(
            XBT,
            R,
            1_612_266_317_519 * MS,
            "34969.5",
            "15000",
            SELL,
            "05af78ac-a774-478c-a50c-8b9c234e071e",
            653355,
        )
    ],
    "ws_futures_trade_snapshot": [
        past_trade("45ee9737-1877-4682-bc68-e4ef818ef88a", 655507, 1612269656839, "34891", "9643"),
        past_trade("caa9c653-420b-4c24-a9f1-462a054d86f1", 655508, 1612269657781, "34893", "440"),
    ],
}


def v1_rows(text: str) -> list[tuple[str, str]]:
    pairs = (row.split() for row in text.split(","))
    return [(f"{price}0000", f"{size}00000") for price, size in pairs]


def own_order(
    order_id: str,
    filled: str = "",
    status: str = "",
    *,
    symbol: str = "",
    side: Side | None = None,
    price: str = "",
    size: str = "",
    time_us: int | None = None,
) -> OrderUpdate:
    time_ns = None if time_us is None else time_us * US
    return OrderUpdate(symbol, R, time_ns, order_id, "", side, price, size, filled, status)


def v1_trade(time_us: int, price: str, size: str, side: Side) -> Trade:
    return Trade("XBT/USD", R, time_us * US, price, size, side, "")


FIRST, SECOND = "OGTT3Y-C6I3P-XRI6HR", "OKB55A-UEMMN-YUXM2A"

V1: dict[str, list[list[Event]]] = {
    "wsAllTrades": [
        [v1_trade(1740353380379186, "95873.80000", "0.00051182", BUY)],
        [v1_trade(1740362472853682, "95940.90000", "0.00011069", SELL)],
    ],
    "wsHandleData": [
        [Notice("", R, None, NoticeKind.HEARTBEAT)],
        [info("systemStatus online")],
        [Ticker("XBT/USD", R, None, "5525.10000")],
        [info("ohlc-5")],
        [
            v1_trade(1534614057321597, "5541.20000", "0.15850568", SELL),
            v1_trade(1534614057324998, "6060.00000", "0.02455000", BUY),
        ],
        [
            Quote(
                "XBT/USD",
                R,
                1542057299545897 * US,
                "5698.40000",
                "1.01234567",
                "5700.00000",
                "0.98765432",
            )
        ],
        [
            Subscribed("XBT/USD", R, None, Channel.BOOK, 100, "", "book-100:XBT/USD"),
            BookSnapshot(
                "XBT/USD",
                R,
                None,
                v1_rows(
                    "5541.2 1.529,5539.9 0.300,5539.5 5.000,5538.2 1.529,5537.9 0.300,"
                    "5536.5 5.000,5535.2 1.529,5534.9 0.300,5533.5 5.000,5532.5 5.000"
                ),
                v1_rows(
                    "5541.3 2.507,5541.8 0.330,5542.7 0.647,5544.3 2.507,5545.8 0.330,"
                    "5546.7 0.647,5547.7 0.647,5548.3 2.507,5549.8 0.330,5550.7 0.647"
                ),
            ),
        ],
        [
            BookDelta(
                "XBT/USD",
                R,
                1534614248456738 * US,
                [],
                [("5541.30000", "2.50700000"), ("5542.50000", "0.40100000")],
                None,
                None,
                None,
                4187525586,
            )
        ],
        [
            BookDelta(
                "XBT/USD",
                R,
                1534614335345903 * US,
                [("5541.30000", "0.00000000")],
                [],
                None,
                None,
                None,
                4187525586,
            )
        ],
        [info("ownTrades")],
    ],
    "wsOpenTrades": [
        [
            own_order(
                FIRST,
                "0.00000000",
                "open",
                symbol="XBT/USD",
                side=SELL,
                price="34.50000",
                size="10.00345345",
            ),
            own_order(
                SECOND,
                "0.00000000",
                "pending",
                symbol="XBT/USD",
                side=BUY,
                price="0.00000",
                size="0.00010000",
            ),
        ],
        [own_order(SECOND, status="open")],
        [own_order(SECOND, "0.00010000")],
        [own_order(SECOND, "0.00010000", "closed", time_us=1692851641361447)],
        [own_order(FIRST, "10.00345345")],
        [own_order(FIRST, "10.00345345", "closed", time_us=1692675961789052)],
    ],
}


@needs_real_data
@pytest.mark.parametrize("name", [*V2, *FUTURES])
def test_each_message_means_what_was_written_down_by_hand(name: str) -> None:
    payload = (REAL_DATA / "messages" / "kraken" / f"{name}.json").read_bytes()
    venue, expected = ("kraken", V2[name]) if name in V2 else ("kraken-futures", FUTURES[name])
    assert decoded(venue, payload) == expected


@needs_real_data
@pytest.mark.parametrize("name", V1)
def test_each_line_of_the_older_protocol_means_what_was_written_down_by_hand(name: str) -> None:
    path = REAL_DATA / "messages" / "gct_kraken" / f"{name}.json"
    lines = path.read_bytes().splitlines()
    assert [decoded("kraken-v1", line) for line in lines] == V1[name]


@needs_real_data
def test_no_message_file_is_left_out() -> None:
    folder = REAL_DATA / "messages"
    assert {path.stem for path in (folder / "gct_kraken").iterdir()} == set(V1)
    assert {path.stem for path in (folder / "kraken").iterdir()} == {
        *V2,
        *FUTURES,
        "http_futures_orderbook",
    }


@needs_real_data
def test_a_futures_book_by_rest_cannot_join_and_is_passed_over() -> None:
    body = (REAL_DATA / "messages" / "kraken" / "http_futures_orderbook.json").read_bytes()
    (notice,) = decoded_http("kraken-futures", http_frame(body, XBT))
    assert isinstance(notice, Notice)
    assert (notice.kind, notice.symbol) == (NoticeKind.INFORMATION, XBT)


def test_a_request_that_came_too_fast_is_refused_in_words_of_its_own() -> None:
    """It says `Error`, and neither what was asked for nor that it answers anything."""
    payload = b'{"Error":"Exceeded msg rate"}'
    for name in ("kraken", "kraken-v1"):
        expected = Notice("", R, None, NoticeKind.REJECTED, "Exceeded msg rate")
        assert decoded(name, payload) == [expected]
        notice = venue_named(name).read_notice(payload)
        assert notice is not None
        assert notice.kind is NoticeKind.REJECTED


def test_a_request_that_the_exchange_cannot_read_is_a_refused_one() -> None:
    payload = (
        b'{"error":"Malformed request","method":"error","success":false,'
        b'"time_in":"2023-10-06T17:35:55.440295Z","time_out":"2023-10-06T17:35:55.440300Z"}'
    )
    expected = Notice("", R, None, NoticeKind.REJECTED, "Malformed request")
    assert decoded("kraken", payload) == [expected]


@pytest.mark.parametrize(
    ("alert", "kind"),
    [
        ("Failed to subscribe to authenticated feed", NoticeKind.LOGIN_REFUSED),
        ("rate_limited", NoticeKind.REJECTED),
        ("Not subscribed to feed", NoticeKind.INFORMATION),
    ],
)
def test_an_alert_of_the_futures_exchange_may_be_a_refusal(alert: str, kind: NoticeKind) -> None:
    """The signature of a challenge is first judged when it is used: no error says so."""
    payload = f'{{"event":"alert","message":"{alert}"}}'.encode()
    (notice,) = decoded("kraken-futures", payload)
    assert isinstance(notice, Notice)
    assert (notice.kind, notice.text.removeprefix("alert ")) == (kind, alert)
    read = venue_named("kraken-futures").read_notice(payload)
    assert read is not None
    assert read.kind is kind
