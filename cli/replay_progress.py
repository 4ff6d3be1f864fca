"""How far a replay is, on a terminal: a bar, the recorded time, the frames a second.

The bar is drawn by a thread of its own that looks at the player a few times a second, so that a
replay at full speed pays nothing for it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.report_text import count_text, utc_text

if TYPE_CHECKING:
    from replay.player import Player

_LOOK_INTERVAL_S = 0.25


@contextmanager
def shown_progress(player: Player, first_ns: int, last_ns: int, *, quiet: bool) -> Iterator[None]:
    """Show how far `player` is between two receive times while the block runs."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.fields[recorded]}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[frames]} frames"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
    )
    task = bar.add_task("", total=max(1, last_ns - first_ns), recorded="", frames="0")
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_INTERVAL_S):
            position_ns = player.position_ns
            if position_ns is not None:
                bar.update(
                    task,
                    completed=position_ns - first_ns,
                    recorded=utc_text(position_ns),
                    frames=count_text(player.frames_played),
                    refresh=True,
                )

    with bar:
        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
