"""How a running capture stands, for people."""

from __future__ import annotations

from book.finding import FindingKind
from cli.feed_standing import dead_feed_text, feed_faults
from cli.report_text import aligned, byte_text, count_text, counted, folded, printable, span_text
from cli.running_status import EngineStanding, RunningStatus, StreamStatus

_HEAD = ("stream", "state", "frames/s", "last frame", "frames", "bytes", "reconnects", "last error")
_RIGHT = (2, 3, 4, 5, 6)
ERROR_CHARACTERS_MAX = 60


def not_known_text(folder: str, reason: str) -> str:
    """Return the line where nothing is known."""
    return f"{printable(folder)}: {reason}"


def status_lines(status: RunningStatus, width: int | None) -> list[str]:
    """Return the lines that say how it stands, no wider than `width`."""
    feed = feed_faults(status)
    lines = [_first_line(status, feed)]
    lines += [f"  {printable(fault)}" for fault in [*status.faults, *feed]]
    lines += [
        f"frames   {count_text(status.frames)} recorded, {status.frames_per_s:,.0f} a second, "
        f"{_lost_text(status)}",
        f"disk     {_disk_text(status)}",
        f"engine   {_engine_text(status.engine)}",
        f"clock    {_clock_text(status)}",
        "",
    ]
    told = [line for text in lines for line in folded(text, width, 9) or [""]]
    rows = [_HEAD, *(_stream_row(one) for one in status.streams)]
    return told + aligned(rows, _RIGHT, width=width, keys=1)


def _first_line(status: RunningStatus, feed: list[str]) -> str:
    state = "stopping" if status.stopping else "running"
    verdict = "all is well"
    if not status.healthy:
        verdict = f"NOT WELL, {counted(len(status.faults), 'fault')}"
        if feed:
            verdict += f"; and {dead_feed_text(status, feed)}"
    elif feed:
        verdict = f"the capture itself is well, but {dead_feed_text(status, feed)}"
    return f"{state} for {span_text(status.running_s)} (process {status.pid}): {verdict}"


def _lost_text(status: RunningStatus) -> str:
    told = [
        f"{counted(tally.losses, 'loss').replace('losss', 'losses')} by {printable(cause)}"
        for cause, tally in sorted(status.losses.items())
    ]
    return ", ".join([f"{count_text(status.lost_frames)} lost", *told])


def _disk_text(status: RunningStatus) -> str:
    left = "unknown" if status.disk_free_bytes is None else byte_text(status.disk_free_bytes)
    return (
        f"lag {span_text(status.lag_s)}, queue {byte_text(status.queue_bytes)} of "
        f"{byte_text(status.queue_limit_bytes)}; {byte_text(status.disk_bytes)} taken in "
        f"{counted(status.segments, 'segment')}, {left} left"
    )


def _engine_text(engine: EngineStanding | None) -> str:
    if engine is None:
        return "none"
    if not engine.attached:
        return f"detached after {counted(engine.frames, 'frame')}"
    return (
        f"{engine.books_proven} of {counted(engine.books, 'book')} proven, "
        f"{counted(engine.findings.get(FindingKind.GAP, 0), 'gap')}, "
        f"{counted(engine.behind_frames, 'frame')} behind"
    )


def _clock_text(status: RunningStatus) -> str:
    if not status.clock_steps:
        return "no steps"
    last_s = status.last_clock_step_ns / 1e9
    return f"{counted(status.clock_steps, 'step')}, the last by {last_s:+.3f} s"


def _stream_row(one: StreamStatus) -> tuple[str, ...]:
    name = one.stream_text if one.line == 1 else f"{one.stream_text} line {one.line}"
    state = one.state
    if state == "connected" and not one.subscribed:
        state = "connected, not subscribed"
    age_s = one.last_frame_age_s
    return (
        printable(name),
        state,
        f"{one.frames_per_s:,.0f}",
        "never" if age_s is None else f"{span_text(age_s)} ago",
        count_text(one.frames),
        byte_text(one.bytes),
        count_text(max(0, one.connects - 1)),
        printable(one.last_error)[:ERROR_CHARACTERS_MAX],
    )
