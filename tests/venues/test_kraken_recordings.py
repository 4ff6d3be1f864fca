"""Kraken's recordings through the engine: each checksum verifies, no number is missing."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any
from zlib import crc32

import msgspec
import pytest

from book.book_state import BookState
from book.engine import Engine
from book.finding import FindingKind
from book.market import Market
from tests.feed_recordings import FEEDS, feed_frames
from tests.real_data import REAL_DATA, needs_real_data
from tests.venues.samples.kraken import V2_SNAPSHOT
from venues.event import Notice, NoticeKind, Side, Trade
from venues.frame import Frame, FrameKind
from venues.marker import Opened, marker_payload
from venues.registry import venue_named

Sides = dict[str, dict[Decimal, tuple[str, str]]]


def messages(name: str) -> Iterator[Any]:
    """Read a feed without any of the project's code."""
    with gzip.open(FEEDS / f"{name}.gz", "rt") as file:
        for line in file:
            if line[:1].isdigit():
                yield json.loads(line.partition(": ")[2], parse_float=str)


def played(frames: list[Frame]) -> Engine:
    engine = Engine()
    for frame in frames:
        engine.apply(frame)
    return engine


def markets(engine: Engine) -> dict[str, Market]:
    return {symbol: market for (_, symbol), market in engine.markets.items()}


def total(engine: Engine, counter: str) -> int:
    return sum(getattr(market.counters, counter) for market in engine.markets.values())


def best(side: dict[Decimal, tuple[str, str]], *, highest: bool) -> list[tuple[str, str]]:
    return [side[price] for price in sorted(side, reverse=highest)]


def by_guide(sides: Sides) -> int:
    """Compute the checksum as the exchange's guide says."""
    rows = best(sides["a"], highest=False)[:10] + best(sides["b"], highest=True)[:10]
    return crc32(
        "".join(text.replace(".", "").lstrip("0") for row in rows for text in row).encode()
    )


def change(side: dict[Decimal, tuple[str, str]], rows: list[list[str]]) -> None:
    for price, size, *_ in rows:
        if Decimal(size):
            side[Decimal(price)] = (price, size)
        else:
            side.pop(Decimal(price), None)


@cache
def rebuilt() -> tuple[dict[str, Sides], int]:
    """Rebuild the books of the v1 recording by hand; return them and how many checksums held."""
    books: dict[str, Sides] = {}
    held = 0
    for message in messages("KRAKEN.ws.50.0"):
        if isinstance(message, dict):
            continue
        sides = books.setdefault(message[-1], {"a": {}, "b": {}})
        for part in message[1:-2]:
            for key in ("as", "a", "bs", "b"):
                change(sides[key[0]], part.get(key, []))
        for key, highest in (("a", False), ("b", True)):
            for row in best(sides[key], highest=highest)[1000:]:
                del sides[key][Decimal(row[0])]
        checksum = message[-3].get("c")
        if checksum is not None:
            assert by_guide(sides) == int(checksum)
            held += 1
    return books, held


@needs_real_data
def test_every_checksum_of_the_v1_books_verifies() -> None:
    engine = played(feed_frames("kraken-v1", "KRAKEN.ws.50.0"))
    books, held = rebuilt()
    assert held == 2158
    assert total(engine, "checksums_verified") == held
    assert total(engine, "checksums_failed") == 0
    assert total(engine, "checksums_unverifiable") == 10  # the snapshots have none
    assert total(engine, "crossed") == 0
    assert list(engine.findings) == []
    assert markets(engine).keys() == books.keys()
    for symbol, market in markets(engine).items():
        assert market.book.state is BookState.PROVEN
        assert market.book.depth_kept == 1000
        assert rows_of(market, "asks") == best(books[symbol]["a"], highest=False)
        assert rows_of(market, "bids") == best(books[symbol]["b"], highest=True)


def rows_of(market: Market, side: str) -> list[tuple[str, str]]:
    return list(getattr(market.book, side))


@needs_real_data
def test_a_book_deeper_than_the_checksum_hides_a_loss_below_the_best_ten() -> None:
    """The detection limit that the venue declares, shown by a frame that the exchange sent."""
    frames = feed_frames("kraken-v1", "KRAKEN.ws.50.0")
    whole = markets(played(frames))
    deep = next(frame for frame in reversed(frames) if lies_deep(frame.payload))
    symbol = json.loads(deep.payload)[-1]
    less = played([frame for frame in frames if frame is not deep])
    assert list(less.findings) == []
    assert markets(less)[symbol].book.state is BookState.PROVEN
    assert rows_of(markets(less)[symbol], "bids") != rows_of(whole[symbol], "bids")


def lies_deep(payload: bytes) -> bool:
    """Say whether a message sets a bid as it is to stay, with 50 better ones at the end."""
    if not payload.startswith(b"["):
        return False
    message = json.loads(payload)
    bids = rebuilt()[0][message[-1]]["b"]
    return any(
        bids.get(Decimal(price)) == (price, size) and sorted(bids)[-50] > Decimal(price)
        for price, size, *_ in message[1].get("b", [])
    )


@needs_real_data
def test_the_v1_trades_are_those_that_were_sent() -> None:
    frames = feed_frames("kraken-v1", "KRAKEN.ws.48.0")
    decode = venue_named("kraken-v1").decode
    events = [event for frame in frames if frame.received for event in decode(frame)]
    trades = [event for event in events if isinstance(event, Trade)]
    sent = [
        (message[-1], row[0], row[1], Side.BUY if row[3] == "b" else Side.SELL)
        for message in messages("KRAKEN.ws.48.0")
        if isinstance(message, list)
        for row in message[1]
    ]
    told = [(one.symbol, one.price_text, one.size_text, one.aggressor_side) for one in trades]
    assert told == sent
    assert len(told) == 10
    assert trades[0].exchange_time_ns == 1_618_678_142_557_535_000
    engine = played(frames)
    assert list(engine.findings) == []
    assert total(engine, "trades") == 10


@needs_real_data
def test_no_number_is_missing_in_the_futures_books_and_trades() -> None:
    engine = played(feed_frames("kraken-futures", "KRAKEN_FUTURES.ws.1.0"))
    assert list(engine.findings) == []
    sequences: dict[str, int] = {}
    books: dict[str, Sides] = {}
    deltas = 0
    for message in messages("KRAKEN_FUTURES.ws.1.0"):
        feed, product = message.get("feed"), message.get("product_id")
        if feed == "book_snapshot":
            sequences[product] = message["seq"]
            books[product] = {
                key: {Decimal(row["price"]): (row["price"], row["qty"]) for row in message[name]}
                for key, name in (("a", "asks"), ("b", "bids"))
            }
        elif feed == "book" and product is not None:
            deltas += 1
            assert message["seq"] == sequences[product] + 1
            sequences[product] += 1
            change(
                books[product]["a" if message["side"] == "sell" else "b"],
                [[message["price"], message["qty"]]],
            )
    assert deltas == 3371
    assert total(engine, "deltas") == total(engine, "level_updates") == deltas
    assert (total(engine, "gaps"), total(engine, "crossed")) == (0, 0)
    assert len(sequences) == 10
    for symbol, market in markets(engine).items():
        assert market.book.state is BookState.PROVEN
        assert market.book.sequence == sequences[symbol]
        assert rows_of(market, "asks") == best(books[symbol]["a"], highest=False)
        assert rows_of(market, "bids") == best(books[symbol]["b"], highest=True)


@needs_real_data
def test_futures_trades_are_numbered_on_from_the_hundred_past_ones() -> None:
    engine = played(feed_frames("kraken-futures", "KRAKEN_FUTURES.ws.1.0"))
    assert total(engine, "trades_history") == 1000
    assert (total(engine, "trades"), total(engine, "trade_gaps")) == (3, 0)
    decode = venue_named("kraken-futures").decode
    numbers: dict[str, list[int]] = {}
    for frame in feed_frames("kraken-futures", "KRAKEN_FUTURES.ws.1.0"):
        for event in decode(frame) if frame.received else ():
            if isinstance(event, Trade):
                assert event.trade_number is not None
                numbers.setdefault(event.symbol, []).append(event.trade_number)
    assert len(numbers) == 10
    for several in numbers.values():
        assert several == list(range(several[0], several[0] + len(several)))


@needs_real_data
@pytest.mark.parametrize(
    ("venue", "name", "counts"),
    [
        ("kraken-v1", "KRAKEN.ws.48.0", {"acknowledged": 10, "heartbeat": 30, "information": 1}),
        ("kraken-v1", "KRAKEN.ws.50.0", {"acknowledged": 10, "heartbeat": 19, "information": 1}),
        ("kraken-futures", "KRAKEN_FUTURES.ws.1.0", {"acknowledged": 30, "information": 72}),
    ],
)
def test_whatever_is_no_market_message_is_a_notice(
    venue: str, name: str, counts: dict[str, int]
) -> None:
    """Nothing is undecodable: the 72 are 71 of `ticker_lite`, without sizes, and the greeting."""
    decode = venue_named(venue).decode
    said: Counter[str] = Counter()
    for frame in feed_frames(venue, name):
        events = decode(frame) if frame.received else ()
        assert events or not frame.received
        said.update(event.kind.value for event in events if isinstance(event, Notice))
    assert said == counts


def v2_frames(payloads: list[bytes]) -> list[Frame]:
    """Return messages without receive times as those of one connection, a millisecond apart."""
    opened = marker_payload(Opened("kraken", "wss://ws.kraken.com/v2"))
    return [
        Frame(
            number,
            1,
            "kraken",
            FrameKind.OPENED if number == 0 else FrameKind.TEXT,
            1_787_610_116_000_000_000 + number * 1_000_000,
            None,
            payload,
        )
        for number, payload in enumerate([opened, *payloads])
    ]


@cache
def capture() -> list[bytes]:
    (path,) = (REAL_DATA / "captures").glob("kraken_v2*.jsonl")
    return path.read_bytes().splitlines()


@needs_real_data
def test_the_four_checksums_of_the_v2_capture_verify() -> None:
    engine = played(v2_frames(capture()))
    assert list(engine.findings) == []
    (market,) = engine.markets.values()
    assert (market.counters.snapshots, market.counters.deltas) == (1, 3)
    assert market.counters.checksums_verified == 4
    assert market.book.depth_kept == 10
    assert rows_of(market, "bids")[-2:] == [("78857.0", "0.34775324"), ("78856.8", "0.60870868")]


@needs_real_data
def test_a_lost_change_of_the_v2_capture_fails_the_next_checksum() -> None:
    payloads = capture()
    engine = played(v2_frames([*payloads[:5], *payloads[6:]]))
    assert [finding.kind for finding in engine.findings] == [FindingKind.CHECKSUM_FAILED]
    (request,) = engine.take_snapshot_requests()
    assert request.symbol == "BTC/USD"


@needs_real_data
def test_a_lost_change_that_the_next_one_overwrites_leaves_no_trace() -> None:
    """The seventh message sets a level that the eighth deletes: without it the book is the same."""
    payloads = capture()
    engine = played(v2_frames([*payloads[:6], *payloads[7:]]))
    assert list(engine.findings) == []
    less, whole = markets(engine)["BTC/USD"], markets(played(v2_frames(payloads)))["BTC/USD"]
    for side in ("bids", "asks"):
        assert rows_of(less, side) == rows_of(whole, side)


def test_the_checksum_of_the_exchanges_own_guide_verifies() -> None:
    engine = played(v2_frames([V2_SNAPSHOT]))
    (market,) = engine.markets.values()
    assert market.counters.checksums_verified == 1
    assert list(engine.findings) == []


def test_without_its_zeros_the_guides_book_is_another_one() -> None:
    (book,) = json.loads(V2_SNAPSHOT)["data"]  # floats: 0.10000000 becomes 0.1
    stripped = msgspec.json.encode({"channel": "book", "type": "snapshot", "data": [book]})
    (finding,) = list(played(v2_frames([stripped])).findings)
    assert finding.kind is FindingKind.CHECKSUM_FAILED
    assert (finding.expected, finding.received) == ("3310070434", "1604409348")


def test_a_subscription_that_says_its_depth_cuts_the_book_there() -> None:
    """What is pushed out of the depth is gone without a delete, and comes back by a change."""
    ack = b'{"method":"subscribe","result":{"channel":"book","depth":10,"symbol":"BTC/USD"},'
    ack += b'"success":true}'
    better = b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":'
    better += b'45283.6,"qty":1.00000000}],"asks":[]}]}'
    engine = played(v2_frames([ack, V2_SNAPSHOT, better]))
    (market,) = engine.markets.values()
    bids = rows_of(market, "bids")
    assert len(bids) == 10
    assert bids[0] == ("45283.6", "1.00000000")
    assert ("45276.6", "0.15445238") not in bids
    assert [notice.kind for notice in notices(ack)] == [NoticeKind.ACKNOWLEDGED]


def notices(payload: bytes) -> list[Notice]:
    events = venue_named("kraken").decode(v2_frames([payload])[1])
    return [event for event in events if isinstance(event, Notice)]
