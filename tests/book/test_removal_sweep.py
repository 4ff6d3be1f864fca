"""Take out each book frame in turn: a removal that changes the book is noticed.

Of the last book frame nobody can notice the removal: nothing comes after it to show the hole. So
the sweep leaves it out, and a test of its own says so.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from book.engine import Engine
from book.finding import FindingKind
from book.venue_book import VenueBook
from tests.book.feed_frames import BINANCE_FILES, binance_frames, simulated_frames
from tests.real_data import needs_real_data
from venues.event import Row
from venues.frame import Frame, FrameKind

NOTICED = frozenset(
    {
        FindingKind.GAP,
        FindingKind.CHECKSUM_FAILED,
        FindingKind.QUOTE_MISMATCH,
        FindingKind.BRIDGE_FAILED,
        FindingKind.CROSSED,
    }
)
FIRST_FRAMES = 3_000
SAMPLE = 90


def _applied(frames: Iterable[Frame]) -> tuple[Engine, VenueBook]:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    (market,) = engine.markets.values()
    return engine, market.book


def _rows(book: VenueBook) -> tuple[list[Row], list[Row]]:
    return list(book.bids), list(book.asks)


def _sweep(frames: list[Frame], removed: Iterable[int]) -> tuple[int, int]:
    """Return how many removals were noticed, and how many left the same proven book."""
    engine, whole = _applied(frames)
    assert whole.proven
    assert len(engine.findings) == 0
    noticed = harmless = 0
    for index in removed:
        engine, book = _applied(frames[:index] + frames[index + 1 :])
        if NOTICED & set(engine.findings.counts) or not book.proven:
            noticed += 1
            continue
        assert _rows(book) == _rows(whole), f"frame {index} was missing and nobody noticed"
        harmless += 1
    return noticed, harmless


def _book_frames(frames: list[Frame], mark: bytes) -> list[int]:
    return [
        index
        for index, frame in enumerate(frames)
        if mark in frame.payload[:80] or frame.kind is FrameKind.HTTP
    ]


def test_every_removed_delta_of_a_simulated_feed_is_a_gap() -> None:
    frames = simulated_frames(260)
    indexes = _book_frames(frames, b'"orderbook.')
    noticed, harmless = _sweep(frames, indexes[:-1])
    assert (noticed, harmless) == (len(indexes) - 1, 0)
    assert noticed > 100


def test_the_removal_of_the_very_last_book_frame_shows_only_in_the_sequence() -> None:
    frames = simulated_frames(60)
    last = _book_frames(frames, b'"orderbook.')[-1]
    (engine, book), (_, whole) = _applied(frames[:last] + frames[last + 1 :]), _applied(frames)
    assert len(engine.findings) == 0
    assert book.sequence is not None
    assert whole.sequence == book.sequence + 1


@needs_real_data
@pytest.mark.parametrize("venue", BINANCE_FILES)
def test_no_removed_book_frame_that_binance_sent_goes_unnoticed(venue: str) -> None:
    frames = binance_frames(venue)[:FIRST_FRAMES]
    # Trades prove nothing of the book, and are most of the work.
    frames = [frame for frame in frames if b"@trade" not in frame.payload[:40]]
    indexes = _book_frames(frames, b"@depth")[:-1]
    sample = random.Random(20240808).sample(indexes, min(SAMPLE, len(indexes)))
    snapshot = next(i for i in indexes if frames[i].kind is FrameKind.HTTP)
    noticed, harmless = _sweep(frames, {*sample, snapshot})
    assert noticed > 0
    # What a snapshot contains already may go missing before it.
    before = sum(index < snapshot for index in {*sample, snapshot})
    assert harmless <= before
