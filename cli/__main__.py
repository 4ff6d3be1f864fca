"""Where the command `tickreel` begins: `^C` ends it without a word until there is something to end.

Loading what a command needs takes a tenth of a second, in which Python would answer `^C` with a
traceback of its own. So this module imports nothing but what it takes to prevent that.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from cli.stop_signals import EXIT_INTERRUPTED


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    # Whoever started us with ^C ignored, as a shell does in the background, wants it so.
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, lambda *_: os._exit(EXIT_INTERRUPTED))
    from cli.command_line import run

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run(arguments)


if __name__ == "__main__":
    main()
