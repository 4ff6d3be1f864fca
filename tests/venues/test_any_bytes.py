"""Whatever bytes come, decoding gives events or says that it cannot; nothing else happens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.venues.sample_frames import ALL_NAMES, SAMPLES, http_frame, text_frame
from venues.errors import UNDECODABLE, undecodable_reason
from venues.event import Event
from venues.frame import Frame, FrameKind
from venues.registry import venue_named

REST_BODIES = (
    b'{"lastUpdateId":1,"E":2,"T":3,"symbol":"S","pair":"P","bids":[["1","2"]],"asks":[]}',
    b'{"retCode":0,"retMsg":"OK","result":{"s":"S","b":[["1","2"]],"a":[],"ts":1,"u":2,"seq":3}}',
)
INT64_MAX = 2**63 - 1

HOSTILE = (
    b"",
    b" ",
    b"\x00" * 100,
    b"hello",
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"null",
    b"1",
    b'"text"',
    b"[]",
    b"{}",
    b"[" * 30 + b"]" * 30,
    b'{"a":' * 30 + b"1" + b"}" * 30,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"stream":"btcusdt@trade","data":' + b"[" * 100_000,
    b'{"topic":"orderbook.50.BTCUSDT","data":' + b"[" * 100_000,
    b'{"topic":' + b"[" * 100_000,
    b'{"op":' + b"[" * 100_000,
    b'{"stream":"\xff@bookTicker","data":{}}',
    b'{"topic":"\xff"}',
    b'{"topic":"\\ud800"}',
    b'{"foo":1}',
    b'{"lastUpdateId":1,"bids":[],"asks":[]}',
)


def outcome(venue: str, frame: Frame) -> Sequence[Event] | None:
    """Return the events, or None where decoding was refused in one of the ways it may be."""
    try:
        return venue_named(venue).decode(frame)
    except UNDECODABLE:
        return None


def check(events: Sequence[Event] | None) -> None:
    for event in events or ():
        assert isinstance(event, Event)
        assert event.exchange_time_ns is None or 0 <= event.exchange_time_ns <= INT64_MAX
        for name in ("sequence", "first_sequence", "previous_sequence", "trade_number"):
            number = getattr(event, name, None)
            assert number is None or 0 <= number <= INT64_MAX
        for name in ("bids", "asks"):
            for price, size in getattr(event, name, ()):
                assert type(price) is type(size) is str


def try_everything(venue: str, payload: bytes) -> None:
    check(outcome(venue, text_frame(payload, venue)))
    check(outcome(venue, text_frame(payload, venue, FrameKind.HTTP)))
    check(outcome(venue, http_frame(payload, "BTCUSDT")))
    other_side = venue_named(venue).dialect
    venue_named(venue).read_notice(payload)
    other_side.topic(payload)
    other_side.read_request(payload)
    other_side.wire_payload(payload, "/ws")
    other_side.wire_payload(payload, "/stream")


@pytest.mark.parametrize("venue", ALL_NAMES)
@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bytes_are_refused(venue: str, payload: bytes) -> None:
    try_everything(venue, payload)
    assert outcome(venue, text_frame(payload, venue)) is None


@pytest.mark.parametrize("venue", ALL_NAMES)
def test_a_message_of_8_mb_is_refused_without_repeating_it(venue: str) -> None:
    payload = b'{"stream":"x","topic":"orderbook.50.X","data":"' + b"a" * 8_000_000 + b'"}'
    with pytest.raises(UNDECODABLE) as refusal:
        venue_named(venue).decode(text_frame(payload, venue))
    assert len(str(refusal.value)) < 1000


@pytest.mark.parametrize("name", ["binance-usdm", "bybit-linear", "reference"])
@pytest.mark.parametrize("number", [b"-1", b"9223372036854775808", b"9" * 5000, b"1e400", b"1.5"])
def test_numbers_that_no_id_or_time_can_be_are_refused(name: str, number: bytes) -> None:
    original = {
        "binance-usdm": b"5123107837557",
        "bybit-linear": b'"u":217107085',
        "reference": b'"seq":8',
    }[name]
    replacement = original.partition(b":")[0] + b":" + number if b":" in original else number
    (sample,) = (each for each in SAMPLES[name][:2] if original in each)
    assert outcome(name, text_frame(sample.replace(original, replacement))) is None


def test_too_deep_and_not_utf8_are_said_in_plain_words() -> None:
    deep = b'{"stream":"btcusdt@trade","data":' + b"[" * 100_000
    with pytest.raises(RecursionError) as refusal:
        venue_named("binance-usdm").decode(text_frame(deep))
    assert "nested too deeply" in undecodable_reason(refusal.value)
    broken = SAMPLES["bybit-linear"][0].replace(b'"s":"BTCUSDT"', b'"s":"\xff"')
    with pytest.raises(UNDECODABLE) as unreadable:
        venue_named("bybit-linear").decode(text_frame(broken))
    assert undecodable_reason(unreadable.value) == "it is not UTF-8"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=True)
    | st.text(max_size=8)
    | st.sampled_from(["Buy", "SELL", "snapshot", "delta", "0", "trade", "order", "NaN"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*"seETuUbaBAo", "data", "topic"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to each value in a JSON document but the root."""
    found: list[tuple[Any, ...]] = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += paths(inner, (*path, index))
    return found


def damaged_bytes(draw: st.DrawFn, payload: bytes) -> bytes:
    place = draw(st.integers(0, len(payload) - 1))
    length = draw(st.integers(0, 8))
    return payload[:place] + draw(st.binary(max_size=8)) + payload[place + length :]


def damaged_value(draw: st.DrawFn, payload: bytes) -> bytes:
    document = json.loads(payload)
    *way, last = draw(st.sampled_from(paths(document)))
    holder = document
    for step in way:
        holder = holder[step]
    if draw(st.booleans()):
        holder[last] = draw(_JSON)
    else:
        del holder[last]
    return json.dumps(document).encode()


@st.composite
def damaged(draw: st.DrawFn, samples: Sequence[bytes]) -> bytes:
    payload = draw(st.sampled_from(samples))
    how = draw(st.sampled_from([damaged_bytes, damaged_value]))
    return how(draw, payload)


@pytest.mark.parametrize("venue", ALL_NAMES)
def test_damaged_messages_never_break_a_venue(venue: str) -> None:
    samples = (*SAMPLES[venue], *REST_BODIES)

    @settings(max_examples=300)
    @given(damaged(samples))
    def law(payload: bytes) -> None:
        try_everything(venue, payload)

    law()


@pytest.mark.parametrize("venue", ALL_NAMES)
def test_random_bytes_never_break_a_venue(venue: str) -> None:
    @settings(max_examples=100)
    @given(st.binary(max_size=200))
    def law(payload: bytes) -> None:
        try_everything(venue, payload)

    law()


@pytest.mark.parametrize("venue", ALL_NAMES)
def test_every_sample_is_decoded(venue: str) -> None:
    for payload in SAMPLES[venue]:
        assert outcome(venue, text_frame(payload, venue)) is not None
