"""OKX and OKCoin: their recordings through the engine, plans, answers, and a chain that breaks."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import re
import zlib

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from tests.feed_recordings import FEEDS, feed_frames
from tests.real_data import needs_real_data
from tests.venues.sample_frames import RECEIVED_NS, decoded_http, http_frame, text_frame
from tests.venues.samples import okx as samples
from venues.channel import Channel, Subscription
from venues.errors import CredentialsError, UnknownChannelError, UnknownSymbolError
from venues.event import ContractKind, Instrument, Notice, NoticeKind
from venues.frame import Frame, FrameKind
from venues.registry import venue_at, venue_named
from venues.venue import ConnectionPlan, Credentials, Purpose, RequestKind, StreamRequest

OKX = venue_named("okx")
KEYS = Credentials("the-key", "the-secret", "the-passphrase")
SYMBOL = "BTC-USDT"


def plans(
    *symbols: str, channels: tuple[Channel, ...] = (), venue: str = "okx"
) -> list[ConnectionPlan]:
    return venue_named(venue).plan(StreamRequest(venue, symbols, channels))


# The recordings.


@needs_real_data
@pytest.mark.parametrize(
    ("venue", "name", "checksums", "trades", "tickers"),
    [
        # Counted, and each checksum recomputed, by a plain reading of the files.
        (
            "okx",
            "OKX.ws.1.0",
            {"BTC-USD-220527": 44, "BTC-USDT": 43, "UNI-USD-SWAP": 40},
            {"BTC-USD-220527": 0, "BTC-USDT": 32, "UNI-USD-SWAP": 0},
            16,
        ),
        (
            "okcoin",
            "OKCOIN.ws.1.0",
            {"BTC-USD": 1, "ETH-USD": 1, "USDC-USDT": 2, "USDT-USD": 2},
            {"BTC-USD": 0, "ETH-USD": 0, "USDC-USDT": 0, "USDT-USD": 0},
            8,
        ),
    ],
)
def test_every_recorded_checksum_verifies(
    venue: str, name: str, checksums: dict[str, int], trades: dict[str, int], tickers: int
) -> None:
    engine = Engine()
    for frame in feed_frames(venue, name):
        engine.apply(frame)
    markets = {symbol: market for (_, symbol), market in engine.markets.items()}
    assert {
        symbol: market.counters.checksums_verified for symbol, market in markets.items()
    } == checksums
    sent = gzip.decompress((FEEDS / f"{name}.gz").read_bytes()).count(b'"checksum":')
    assert sum(checksums.values()) == sent
    # The first message of each symbol repeats its last trade, up to ten hours old.
    assert {symbol: market.counters.trades for symbol, market in markets.items()} == trades
    assert all(market.counters.trades_history == 1 for market in markets.values())
    assert sum(market.counters.tickers for market in markets.values()) == tickers
    for market in markets.values():
        counters = market.counters
        assert counters.snapshots == 1
        assert counters.checksums_failed == counters.checksums_unverifiable == 0
        assert counters.gaps == counters.crossed == counters.late == counters.duplicates == 0
        assert market.book.state is BookState.PROVEN
    assert engine.undecodable == 0
    assert not [each for each in engine.findings if each.kind is not FindingKind.STALE]


@needs_real_data
def test_the_books_end_as_deep_as_a_plain_reading_says() -> None:
    engine = Engine()
    for frame in feed_frames("okx", "OKX.ws.1.0"):
        engine.apply(frame)
    assert {
        symbol: (len(market.book.bids), len(market.book.asks))
        for (_, symbol), market in engine.markets.items()
    } == {"BTC-USD-220527": (68, 64), "BTC-USDT": (400, 400), "UNI-USD-SWAP": (122, 119)}


@needs_real_data
def test_a_lost_message_of_a_book_without_numbers_shows_in_its_checksums() -> None:
    frames = feed_frames("okx", "OKX.ws.1.0")
    lost = next(frame for frame in frames if b'BTC-USDT"},"action":"update"' in frame.payload)
    engine = Engine()
    for frame in frames:
        if frame is not lost:
            engine.apply(frame)
    assert engine.markets["okx", SYMBOL].counters.checksums_failed == 1
    assert engine.markets["okx", SYMBOL].book.state is BookState.SUSPECT


@needs_real_data
def test_the_recordings_are_known_by_their_addresses() -> None:
    for venue, name in (("okx", "OKX.ws.1.0"), ("okcoin", "OKCOIN.ws.1.0")):
        opened = next(iter(feed_frames(venue, name)))
        assert opened.kind is FrameKind.OPENED
        assert venue_at(json.loads(opened.payload)["url"]) is venue_named(venue)


# A chain of made messages.


def book_frame(number: int, action: str, previous: int, sequence: int, bids: str = "") -> Frame:
    payload = (
        f'{{"arg":{{"channel":"books","instId":"{SYMBOL}"}},"action":"{action}","data":[{{'
        f'"asks":[],"bids":[{bids}],"ts":"1597026383085","checksum":0,'
        f'"prevSeqId":{previous},"seqId":{sequence}}}]}}'
    )
    return Frame(number, 1, "okx", FrameKind.TEXT, RECEIVED_NS + number, None, payload.encode())


BID = '["100","1","0","1"]'


def applied(*frames: Frame) -> Engine:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return engine


def test_a_chain_goes_on_over_signs_of_life_and_after_maintenance() -> None:
    engine = applied(
        book_frame(0, "snapshot", -1, 10, BID),
        book_frame(1, "update", 10, 15, BID),
        book_frame(2, "update", 15, 15),  # A sign of life.
        book_frame(3, "update", 15, 3, BID),  # Maintenance: the number falls.
        book_frame(4, "update", 3, 5, BID),
    )
    market = engine.markets["okx", SYMBOL]
    assert market.book.state is BookState.PROVEN
    assert market.book.sequence == 5
    assert market.counters.checksums_unverifiable == 5
    assert list(engine.findings) == []


def test_a_message_missing_from_the_chain_is_a_gap_and_a_snapshot_mends_it() -> None:
    frames = [
        book_frame(0, "snapshot", -1, 10, BID),
        book_frame(1, "update", 12, 15, BID),
    ]
    engine = applied(*frames)
    assert [each.kind for each in engine.findings] == [FindingKind.GAP]
    assert [each.symbol for each in engine.take_snapshot_requests()] == [SYMBOL]
    mended = applied(*frames, book_frame(2, "snapshot", -1, 20, BID))
    assert mended.markets["okx", SYMBOL].book.state is BookState.PROVEN


def test_a_book_with_neither_number_nor_checksum_is_not_trusted() -> None:
    bare = re.sub(rb',"prevSeqId":-1,"seqId":10', b"", book_frame(0, "snapshot", -1, 10).payload)
    engine = applied(Frame(0, 1, "okx", FrameKind.TEXT, RECEIVED_NS, None, bare))
    assert [each.kind for each in engine.findings] == [FindingKind.UNNUMBERED]


def test_a_book_that_rests_on_checksums_is_in_doubt_once_they_end() -> None:
    payload = samples.OLD_BOOK_UPDATE.replace(b'"update"', b'"snapshot"')
    # By hand: three asks and one bid, interleaved from the best.
    text = "30182.6:452:30249.4:1:30261:4:30310.3:19"
    value = zlib.crc32(text.encode())
    signed = value - 2**32 if value >= 2**31 else value
    snapshot = payload.replace(b'"30249.4","0"', b'"30249.4","1"').replace(
        b"-914047754", str(signed).encode()
    )
    without = samples.OLD_BOOK_UPDATE.replace(b"-914047754", b"0")
    frames = [
        Frame(number, 1, "okx", FrameKind.TEXT, RECEIVED_NS + number, None, each)
        for number, each in enumerate((snapshot, without))
    ]
    book = applied(frames[0]).markets["okx", "BTC-USD-220527"].book
    assert book.state is BookState.PROVEN
    book = applied(*frames).markets["okx", "BTC-USD-220527"].book
    assert book.state is BookState.UNVERIFIABLE


@pytest.mark.parametrize(("opened_ms", "live"), [(1692266434009, 3), (1692266434012, 1)])
def test_a_liquidation_is_history_only_if_it_is_older_than_the_connection(
    opened_ms: int, live: int
) -> None:
    # Of one instrument at 434.010 and 434.011 s, and the latter once more, which is no first.
    opened_ns = opened_ms * 1_000_000
    again = re.sub(rb'\{"bkLoss":"0","bkPx":"0.007831".*?\},', b"", samples.LIQUIDATIONS)
    opened = b'{"stream":"okx","url":"wss://ws.okx.com:8443/ws/v5/public","subscriptions":[]}'
    engine = applied(
        Frame(0, 1, "okx", FrameKind.OPENED, opened_ns, None, opened),
        Frame(1, 1, "okx", FrameKind.TEXT, opened_ns + 1, None, samples.LIQUIDATIONS),
        Frame(2, 1, "okx", FrameKind.TEXT, opened_ns + 2, None, again),
    )
    counters = engine.markets["okx", "IOST-USDT-SWAP"].counters
    assert counters.liquidations + counters.liquidations_history == 3
    assert counters.liquidations == live


# Plans, and what the exchange makes of them.


def test_one_message_asks_for_all_streams_and_liquidations_for_their_type() -> None:
    (plan,) = plans("BTC-USDT", "btc-usdt-swap", "ETH-USDT-SWAP", "BTC-USD-261225")
    assert plan.url == "wss://ws.okx.com:8443/ws/v5/public"
    assert plan.rest_url == "https://www.okx.com"
    assert plan.depth == 400
    assert [json.loads(message) for message in plan.subscribe_messages] == [
        {
            "op": "subscribe",
            "args": [
                {"channel": "books", "instId": "BTC-USDT"},
                {"channel": "trades", "instId": "BTC-USDT"},
                {"channel": "books", "instId": "BTC-USDT-SWAP"},
                {"channel": "trades", "instId": "BTC-USDT-SWAP"},
                {"channel": "liquidation-orders", "instType": "SWAP"},
                {"channel": "books", "instId": "ETH-USDT-SWAP"},
                {"channel": "trades", "instId": "ETH-USDT-SWAP"},
                {"channel": "books", "instId": "BTC-USD-261225"},
                {"channel": "trades", "instId": "BTC-USD-261225"},
                {"channel": "liquidation-orders", "instType": "FUTURES"},
            ],
        }
    ]
    assert Subscription(Channel.LIQUIDATIONS, "ETH-USDT-SWAP") in plan.subscriptions
    assert Subscription(Channel.LIQUIDATIONS, "BTC-USDT") not in plan.subscriptions


def test_quotes_tickers_and_shallow_books_have_channels_of_their_own() -> None:
    request = StreamRequest(
        "okx", ("BTC-USDT-SWAP",), (Channel.BOOK, Channel.QUOTES, Channel.TICKERS), depth=5
    )
    (plan,) = OKX.plan(request)
    (message,) = plan.subscribe_messages
    assert [arg["channel"] for arg in json.loads(message)["args"]] == [
        *("books5", "bbo-tbt", "tickers", "mark-price", "open-interest", "funding-rate")
    ]
    assert [one.channel for one in plan.subscriptions] == list(request.channels)


def test_more_than_25_books_are_divided_among_connections() -> None:
    several = plans(*(f"C{number}-USDT" for number in range(26)))
    assert [plan.stream for plan in several] == ["okx", "okx/2"]
    assert [len(plan.subscriptions) for plan in several] == [50, 2]


def test_ones_own_account_is_on_the_private_path() -> None:
    (plan,) = plans(channels=(Channel.ORDER, Channel.POSITION, Channel.WALLET))
    assert plan.url == "wss://ws.okx.com:8443/ws/v5/private"
    assert plan.private
    assert [json.loads(message) for message in plan.subscribe_messages] == [
        {
            "op": "subscribe",
            "args": [
                {"channel": "orders", "instType": "ANY"},
                {"channel": "positions", "instType": "ANY"},
                {"channel": "account"},
            ],
        }
    ]


def test_a_fresh_snapshot_is_asked_for_by_subscribing_anew() -> None:
    (plan,) = plans(SYMBOL)
    arg = {"channel": "books", "instId": SYMBOL}
    assert [json.loads(message) for message in OKX.resubscribe_messages(plan, SYMBOL)] == [
        {"op": "unsubscribe", "args": [arg]},
        {"op": "subscribe", "args": [arg]},
    ]
    (tape,) = plans(SYMBOL, channels=(Channel.TRADES,))
    assert OKX.resubscribe_messages(tape, SYMBOL) == []


def test_what_is_never_liquidated_cannot_be_asked_for_liquidations_alone() -> None:
    with pytest.raises(UnknownChannelError):
        plans("BTC-USDT", channels=(Channel.LIQUIDATIONS,))
    with pytest.raises(UnknownChannelError):
        plans("BTC-USD", channels=(Channel.LIQUIDATIONS,), venue="okcoin")


def test_pairs_are_spelled_as_the_exchange_spells_them() -> None:
    several = plans("btc-usdt-perp", "BTC-USD-PERP", "ETH-BTC")
    assert {one.symbol for one in several[0].subscriptions} == {
        *("BTC-USDT-SWAP", "BTC-USD-SWAP", "ETH-BTC")
    }
    with pytest.raises(UnknownSymbolError):
        plans("BTC-USD-PERP", venue="okcoin")
    with pytest.raises(UnknownSymbolError):
        plans("BTCUSDT")


# Login.


def test_a_login_signs_its_time_in_seconds() -> None:
    (plan,) = plans(channels=(Channel.ORDER,))
    login = OKX.login(plan, KEYS, 1_538_054_050_975, b"")
    assert login.message is not None
    signed = hmac.new(b"the-secret", b"1538054050GET/users/self/verify", hashlib.sha256).digest()
    assert json.loads(login.message) == {
        "op": "login",
        "args": [
            {
                "apiKey": "the-key",
                "passphrase": "the-passphrase",
                "timestamp": "1538054050",
                "sign": base64.b64encode(signed).decode(),
            }
        ],
    }
    request = OKX.dialect.read_request(login.message.encode())
    assert request.kind is RequestKind.LOGIN
    assert request.topics == ()
    assert OKX.dialect.login_valid(request, KEYS)
    for other in (
        Credentials("the-key", "other", "the-passphrase"),
        Credentials("other", "the-secret", "the-passphrase"),
        Credentials("the-key", "the-secret", "other"),
    ):
        assert not OKX.dialect.login_valid(request, other)
    for refused, kind in ((None, NoticeKind.LOGGED_IN), ("no", NoticeKind.LOGIN_REFUSED)):
        (answer,) = OKX.dialect.answer(request, refused)
        assert isinstance(answer, str)
        notice = OKX.read_notice(answer.encode())
        assert notice is not None
        assert notice.kind is kind


@pytest.mark.parametrize("keys", [None, Credentials("a", "b"), Credentials("", "b", "c")])
def test_a_login_takes_key_secret_and_passphrase(keys: Credentials | None) -> None:
    (plan,) = plans(channels=(Channel.ORDER,))
    with pytest.raises(CredentialsError):
        OKX.login(plan, keys, 0, b"")
    (public,) = plans(SYMBOL)
    assert OKX.login(public, keys, 0, b"").message is None


# The exchange's side.


@pytest.mark.parametrize("venue", ["okx", "okcoin"])
def test_the_exchange_acknowledges_each_arg_as_it_was_sent(venue: str) -> None:
    dialect = venue_named(venue).dialect
    (plan,) = plans("BTC-USD", venue=venue)
    request = dialect.read_request(plan.subscribe_messages[0].encode())
    assert request.kind is RequestKind.SUBSCRIBE
    assert request.topics == ("books:BTC-USD", "trades:BTC-USD")
    assert dialect.answer(request, None) == [
        '{"event":"subscribe","arg":{"channel":"books","instId":"BTC-USD"}}',
        '{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USD"}}',
    ]
    (refusal,) = dialect.answer(request, "no such stream")
    assert refusal == '{"event":"error","code":"60018","msg":"no such stream"}'
    ping = dialect.read_request(b"ping")
    assert (ping.kind, dialect.answer(ping, None)) == (RequestKind.PING, ["pong"])


@pytest.mark.parametrize(
    ("payload", "topic"),
    [
        (samples.BOOK_SNAPSHOT, "books:BTC-USDT"),
        (samples.LIQUIDATIONS, "liquidation-orders:SWAP"),
        (samples.ORDERS, "orders"),
        (samples.ACCOUNT, "account"),
        (samples.ACKNOWLEDGED, None),
        (samples.REJECTED, None),
        (b"pong", None),
    ],
)
def test_a_message_tells_what_it_was_sent_for(payload: bytes, topic: str | None) -> None:
    assert OKX.dialect.topic(payload) == topic


def test_paths_that_the_exchange_has() -> None:
    dialect = OKX.dialect
    assert [
        dialect.serves_path(f"/ws/v5/{part}") for part in ("public", "business", "private")
    ] == [*(True, True, True)]
    assert dialect.private_path("/ws/v5/private")
    assert not dialect.private_path("/ws/v5/public")
    assert not dialect.serves_path("/ws/v5")


# Instruments.


def test_instruments_are_asked_for_one_by_one_and_an_option_with_its_family() -> None:
    """Of an option, its underlying or its family is required, says the exchange's page."""
    symbols = ("BTC-USDT", "BTC-USD-SWAP", "BTC-USD-261225", "BTC-USD-261225-92000-C")
    (plan,) = plans(*symbols)
    requests = OKX.instrument_requests(plan)
    assert all(request.purpose is Purpose.INSTRUMENTS for request in requests)
    asked = {request.symbol: request.url.partition("?")[2] for request in requests}
    assert asked == {
        "BTC-USDT": "instType=SPOT&instId=BTC-USDT",
        "BTC-USD-SWAP": "instType=SWAP&instId=BTC-USD-SWAP",
        "BTC-USD-261225": "instType=FUTURES&instId=BTC-USD-261225",
        "BTC-USD-261225-92000-C": (
            "instType=OPTION&instId=BTC-USD-261225-92000-C&instFamily=BTC-USD"
        ),
    }
    assert requests[0].url.startswith("https://www.okx.com/api/v5/public/instruments?")


@pytest.mark.parametrize(
    ("row", "kind", "contract_size"),
    [
        ('"ctType":"","ctVal":"","ctMult":""', ContractKind.COIN, None),
        ('"ctType":"linear","ctVal":"0.01","ctMult":"1"', ContractKind.LINEAR, "0.01"),
        ('"ctType":"inverse","ctVal":"100","ctMult":"1"', ContractKind.INVERSE, "100"),
        ('"ctType":"linear","ctVal":"0.1","ctMult":"10"', ContractKind.LINEAR, "1.0"),
    ],
)
def test_contracts_are_of_ctval_times_ctmult(
    row: str, kind: ContractKind, contract_size: str | None
) -> None:
    body = f'{{"code":"0","data":[{{"instId":"X-Y","tickSz":"0.1","lotSz":"1",{row}}}]}}'.encode()
    frame = http_frame(body, "X-Y", purpose=Purpose.INSTRUMENTS)
    assert decoded_http("okx", frame) == [
        Instrument("X-Y", RECEIVED_NS, None, "0.1", "1", kind, contract_size)
    ]


def test_a_refused_request_is_a_notice() -> None:
    frame = http_frame(b'{"code":"51001","data":[],"msg":"no such"}', "X-Y", purpose="instruments")
    assert decoded_http("okx", frame) == [
        Notice(
            *("X-Y", RECEIVED_NS, None, NoticeKind.INFORMATION),
            "no instruments: no such (code 51001)",
        )
    ]
    assert OKX.decode(text_frame(b"pong"))[0] == Notice(
        "", RECEIVED_NS, None, NoticeKind.HEARTBEAT, "pong"
    )
