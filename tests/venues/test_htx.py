"""HTX: its recorded feed through the engine, books that are asked for, what it wants answered."""

from __future__ import annotations

import ast
import gzip
import json
from decimal import Decimal
from typing import Any

import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from tests.feed_recordings import FEEDS, feed_frames
from tests.real_data import needs_real_data
from tests.venues.plain_books import book_rows
from tests.venues.sample_frames import RECEIVED_NS, as_bytes
from tests.venues.samples import htx as samples
from venues.channel import Channel
from venues.compression import packed, unpacked
from venues.event import NoticeKind
from venues.frame import Frame, FrameKind
from venues.registry import venue_at, venue_named
from venues.venue import ConnectionPlan, Credentials, RequestKind, StreamRequest

SPOT, SWAP = venue_named("htx"), venue_named("htx-swap")
KEYS = Credentials("key-1", "secret-1")
TIME_MS = 1_700_000_000_123


def played(frames: list[Frame]) -> Engine:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return engine


def frame_of(venue: str, content: bytes, number: int = 0) -> Frame:
    return Frame(number, 1, venue, FrameKind.BINARY, RECEIVED_NS, None, packed(content))


def received() -> list[Any]:
    """Read the recorded feed without any of the project's code."""
    messages = []
    with gzip.open(FEEDS / "HUOBI_SWAP.ws.1.0.gz", "rt") as file:
        for line in file:
            if line[:1].isdigit():
                packed_message = ast.literal_eval(line.partition(": ")[2])
                message = gzip.decompress(packed_message)
                messages.append(json.loads(message, parse_float=Decimal))
    return messages


@needs_real_data
def test_every_recorded_book_is_whole_and_in_the_exchanges_own_digits() -> None:
    engine = played(feed_frames("htx-swap", "HUOBI_SWAP.ws.1.0"))
    assert engine.undecodable == 0
    assert list(engine.findings) == []
    last = {
        message["ch"].split(".")[1]: message["tick"]
        for message in received()
        if "depth" in message.get("ch", "")
    }
    markets = {symbol: market for (_, symbol), market in engine.markets.items()}
    assert markets.keys() == last.keys()
    for symbol, tick in last.items():
        book = markets[symbol].book
        # Of whole books alone, a lost one would not show.
        assert book.state is BookState.UNVERIFIABLE
        bids, asks = (
            [(Decimal(p), Decimal(s)) for p, s in tick[side]] for side in ("bids", "asks")
        )
        assert book_rows(book) == (bids, asks)
    counters = [market.counters for market in markets.values()]
    assert sum(each.snapshots for each in counters) == 372


@needs_real_data
def test_the_first_trades_of_a_subscription_are_older_than_it() -> None:
    """They repeat the past: the exchange sends them before it even says that we are subscribed."""
    first: dict[str, int] = {}
    for message in received():
        if message.get("ch", "").endswith("trade.detail"):
            first.setdefault(message["ch"], message["tick"]["data"][-1]["ts"])
        if "subbed" in message and message["subbed"] in first:
            assert first[message["subbed"]] < message["ts"]
    assert len(first) == 5
    engine = played(feed_frames("htx-swap", "HUOBI_SWAP.ws.1.0"))
    counters = [market.counters for market in engine.markets.values()]
    assert sum(each.trades for each in counters) == 0
    assert sum(each.trades_history for each in counters) == 7


@needs_real_data
def test_what_was_sent_is_understood_and_what_came_has_those_topics() -> None:
    asked: set[str] = set()
    pings = 0
    for frame in feed_frames("htx-swap", "HUOBI_SWAP.ws.1.0"):
        if frame.kind is FrameKind.SENT:
            asked.update(SWAP.dialect.read_request(frame.payload).topics)
        elif frame.kind is FrameKind.BINARY:
            topic = SWAP.dialect.topic(frame.payload)
            notice = SWAP.read_notice(frame.payload)
            assert (topic in asked) is (notice is None)
            reply = SWAP.reply(frame.payload)
            if reply is not None:
                pings += 1
                assert json.loads(reply) == {"pong": 1645289389619}
    assert len(asked) == 10
    assert pings == 1
    assert venue_at("wss://api.hbdm.com/swap-ws") is SWAP


def chain(previous: int, sequence: int, bids: str = "[]") -> bytes:
    return (
        b'{"ch":"market.btcusdt.mbp.150","ts":1,"tick":{"seqNum":%d,"prevSeqNum":%d,"bids":%s,'
        b'"asks":[]}}' % (sequence, previous, bids.encode())
    )


REQUESTED = (
    b'{"id":"book-1","status":"ok","rep":"market.btcusdt.mbp.150","data":{"seqNum":20,"bids":'
    b'[[1.5,2]],"asks":[[3E0,4.0]]}}'
)


def test_a_requested_book_is_joined_to_the_messages_that_came_before_and_after_it() -> None:
    messages = [chain(8, 11), chain(11, 20, "[[1.4,9]]"), REQUESTED, chain(20, 25, "[[1.5,0]]")]
    engine = played([frame_of("htx", each, number) for number, each in enumerate(messages)])
    book = engine.markets["htx", "btcusdt"].book
    assert book.proven
    assert book.sequence == 25
    assert (list(book.bids), list(book.asks)) == ([], [("3E0", "4.0")])
    assert list(engine.findings) == []
    engine.apply(frame_of("htx", chain(26, 27), 4))
    assert [finding.kind for finding in engine.findings] == [FindingKind.GAP]
    (wish,) = engine.take_snapshot_requests()
    assert wish.symbol == "btcusdt"


def test_a_requested_book_older_than_the_messages_held_does_not_join() -> None:
    engine = played([frame_of("htx", chain(21, 22), 0), frame_of("htx", REQUESTED, 1)])
    assert [finding.kind for finding in engine.findings] == [FindingKind.BRIDGE_FAILED]


def test_a_swap_book_counts_its_versions() -> None:
    engine = played(
        [frame_of("htx-swap", samples.SWAP_BOOK), frame_of("htx-swap", samples.SWAP_DELTA)]
    )
    book = engine.markets["htx-swap", "BTC-USDT"].book
    assert book.proven
    assert list(book.bids) == [("10361.14", "385"), ("9.121e-07", "1")]
    engine.apply(frame_of("htx-swap", samples.SWAP_DELTA.replace(b"25630955", b"25630957")))
    assert [finding.kind for finding in engine.findings] == [FindingKind.GAP]


def plans(venue: str, *symbols: str, **wishes: Any) -> list[ConnectionPlan]:
    return venue_named(venue).plan(
        StreamRequest(venue, symbols, wishes.pop("channels", ()), **wishes)
    )


def test_a_spot_book_is_asked_for_behind_its_subscription_on_a_connection_of_its_own() -> None:
    market, feed = plans("htx", "BTC-USDT", "ethusdt", depth=20)
    assert (market.stream, market.url) == ("htx", "wss://api.huobi.pro/ws")
    assert (feed.stream, feed.url, feed.depth) == ("htx/feed", "wss://api.huobi.pro/feed", 20)
    assert [json.loads(message) for message in feed.subscribe_messages] == [
        {"sub": "market.btcusdt.mbp.20", "id": "subscribe-1"},
        {"sub": "market.ethusdt.mbp.20", "id": "subscribe-2"},
        {"req": "market.btcusdt.mbp.20", "id": "book-1"},
        {"req": "market.ethusdt.mbp.20", "id": "book-2"},
    ]
    (fresh,) = SPOT.resubscribe_messages(feed, "btcusdt")
    request = SPOT.dialect.read_request(fresh.encode())
    assert request.kind is RequestKind.SNAPSHOT
    assert request.topics == ("req:market.btcusdt.mbp.20",)


def test_swaps_of_two_kinds_and_their_liquidations_are_four_connections() -> None:
    several = plans("htx-swap", "BTC-USDT-PERP", "BTC-USD-PERP")
    assert [(plan.stream, plan.url.removeprefix("wss://api.hbdm.com")) for plan in several] == [
        ("htx-swap", "/linear-swap-ws"),
        ("htx-swap/liquidations", "/linear-swap-notification"),
        ("htx-swap/inverse", "/swap-ws"),
        ("htx-swap/inverse/liquidations", "/swap-notification"),
    ]
    book, trades = (json.loads(message) for message in several[0].subscribe_messages)
    assert book == {
        "sub": "market.BTC-USDT.depth.size_150.high_freq",
        "id": "subscribe-1",
        "data_type": "incremental",
    }
    assert trades == {"sub": "market.BTC-USDT.trade.detail", "id": "subscribe-2"}
    assert [json.loads(each) for each in several[1].subscribe_messages] == [
        {"op": "sub", "cid": "subscribe-1", "topic": "public.BTC-USDT.liquidation_orders"}
    ]


@pytest.mark.parametrize(
    ("ping", "pong"),
    [
        (packed(samples.PING), {"pong": 1645289389619}),
        (packed(samples.NOTIFICATION_PING), {"op": "pong", "ts": "1492420473058"}),
        (samples.ACCOUNT_PING, {"action": "pong", "data": {"ts": 1575537778295}}),
    ],
)
def test_a_ping_of_each_protocol_is_answered_in_its_own_words(
    ping: bytes, pong: dict[str, object]
) -> None:
    reply = SPOT.reply(ping)
    assert reply is not None
    assert json.loads(reply) == pong
    assert SPOT.reply(ping) == SWAP.reply(ping)


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x1f\x8b\x08broken", packed(samples.SUBSCRIBED), packed(b"[" * 50), b"\xff"],
)
def test_nothing_else_is_answered(payload: bytes) -> None:
    assert SPOT.reply(payload) is None


def test_a_spot_login_signs_host_path_and_parameters() -> None:
    (plan,) = plans("htx", channels=(Channel.ORDER, Channel.WALLET))
    assert plan.url == "wss://api.huobi.pro/ws/v2"
    assert [json.loads(message) for message in plan.subscribe_messages] == [
        {"action": "sub", "ch": "orders#*"},
        {"action": "sub", "ch": "accounts.update#2"},
    ]
    message = SPOT.login(plan, KEYS, TIME_MS, b"").message
    assert message is not None
    assert json.loads(message) == {
        "action": "req",
        "ch": "auth",
        "params": {
            "authType": "api",
            "accessKey": "key-1",
            "signatureMethod": "HmacSHA256",
            "signatureVersion": "2.1",
            "timestamp": "2023-11-14T22:13:20",
            # openssl dgst -sha256 -hmac secret-1 -binary | base64, over GET, api.huobi.pro,
            # /ws/v2 and the parameters above, sorted and percent-encoded, a line each.
            "signature": "YUgIe1mIua7I0eHT3IcAsyE+xI/asmGSuZ7D0CTX8to=",
        },
    }


def test_a_swap_login_signs_the_path_of_notifications() -> None:
    (plan,) = plans("htx-swap", channels=(Channel.POSITION,))
    assert plan.url == "wss://api.hbdm.com/linear-swap-notification"
    message = SWAP.login(plan, KEYS, TIME_MS, b"").message
    assert message is not None
    assert json.loads(message) == {
        "op": "auth",
        "type": "api",
        "cid": "login",
        "AccessKeyId": "key-1",
        "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2",
        "Timestamp": "2023-11-14T22:13:20",
        # The same, over api.hbdm.com, /linear-swap-notification and these parameters.
        "Signature": "ANUSU1E1TXRssO1pbGF2mc0u0v5ZZGG6Id4dbx9YN/8=",
    }
    request = SWAP.dialect.read_request(message.encode())
    (answer,) = SWAP.dialect.answer(request, None)
    assert answer == packed(unpacked(as_bytes(answer)))
    notice = SWAP.read_notice(as_bytes(answer))
    assert notice is not None
    assert notice.kind is NoticeKind.LOGGED_IN


def test_the_exchanges_side_states_a_book_as_its_answer_to_a_request() -> None:
    request = SPOT.dialect.read_request(b'{"req":"market.btcusdt.mbp.150","id":"book-1"}')
    assert SPOT.dialect.snapshot_symbol(request.topics[0]) == "btcusdt"
    body = SPOT.dialect.snapshot_body("btcusdt", [("1.5", "2")], [("3E0", "4.0")], 20)
    answer = SPOT.dialect.snapshot_answer(request, body)
    assert json.loads(unpacked(as_bytes(answer))) == json.loads(REQUESTED)
    assert SPOT.dialect.topic(as_bytes(answer)) == request.topics[0]
    assert b"[3E0,4.0]" in unpacked(as_bytes(answer))


def test_a_large_message_is_known_for_an_answer_by_its_beginning() -> None:
    rows = ",".join(
        f"[{number}.{number * 7919 % 1000},{number * 104729 % 997}]" for number in range(300)
    )
    answer = packed(REQUESTED.replace(b"[1.5,2]", rows.encode()))
    delta = packed(chain(1, 2, f"[{rows}]"))
    assert len(answer) > 1000
    notice = SPOT.read_notice(answer)
    assert notice is not None
    assert notice.kind is NoticeKind.ACKNOWLEDGED
    assert SPOT.read_notice(delta) is None
    assert SPOT.read_notice(answer[:4] + b"\xff" * 1000) is None
    assert SPOT.read_notice(samples.CHAIN * 3) is None
