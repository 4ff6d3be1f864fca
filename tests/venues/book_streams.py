"""A stretch of a book's messages for every venue that numbers or hashes its books.

What an exchange really sent is taken where there is enough of it; else `made_books`. Whatever
belongs to the book is in it: answers that name the subscription, and HTTP answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.book.feed_frames import BINANCE_FILES, binance_frames, simulated_frames
from tests.feed_recordings import feed_frames
from tests.real_data import REAL_DATA
from tests.venues.made_books import MADE
from venues.event import BookDelta, BookSnapshot, FrameSequence, Subscribed
from venues.frame import Frame, FrameKind
from venues.registry import venue_named
from venues.traits import SequenceScope

FEEDS: Mapping[str, tuple[str, ...]] = {
    "okx": ("OKX.ws.1.0",),
    "bitget-v1": ("BITGET.ws.1.0",),
    "kraken-v1": ("KRAKEN.ws.50.0",),
    "kraken-futures": ("KRAKEN_FUTURES.ws.1.0",),
    "bitfinex": ("BITFINEX.ws.11.0",),
    "bitmex": ("BITMEX.ws.1.0",),
    "deribit": ("DERIBIT.ws.1.0",),
    "coinbase-exchange": ("COINBASE.ws.28.0",),
    "gemini-v2": ("GEMINI.ws.1.0",),
    "bitstamp": ("BITSTAMP.ws.1.0", "BITSTAMP.http.0.0"),
    "kucoin": ("KUCOIN.ws.1.0", "KUCOIN.http.0.0"),
    "gateio": ("GATEIO.ws.1.0", "GATEIO.http.0.0"),
}
CAPTURES: Mapping[str, str] = {
    "bybit-spot": "bybit_v5_spot_orderbook_50_20260824.jsonl",
    "kraken": "kraken_v2_book_10_20260824.jsonl",
}
FRAMES_MAX = 80


def book_frames(name: str) -> list[Frame]:
    """Return up to `FRAMES_MAX` frames of one busy symbol's book, in the order they came."""
    if name == "reference":
        return _of_busiest(name, simulated_frames(2_000))
    if name in BINANCE_FILES and REAL_DATA.is_dir():
        return _of_busiest(name, binance_frames(name)[:4_000])
    if name in FEEDS and REAL_DATA.is_dir():
        return _of_busiest(name, feed_frames(name, *FEEDS[name]))
    if name in CAPTURES and REAL_DATA.is_dir():
        lines = (REAL_DATA / "captures" / CAPTURES[name]).read_bytes().splitlines()
        return _numbered(name, [line for line in lines if line.strip()])
    return _numbered(name, MADE[name]()) if name in MADE else []


def _numbered(name: str, payloads: Sequence[bytes]) -> list[Frame]:
    return [
        Frame(number, 1, name, _kind(payload), 1_000_000 * (number + 1), None, payload)
        for number, payload in enumerate(payloads)
    ]


def _kind(payload: bytes) -> FrameKind:
    return FrameKind.HTTP if payload.startswith(b'{"method":"GET"') else FrameKind.TEXT


def _of_busiest(name: str, frames: Sequence[Frame]) -> list[Frame]:
    """Keep what is of the book with most deltas; all, where numbers run over the connection."""
    venue, routes = venue_named(name), dict[str, Subscribed]()
    deltas: dict[str, int] = {}
    told: list[tuple[Frame, set[str], bool]] = []
    for frame in frames:
        if not frame.received and frame.kind is not FrameKind.HTTP:
            continue
        events = venue.decode(frame, routes)
        routes |= {each.reference: each for each in events if isinstance(each, Subscribed)}
        books = {each.symbol for each in events if isinstance(each, BookDelta | BookSnapshot)}
        for symbol in books:
            deltas[symbol] = deltas.get(symbol, 0) + 1
        keep = any(isinstance(each, Subscribed | FrameSequence) for each in events)
        told.append((frame, books, keep))
    busiest = max(deltas, key=lambda symbol: deltas[symbol])
    counted = venue.traits.sequence_scope is SequenceScope.CONNECTION
    kept = [frame for frame, books, keep in told if busiest in books or keep or counted]
    return kept[: 4 * FRAMES_MAX if counted else FRAMES_MAX]
