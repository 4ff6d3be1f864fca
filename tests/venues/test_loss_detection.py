"""Whoever says that losses show must show each of them; whoever says that none do proves nothing.

Each frame of a book is left out in turn. From the next message of that book on, wherever the engine
still calls the book proven, it must be what it would have been: all of it where the venue numbers
every message, its checked levels where it only hashes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from book.engine import Engine
from tests.real_data import REAL_DATA
from tests.venues.book_streams import book_frames
from tests.venues.sample_frames import ALL_NAMES
from venues.channel import Channel
from venues.event import BookDelta, BookSnapshot, Event
from venues.frame import Frame, FrameKind
from venues.registry import venue_named
from venues.traits import LossDetection, VenueTraits

Levels = tuple[tuple[object, ...], tuple[object, ...]]
NO_BOOKS = [name for name in ALL_NAMES if Channel.BOOK not in venue_named(name).traits.channels]
WITH_BOOKS = [name for name in ALL_NAMES if name not in NO_BOOKS]


class Follower:
    """An engine that notes, after each frame about a book, what the book is and if it is proven."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.traits = venue_named(name).traits
        self.engine = Engine()
        self.touched: set[str] = set()
        self.engine.on(BookSnapshot, self._note)
        self.engine.on(BookDelta, self._note)

    def _note(self, event: Event, market: object) -> None:
        self.touched.add(event.symbol)

    def apply(self, frame: Frame) -> dict[str, Levels | None]:
        """Apply a frame; return the books that it changed, None for one that is not proven."""
        self.touched.clear()
        self.engine.apply(frame)
        return {symbol: self.book(symbol) for symbol in self.touched}

    def book(self, symbol: str) -> Levels | None:
        book = self.engine.markets[(self.name, symbol)].book
        if not book.proven:
            return None
        bids, asks = tuple(book.bids), tuple(book.asks)
        rule = self.traits.checksum
        if self.traits.loss_detection is LossDetection.CHECKED_LEVELS:
            assert rule is not None
            return bids[: rule.levels], asks[: rule.levels]
        return bids, asks


def followed(name: str, frames: Sequence[Frame]) -> list[dict[str, Levels | None]]:
    follower = Follower(name)
    return [follower.apply(frame) for frame in frames]


def stream(name: str) -> list[Frame]:
    frames = book_frames(name)
    if not frames and not REAL_DATA.is_dir():
        pytest.skip("the real recordings are not at hand, and none is made for this venue")
    assert frames, f"{name} says that losses show, and there is no book to show it on"
    return frames


def removable(frames: Sequence[Frame], whole: Sequence[dict[str, Levels | None]]) -> list[int]:
    """Frames whose removal changes a book that speaks again later."""
    return [
        index
        for index, books in enumerate(whole)
        if books
        and frames[index].kind is not FrameKind.HTTP
        and any(symbol in later for symbol in books for later in whole[index + 1 :])
    ]


def unnoticed(
    name: str, frames: list[Frame], index: int, whole: list[dict[str, Levels | None]]
) -> str:
    """Return why a removal was not noticed, '' where it was or did no harm."""
    follower = Follower(name)
    for frame in frames[:index]:
        follower.engine.apply(frame)
    missed = set(whole[index])
    for at in range(index + 1, len(frames)):
        books = follower.apply(frames[at])
        for symbol in missed & set(books):
            if books[symbol] is None:
                return ""
            if books[symbol] != whole[at][symbol]:
                return f"without frame {index} the book of {symbol} is wrong at {at}, and proven"
        if any(follower.book(symbol) is None for symbol in missed if _known(follower, symbol)):
            return ""
    return ""


def _known(follower: Follower, symbol: str) -> bool:
    return (follower.name, symbol) in follower.engine.markets


def detects(traits: VenueTraits) -> bool:
    return traits.loss_detection is not LossDetection.NONE


@pytest.mark.parametrize("name", [n for n in WITH_BOOKS if detects(venue_named(n).traits)])
def test_a_removed_frame_that_changes_the_book_is_noticed(name: str) -> None:
    frames = stream(name)
    whole = followed(name, frames)
    assert any(levels is not None for books in whole for levels in books.values())
    candidates = removable(frames, whole)
    assert len(candidates) >= 3
    faults = [unnoticed(name, frames, index, whole) for index in candidates]
    assert [fault for fault in faults if fault] == []


@pytest.mark.parametrize("name", [n for n in WITH_BOOKS if not detects(venue_named(n).traits)])
def test_a_book_that_nothing_can_check_is_never_called_proven(name: str) -> None:
    frames = book_frames(name)
    follower = Follower(name)
    for frame in frames:
        assert all(levels is None for levels in follower.apply(frame).values())
    for market in follower.engine.markets.values():
        assert market.coverage.proven_ns == 0
