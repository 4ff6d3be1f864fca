"""The event loop of a capture: uvloop where it is installed (`pip install tickreel[uvloop]`).

Measured (`python -m tests.benchmarks.tls --messages 1000000`: 300 bytes each, to the recorder's
own connection, two shared processors, two rounds), processor time a message: in plain text 4.7-5.9
us on Python's loop, 4.3-5.1 on uvloop; over TLS 5.0-6.3 against 4.6-6.1. So it is a tenth or less,
as nearly all of it is parsing; a connection is made in 0.5-0.8 ms of it instead of 0.9-1.0.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the event loop; None for Python's own."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module(
        "uvloop"
    ).new_event_loop
    return factory
