"""Bitget: the recording of 2022 through the engine, a chain that breaks, plans, login, answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from tests.feed_recordings import feed_frames
from tests.real_data import needs_real_data
from tests.venues.sample_frames import RECEIVED_NS
from tests.venues.samples import bitget as samples
from venues.channel import Channel, Subscription
from venues.errors import (
    CredentialsError,
    UnknownChannelError,
    UnknownDepthError,
    UnknownSymbolError,
)
from venues.event import (
    Side,
    Ticker,
    Trade,
)
from venues.frame import Frame, FrameKind
from venues.registry import venue_at, venue_named
from venues.venue import ConnectionPlan, Credentials, RequestKind, StreamRequest

BITGET = venue_named("bitget")
V1 = venue_named("bitget-v1")
KEYS = Credentials("the-key", "the-secret", "the-passphrase")
MS = 1_000_000
R = RECEIVED_NS
FUTURE = "usdt-futures:BTCUSDT"
SEQUENCE = 1304314508780744705


def plans(
    *symbols: str,
    channels: tuple[Channel, ...] = (),
    venue: str = "bitget",
    depth: int | None = None,
) -> list[ConnectionPlan]:
    return venue_named(venue).plan(StreamRequest(venue, symbols, channels, depth))


def args(plan: ConnectionPlan) -> list[dict[str, str]]:
    return [arg for message in plan.subscribe_messages for arg in json.loads(message)["args"]]


# The recording: spot v1, 22 seconds of April 2022.


@needs_real_data
def test_every_recorded_checksum_of_v1_verifies() -> None:
    frames = feed_frames("bitget-v1", "BITGET.ws.1.0")
    assert venue_at(json.loads(frames[0].payload)["url"]) is V1
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    markets = {symbol: market.counters for (_, symbol), market in engine.markets.items()}
    # Counted, and each checksum recomputed, by a plain reading of the file.
    assert {symbol: counters.checksums_verified for symbol, counters in markets.items()} == {
        **{"AVAXUSDT": 56, "CULTUSDT": 52, "EOSUSDT": 56, "GOGUSDT": 57},
        **{"HOTUSDT": 55, "STGUSDT": 56, "SUNUSDT": 56, "VVSUSDT": 55},
    }
    assert sum(counters.checksums_verified for counters in markets.values()) == 443
    assert sum(counters.trades for counters in markets.values()) == 30
    assert sum(counters.trades_history for counters in markets.values()) == 8 * 50
    assert sum(counters.tickers for counters in markets.values()) == 128
    for counters in markets.values():
        assert counters.snapshots == 1
        assert counters.checksums_failed == counters.checksums_unverifiable == 0
        assert counters.gaps == counters.crossed == 0
    assert all(market.book.state is BookState.PROVEN for market in engine.markets.values())
    assert engine.undecodable == 0
    assert not [each for each in engine.findings if each.kind is not FindingKind.STALE]


@needs_real_data
def test_a_lost_message_of_v1_shows_in_the_checksum_of_the_next() -> None:
    frames = feed_frames("bitget-v1", "BITGET.ws.1.0")
    lost = next(frame for frame in frames if frame.payload.startswith(b'{"action":"update"'))
    engine = Engine()
    for frame in frames:
        if frame is not lost:
            engine.apply(frame)
    assert [each.kind for each in engine.findings if each.kind is not FindingKind.STALE] == [
        FindingKind.CHECKSUM_FAILED
    ]


@needs_real_data
def test_a_recorded_ticker_trade_and_candle_say_what_was_sent() -> None:
    frames = feed_frames("bitget-v1", "BITGET.ws.1.0")
    ticker = next(frame for frame in frames if b'"labeId"' in frame.payload)
    assert list(V1.decode(ticker)) == [
        Ticker("CULTUSDT", ticker.receive_time_ns, 1649290076193 * MS, "0.00003511")
    ]
    trade = next(
        frame
        for frame in frames
        if b'update","arg":{"instType":"sp","channel":"trade' in frame.payload
    )
    assert list(V1.decode(trade)) == [
        Trade(
            *("HOTUSDT", trade.receive_time_ns, 1649290077777 * MS, "0.005613", "890.8"),
            *(Side.BUY, ""),
        )
    ]


# A chain of made messages.


def book_frame(number: int, action: str, previous: int, sequence: int) -> Frame:
    payload = (
        f'{{"action":"{action}","arg":{{"instType":"spot","topic":"books","symbol":"BTCUSDT"}},'
        f'"data":[{{"a":[],"b":[["100","{number + 1}"]],"checksum":0,"pseq":{previous},'
        f'"seq":{sequence},"ts":"1746698732562"}}],"ts":1746698732563}}'
    )
    return Frame(number, 1, "bitget", FrameKind.TEXT, R + number, None, payload.encode())


def applied(*frames: Frame) -> Engine:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return engine


def test_v3_is_chained_by_pseq() -> None:
    frames = [
        book_frame(0, "snapshot", 0, 50),
        book_frame(1, "update", 50, 70),
        book_frame(2, "update", 70, 71),
    ]
    whole = applied(*frames).markets["bitget", "BTCUSDT"]
    assert whole.book.state is BookState.PROVEN
    assert whole.counters.checksums_unverifiable == 3
    broken = applied(frames[0], frames[2])
    assert [each.kind for each in broken.findings] == [FindingKind.GAP]


def test_numbers_that_begin_anew_are_a_gap_once_they_go_on() -> None:
    engine = applied(
        book_frame(0, "snapshot", 0, 50),
        book_frame(1, "update", 0, 7),
        book_frame(2, "update", 7, 9),
    )
    assert [each.kind for each in engine.findings] == [FindingKind.LATE, FindingKind.GAP]
    assert [each.symbol for each in engine.take_snapshot_requests()] == ["BTCUSDT"]


def test_a_book_of_v2_without_a_checksum_is_not_trusted() -> None:
    chained = samples.V2_BOOK.replace(b'"books15"', b'"books"')
    engine = applied(Frame(0, 1, "bitget", FrameKind.TEXT, R, None, chained))
    assert [each.kind for each in engine.findings] == [FindingKind.UNNUMBERED]


# Plans.


def test_spot_and_contracts_share_a_connection_and_a_type_its_liquidations() -> None:
    (plan,) = plans("BTCUSDT", "USDT-Futures:btcusdt", "usdt-futures:ETHUSDT")
    assert plan.url == "wss://ws.bitget.com/v3/ws/public"
    assert args(plan) == [
        {"instType": "spot", "topic": "books", "symbol": "BTCUSDT"},
        {"instType": "spot", "topic": "publicTrade", "symbol": "BTCUSDT"},
        {"instType": "usdt-futures", "topic": "books", "symbol": "BTCUSDT"},
        {"instType": "usdt-futures", "topic": "publicTrade", "symbol": "BTCUSDT"},
        {"instType": "usdt-futures", "topic": "liquidation"},
        {"instType": "usdt-futures", "topic": "books", "symbol": "ETHUSDT"},
        {"instType": "usdt-futures", "topic": "publicTrade", "symbol": "ETHUSDT"},
    ]
    assert Subscription(Channel.LIQUIDATIONS, "usdt-futures:ETHUSDT") in plan.subscriptions
    assert Subscription(Channel.LIQUIDATIONS, "BTCUSDT") not in plan.subscriptions


def test_depths_quotes_and_tickers_are_topics_of_their_own() -> None:
    wanted = (Channel.BOOK, Channel.QUOTES, Channel.TICKERS)
    (plan,) = plans("BTCUSDT", channels=wanted, depth=50)
    assert [arg["topic"] for arg in args(plan)] == ["books50", "books1", "ticker"]
    with pytest.raises(UnknownDepthError):
        plans("BTCUSDT", depth=15)
    with pytest.raises(UnknownChannelError):
        plans("BTCUSDT", channels=(Channel.LIQUIDATIONS,))


def test_no_connection_carries_more_than_50_streams() -> None:
    several = plans(*(f"C{number}USDT" for number in range(26)))
    assert [len(args(plan)) for plan in several] == [50, 2]


def test_v1_has_a_path_for_spot_and_one_for_contracts() -> None:
    spot, mix = plans("BTCUSDT", "BTC-USDT-PERP", venue="bitget-v1")
    assert (spot.url, mix.url) == (
        "wss://ws.bitget.com/spot/v1/stream",
        "wss://ws.bitget.com/mix/v1/stream",
    )
    assert args(spot)[0] == {"instType": "SP", "channel": "books", "instId": "BTCUSDT"}
    assert args(mix)[1] == {"instType": "MC", "channel": "trade", "instId": "BTCUSDT"}
    assert mix.subscriptions[0] == Subscription(Channel.BOOK, "mc:BTCUSDT")
    with pytest.raises(UnknownSymbolError):
        plans(venue="bitget-v1")


@pytest.mark.parametrize(
    ("pair", "symbol"),
    [
        ("BTC-USDT", "BTCUSDT"),
        ("btc-usdt-perp", "usdt-futures:BTCUSDT"),
        ("BTC-USDC-PERP", "usdc-futures:BTCPERP"),
        ("BTC-USD-PERP", "coin-futures:BTCUSD"),
    ],
)
def test_pairs_are_spelled_with_their_market(pair: str, symbol: str) -> None:
    (plan,) = plans(pair)
    assert {one.symbol for one in plan.subscriptions} == {symbol}


@pytest.mark.parametrize("symbol", ["BTC-EUR-PERP", "other:BTCUSDT", "BTC/USDT", ":BTCUSDT"])
def test_what_cannot_be_a_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(UnknownSymbolError):
        plans(symbol)


@pytest.mark.parametrize(
    ("venue", "symbol", "arg"),
    [
        ("bitget", FUTURE, {"instType": "usdt-futures", "topic": "books", "symbol": "BTCUSDT"}),
        ("bitget-v1", "BTCUSDT", {"instType": "SP", "channel": "books", "instId": "BTCUSDT"}),
    ],
)
def test_a_fresh_snapshot_is_asked_for_by_subscribing_anew(
    venue: str, symbol: str, arg: dict[str, str]
) -> None:
    (plan,) = plans(symbol, venue=venue)
    messages = venue_named(venue).resubscribe_messages(plan, symbol)
    assert [json.loads(message) for message in messages] == [
        {"op": "unsubscribe", "args": [arg]},
        {"op": "subscribe", "args": [arg]},
    ]
    (tape,) = plans(symbol, venue=venue, channels=(Channel.TRADES,))
    assert venue_named(venue).resubscribe_messages(tape, symbol) == []


# Login.


def test_a_login_signs_its_time_in_seconds_for_the_unified_account() -> None:
    (plan,) = plans(channels=(Channel.ORDER, Channel.POSITION, Channel.WALLET))
    assert plan.url == "wss://ws.bitget.com/v3/ws/private"
    assert args(plan) == [
        {"instType": "UTA", "topic": topic} for topic in ("order", "position", "account")
    ]
    login = BITGET.login(plan, KEYS, 1_538_054_050_975, b"")
    assert login.message is not None
    signed = hmac.new(b"the-secret", b"1538054050GET/user/verify", hashlib.sha256).digest()
    (arg,) = json.loads(login.message)["args"]
    assert arg["timestamp"] == "1538054050"
    assert arg["sign"] == base64.b64encode(signed).decode()
    request = BITGET.dialect.read_request(login.message.encode())
    assert request.kind is RequestKind.LOGIN
    assert BITGET.dialect.login_valid(request, KEYS)
    assert not BITGET.dialect.login_valid(request, Credentials("the-key", "x", "the-passphrase"))
    with pytest.raises(CredentialsError):
        BITGET.login(plan, Credentials("key", "secret"), 0, b"")
    with pytest.raises(UnknownChannelError):
        plans(channels=(Channel.ORDER,), venue="bitget-v1")


# The exchange's side.


@pytest.mark.parametrize(("venue", "symbol"), [("bitget", FUTURE), ("bitget-v1", "BTCUSDT")])
def test_the_exchange_acknowledges_each_arg_and_means_the_same_streams(
    venue: str, symbol: str
) -> None:
    dialect = venue_named(venue).dialect
    (plan,) = plans(symbol, venue=venue)
    request = dialect.read_request(plan.subscribe_messages[0].encode())
    assert request.kind is RequestKind.SUBSCRIBE
    answers = dialect.answer(request, None)
    assert [json.loads(each) for each in answers] == [
        {"event": "subscribe", "arg": arg} for arg in args(plan)
    ]
    own = samples.BOOK_SNAPSHOT if venue == "bitget" else samples.V1_HISTORIC_TRADES
    own = own.replace(b"CULTUSDT", b"BTCUSDT")
    assert dialect.topic(own) in request.topics
    assert dialect.topic(answers[0].encode() if isinstance(answers[0], str) else b"") is None
    ping = dialect.read_request(b"ping")
    assert (ping.kind, dialect.answer(ping, None)) == (RequestKind.PING, ["pong"])


def test_paths_that_the_exchange_has() -> None:
    assert BITGET.dialect.serves_path("/v3/ws/public")
    assert BITGET.dialect.private_path("/v3/ws/private")
    assert not BITGET.dialect.serves_path("/mix/v1/stream")
    assert V1.dialect.serves_path("/mix/v1/stream")
    assert not V1.dialect.private_path("/mix/v1/stream")
