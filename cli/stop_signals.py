"""The signals that tell a command to end in good order."""

from __future__ import annotations

import signal


def terminal_signals() -> list[signal.Signals]:
    """Return those that a terminal sends to all that was started there: SIGINT and SIGHUP.

    SIGHUP, sent when it closes, is left out where `nohup` has it ignored: what runs shall go on.
    """
    hang_up = getattr(signal, "SIGHUP", None)
    heeded = hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN
    return [signal.SIGINT, *([hang_up] if heeded else [])]


def stop_signals() -> list[signal.Signals]:
    """Return all of them: those of a terminal, and SIGTERM."""
    return [*terminal_signals(), signal.SIGTERM]
