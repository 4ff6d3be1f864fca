"""dYdX: what its messages mean, how it is asked, and how the connection's count shows a loss."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from book.engine import Engine
from book.finding import FindingKind
from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import (
    RECEIVED_NS,
    decoded,
    decoded_http,
    http_frame,
    text_frame,
)
from tests.venues.samples import dydx as samples
from venues.channel import Channel
from venues.errors import CredentialsError, UnknownSymbolError
from venues.event import (
    BookDelta,
    BookSnapshot,
    ContractKind,
    Event,
    FrameSequence,
    Instrument,
    LiquidatedSide,
    Liquidation,
    Notice,
    NoticeKind,
    OrderUpdate,
    PositionUpdate,
    Side,
    Ticker,
    Trade,
    WalletUpdate,
)
from venues.registry import venue_named
from venues.venue import Credentials, Purpose, StreamRequest

NAME, BTC, ETH = "dydx", "BTC-USD", "ETH-USD"
R = RECEIVED_NS
S = 1_000_000_000
NEW_YEAR_NS = 1_704_067_200 * S


def number(sequence: int) -> FrameSequence:
    return FrameSequence("", R, None, sequence)


def said(kind: NoticeKind, text: str) -> Notice:
    return Notice("", R, None, kind, text)


SUBSCRIBED = said(NoticeKind.ACKNOWLEDGED, "subscribed")


def trade(trade_id: str, side: Side, price: str, size: str, after_s: int, **marks: bool) -> Trade:
    return Trade(BTC, R, NEW_YEAR_NS + after_s * S, price, size, side, trade_id, **marks)


def ticker(symbol: str, index: str | None, rate: str | None, interest: str | None) -> Ticker:
    return Ticker(symbol, R, None, None, None, index, rate, interest)


def instrument(symbol: str, tick: str, lot: str) -> Instrument:
    return Instrument(symbol, R, None, tick, lot, ContractKind.COIN)


ORDER = OrderUpdate(
    "",
    R,
    NEW_YEAR_NS,
    "order-001",
    "12345678",
    Side.BUY,
    "43000.0",
    "0.5",
    "0.5",
    "FILLED",
)
FILES: dict[str, list[Event]] = {
    "ws_block_height_subscribed": [number(1), SUBSCRIBED],
    "ws_block_height_update": [number(7), said(NoticeKind.INFORMATION, "v4_block_height")],
    "ws_candles_subscribed": [number(1), SUBSCRIBED],
    "ws_candles_update": [number(4), said(NoticeKind.INFORMATION, "v4_candles")],
    "ws_error": [
        number(1),
        said(
            NoticeKind.REJECTED,
            "Invalid subscription: channel 'invalid_channel' not found",
        ),
    ],
    "ws_markets_status_update": [
        number(10),
        ticker(BTC, None, "0.0001", None),
        ticker(ETH, None, "0.00008", None),
    ],
    "ws_markets_subscribed": [
        number(1),
        SUBSCRIBED,
        ticker(BTC, "43250.00", "0.0001", "987654321.0"),
        ticker(ETH, "2250.00", "0.00008", "123456789.0"),
        instrument(BTC, "1", "0.001"),
        instrument(ETH, "0.1", "0.01"),
    ],
    "ws_markets_update": [
        number(5),
        ticker(BTC, "43300.00", None, None),
        ticker(ETH, "2255.00", None, None),
    ],
    "ws_orderbook_subscribed": [
        number(1),
        SUBSCRIBED,
        BookSnapshot(
            BTC,
            R,
            None,
            [("43240.0", "1.5"), ("43235.0", "2.3"), ("43230.0", "0.8")],
            [("43250.0", "1.2"), ("43255.0", "2.0"), ("43260.0", "0.9")],
        ),
    ],
    "ws_orderbook_update": [
        number(2),
        BookDelta(
            BTC,
            R,
            None,
            [("43240.0", "2.0"), ("43238.0", "1.5")],
            [("43250.0", "0.0"), ("43252.0", "3.0")],
        ),
    ],
    "ws_subaccounts_subscribed": [
        number(1),
        SUBSCRIBED,
        PositionUpdate(BTC, R, None, Side.BUY, "0.5", "43000.0"),
        WalletUpdate("USDC", R, None, "100000.0", "100000.25"),
    ],
    "ws_subaccounts_update": [number(6), ORDER],
    "ws_trades_subscribed": [
        number(1),
        SUBSCRIBED,
        trade("trade-001", Side.BUY, "43250.0", "0.5", 0, history=True),
    ],
    "ws_trades_update": [
        number(3),
        trade("trade-002", Side.SELL, "43248.0", "1.2", 1),
        trade("trade-003", Side.BUY, "43252.0", "0.3", 2),
    ],
}


@needs_real_data
@pytest.mark.parametrize("name", FILES)
def test_every_message_file_decodes_to_what_it_says(name: str) -> None:
    payload = (REAL_DATA / "messages" / "dydx" / f"{name}.json").read_bytes()
    assert decoded(NAME, payload) == FILES[name]


@needs_real_data
def test_the_book_of_an_http_answer_is_read_and_no_file_is_left_out() -> None:
    folder = REAL_DATA / "messages" / "dydx"
    body = (folder / "http_get_orderbook.json").read_bytes()
    # The file wraps the answer in an envelope of its own.
    answer = json.dumps(json.loads(body)["result"]).encode()
    (book,) = decoded_http(NAME, http_frame(answer, BTC))
    assert isinstance(book, BookSnapshot)
    assert (book.symbol, book.unjoined, book.bids[0], book.asks[-1]) == (
        BTC,
        True,
        ("89947", "0.0002"),
        ("89966", "0.1171"),
    )
    assert {path.stem for path in folder.iterdir()} == {*FILES, "http_get_orderbook"}


def test_liquidated_and_deleveraged_trades_are_told_apart() -> None:
    assert decoded(NAME, samples.TRADES) == [
        number(4),
        trade("t-2", Side.SELL, "43248.0", "1.2", 1),
        Liquidation(
            BTC,
            R,
            NEW_YEAR_NS + S,
            "43248.0",
            "1.2",
            LiquidatedSide.LONG,
            "SELL",
            Decimal("51897.60"),
        ),
        trade("t-3", Side.BUY, "43252.0", "0.3", 2, off_market=True),
    ]


def test_a_batch_is_its_deltas_in_order() -> None:
    assert decoded(NAME, samples.BATCH) == [
        number(3),
        BookDelta(BTC, R, None, [("43240.0", "3.0")], []),
        BookDelta(BTC, R, None, [], [("43252.0", "3.0")]),
    ]


def numbered(payload: bytes, sequence: int) -> bytes:
    message = json.loads(payload)
    message["message_id"] = sequence
    return json.dumps(message).encode()


def engine_after(*payloads: bytes) -> Engine:
    engine = Engine()
    for payload in payloads:
        engine.apply(text_frame(payload, NAME))
    return engine


def test_numbers_out_of_order_are_no_loss() -> None:
    early, late = numbered(samples.DELTA, 3), numbered(samples.TRADES, 2)
    engine = engine_after(samples.CONNECTED, samples.BOOK, early, late)
    assert engine.markets[(NAME, BTC)].book.proven
    assert not engine.findings.counts


def test_of_two_changes_of_one_book_the_older_one_may_not_come_last() -> None:
    early, late = numbered(samples.DELTA, 3), numbered(samples.BATCH, 2)
    engine = engine_after(samples.CONNECTED, samples.BOOK, early, late)
    assert not engine.markets[(NAME, BTC)].book.proven
    assert engine.findings.counts[FindingKind.LATE] >= 1


def test_a_number_that_never_comes_is_a_loss() -> None:
    after = [numbered(samples.TRADES, each) for each in range(4, 4 + 80)]
    engine = engine_after(samples.CONNECTED, samples.BOOK, numbered(samples.DELTA, 3), *after)
    assert not engine.markets[(NAME, BTC)].book.proven
    assert engine.findings.counts[FindingKind.GAP] >= 1


def test_trades_and_liquidations_are_one_subscription_and_a_subaccount_is_named_late() -> None:
    venue = venue_named(NAME)
    public, private = venue.plan(
        StreamRequest(
            NAME, ("BTC-USD-PERP",), (Channel.TRADES, Channel.LIQUIDATIONS, Channel.WALLET)
        )
    )
    assert public.subscribe_messages == (
        '{"type":"subscribe","channel":"v4_trades","id":"BTC-USD"}',
    )
    keys = Credentials("dydx1abc/0", "")
    login = venue.login(private, keys, 1, b"")
    (message,) = venue.subscribe_messages(private, login, "", 1)
    assert json.loads(message) == {
        "type": "subscribe",
        "channel": "v4_subaccounts",
        "id": "dydx1abc/0",
    }
    assert "dydx1abc" not in "".join(private.subscribe_messages)
    with pytest.raises(CredentialsError):
        venue.login(private, None, 1, b"")


def test_only_perpetuals_in_usd_are_listed() -> None:
    with pytest.raises(UnknownSymbolError):
        venue_named(NAME).plan(StreamRequest(NAME, ("BTC-USDT-PERP",), ()))


def test_instruments_keep_their_steps() -> None:
    body = b'{"markets":{"BTC-USD":{"ticker":"BTC-USD","tickSize":"1","stepSize":"0.0001"}}}'
    frame = http_frame(body, BTC, purpose=Purpose.INSTRUMENTS)
    assert decoded_http(NAME, frame) == [instrument(BTC, "1", "0.0001")]
