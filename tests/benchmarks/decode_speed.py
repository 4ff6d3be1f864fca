"""How fast each venue's messages are decoded, one core.

    python -m tests.benchmarks.decode_speed [VENUE ...]

prints a line a venue: frames/s for a message of one trade (or few) and one of quotes, and for a
book message of 20 changed levels (or as many as its messages hold), best of 5. The messages are the
samples of the tests; the book's is the sample's, its rows repeated.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from tests.venues.sample_frames import SAMPLES, text_frame
from venues.compression import packed, unpacked
from venues.errors import UNDECODABLE
from venues.event import BookDelta, BookSnapshot, Event, Quote, Subscribed, Trade
from venues.frame import Frame
from venues.registry import venue_named, venue_names
from venues.venue import Venue

ROUNDS = 5
ROUND_S = 0.05
LEVELS = 20
TRADES_WANTED, BOOKS_WANTED = 300_000, 60_000


def frames_per_second(venue: Venue, frame: Frame, routes: dict[str, Subscribed]) -> float:
    """Return the best of several rounds."""
    decode, best, count = venue.decode, 0.0, 200
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _each in range(count):
            decode(frame, routes)
        passed_s = time.perf_counter() - begun
        best = max(best, count / passed_s)
        count = max(count, int(best * ROUND_S))
    return best


def lists_in(value: Any) -> Iterator[list[Any]]:
    """Yield every list in a JSON document that holds something."""
    if isinstance(value, list):
        if value:
            yield value
        inner: Sequence[Any] = value
    else:
        inner = list(value.values()) if isinstance(value, dict) else ()
    for each in inner:
        yield from lists_in(each)


def levels_in(events: Sequence[Event]) -> int:
    """Return how many levels the books in `events` change."""
    return sum(len(each.bids) + len(each.asks) for each in events if isinstance(each, _BOOKS))


_BOOKS = (BookDelta, BookSnapshot)


def with_levels(venue: Venue, payload: bytes, routes: dict[str, Subscribed]) -> bytes:
    """Return a book message with its rows repeated, so that it changes `LEVELS` levels."""
    document = json.loads(unpacked(payload))
    best = payload
    for rows in reversed(list(lists_in(document))):  # the innermost first: rows, not whole books
        before = levels_in(venue.decode(text_frame(best, venue.name), routes))
        kept = list(rows)
        rows.extend([rows[0]] * max(0, LEVELS - before))
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        tried = packed(text) if best[:2] == b"\x1f\x8b" else text
        try:
            after = levels_in(venue.decode(text_frame(tried, venue.name), routes))
        except UNDECODABLE:
            after = 0
        if before < after <= LEVELS + 2:
            best = tried
        else:
            rows[:] = kept
    return best


def measure(name: str) -> list[str]:
    """Return the cells of one venue's line."""
    venue = venue_named(name)
    routes: dict[str, Subscribed] = {}
    found: dict[str, bytes] = {}
    fewest: dict[str, int] = {}
    for payload in SAMPLES[name]:
        events = venue.decode(text_frame(payload, name), routes)
        routes |= {each.reference: each for each in events if isinstance(each, Subscribed)}
        for kind, types in (("trades", Trade), ("quotes", Quote), ("book", BookDelta)):
            count = sum(isinstance(each, types) for each in events)
            if count and count < fewest.get(kind, count + 1):
                found[kind], fewest[kind] = payload, count
        if "book" not in found and any(isinstance(each, BookSnapshot) for each in events):
            found.setdefault("whole book", payload)
    cells = [_cell(venue, found.get(kind), routes) for kind in ("trades", "quotes")]
    book = found.get("book") or found.get("whole book")
    if book is None:
        return [*cells, "", ""]
    book = with_levels(venue, book, routes)
    levels = levels_in(venue.decode(text_frame(book, name), routes))
    return [*cells, _cell(venue, book, routes), f"{levels}"]


def _cell(venue: Venue, payload: bytes | None, routes: dict[str, Subscribed]) -> str:
    if payload is None:
        return ""
    frame = text_frame(payload, venue.name)
    return f"{frames_per_second(venue, frame, routes):,.0f}"


def main() -> None:
    """Print the table."""
    names = sys.argv[1:] or venue_names()
    print(f"{'decoding, frames/s':<20} {'trades':>12} {'quotes':>12} {'book':>12} {'levels':>7}")
    print(
        f"{'wanted':<20} {TRADES_WANTED:>12,} {TRADES_WANTED:>12,} {BOOKS_WANTED:>12,} {LEVELS:>7}"
    )
    for name in names:
        if name in SAMPLES:
            trades, quotes, book, levels = measure(name)
            print(f"{name:<20} {trades:>12} {quotes:>12} {book:>12} {levels:>7}", flush=True)


if __name__ == "__main__":
    main()
