"""Where the command `tickreel` begins: a signal ends it without a word until there is more to end.

Loading what a command needs takes a tenth of a second, in which Python would answer `^C` with a
traceback of its own. So this module imports nothing but what it takes to prevent that.

The first process of a container is a case of its own: the system keeps from it each signal that it
has not asked for. `docker stop` would then do nothing to a command that loads, or that has no good
order to end in, until the time is up and it is killed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from cli.stop_signals import EXIT_INTERRUPTED, EXIT_TERMINATED

FIRST_PROCESS = 1
"""The number of the process that a container, or a system, begins with."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    if os.getpid() == FIRST_PROCESS and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(EXIT_TERMINATED))
    _open_what_is_closed()
    # Whoever started us with ^C ignored, as a shell does in the background, wants it so.
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, lambda *_: os._exit(EXIT_INTERRUPTED))
    from cli.command_line import run

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run(arguments)


def _open_what_is_closed() -> None:
    """Let what is printed to a stream that was closed before we began (`>&-`) go nowhere.

    Were it left closed, the next file to be opened, of a recording perhaps, would get its number.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: PTH123, SIM115


if __name__ == "__main__":
    main()
