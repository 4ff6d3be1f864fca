"""Agents: their methods, signals and failures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from book.agent import FAILURES_MAX, AgentFailure, AttachedAgent, Signal, attach_agent
from book.engine import Engine
from book.market import Market
from tests.book.reference_feed import ReferenceFeed
from venues.event import BookDelta, Trade


class Notes:
    """What came out of an agent."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.failures: list[AgentFailure] = []

    def attach(self, engine: Engine, agent: object) -> AttachedAgent:
        return attach_agent(engine, agent, self.signals.append, self.failures.append)


class Watcher:
    def on_trade(self, trade: Trade, market: Market) -> str | None:
        return "big" if trade.size > 5 else None

    def on_book(self, delta: BookDelta, market: Market) -> dict[str, Any]:
        return {"mid": str(market.book.mid)}


async def _applied(engine: Engine, feed: ReferenceFeed) -> None:
    for frame in (feed.snapshot(), feed.trade(size="1"), feed.trade(size="6"), feed.delta()):
        await engine.apply_async(frame)


async def test_what_a_method_returns_is_a_signal_with_its_frame_and_market() -> None:
    engine, notes = Engine(), Notes()
    attached = notes.attach(engine, Watcher())
    await _applied(engine, ReferenceFeed())
    assert attached.methods == 2
    assert attached.signals == 2
    assert [
        (each.frame_number, each.venue, each.symbol, each.signal) for each in notes.signals
    ] == [
        (2, "reference", "BTCUSDT", "big"),
        (3, "reference", "BTCUSDT", {"mid": "100.0"}),
    ]
    assert all(each.receive_time_ns > 0 for each in notes.signals)


async def test_async_methods_give_the_same_signals() -> None:
    class AsyncWatcher:
        async def on_trade(self, trade: Trade, market: Market) -> str | None:
            return Watcher().on_trade(trade, market)

        async def on_book(self, delta: BookDelta, market: Market) -> dict[str, Any]:
            return Watcher().on_book(delta, market)

    both = Notes(), Notes()
    for notes, agent in zip(both, (Watcher(), AsyncWatcher()), strict=True):
        engine = Engine()
        notes.attach(engine, agent)
        await _applied(engine, ReferenceFeed())
    assert both[0].signals == both[1].signals


def _raising(method: Callable[..., Any]) -> object:
    return type("Agent", (), {"on_trade": method})()


async def test_an_agent_that_raises_is_told_counted_and_detached_after_ten() -> None:
    def plain(self: object, trade: Trade, market: Market) -> None:
        raise RuntimeError("mine")

    async def asynchronous(self: object, trade: Trade, market: Market) -> None:
        raise RuntimeError("mine")

    async def one_argument(self: object, trade: Trade) -> None: ...

    for method in (plain, asynchronous, one_argument):
        engine, feed, notes = Engine(), ReferenceFeed(), Notes()
        attached = notes.attach(engine, _raising(method))
        for _ in range(FAILURES_MAX + 5):
            await engine.apply_async(feed.trade())
        assert attached.detached
        assert attached.failures == len(notes.failures) == FAILURES_MAX
        assert [each.failures for each in notes.failures] == list(range(1, FAILURES_MAX + 1))
        assert [each.detached for each in notes.failures] == [False] * (FAILURES_MAX - 1) + [True]
        assert notes.failures[3].frame_number == 3
        assert notes.failures[3].method == "on_trade"
        assert engine.frames == FAILURES_MAX + 5
        # Nothing async is left: frames can be applied plainly again.
        engine.apply(feed.trade())


async def test_a_detached_agent_is_not_told_of_the_rest_of_the_frame() -> None:
    told = []

    async def fails(self: object, trade: Trade, market: Market) -> None:
        told.append(trade)
        raise RuntimeError("mine")

    engine, feed, notes = Engine(), ReferenceFeed(), Notes()
    attached = notes.attach(engine, _raising(fails))
    row = {"T": 1, "p": "1", "v": "1", "S": "Buy", "i": "t"}
    rows = [row] * (FAILURES_MAX + 5)
    await engine.apply_async(feed.json({"topic": "publicTrade.BTCUSDT", "data": rows}))
    assert attached.failures == len(told) == FAILURES_MAX


async def test_an_agent_changes_nothing_of_the_engines_state() -> None:
    digests = set[str]()
    for agents in ((), (Watcher(),), (Watcher(), _raising(lambda *_: 1 / 0))):
        engine = Engine()
        for agent in agents:
            Notes().attach(engine, agent)
        await _applied(engine, ReferenceFeed())
        digests.add(engine.state_digest())
    assert len(digests) == 1


async def test_an_agent_that_exits_ends_nothing_but_itself() -> None:
    class Quitter:
        def on_trade(self, trade: Trade, market: Market) -> None:
            raise SystemExit(5)

        async def on_book(self, delta: BookDelta, market: Market) -> None:
            raise SystemExit(6)

    engine, notes = Engine(), Notes()
    notes.attach(engine, Quitter())
    await _applied(engine, ReferenceFeed())
    assert [each.error for each in notes.failures] == ["SystemExit: 5"] * 2 + ["SystemExit: 6"]


def test_something_without_any_method_is_attached_to_nothing() -> None:
    engine, notes = Engine(), Notes()
    assert notes.attach(engine, object()).methods == 0


async def test_what_an_agent_subscribes_by_itself_is_guarded_as_its_methods_are() -> None:
    class Own:
        def __init__(self, engine: Engine) -> None:
            engine.on(Trade, self.plain)
            engine.on(Trade, self.asynchronous)

        def plain(self, trade: Trade, market: Market) -> None:
            raise RuntimeError("mine")

        async def asynchronous(self, trade: Trade, market: Market) -> str:
            return "seen"

    engine, feed, notes = Engine(), ReferenceFeed(), Notes()
    agent = Own(engine)
    attached = attach_agent(engine, agent, notes.signals.append, notes.failures.append, adopt=True)
    assert attached.methods == 2
    await engine.apply_async(feed.trade())
    assert [(each.method, each.error) for each in notes.failures] == [
        ("plain", "RuntimeError: mine")
    ]
    assert [each.signal for each in notes.signals] == ["seen"]
    engine.off(Trade, agent.asynchronous)
    for _ in range(FAILURES_MAX):
        engine.apply(feed.trade())
    assert attached.detached
    assert len(notes.signals) == 1
    assert not engine.subscribers.anyone


async def test_a_failure_names_the_line_of_the_agent_that_raised() -> None:
    def helper() -> float:
        return 1 / 0

    def fails(self: object, trade: Trade, market: Market) -> float:
        return helper()

    def reads(self: object, trade: Trade, market: Market) -> object:
        return PurePath(5)  # type: ignore[arg-type]

    lines = []
    for method in (fails, reads):
        engine, notes = Engine(), Notes()
        notes.attach(engine, _raising(method))
        engine.apply(ReferenceFeed().trade())
        lines.append(notes.failures[0].place)
    first = helper.__code__.co_firstlineno + 1
    assert lines == [
        f"test_agent.py line {first}",
        f"test_agent.py line {reads.__code__.co_firstlineno + 1}",
    ]


async def test_a_plain_method_that_returns_something_to_await_is_told_of() -> None:
    async def signal() -> int:
        return 1

    engine, notes = Engine(), Notes()
    notes.attach(engine, _raising(lambda self, trade, market: signal()))
    engine.apply(ReferenceFeed().trade())
    assert "write it as `async def`" in notes.failures[0].error
    assert not notes.signals
