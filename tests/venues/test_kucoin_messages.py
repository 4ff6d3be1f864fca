"""KuCoin: what its messages and HTTP answers mean, field by field."""

from __future__ import annotations

from collections import Counter

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import RECEIVED_NS, decoded, decoded_http, http_frame
from tests.venues.samples import kucoin as samples
from venues.event import (
    BookDelta,
    BookSnapshot,
    ContractKind,
    Event,
    Instrument,
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
from venues.frame import Frame, FrameKind
from venues.venue import Purpose

NAME = "kucoin"
R = RECEIVED_NS
MS = 1_000_000


def played(frames: list[Frame]) -> Engine:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return engine


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.BOOK,
            BookDelta(
                "BTC-USDT",
                R,
                1663747970273 * MS,
                [("18891.9", "0.15688")],
                [("18907.3", "0.58751503"), ("18906", "0.00331")],
                14103844,
                14103847,
                row_sequences=([14103847], [14103844, 14103845]),
            ),
        ),
        (
            samples.BOOK_OF_2021,
            BookDelta(
                "BCHSV-USDT", R, None, [], [], 1613277183874, 1613277183874, row_sequences=([], [])
            ),
        ),
        (
            samples.TRADE,
            Trade(
                "BTC-USDT",
                R,
                1545913818099033203,
                "0.08200000000000000000",
                "0.01022222000000000000",
                Side.BUY,
                "5c24c5da03aa673885cd67aa",
            ),
        ),
        (
            samples.QUOTE,
            Quote(
                "BTC-USDT", R, 1729757723612 * MS, "67218.6", "0.01", "67218.7", "1.92", 14103847
            ),
        ),
        (
            samples.QUOTE_OF_ALL,
            Quote(
                "FTM-ETH",
                R,
                1677320967673 * MS,
                "0.0002894",
                "65.536",
                "0.0002901",
                "3514.4978",
                186911324,
            ),
        ),
        (samples.SNAPSHOT, Ticker("BTC-USDT", R, 1700555342151 * MS, "37366.80")),
        (
            samples.INDEX,
            Ticker("USDT-BTC", R, 1551770400000 * MS, index_price_text="0.00010920"),
        ),
        (samples.MARK, Ticker("USDT-BTC", R, 1551770400000 * MS, mark_price_text="0.0001093")),
        (
            samples.ORDER,
            OrderUpdate(
                "KCS-USDT",
                R,
                1593487482038606000,
                "5efab07953bdea00089965fa",
                "1593487481000313",
                Side.SELL,
                "0.938",
                "0.1",
                "0.1",
                "done: filled",
            ),
        ),
        (samples.BALANCE, WalletUpdate("KCS", R, 1545743136994 * MS, "88", "87.5")),
        (
            samples.CANDLE,
            Notice("", R, None, NoticeKind.INFORMATION, "/market/candles:BTC-USDT_1hour"),
        ),
        (samples.WELCOME, Notice("", R, None, NoticeKind.INFORMATION, "welcome")),
        (samples.ACK, Notice("", R, None, NoticeKind.ACKNOWLEDGED, "ack")),
        (samples.PONG, Notice("", R, None, NoticeKind.HEARTBEAT, "pong")),
        (
            samples.REFUSED,
            Notice("", R, None, NoticeKind.REJECTED, "topic /market/x is not found (code 404)"),
        ),
    ],
)
def test_a_message_means_what_the_documentation_says(payload: bytes, expected: Event) -> None:
    assert decoded(NAME, payload) == [expected]


def test_rows_that_a_snapshot_has_already_are_left_out_when_a_delta_joins_it() -> None:
    body = (
        b'{"code":"200000","data":{"sequence":"14103845","bids":[["1","1"]],'
        b'"asks":[["18906","9"]]}}'
    )
    engine = played(
        [
            http_of(body, "BTC-USDT"),
            Frame(1, 1, NAME, FrameKind.TEXT, R, None, samples.BOOK),
        ]
    )
    book = engine.markets[NAME, "BTC-USDT"].book
    assert book.state is BookState.PROVEN
    assert book.sequence == 14103847
    assert list(book.asks) == [("18906", "9")]
    assert list(book.bids) == [("18891.9", "0.15688"), ("1", "1")]


def http_of(body: bytes, symbol: str) -> Frame:
    return Frame(0, 1, NAME, FrameKind.HTTP, R, None, http_frame(body, symbol).payload)


REFUSED_BY_REST = b'{"code":"900001","msg":"symbol not exists"}'


def test_http_answers_give_a_book_an_instrument_or_the_refusal() -> None:
    body = (
        b'{"code":"200000","data":{"time":1729176273859,"sequence":"14610502970",'
        b'"bids":[["66976.4","0.69109872"]],"asks":[["66976.5","0.05408199"]]}}'
    )
    assert decoded_http(NAME, http_frame(body, "BTC-USDT")) == [
        BookSnapshot(
            "BTC-USDT",
            R,
            1729176273859 * MS,
            [("66976.4", "0.69109872")],
            [("66976.5", "0.05408199")],
            14610502970,
            None,
            True,
        )
    ]
    body = (
        b'{"code":"200000","data":{"symbol":"BTC-USDT","baseIncrement":"0.00000001",'
        b'"quoteIncrement":"0.000001","priceIncrement":"0.1"}}'
    )
    frame = http_frame(body, "BTC-USDT", purpose=Purpose.INSTRUMENTS)
    assert decoded_http(NAME, frame) == [Instrument("BTC-USDT", R, None, "0.1", "0.00000001")]
    assert decoded_http(NAME, http_frame(REFUSED_BY_REST, "X-Y")) == [
        Notice("X-Y", R, None, NoticeKind.INFORMATION, "refused: symbol not exists (code 900001)")
    ]


NOTICES_OF_2023 = Counter(
    {
        "/spotMarket/level2Depth5": 1,
        "/market/candles": 1,
        "/margin/position": 2,
        "/margin/loan": 3,
        "/spotMarket/advancedOrders": 1,
        "/contractMarket/level2Depth5": 1,
        "/contract/position": 2,
        "/contractAccount/wallet": 4,
        "/contractMarket/advancedOrders": 1,
        "/contractMarket/snapshot": 1,
        "/contract/announcement": 2,
    }
)
"""The topics of messages that are passed over; two of positions do not say their size."""


@needs_real_data
def test_every_message_of_the_file_is_decoded_or_passed_over() -> None:
    lines = (REAL_DATA / "messages" / "gct_kucoin" / "wsHandleData.json").read_bytes().splitlines()
    events = [event for line in lines if line.strip() for event in decoded(NAME, line.strip())]
    notices = [event for event in events if isinstance(event, Notice)]
    assert {each.kind for each in notices} == {NoticeKind.INFORMATION}
    assert Counter(each.text.partition(":")[0] for each in notices) == NOTICES_OF_2023
    first, second = "5efab07953bdea00089965d2", "5efab07953bdea00089965fa"
    assert [event for event in events if not isinstance(event, Notice)] == [
        Quote(
            "FET-BTC",
            R,
            1677321643926 * MS,
            "0.000018622",
            "68.5961",
            "0.000018679",
            "258.4609",
            38509148,
        ),
        Quote(
            "FTM-ETH",
            R,
            1677320967673 * MS,
            "0.0002894",
            "65.536",
            "0.0002901",
            "3514.4978",
            186911324,
        ),
        Ticker("BTC-USDT", R, 1676310802092 * MS, "21423.1"),
        Ticker("KCS-BTC", R, 1548388122031 * MS, "0.00012"),
        Trade(
            "BTC-USDT",
            R,
            1545913818099033203,
            "0.08200000000000000000",
            "0.01022222000000000000",
            Side.BUY,
            "5c24c5da03aa673885cd67aa",
        ),
        Ticker("USDT-BTC", R, 1551770400000 * MS, index_price_text="0.0001092"),
        Ticker("USDT-BTC", R, 1551770400000 * MS, mark_price_text="0.0001093"),
        OrderUpdate(
            "KCS-USDT",
            R,
            1593487481683297800,
            first,
            "1593487481000906",
            Side.BUY,
            "0.937",
            "0.1",
            "0",
            "open",
        ),
        OrderUpdate(
            "KCS-USDT",
            R,
            1593487482038606000,
            second,
            "1593487481000313",
            Side.SELL,
            "0.938",
            "0.1",
            "0.1",
            "match",
        ),
        OrderUpdate(
            "KCS-USDT",
            R,
            1593487482038606000,
            second,
            "1593487481000313",
            Side.SELL,
            "0.938",
            "0.1",
            "0.1",
            "done: filled",
        ),
        OrderUpdate(
            "KCS-USDT",
            R,
            1593487481893140700,
            first,
            "1593487481000906",
            Side.BUY,
            "0.937",
            "0.1",
            "0",
            "done: canceled",
        ),
        OrderUpdate(
            "KCS-USDT",
            R,
            1593487682916117500,
            "5efab13f53bdea00089971df",
            "1593487679000249",
            Side.BUY,
            "0.937",
            "0.06",
            "0",
            "open: update",
        ),
        WalletUpdate("KCS", R, 1545743136994 * MS, "88", "88"),
        Quote("ETHUSDCM", R, 1553846081210005000, "3200", "795", "3600", "284"),
        BookDelta("ETHUSDCM", R, 1551770400000 * MS, [], [("5000.0", "83")], 18, 18),
        Trade(
            "ETHUSDCM",
            R,
            1677279296134648800,
            "23083",
            "35",
            Side.BUY,
            "63f940400000650065f4996f",
        ),
        PositionUpdate("ETHUSDCM", R, 1558506060394 * MS, Side.SELL, "20", "7508.22"),
        OrderUpdate(
            "ETHUSDCM",
            R,
            1545914149935808500,
            "5cdfc138b21023a909e5ad55",
            "5ce24c16b210233c36ee321d",
            Side.BUY,
            "3600",
            "20000",
            "20000",
            "open: match",
        ),
        Ticker("ETHUSDCM", R, 1551770400000 * MS, funding_rate_text="-0.002966"),
        Ticker(
            "ETHUSDCM",
            R,
            1551770400000 * MS,
            mark_price_text="4010.52",
            index_price_text="4000.23",
        ),
        BookDelta(
            "BTC-USDT",
            R,
            1663747970273 * MS,
            [("18891.9", "0.15688")],
            [("18907.3", "0.58751503"), ("18906", "0.00331")],
            14103844,
            14103847,
            row_sequences=([14103847], [14103844, 14103845]),
        ),
    ]


@needs_real_data
def test_market_snapshots_are_tickers_in_the_exchanges_own_digits() -> None:
    path = REAL_DATA / "messages" / "gct_kucoin" / "wsMarketSnapshot.json"
    lines = [line for line in path.read_bytes().splitlines() if line.strip()]
    assert [event for line in lines for event in decoded(NAME, line)] == [
        Ticker("TRX-BTC", R, 1700555342007 * MS, "0.004415"),
        Ticker("ETH-BTC", R, 1700555340197 * MS, "0.053778"),
        Ticker("BTC-USDT", R, 1700555342151 * MS, "37366.8"),
    ]


def futures_change(sequence: int, change: str) -> bytes:
    return (
        b'{"type":"message","topic":"/contractMarket/level2:XBTUSDTM","subject":"level2","data":{'
        b'"sequence":%d,"change":"%s","timestamp":1731897467182}}' % (sequence, change.encode())
    )


def test_a_futures_book_joins_its_rest_book_and_counts_one_by_one() -> None:
    body = (
        b'{"code":"200000","data":{"sequence":17,"symbol":"XBTUSDTM","bids":[[90676.5,68]],'
        b'"asks":[[90676.70,51]],"ts":1731897467182000000}}'
    )
    changes = ((16, "1,buy,1"), (17, "2,buy,1"), (18, "0,buy,0"), (19, "90676.70,sell,0"))
    engine = Engine()
    for number, (sequence, change) in enumerate(changes[:3]):
        payload = futures_change(sequence, change)
        engine.apply(Frame(number, 1, NAME, FrameKind.TEXT, R, None, payload))
    payload = http_frame(body, "XBTUSDTM").payload
    engine.apply(Frame(3, 1, NAME, FrameKind.HTTP, R, None, payload))
    book = engine.markets[NAME, "XBTUSDTM"].book
    assert book.proven
    assert (list(book.bids), list(book.asks)) == ([("90676.5", "68")], [("90676.70", "51")])
    engine.apply(Frame(4, 1, NAME, FrameKind.TEXT, R, None, futures_change(*changes[3])))
    assert (book.sequence, list(book.asks)) == (19, [])
    engine.apply(Frame(5, 1, NAME, FrameKind.TEXT, R, None, futures_change(21, "1,buy,1")))
    assert [finding.kind for finding in engine.findings] == [FindingKind.GAP]


@pytest.mark.parametrize(
    ("body", "kind", "size"),
    [
        (b'"multiplier":0.0010,"isInverse":false', ContractKind.LINEAR, "0.0010"),
        (b'"multiplier":-1,"isInverse":true', ContractKind.INVERSE, "1"),
    ],
)
def test_a_contract_says_its_size(body: bytes, kind: ContractKind, size: str) -> None:
    answer = (
        b'{"code":"200000","data":{"symbol":"XBTUSDTM","lotSize":1,"tickSize":0.1,' + body + b"}}"
    )
    frame = http_frame(answer, "XBTUSDTM", purpose=Purpose.INSTRUMENTS)
    assert decoded_http(NAME, frame) == [Instrument("XBTUSDTM", R, None, "0.1", "1", kind, size)]
