"""Crypto.com: what its messages mean, how it is asked, and how a loss shows."""

from __future__ import annotations

import json

import pytest

from book.engine import Engine
from tests.venues.sample_frames import RECEIVED_NS, decoded, http_frame, text_frame
from tests.venues.samples import cryptocom as samples
from venues.channel import Channel
from venues.errors import CredentialsError
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
from venues.registry import venue_named
from venues.venue import Credentials, Purpose, RequestKind, StreamRequest

NAME = "cryptocom"
PERP = "BTCUSD-PERP"
R = RECEIVED_NS
MS = 1_000_000
KEYS = Credentials("key-1", "secret-1")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            samples.BOOK,
            [
                BookSnapshot(
                    PERP,
                    R,
                    1654780033755 * MS,
                    [("30079.0", "0.0505")],
                    [("30082.5", "0.1689"), ("30083.0", "0.1288")],
                    542048017824,
                )
            ],
        ),
        (
            samples.UPDATE,
            [
                BookDelta(
                    PERP,
                    R,
                    1654780033969 * MS,
                    [("30077.5", "1.0527")],
                    [("30082.5", "0")],
                    542048017825,
                    542048017825,
                    542048017824,
                )
            ],
        ),
        (
            samples.TRADES,
            [
                Trade(
                    PERP,
                    R,
                    1613581138462 * MS,
                    "51327.500000",
                    "0.000100",
                    Side.SELL,
                    "4611686018455979970",
                ),
                Trade(
                    PERP,
                    R,
                    1613581138463000001,
                    "51327.600000",
                    "0.000200",
                    Side.BUY,
                    "4611686018455979971",
                ),
            ],
        ),
        (
            samples.TICKER,
            [
                Ticker(PERP, R, 1613580710768 * MS, "51174.500000", open_interest_text="12345.12"),
                Quote(
                    PERP,
                    R,
                    1613580710768 * MS,
                    "51170.000000",
                    "0.1000",
                    "51180.000000",
                    "0.2000",
                ),
            ],
        ),
        (samples.MARK, [Ticker(PERP, R, 1613580710000 * MS, mark_price_text="51279.30")]),
        (samples.FUNDING, [Ticker(PERP, R, 1613580710000 * MS, funding_rate_text="0.00000700")]),
        (samples.INDEX, [Ticker(PERP, R, 1613580710000 * MS, index_price_text="50601.37")]),
        (
            samples.ORDER,
            [
                OrderUpdate(
                    PERP,
                    R,
                    1613575617173 * MS,
                    "19848525",
                    "1613571154900",
                    Side.BUY,
                    "50000.0",
                    "0.0100",
                    "0.0050",
                    "ACTIVE",
                )
            ],
        ),
        (
            samples.POSITIONS,
            [PositionUpdate(PERP, R, 1613552240770 * MS, Side.SELL, "0.0984", "")],
        ),
        (samples.BALANCE, [WalletUpdate("USD", R, None, "102.5", "100.0")]),
        (samples.HEARTBEAT, [Notice("", R, None, NoticeKind.HEARTBEAT)]),
        (samples.REFUSAL, [Notice("", R, None, NoticeKind.REJECTED, "Unknown symbol (40003)")]),
    ],
)
def test_a_message_means_what_the_documentation_says(payload: bytes, expected: list[Event]) -> None:
    assert decoded(NAME, payload) == expected


def test_an_update_whose_predecessor_is_missing_is_a_gap() -> None:
    later = samples.UPDATE.replace(b"542048017825", b"542048017827").replace(
        b"542048017824", b"542048017826"
    )
    engine = Engine()
    for payload in (samples.BOOK, samples.UPDATE):
        engine.apply(text_frame(payload, NAME))
    assert engine.markets[(NAME, PERP)].book.proven
    assert engine.markets[(NAME, PERP)].book.sequence == 542048017825
    engine.apply(text_frame(later, NAME))
    assert not engine.markets[(NAME, PERP)].book.proven
    assert engine.markets[(NAME, PERP)].counters.gaps == 1


def test_a_heartbeat_is_answered_with_its_own_number_and_nothing_else_is() -> None:
    venue = venue_named(NAME)
    answer = venue.reply(samples.HEARTBEAT)
    assert answer is not None
    assert json.loads(answer) == {"id": 1587523073344, "method": "public/respond-heartbeat"}
    assert venue.reply(samples.BOOK) is None
    assert venue.reply(b'{"method":"public/heartbeat"' * 2) is None
    assert venue.dialect.read_request(answer.encode()).kind is RequestKind.PING


def test_mark_and_funding_are_asked_for_perpetuals_alone() -> None:
    request = StreamRequest(NAME, ("BTC-USDT", "BTC-USD-PERP"), (Channel.BOOK, Channel.TICKERS))
    (plan,) = venue_named(NAME).plan(request)
    (message,) = plan.subscribe_messages
    asked = json.loads(message)
    assert asked["params"]["book_subscription_type"] == "SNAPSHOT_AND_UPDATE"
    assert asked["params"]["channels"] == [
        "book.BTC_USDT.50",
        "ticker.BTC_USDT",
        "book.BTCUSD-PERP.50",
        "ticker.BTCUSD-PERP",
        "mark.BTCUSD-PERP",
        "funding.BTCUSD-PERP",
    ]


def test_a_login_is_valid_with_its_own_keys_and_no_others() -> None:
    venue = venue_named(NAME)
    (plan,) = venue.plan(StreamRequest(NAME, (), (Channel.ORDER,)))
    message = venue.login(plan, KEYS, 1_700_000_000_000, b"").message
    assert message is not None
    # HMAC-SHA256 with secret-1 of public/auth1key-11700000000000, by another program.
    assert json.loads(message)["sig"] == (
        "7f0bd4646de0e8b805490f99aa268b7b82c88b4eba5e15cb531fbd5b0c8cfe5d"
    )
    request = venue.dialect.read_request(message.encode())
    assert venue.dialect.login_valid(request, KEYS)
    assert not venue.dialect.login_valid(request, Credentials("key-1", "secret-2"))
    with pytest.raises(CredentialsError):
        venue.login(plan, None, 1, b"")


def test_instruments_keep_their_steps() -> None:
    body = (
        b'{"id":1,"method":"public/get-instruments","code":0,"result":{"data":[{"symbol":'
        b'"BTCUSD-PERP","inst_type":"PERPETUAL_SWAP","price_tick_size":"0.1",'
        b'"qty_tick_size":"0.0001"}]}}'
    )
    frame = http_frame(body, purpose=Purpose.INSTRUMENTS)
    assert list(venue_named(NAME).decode(frame)) == [
        Instrument(PERP, R, None, "0.1", "0.0001", ContractKind.COIN)
    ]
