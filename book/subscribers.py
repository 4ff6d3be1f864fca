"""Who wants to be told of what.

Handlers are told after all changes of a frame are applied, in the order of the events and, for
one event, in the order in which they subscribed; async ones as well, awaited one after the other.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, get_args

from book.errors import NeverToldError
from book.finding import Finding
from book.liquidation_monitor import Cascade
from book.staleness import Stale
from venues.errors import TickreelError
from venues.event import Event

TOLD: frozenset[type] = frozenset({*get_args(Event), Cascade, Stale, Finding})
"""The kinds of what an engine tells its subscribers of."""

Handler = Callable[[Any, Any], object]
"""Called with the event and its market (None for what is about no market)."""


def is_async(handler: Handler) -> bool:
    """Say whether calling it gives something to await: an async function, or an object as one."""
    call = getattr(handler, "__call__", None)  # noqa: B004 - its nature is asked, not its being
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(call)


class AsyncHandlerError(TickreelError):
    """A frame was applied synchronously although an async handler subscribed."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        name = getattr(handler, "__qualname__", repr(handler))
        super().__init__(
            f"{name} is async, and Engine.apply cannot await it. "
            "Apply frames with `await engine.apply_async(frame)`, or subscribe a plain function."
        )


class Subscribers:
    """The handlers by kind of event; `anyone` says whether there is any."""

    __slots__ = ("_handlers", "_waiting", "anyone", "first_async")

    def __init__(self) -> None:
        # By kind: who subscribed, what is called in its place, and whether that is async.
        self._handlers: dict[type, list[tuple[Handler, Handler, bool]]] = {}
        self._waiting: list[Awaitable[object]] = []
        self.anyone = False
        self.first_async: Handler | None = None

    def add(self, kind: type, handler: Handler) -> None:
        """Subscribe `handler` to events of exactly this kind.

        Raises:
            NeverToldError: an engine tells of nothing of that kind.
        """
        if kind not in TOLD:
            raise NeverToldError(kind, TOLD)
        self._handlers.setdefault(kind, []).append((handler, handler, is_async(handler)))
        self._look_over()

    def guard(self, guarded: Callable[[Handler], Handler]) -> list[tuple[type, Handler]]:
        """Call `guarded(handler)` in the place of each handler there is; return those handlers.

        A subscription is still taken back by the handler that subscribed.
        """
        for kind, held in self._handlers.items():
            calls = [(handler, guarded(call)) for handler, call, _ in held]
            self._handlers[kind] = [(handler, call, is_async(call)) for handler, call in calls]
        self._look_over()
        return [(kind, handler) for kind, held in self._handlers.items() for handler, *_ in held]

    def remove(self, kind: type, handler: Handler) -> None:
        """Take a subscription back; does nothing where there is none."""
        held = self._handlers.get(kind, [])
        # Equal, not identical: a bound method is made anew whenever it is named.
        left = [each for each in held if each[0] != handler]
        if left:
            self._handlers[kind] = left
        else:
            self._handlers.pop(kind, None)
        self._look_over()

    def _look_over(self) -> None:
        self.anyone = bool(self._handlers)
        every = (each for held in self._handlers.values() for each in held)
        self.first_async = next(
            (handler for handler, _, asynchronous in every if asynchronous), None
        )

    def __contains__(self, kind: type) -> bool:
        """Say whether anyone wants to be told of this kind."""
        return kind in self._handlers

    def tell(self, event: object, market: object) -> None:
        """Call the plain handlers of the event's kind; line up the async ones."""
        for _, call, asynchronous in tuple(self._handlers.get(type(event), ())):
            result = call(event, market)
            if asynchronous:
                assert inspect.isawaitable(result)
                self._waiting.append(result)

    async def wait(self) -> None:
        """Await what `tell` lined up, in order."""
        waiting, self._waiting = deque(self._waiting), []
        try:
            while waiting:
                await waiting.popleft()
        finally:
            for each in waiting:
                # One raised, and what it raised leaves; a coroutine must not be left unawaited.
                if inspect.iscoroutine(each):
                    each.close()
