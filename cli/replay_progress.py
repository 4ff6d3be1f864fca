"""Where a replay is, on a terminal: the recorded time, a bar, the frame, the pace, and the keys.

The bar is drawn by a thread of its own that looks at the player a few times a second, so that a
replay at full speed pays nothing for it. Keys are heeded where the replay has a clock to lead.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from cli.report_text import day_time_text
from replay.written_time import utc_text

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cli.replay_keys import ReplayKeys
    from cli.replay_playback import Playback

_LOOK_INTERVAL_S = 0.25
_WIDTH_FOR_BAR = 100


@contextmanager
def shown_progress(
    playback: Playback, first_ns: int, last_ns: int, *, quiet: bool
) -> Iterator[None]:
    """Show how far `playback` is between two receive times while the block runs."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
    from rich.table import Column

    console = Console(stderr=True)
    wide = console.width >= _WIDTH_FOR_BAR
    # On a narrow terminal the day makes room for what is said of pace and books.
    time_text, time_width = (utc_text, 24) if wide else (day_time_text, 12)
    columns: list[ProgressColumn] = [
        TextColumn(
            "{task.fields[recorded]}", table_column=Column(no_wrap=True, min_width=time_width)
        ),
        TextColumn("{task.percentage:>3.0f} %", table_column=Column(no_wrap=True, min_width=5)),
        TextColumn("{task.fields[frames]}", table_column=Column(no_wrap=True, min_width=22)),
        TextColumn(
            "{task.fields[status]}", markup=False, table_column=Column(no_wrap=True, ratio=1)
        ),
    ]
    if wide:
        columns.insert(1, BarColumn(bar_width=20))
    bar = Progress(*columns, console=console, transient=True, auto_refresh=False, expand=True)
    total = max(1, last_ns - first_ns)
    task = bar.add_task("", total=total, recorded="", frames="", status="")
    ended = threading.Event()
    with _keys(playback, first_ns, last_ns) as keys, bar:

        def look() -> None:
            while not ended.wait(_LOOK_INTERVAL_S):
                position_ns = playback.position_ns
                at_ns = first_ns if position_ns is None else position_ns
                bar.update(
                    task,
                    completed=max(0, at_ns - first_ns),
                    recorded=time_text(at_ns),
                    frames=playback.position_text,
                    status="max" if keys is None else keys.status,
                    refresh=True,
                )

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()


def _keys(
    playback: Playback, first_ns: int, last_ns: int
) -> AbstractContextManager[ReplayKeys | None]:
    clock = playback.player.clock
    if clock is None or not sys.stdin.isatty():
        return nullcontext()
    from cli.replay_keys import ReplayKeys

    return ReplayKeys(playback, clock, first_ns, last_ns)
