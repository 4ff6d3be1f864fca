"""Hyperliquid: what its messages mean, and how it is asked."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from book.book_state import BookState
from book.engine import Engine
from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.sample_frames import (
    RECEIVED_NS,
    decoded,
    decoded_http,
    http_frame,
    text_frame,
)
from tests.venues.samples import hyperliquid as samples
from venues.channel import Channel
from venues.errors import CredentialsError
from venues.event import (
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
from venues.venue import Credentials, Purpose, StreamRequest

NAME = "hyperliquid"
R = RECEIVED_NS
MS = 1_000_000
T0 = 1703875200000 * MS


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.BOOK,
            [
                BookSnapshot(
                    "BTC",
                    R,
                    T0,
                    [("98450.50", "2.5"), ("98449.75", "1.8")],
                    [("98451.00", "1.5")],
                )
            ],
        ),
        (samples.BEST, [Quote("BTC", R, T0 + MS, "98450.50", "2.5", "", "")]),
        (
            samples.TRADES,
            [
                Trade("BTC", R, T0 + 2 * MS, "98451.00", "0.5", Side.BUY, "118906512037719"),
                Trade("BTC", R, T0 + 3 * MS, "98450.50", "0.10", Side.SELL, "7"),
            ],
        ),
        (
            samples.CONTEXT,
            [Ticker("BTC", R, None, None, "14.3161", "14.32", "0.0000125", "688.11")],
        ),
        (
            samples.ORDERS,
            [
                OrderUpdate(
                    "BTC",
                    R,
                    T0 + 4 * MS,
                    "55030848197",
                    "0x04",
                    Side.SELL,
                    "66653.0",
                    "0.003",
                    "0.002",
                    "open",
                )
            ],
        ),
        (
            samples.ACCOUNT,
            [
                PositionUpdate("ETH", R, T0 + 5 * MS, Side.SELL, "0.0335", "2986.3"),
                PositionUpdate("SOL", R, T0 + 5 * MS, None, "0.0", ""),
                WalletUpdate("USDC", R, T0 + 5 * MS, "13109.482328", "13104.514502"),
            ],
        ),
        (samples.SUBSCRIBED, [Notice("", R, None, NoticeKind.ACKNOWLEDGED)]),
    ],
)
def test_a_message_means_what_the_documentation_says(payload: bytes, expected: list[Event]) -> None:
    assert decoded(NAME, payload) == expected


@needs_real_data
def test_every_message_file_decodes_to_what_it_says() -> None:
    folder = REAL_DATA / "messages" / NAME
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    bids = [
        ("98450.50", "2.5"),
        ("98449.75", "1.8"),
        ("98449.00", "0.75"),
        ("98448.25", "3.2"),
        ("98447.50", "1.1"),
    ]
    asks = [
        ("98451.00", "1.5"),
        ("98451.75", "2.1"),
        ("98452.50", "0.9"),
        ("98453.25", "1.7"),
        ("98454.00", "2.8"),
    ]
    book = BookSnapshot("BTC", R, T0, bids, asks)
    # The file holds what stands in a push under `data`.
    pushed = b'{"channel":"l2Book","data":' + files.pop("ws_book_data.json") + b"}"
    assert decoded(NAME, pushed) == [book]
    answer = files.pop("http_l2_book_snapshot.json")
    assert decoded_http(NAME, http_frame(answer, "BTC")) == [
        BookSnapshot("BTC", R, T0, bids, asks, unjoined=True)
    ]
    information = Notice("", R, None, NoticeKind.INFORMATION, "allMids")
    assert decoded(NAME, files.pop("ws_allmids.json")) == [information]
    assert decoded(NAME, files.pop("ws_user_fill_liquidation.json")) == [
        Liquidation(
            "BTC",
            R,
            1781528065899 * MS,
            "66653.0",
            "0.001",
            # We opened a short, resting in the book: who bought was closing one.
            LiquidatedSide.SHORT,
            "A",
            Decimal("66.6530"),
        )
    ]
    assert not files


def test_a_fill_of_ones_own_liquidation_closes_ones_own_side() -> None:
    message = (
        b'{"channel":"user","data":{"fills":[{"coin":"BTC","px":"100","sz":"2","side":"A",'
        b'"time":1,"crossed":true,"tid":7,"liquidation":{"method":"market"}}]}}'
    )
    (liquidation,) = decoded(NAME, message)
    assert isinstance(liquidation, Liquidation)
    assert liquidation.liquidated_side is LiquidatedSide.LONG


def test_a_book_is_replaced_by_each_push_and_never_called_proven() -> None:
    engine = Engine()
    engine.apply(text_frame(samples.BOOK, NAME))
    engine.apply(text_frame(samples.BOOK.replace(b"98450.50", b"98450.75"), NAME))
    book = engine.markets[(NAME, "BTC")].book
    assert book.state is BookState.UNVERIFIABLE
    best = book.bids.best()
    assert best is not None
    assert best[0] == "98450.75"
    assert len(book.bids) == 2


def test_one_subscription_a_message_and_the_account_is_named_late() -> None:
    venue = venue_named(NAME)
    public, private = venue.plan(
        StreamRequest(
            NAME,
            ("BTC-USD-PERP", "kPEPE"),
            (Channel.BOOK, Channel.POSITION, Channel.WALLET),
        )
    )
    assert [json.loads(each)["subscription"] for each in public.subscribe_messages] == [
        {"type": "l2Book", "coin": "BTC"},
        {"type": "l2Book", "coin": "kPEPE"},
    ]
    login = venue.login(private, Credentials("0x0abc", ""), 1, b"")
    (message,) = venue.subscribe_messages(private, login, "", 1)
    assert json.loads(message)["subscription"] == {
        "type": "clearinghouseState",
        "user": "0x0abc",
    }
    assert "0x0abc" not in "".join(private.subscribe_messages)
    with pytest.raises(CredentialsError):
        venue.login(private, None, 1, b"")


def test_instruments_have_a_size_step_and_no_one_price_step() -> None:
    body = b'{"universe":[{"szDecimals":5,"name":"BTC","maxLeverage":40}]}'
    frame = http_frame(body, purpose=Purpose.INSTRUMENTS)
    assert decoded_http(NAME, frame) == [
        Instrument("BTC", R, None, None, "0.00001", ContractKind.COIN)
    ]
