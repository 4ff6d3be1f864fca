"""A class with `on_trade`, `on_book`, ... attached to an engine.

An agent is any object with some of the methods in `AGENT_METHODS`, plain or async, each called with
the event and its market. What a method returns, where it isn't None, is a *signal*: it goes to
`on_signal` with the frame that it came from, so that the same agent over the same frames gives the
same signals, live and in a replay.

An agent that is given the engine may subscribe handlers with `engine.on` while it is made; they
are treated as its methods are.

An agent that raises never disturbs the engine: the failure is reported with its frame and counted,
and after `FAILURES_MAX` the agent is detached.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import msgspec

from book.engine import Engine
from book.finding import Finding
from book.liquidation_monitor import Cascade
from book.staleness import Stale
from book.subscribers import is_async
from venues.event import BookDelta, BookSnapshot, GameResult, Liquidation, Quote, Trade
from venues.frame import Frame

AGENT_METHODS: Mapping[str, type] = {
    "on_snapshot": BookSnapshot,
    "on_book": BookDelta,
    "on_trade": Trade,
    "on_quote": Quote,
    "on_liquidation": Liquidation,
    "on_cascade": Cascade,
    "on_game": GameResult,
    "on_finding": Finding,
    "on_stale": Stale,
}

FAILURES_MAX = 10


class Signal(msgspec.Struct, frozen=True):
    """What an agent's method returned, and the frame and market that it was called for."""

    receive_time_ns: int
    frame_number: int
    venue: str
    symbol: str
    signal: object


class AgentFailure(msgspec.Struct, frozen=True):
    """An agent's method raised.

    `place` is where in the agent's file, '' where that is not known; `detached` says that it was
    the last straw.
    """

    method: str
    frame_number: int
    receive_time_ns: int
    error: str
    failures: int
    detached: bool
    place: str = ""


class AttachedAgent:
    """An agent's subscriptions to an engine, its failures counted."""

    def __init__(
        self,
        engine: Engine,
        agent: object,
        on_signal: Callable[[Signal], None],
        on_failure: Callable[[AgentFailure], None],
        *,
        adopt: bool,
    ) -> None:
        self._engine = engine
        self._on_signal = on_signal
        self._on_failure = on_failure
        self._subscribed: list[tuple[type, Callable[[Any, Any], object]]] = []
        self.failures = 0
        self.signals = 0
        self.detached = False
        if adopt:
            self._subscribed += engine.subscribers.guard(
                lambda handler: self._guarded(_name(handler), handler)
            )
        for name, kind in AGENT_METHODS.items():
            method = getattr(agent, name, None)
            if method is not None:
                handler = self._guarded(name, method)
                engine.on(kind, handler)
                self._subscribed.append((kind, handler))

    @property
    def methods(self) -> int:
        """How many of the agent's methods and handlers are subscribed."""
        return len(self._subscribed)

    def detach(self) -> None:
        """Take all of the agent's subscriptions back."""
        self.detached = True
        for kind, handler in self._subscribed:
            self._engine.off(kind, handler)

    def _guarded(
        self, name: str, method: Callable[[Any, Any], Any]
    ) -> Callable[[Any, Any], object]:
        if is_async(method):

            async def call_async(event: object, market: object) -> None:
                if self.detached:
                    return
                frame = self._engine.frame
                try:
                    signal = await method(event, market)
                except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the agent's affair
                    self._failed(name, frame, error)
                else:
                    self._signalled(signal, frame, market)

            return call_async

        def call(event: object, market: object) -> None:
            if self.detached:
                return
            frame = self._engine.frame
            try:
                result = _plain(method(event, market))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the agent's affair
                self._failed(name, frame, error)
            else:
                self._signalled(result, frame, market)

        return call

    def _signalled(self, result: object, frame: Frame, market: Any) -> None:  # noqa: ANN401
        if result is None or self.detached:
            return
        self.signals += 1
        symbol = "" if market is None else market.symbol
        signal = Signal(frame.receive_time_ns, frame.frame_number, frame.venue, symbol, result)
        self._on_signal(signal)

    def _failed(self, name: str, frame: Frame, error: BaseException) -> None:
        self.failures += 1
        detached = self.failures >= FAILURES_MAX
        if detached:
            self.detach()
        text = f"{type(error).__name__}: {error}"
        self._on_failure(
            AgentFailure(
                name,
                frame.frame_number,
                frame.receive_time_ns,
                text,
                self.failures,
                detached,
                _place(error),
            )
        )


def _plain(result: object) -> object:
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError(
            "it returned something to await; write it as `async def`, and it is awaited"
        )
    return result


def _name(handler: Callable[..., object]) -> str:
    name: str = getattr(handler, "__name__", type(handler).__name__)
    return name


def _place(error: BaseException) -> str:
    """Return the line of the agent's file in which it went wrong."""
    steps = [
        (step.f_code.co_filename, line)
        for step, line in traceback.walk_tb(error.__traceback__)
        if step.f_code.co_filename != __file__
    ]
    # What it called in libraries is deeper than its own file, and says less.
    lines = [line for file, line in steps if file == steps[0][0]]
    return f"{PurePath(steps[0][0]).name} line {lines[-1]}" if lines else ""


def attach_agent(
    engine: Engine,
    agent: object,
    on_signal: Callable[[Signal], None],
    on_failure: Callable[[AgentFailure], None],
    *,
    adopt: bool = False,
) -> AttachedAgent:
    """Subscribe an agent's methods to an engine; see the module's docstring.

    With `adopt`, whatever is subscribed to the engine already is the agent's own.
    """
    return AttachedAgent(engine, agent, on_signal, on_failure, adopt=adopt)
