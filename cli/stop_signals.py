"""The signals that tell a command to end in good order."""

from __future__ import annotations

import signal

EXIT_INTERRUPTED = 128 + signal.SIGINT
"""The exit code of a command that `^C` ended."""
EXIT_TERMINATED = 128 + signal.SIGTERM
"""What a shell makes of the end of a command that SIGTERM ended."""


HANG_UP: signal.Signals | None = getattr(signal, "SIGHUP", None)


def terminal_signals() -> list[signal.Signals]:
    """Return those that a terminal sends to all that was started there: SIGINT and SIGHUP.

    SIGHUP, sent when it closes, is left out where `nohup` has it ignored: what runs shall go on.
    """
    if HANG_UP is None or signal.getsignal(HANG_UP) is signal.SIG_IGN:
        return [signal.SIGINT]
    return [signal.SIGINT, HANG_UP]


def stop_signals() -> list[signal.Signals]:
    """Return all of them: those of a terminal, and SIGTERM."""
    return [*terminal_signals(), signal.SIGTERM]
