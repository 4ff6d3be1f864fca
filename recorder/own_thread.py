"""What blocks, in a thread of its own, beside an event loop.

Not in one of the loop's: those are few, and names are looked up in them. With a name service that
does not answer all of them wait, and what has to be done to end in good order would wait with them.
The thread is a daemon, so that what never ends does not hold up the end of the process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def in_own_thread(work: Callable[[], Result]) -> Result:
    """Run `work` and return what it returns, or raise what it raises."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Result] = loop.create_future()

    def settle(results: list[Result], fault: Exception | None) -> None:
        if answered.done():
            return
        if fault is None:
            answered.set_result(results[0])
        else:
            answered.set_exception(fault)

    def run() -> None:
        results: list[Result] = []
        fault: Exception | None = None
        try:
            results.append(work())
        except Exception as raised:  # noqa: BLE001 - handed to whoever awaits
            fault = raised
        try:
            loop.call_soon_threadsafe(settle, results, fault)
        except RuntimeError:
            return  # the loop has ended: nobody awaits any more

    threading.Thread(target=run, name="tickreel-work", daemon=True).start()
    return await answered
