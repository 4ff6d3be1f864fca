"""Handlers: what they are told, when, in which order, and what they can see."""

from __future__ import annotations

import functools
import re
from typing import Any

import pytest

from book.engine import Engine
from book.errors import NeverToldError
from book.finding import Finding, FindingKind
from book.liquidation_monitor import Cascade
from book.market import Market
from book.staleness import Stale
from book.subscribers import AsyncHandlerError
from tests.book.made_events import SECOND_NS
from tests.book.reference_feed import ReferenceFeed
from venues.channel import Channel
from venues.event import BookDelta, BookSnapshot, Liquidation, Trade
from venues.frame import Frame

Told = list[tuple[str, Any]]


def _trades(feed: ReferenceFeed, count: int) -> Frame:
    row = {"T": 1, "p": "100", "v": "1", "S": "Buy", "i": "t"}
    return feed.json({"topic": f"publicTrade.{feed.symbol}", "data": [row] * count})


def test_a_handler_never_sees_half_a_frame() -> None:
    engine, feed, seen = Engine(), ReferenceFeed(), list[int]()

    def look(trade: Trade, market: Market) -> None:
        seen.append(market.tape.trades)

    engine.on(Trade, look)
    engine.apply(_trades(feed, 3))
    engine.apply(_trades(feed, 2))
    assert seen == [3, 3, 3, 5, 5]


def test_a_handler_of_a_delta_sees_the_book_judged() -> None:
    engine, feed, seen = Engine(), ReferenceFeed(), list[tuple[bool, int | None]]()
    engine.on(BookDelta, lambda _, market: seen.append((market.book.proven, market.book.sequence)))
    engine.apply(feed.snapshot())
    engine.apply(feed.delta([("99", "2")]))
    # Crossed, and then wrong: the handler is told, and sees that it cannot trust the book.
    engine.apply(feed.delta([("105", "2")]))
    assert seen == [(True, 2), (False, 3)]
    # What is not applied is not told.
    engine.apply(feed.delta([("99", "3")]))
    assert len(seen) == 2


def test_handlers_are_told_in_the_order_of_the_events_and_of_their_subscription() -> None:
    engine, feed, told = Engine(), ReferenceFeed(), list[str]()
    for name in ("first", "second"):
        engine.on(Trade, lambda trade, _, name=name: told.append(f"{name} {trade.price_text}"))
    rows = [{"T": 1, "p": price, "v": "1", "S": "Buy", "i": "t"} for price in ("1", "2")]
    engine.apply(feed.json({"topic": "publicTrade.BTCUSDT", "data": rows}))
    assert told == ["first 1", "second 1", "first 2", "second 2"]


async def test_async_handlers_are_awaited_one_after_the_other_with_the_plain_ones_before() -> None:
    engine, feed, told = Engine(), ReferenceFeed(), list[str]()

    @engine.on(Trade)
    async def slow(trade: Trade, market: Market) -> None:
        told.append("slow begins")
        await _turn()
        told.append("slow ends")

    @engine.on(Trade)
    async def quick(trade: Trade, market: Market) -> None:
        told.append("quick")

    engine.on(Trade, lambda *_: told.append("plain"))
    await engine.apply_async(feed.trade())
    assert told == ["plain", "slow begins", "slow ends", "quick"]


async def _turn() -> None:
    import asyncio

    await asyncio.sleep(0)


def test_a_frame_is_not_applied_where_an_async_handler_could_not_be_awaited() -> None:
    engine, feed = Engine(), ReferenceFeed()

    async def handler(trade: Trade, market: Market) -> None: ...

    engine.on(Trade, handler)
    with pytest.raises(AsyncHandlerError, match="apply_async"):
        engine.apply(feed.trade())
    assert engine.frames == 0
    engine.off(Trade, handler)
    engine.apply(feed.trade())
    assert engine.frames == 1


class _Callable:
    """An object that is called as an async function."""

    def __init__(self) -> None:
        self.told = 0

    async def __call__(self, event: object, market: object) -> None:
        self.told += 1


async def test_an_async_object_and_an_async_partial_are_awaited_too() -> None:
    engine, feed, handler = Engine(), ReferenceFeed(), _Callable()

    async def three(extra: int, event: object, market: object) -> None:
        handler.told += extra

    engine.on(Trade, handler)
    engine.on(Trade, functools.partial(three, 10))
    with pytest.raises(AsyncHandlerError):
        engine.apply(feed.trade())
    await engine.apply_async(feed.trade())
    assert handler.told == 11


async def test_what_an_async_handler_raises_leaves_and_the_next_frame_is_clean() -> None:
    engine, feed, told = Engine(), ReferenceFeed(), list[int]()

    async def fails(trade: Trade, market: Market) -> None:
        if engine.frames == 1:
            raise ValueError("mine")

    async def counts(trade: Trade, market: Market) -> None:
        told.append(engine.frames)

    engine.on(Trade, fails)
    engine.on(Trade, counts)
    with pytest.raises(ValueError, match="mine"):
        await engine.apply_async(feed.trade())
    await engine.apply_async(feed.trade())
    assert told == [2]


def test_a_bound_method_comes_off_again() -> None:
    class Counter:
        told = 0

        def on_trade(self, trade: Trade, market: Market) -> None:
            self.told += 1

    engine, feed, counter = Engine(), ReferenceFeed(), Counter()
    engine.on(Trade, counter.on_trade)
    engine.apply(feed.trade())
    engine.off(Trade, counter.on_trade)
    engine.apply(feed.trade())
    assert counter.told == 1
    engine.off(Trade, counter.on_trade)


def test_a_handler_may_take_itself_off_while_it_is_told() -> None:
    engine, feed, told = Engine(), ReferenceFeed(), list[str]()

    def once(trade: Trade, market: Market) -> None:
        told.append("once")
        engine.off(Trade, once)

    engine.on(Trade, once)
    engine.on(Trade, lambda *_: told.append("always"))
    engine.apply(_trades(feed, 2))
    assert told == ["once", "always", "always"]


def test_findings_silences_and_cascades_are_told_with_their_market() -> None:
    engine, feed, told = Engine(), ReferenceFeed(), Told()

    def tell(event: object, market: Market | None) -> None:
        told.append((type(event).__name__, None if market is None else market.symbol))

    for kind in (Finding, Stale, Cascade, Liquidation, BookSnapshot):
        engine.on(kind, tell)
    engine.apply(feed.opened(Channel.BOOK))
    engine.apply(feed.text(b"?"))
    engine.apply(feed.liquidation(price="1000000", size="1"))
    feed.time_ns += 6 * SECOND_NS
    engine.apply(feed.snapshot())
    assert told == [
        ("Finding", None),
        ("Liquidation", "BTCUSDT"),
        ("Cascade", "BTCUSDT"),
        ("BookSnapshot", "BTCUSDT"),
        ("Finding", "BTCUSDT"),
        ("Stale", "BTCUSDT"),
    ]
    assert [each.kind for each in engine.findings] == [FindingKind.UNDECODABLE, FindingKind.STALE]


def test_the_frame_at_hand_is_the_one_that_is_applied() -> None:
    engine, feed, seen = Engine(), ReferenceFeed(), list[int]()
    with pytest.raises(LookupError):
        _ = engine.frame
    engine.on(Trade, lambda *_: seen.append(engine.frame.frame_number))
    for _ in range(3):
        engine.apply(feed.trade())
    assert seen == [0, 1, 2]


@pytest.mark.parametrize(
    ("kind", "told"),
    [("trade", "'trade' (did you mean 'Trade'?)"), (Frame, "Subscribe to one of these classes")],
)
def test_a_subscription_that_would_never_be_called_is_refused(kind: type, told: str) -> None:
    with pytest.raises(NeverToldError, match=re.escape(told)):
        Engine().on(kind, print)
    with pytest.raises(NeverToldError, match=re.escape(told)):
        Engine().on(kind)(print)
