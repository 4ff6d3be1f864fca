"""HTX: what its messages and HTTP answers mean, field by field."""

from __future__ import annotations

import pytest

from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples import htx as samples
from venues.errors import UNDECODABLE
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

SPOT, SWAP = "htx", "htx-swap"
R = RECEIVED_NS
MS = 1_000_000


def notice(kind: NoticeKind, text: str) -> list[Event]:
    return [Notice("", R, None, kind, text)]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.CHAIN,
            [
                BookDelta(
                    "btcusdt",
                    R,
                    1790134136934 * MS,
                    [("1.3640078E7", "3.6E-4"), ("13638902", "0.0")],
                    [],
                    204675265969,
                    204675265972,
                    204675265969,
                )
            ],
        ),
        (
            samples.ONE_SIDED,
            [
                BookDelta(
                    "btcusdt",
                    R,
                    1639744309814 * MS,
                    [("47231.83", "0.957689")],
                    [],
                    144516551150,
                    144516551156,
                    144516551150,
                )
            ],
        ),
        (
            samples.REQUESTED,
            [
                Notice("", R, None, NoticeKind.ACKNOWLEDGED, "market.btcusdt.mbp.150"),
                BookSnapshot(
                    "btcusdt",
                    R,
                    1790134138994 * MS,
                    [("14.46", "13.39"), ("14.420", "17")],
                    [("14.64", "2.53")],
                    204675265969,
                    None,
                    True,
                ),
            ],
        ),
        (
            samples.SPOT_TRADES,
            [
                Trade(
                    "btcusdt",
                    R,
                    1630994963173 * MS,
                    "52648.62",
                    "0.006754",
                    Side.BUY,
                    "102523573486",
                )
            ],
        ),
        (
            samples.SPOT_TRADES.replace(b'"tradeId":102523573486,', b""),
            [
                Trade(
                    "btcusdt",
                    R,
                    1630994963173 * MS,
                    "52648.62",
                    "0.006754",
                    Side.BUY,
                    "137005445109359290000000000",
                )
            ],
        ),
        (
            samples.SPOT_QUOTE,
            [
                Quote(
                    "btcusdt",
                    R,
                    1639669832791 * MS,
                    "48660.94",
                    "0.228303",
                    "48660.95",
                    "0.001298",
                )
            ],
        ),
        (samples.SPOT_DETAIL, [Ticker("btcusdt", R, 1630998026649 * MS, "52379.990")]),
        (
            samples.SPOT_TRADED_ORDER,
            [
                OrderUpdate(
                    "btcusdt",
                    R,
                    1583854188883 * MS,
                    "27163533",
                    "test3",
                    Side.SELL,
                    "77.0",
                    "2.0",
                    "1.0",
                    "partial-filled",
                )
            ],
        ),
        (samples.SPOT_BALANCE, [WalletUpdate("usdt", R, None, "20.29388158", "20.1")]),
        (samples.SUBSCRIBED, notice(NoticeKind.ACKNOWLEDGED, "market.btcusdt.bbo")),
        (
            samples.REFUSED,
            notice(NoticeKind.REJECTED, "invalid topic market.btcusdt.nope (bad-request)"),
        ),
        (samples.PING, notice(NoticeKind.HEARTBEAT, "ping")),
        (samples.ACCOUNT_PING, notice(NoticeKind.HEARTBEAT, "ping")),
        (samples.LOGGED_IN, notice(NoticeKind.LOGGED_IN, "")),
        (samples.ACCOUNT_REFUSED, notice(NoticeKind.REJECTED, "invalid.topic (code 2001)")),
        (
            samples.LOGGED_IN.replace(b"200", b'2002,"message":"auth.fail"'),
            notice(NoticeKind.LOGIN_REFUSED, "auth.fail (code 2002)"),
        ),
    ],
)
def test_a_message_of_spot_means_what_the_documentation_says(
    payload: bytes, expected: list[Event]
) -> None:
    assert decoded(SPOT, payload) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.SWAP_BOOK,
            [
                BookSnapshot(
                    "BTC-USDT",
                    R,
                    1581552001187 * MS,
                    [("10866", "3166"), ("9.121e-07", "1")],
                    [("10866.01", "137")],
                    25630954,
                )
            ],
        ),
        (
            samples.SWAP_DELTA,
            [
                BookDelta(
                    "BTC-USDT",
                    R,
                    1581552001190 * MS,
                    [("10866", "0"), ("10361.14", "385")],
                    [],
                    25630955,
                    25630955,
                )
            ],
        ),
        (
            samples.SWAP_STEP,
            [
                BookSnapshot(
                    "ATOM-USD",
                    R,
                    1645289384842 * MS,
                    [("26.5766", "50")],
                    [("26.6", "1")],
                    1645289384,
                    alone=True,
                )
            ],
        ),
        (
            samples.SWAP_TRADES,
            [
                Trade(
                    "BTC-USDT",
                    R,
                    1645289382216 * MS,
                    "26.5841",
                    "6",
                    Side.SELL,
                    "743774717120000",
                )
            ],
        ),
        (
            samples.SWAP_QUOTE,
            [Quote("BTC-USDT", R, 1604388667225 * MS, "13684.5", "67", "13684.60", "45")],
        ),
        (
            samples.SWAP_QUOTE.replace(b"[13684.60,45]", b"null"),
            [Quote("BTC-USDT", R, 1604388667225 * MS, "13684.5", "67", "", "")],
        ),
        (samples.SWAP_DETAIL, [Ticker("BTC-USDT", R, 1603707870528 * MS, "13067.80")]),
        (
            samples.LIQUIDATIONS,
            [
                Liquidation(
                    "BTC-USDT",
                    R,
                    1789670297212 * MS,
                    "2446.26",
                    "500",
                    LiquidatedSide.SHORT,
                    "buy",
                    None,
                )
            ],
        ),
        (
            samples.LIQUIDATIONS.replace(b'"buy"', b'"sell"'),
            [
                Liquidation(
                    "BTC-USDT",
                    R,
                    1789670297212 * MS,
                    "2446.26",
                    "500",
                    LiquidatedSide.LONG,
                    "sell",
                    None,
                )
            ],
        ),
        (
            samples.FUNDING,
            [Ticker("BTC-USDT", R, 1603778748166 * MS, funding_rate_text="0.000100")],
        ),
        (
            samples.SWAP_ORDER,
            [
                OrderUpdate(
                    "BTC-USDT",
                    R,
                    1606878438414 * MS,
                    "783650498317316098",
                    "563241524409083",
                    Side.BUY,
                    "50000.5",
                    "8",
                    "3",
                    "4",
                )
            ],
        ),
        (
            samples.SWAP_POSITIONS,
            [
                PositionUpdate("BTC-USDT", R, 1606878438414 * MS, Side.SELL, "2.000", "19068.50"),
                PositionUpdate("ETH-USDT", R, 1606878438414 * MS, None, "0E-18", "0"),
            ],
        ),
        (
            samples.SWAP_ACCOUNTS,
            [WalletUpdate("USDT", R, 1764844893794 * MS, "100.535351780000000000", "99.5")],
        ),
        (
            samples.NOTIFICATION_SUBSCRIBED,
            notice(NoticeKind.ACKNOWLEDGED, "public.BTC-USDT.liquidation_orders"),
        ),
        (samples.NOTIFICATION_REFUSED, notice(NoticeKind.REJECTED, "invalid topic (2011)")),
        (samples.NOTIFICATION_PING, notice(NoticeKind.HEARTBEAT, "ping")),
        (samples.NOTIFICATION_LOGGED_IN, notice(NoticeKind.LOGGED_IN, "")),
        (
            samples.NOTIFICATION_LOGGED_IN.replace(b'"err-code":0', b'"err-code":2002'),
            notice(NoticeKind.LOGIN_REFUSED, " (2002)"),
        ),
        (samples.NOTIFICATION_CLOSE, notice(NoticeKind.WILL_DISCONNECT, "close")),
        (
            samples.FUNDING.replace(b"funding_rate", b"contract_info"),
            notice(NoticeKind.INFORMATION, "public.BTC-USDT.contract_info"),
        ),
    ],
)
def test_a_message_of_swaps_means_what_the_documentation_says(
    payload: bytes, expected: list[Event]
) -> None:
    assert decoded(SWAP, payload) == expected


BTC = "btcusdt"
FILES: dict[str, list[Event]] = {
    "wsAllTrades": [
        Trade(BTC, R, 1630994963173 * MS, "52648.62", "0.006754", Side.BUY, "102523573486"),
        Trade(BTC, R, 1630994963184 * MS, "52648.73", "0.006755", Side.SELL, "102523573487"),
    ],
    "wsCandles": notice(NoticeKind.INFORMATION, "market.btcusdt.kline.1min"),
    "wsMyAccount": [
        WalletUpdate("btc", R, 1568601800000 * MS, "23.111", ""),
        WalletUpdate("btc", R, 1574393385167 * MS, "", "2028.69"),
        WalletUpdate("usdt", R, None, "20.29388158", "20.29388158"),
    ],
    "wsMyOrders": [
        OrderUpdate(BTC, R, 1583853365586 * MS, "", "test1", Side.BUY, "", "", "", "rejected"),
        OrderUpdate(BTC, R, 1583853365586 * MS, "", "test2", Side.BUY, "", "", "", "canceled"),
        OrderUpdate(
            BTC,
            R,
            1583853365586 * MS,
            "27163533",
            "test3",
            Side.SELL,
            "77.000000000000000000",
            "2.000000000000000000",
            "",
            "submitted",
        ),
        OrderUpdate(
            BTC,
            R,
            1731039387696 * MS,
            "1199329381585359",
            "",
            Side.BUY,
            "70000",
            "0.000157",
            "",
            "submitted",
        ),
    ],
    "wsMyTrades": notice(NoticeKind.INFORMATION, "trade.clearing#btcusdt#1"),
    "wsOrderbook": [
        BookSnapshot(
            BTC,
            R,
            1630983549500 * MS,
            [("52690.69", "0.36281"), ("52690.68", "0.2")],
            [("52690.7", "0.372591"), ("52691.26", "0.13")],
            136998124622,
            alone=True,
        )
    ],
    "wsTicker": [Ticker(BTC, R, 1630998026649 * MS, "52379.99")],
}


@needs_real_data
@pytest.mark.parametrize("name", FILES)
def test_each_message_file_is_decoded_to_what_it_says(name: str) -> None:
    content = (REAL_DATA / "messages" / "gct_huobi" / f"{name}.json").read_bytes()
    lines = [line for line in content.splitlines() if line.strip()]
    assert [event for line in lines for event in decoded(SPOT, line)] == FILES[name]


@needs_real_data
def test_no_message_file_is_left_out() -> None:
    folder = REAL_DATA / "messages" / "gct_huobi"
    assert {path.stem for path in folder.iterdir()} == set(FILES)


@pytest.mark.parametrize(
    ("venue", "body", "expected"),
    [
        (
            SPOT,
            b'{"status":"ok","data":[{"symbol":"btcusdt","bc":"btc","qc":"usdt","pp":2,"ap":6}],'
            b'"ts":"1641880897191","full":1}',
            Instrument("btcusdt", R, None, "0.01", "0.000001"),
        ),
        (
            SWAP,
            b'{"status":"ok","data":[{"symbol":"BTC","contract_code":"BTC-USDT","contract_size":'
            b'0.0010,"price_tick":0.1}],"ts":1603778748166}',
            Instrument("BTC-USDT", R, None, "0.1", "1", ContractKind.LINEAR, "0.0010"),
        ),
        (
            SWAP,
            b'{"status":"ok","data":[{"symbol":"BTC","contract_code":"BTC-USD","contract_size":'
            b'100,"price_tick":0.1}],"ts":1603778748166}',
            Instrument("BTC-USD", R, None, "0.1", "1", ContractKind.INVERSE, "100"),
        ),
    ],
)
def test_the_exchange_says_what_its_instruments_are(
    venue: str, body: bytes, expected: Instrument
) -> None:
    frame = http_frame(body, expected.symbol, purpose=Purpose.INSTRUMENTS)
    assert decoded_http(venue, frame) == [expected]


@pytest.mark.parametrize("venue", [SPOT, SWAP])
def test_a_refused_request_is_a_notice_and_a_book_by_http_is_none_of_ours(venue: str) -> None:
    body = b'{"status":"error","err-code":"base-symbol-error","err-msg":"The symbol is invalid"}'
    frame = http_frame(body, "x", purpose=Purpose.INSTRUMENTS)
    text = "refused: The symbol is invalid (base-symbol-error)"
    assert decoded_http(venue, frame) == [Notice("x", R, None, NoticeKind.INFORMATION, text)]
    with pytest.raises(UNDECODABLE):
        decoded_http(venue, http_frame(b'{"status":"ok","tick":{}}', "x"))
