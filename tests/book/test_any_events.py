"""Whatever the events of a venue are, in whatever order: they are taken, and always alike."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.engine import Engine
from tests.book.made_venue import TRAITS, MadeFeed
from venues.channel import Channel
from venues.event import (
    BookDelta,
    BookSnapshot,
    ContractKind,
    Event,
    FrameSequence,
    Game,
    GameResult,
    Instrument,
    LiquidatedSide,
    Liquidation,
    Row,
    Side,
    Subscribed,
    Trade,
)
from venues.frame import Frame

pytestmark = pytest.mark.usefixtures("made_venues")

SYMBOLS = st.sampled_from("ST")
NUMBERS = st.none() | st.integers(0, 12)
PRICES = st.sampled_from((*("97", "98", "99", "99.0", "101", "102", "103") * 4, "", "x", "1e99"))
SIZES = st.sampled_from((*("0", "0.0", "1", "2", "3") * 6, "", "-1", "1e-99"))
ROWS = st.lists(st.tuples(PRICES.filter(bool), SIZES.filter(bool)), max_size=3)
TIMES = st.none() | st.integers(0, 2**62)


def _ids(rows: list[Row]) -> list[str]:
    return [f"{position}{price[:2]}" for position, (price, _) in enumerate(rows)]


@st.composite
def book_events(draw: st.DrawFn) -> BookSnapshot | BookDelta:
    symbol, time_ns = draw(SYMBOLS), draw(TIMES)
    bids, asks = draw(ROWS), draw(ROWS)
    ids = (_ids(bids), _ids(asks)) if draw(st.booleans()) else None
    number, checksum = draw(NUMBERS), draw(st.none() | st.integers(0, 3))
    if draw(st.integers(0, 3)) == 0:
        unjoined = draw(st.booleans())
        return BookSnapshot(symbol, 0, time_ns, bids, asks, number, checksum, unjoined, ids)
    rows = ([draw(st.integers(0, 12)) for _ in bids], [draw(st.integers(0, 12)) for _ in asks])
    first, previous = draw(NUMBERS), draw(NUMBERS)
    numbered = rows if draw(st.booleans()) else None
    return BookDelta(
        symbol, 0, time_ns, bids, asks, first, number, previous, checksum, numbered, ids
    )


OTHERS: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        Trade, SYMBOLS, st.just(0), TIMES, PRICES, SIZES, st.sampled_from(Side), st.just(""),
        NUMBERS, history=st.booleans(),
    ),
    st.builds(
        Liquidation, SYMBOLS, st.just(0), TIMES, PRICES, SIZES, st.sampled_from(LiquidatedSide),
        st.just(""), st.none(),
    ),
    st.builds(
        Instrument, SYMBOLS, st.just(0), TIMES, PRICES, SIZES, st.sampled_from(ContractKind), SIZES,
    ),
    st.builds(
        GameResult, SYMBOLS, st.just(0), TIMES, st.sampled_from(Game),
        st.sampled_from(("heads", "tails", "2.31", "57", "edge")),
    ),
    st.builds(
        Subscribed, SYMBOLS, st.just(0), TIMES, st.none() | st.sampled_from(Channel), NUMBERS,
        st.sampled_from(("", "1")), st.just(""),
    ),
)  # fmt: skip


@st.composite
def feeds(draw: st.DrawFn, venue: str) -> list[Frame]:
    feed, number = MadeFeed(venue), draw(st.integers(0, 5))
    frames: list[Frame] = []
    for _ in range(draw(st.integers(1, 25))):
        what = draw(st.integers(0, 30))
        events: list[Event] = draw(st.lists(book_events() | OTHERS, max_size=3))
        if what == 0:
            feed.connection_id = draw(st.integers(1, 3))
        elif what <= 3:
            frames.append((feed.opened, feed.closed, feed.lost)[what - 1]())
        elif what == 4:
            frames.append(feed.http(*events, purpose=draw(st.sampled_from(("book snapshot", "x")))))
        else:
            number += draw(st.sampled_from((1, 1, 1, 1, 1, 0, 2, -1, -2)))
            count = [FrameSequence("", 0, None, max(number, 0))] if what > 6 else []
            frames.append(feed.text(*count, *events))
    return frames


def run(frames: list[Frame]) -> Engine:
    engine = Engine()
    told: list[Any] = []
    engine.on(Liquidation, lambda event, market: told.append(event))
    for frame in frames:
        engine.apply(frame)
        for market in engine.markets.values():
            book = market.book
            book._check()
            assert book.following == (book.state in ("proven", "unverifiable"))
            if book.coverage._since_ns is not None:
                assert (book.coverage._open is None) == book.proven
    return engine


@pytest.mark.parametrize("venue", TRAITS)
@given(data=st.data())
@settings(max_examples=15)
def test_any_events_are_taken_without_an_error_and_give_one_state(
    venue: str, data: st.DataObject
) -> None:
    frames = data.draw(feeds(venue))
    engine = run(frames)
    assert engine.undecodable == 0
    assert run(frames).state_digest() == engine.state_digest()
