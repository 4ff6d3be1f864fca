"""Whatever bytes a frame holds, the engine goes on, and says what it could not read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.engine import Engine
from book.finding import FindingKind
from tests.book.reference_feed import ReferenceFeed
from venues.frame import RECORDER, Frame, FrameKind
from venues.registry import venues

NAMES = sorted(venues())

BAD_PAYLOADS = {
    "not JSON": b"<html>502</html>",
    "nothing": b"",
    "cut": b'{"topic":"orderbook.50.BTCUSDT","type":"del',
    "not UTF-8": b'{"topic":"orderbook.50.\xff\xfe","type":"delta","data":{}}',
    "a lone surrogate": b'{"topic":"publicTrade.\\ud800","data":[]}',
    "deep": b"[" * 100_000,
    "deep in an object": b'{"topic":"orderbook.50.BTCUSDT","data":' + b"[" * 100_000,
    "30 levels deep": b'{"a":' * 30 + b"1" + b"}" * 30,
    "8 MB": b'{"topic":"orderbook.50.BTCUSDT","type":"' + b"x" * 8_000_000 + b'","data":{}}',
    "a huge number": b'{"topic":"orderbook.50.B","type":"delta","data":{"seq":'
    + b"9" * 400
    + b"}}",
    "another shape": b'{"topic":"orderbook.50.BTCUSDT","type":"delta","data":[1,2,3]}',
}


@pytest.mark.parametrize("venue", NAMES)
@pytest.mark.parametrize("bad", BAD_PAYLOADS.values(), ids=BAD_PAYLOADS.keys())
def test_a_frame_that_cannot_be_read_is_at_most_one_finding(venue: str, bad: bytes) -> None:
    feed, engine = ReferenceFeed(), Engine()
    for kind in (FrameKind.TEXT, FrameKind.BINARY):
        before = len(engine.findings)
        engine.apply(feed.frame(kind, bad, venue))
        assert len(engine.findings) - before <= 1
    assert all(len(each.text) <= 500 for each in engine.findings)
    assert len(engine.state_digest()) == 64


@pytest.mark.parametrize("name", [name for name in BAD_PAYLOADS if name != "30 levels deep"])
def test_the_reference_venue_tells_each_of_them(name: str) -> None:
    engine = Engine()
    engine.apply(ReferenceFeed().text(BAD_PAYLOADS[name]))
    assert [each.kind for each in engine.findings] == [FindingKind.UNDECODABLE]
    assert engine.undecodable == 1
    assert engine.findings.kept[0].frame_number == 0


def test_a_proven_book_is_untouched_by_what_cannot_be_read() -> None:
    feed = ReferenceFeed()
    frames = [feed.snapshot()]
    frames += [feed.text(bad) for bad in BAD_PAYLOADS.values()]
    frames += [feed.delta([("99", "7")])]
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    (market,) = engine.markets.values()
    assert market.book.proven
    assert (list(market.book.bids), list(market.book.asks)) == feed.truth.rows()


@given(
    payload=st.binary(max_size=200),
    kind=st.sampled_from(FrameKind),
    venue=st.sampled_from((*NAMES, RECORDER, "nowhere", "")),
)
@settings(max_examples=600)
def test_random_bytes_never_raise(payload: bytes, kind: FrameKind, venue: str) -> None:
    engine = Engine()
    engine.apply(Frame(0, 1, venue, kind, 1, None, payload))
    assert len(engine.findings) <= 1
    engine.state_digest()


WORDS = ("topic", "type", "data", "seq", "bids", "asks", "checksum", "pu", "stream", "op")
FIELDS = (*WORDS, *"TpvSieEsUubaqmo")

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(("snapshot", "delta", "Buy", "1", "1e99", "-1", "BTCUSDT", "0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
topics = st.sampled_from(
    ("orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "allLiquidation.BTCUSDT", "order", "x", ".")
)


@given(data=values, topic=topics, venue=st.sampled_from(NAMES), wrapped=st.booleans())
@settings(max_examples=500)
def test_json_of_any_shape_never_raises(
    data: object, topic: str, venue: str, wrapped: bool
) -> None:
    message = {"topic": topic, "stream": topic, "data": data, "type": "delta"} if wrapped else data
    payload = json.dumps(message).encode("utf-8", "surrogatepass")
    engine = Engine()
    engine.apply(ReferenceFeed().text(payload, venue))
    engine.state_digest()


sent_numbers = st.sampled_from(
    ("1", "0", "", "x", "-1", "1e99", "9" * 61 + "e99", "0." + "0" * 50 + "1e-99", "NaN", "1" * 65)
)
sent_rows = st.lists(st.tuples(sent_numbers, sent_numbers), max_size=3)


@given(frames=st.lists(st.tuples(sent_rows, sent_rows, sent_numbers, sent_numbers), max_size=8))
@settings(max_examples=200)
def test_numbers_of_any_size_never_raise(
    frames: list[tuple[list[tuple[str, str]], list[tuple[str, str]], str, str]],
) -> None:
    engine, feed = Engine(), ReferenceFeed()
    for bids, asks, price, size in frames:
        feed.sequence += 1
        data = {"seq": feed.sequence, "bids": bids, "asks": asks}
        for kind in ("snapshot", "delta"):
            message = {"topic": "orderbook.50.BTCUSDT", "type": kind, "data": data}
            engine.apply(feed.json(message))
        engine.apply(feed.trade(price, size))
        engine.apply(feed.liquidation(price, size))
        for market in engine.markets.values():
            market.book._check()
            market.tape._check()
            assert market.tape.volume_spike() in (True, False)
            assert market.book.spread is None or not market.book.proven or market.book.spread >= 0
    engine.state_digest()


@pytest.mark.parametrize(
    "kind", [FrameKind.OPENED, FrameKind.CLOSED, FrameKind.LOST, FrameKind.CLOCK, FrameKind.HTTP]
)
@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"null", b"\xff", b'{"frames":"x"}', b"[" * 10_000]
)
def test_a_marker_that_cannot_be_read_is_one_finding(kind: FrameKind, payload: bytes) -> None:
    engine = Engine()
    engine.apply(ReferenceFeed().frame(kind, payload))
    assert [each.kind for each in engine.findings] == [FindingKind.UNDECODABLE]
