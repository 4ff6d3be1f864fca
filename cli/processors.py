"""Which processors the receive loop runs on.

Theory. What delays a receive time is anything else on the processor that should read the socket.
So the thread of the event loop is pinned to the processors that `--cpu` names, and what is started
beside it (the writer's thread, the engine's process, through the writer the sealing) gets those
that are left, if any are. A thread or process has the mask of the thread that starts it, so the
order is: step aside, start the others, then take the place.

Linux alone lets a thread be pinned. Where it cannot be, that is an error and never passed over.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cli.errors import CommandError


def read_processors(text: str) -> tuple[int, ...]:
    """Read `2` or `2,3`.

    Raises:
        ValueError: it is no list of numbers.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"{text!r} names no processors: write their numbers, such as 2 or 2,3")
    return tuple(sorted({int(part) for part in parts}))


class Place:
    """The processors of this thread, the event loop's."""

    def __init__(self, processors: Sequence[int]) -> None:
        """Prepare to run on these alone.

        Raises:
            CommandError: this system cannot, or has no such processor for us.
        """
        if sys.platform != "linux":
            raise CommandError(
                f"--cpu: {sys.platform} lets no thread choose its processors; leave it out."
            )
        ours = os.sched_getaffinity(0)
        missing = sorted(set(processors) - ours)
        if missing:
            raise CommandError(
                f"--cpu: there is no processor {', '.join(map(str, missing))} for this process; "
                f"it may use {', '.join(map(str, sorted(ours)))}."
            )
        self._processors = frozenset(processors)
        self._rest = ours - self._processors

    def step_aside(self) -> None:
        """Let what is started from now on have the other processors, if there are any."""
        if self._rest:
            os.sched_setaffinity(0, self._rest)

    def take(self) -> None:
        """Run on the chosen processors alone."""
        os.sched_setaffinity(0, self._processors)
