"""The event loop of a capture: uvloop where it is installed (`pip install tickreel[uvloop]`).

Measured (`python -m tests.benchmarks.tls --messages 1000000`: 300 bytes each, to the recorder's
own connection, two shared processors, two rounds), processor time a message: in plain text 4.7-5.9
us on Python's loop, 4.3-5.1 on uvloop; over TLS 5.0-6.3 against 4.6-6.1. So it is a tenth or less,
as nearly all of it is parsing; a connection is made in 0.5-0.8 ms of it instead of 0.9-1.0.

A name is looked up by the system in a thread, and nothing ends that before its time: with a name
service that does not answer it takes half a minute, and uvloop looks up all names that were ever
asked for, one after the other. Both wait for it when the loop is closed, and so does the process
when it exits.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Callable

CLOSE_LIMIT_S = 1.0


def close_loop(runner: asyncio.Runner, code: int) -> None:
    """Close the loop when all is done and said; exit with `code` where that cannot be waited for.

    All else that ends with the process has ended: a thread of ours that still lives has no work.
    """

    def exit_at_once() -> None:
        if not closed.wait(CLOSE_LIMIT_S):
            sys.stdout.flush()
            os._exit(code)

    closed = threading.Event()
    threading.Thread(target=exit_at_once, name="tickreel-exit", daemon=True).start()
    runner.close()
    closed.set()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the event loop; None for Python's own."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module(
        "uvloop"
    ).new_event_loop
    return factory
