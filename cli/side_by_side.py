"""Several recordings played or merged together: nothing in them may count twice unsaid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.errors import CommandError
from cli.report_text import printable
from cli.terminal import warn

if TYPE_CHECKING:
    from replay.recording import Recording

_SYMBOLS_SHOWN = 5


def refuse_twice(recordings: Sequence[Recording]) -> None:
    """Refuse a recording that was given twice, also as a copy or in a reel.

    Raises:
        CommandError: one was.
    """
    given: dict[str, Recording] = {}
    for recording in recordings:
        other = given.setdefault(recording.description.recording_id, recording)
        if other is not recording:
            name = printable(str(recording.origin))
            same = other.origin.resolve() == recording.origin.resolve()
            also = "" if same else f" (it is the same recording as {printable(str(other.origin))})"
            raise CommandError(
                f"{name} is given twice{also}: every trade in it would count twice. Give it once."
            )


def warn_of_shared_feeds(recordings: Sequence[Recording]) -> None:
    """Say where two recordings heard the same: what has no number counts twice then."""
    from replay.recording_parts import are_cut_apart
    from replay.shared_feed import shared_feeds

    if len(recordings) < 2 or are_cut_apart(recordings):
        return
    for shared in shared_feeds(recordings):
        symbols = ", ".join(map(printable, shared.symbols[:_SYMBOLS_SHOWN]))
        more = ", ..." if len(shared.symbols) > _SYMBOLS_SHOWN else ""
        of = f" of {symbols}{more}" if symbols else ""
        warn(
            f"{printable(str(shared.first.origin))} and {printable(str(shared.second.origin))} "
            f"both heard {shared.venue}{of} at the same time: trades and liquidations that are in "
            "both count twice, but for those that the exchange numbers."
        )
