"""Whether anything comes to a running capture: the exchange's part, which its health leaves out.

Theory. A capture whose exchange is gone works as it should: it tries again, and nothing that can be
done to its process helps. So a dead feed is no fault of health. But whoever looks wants to know, so
it is told beside the faults, stream by stream. The lines of one stream bring the same: it lives
while one of them does.
"""

from __future__ import annotations

from collections.abc import Iterable

from cli.report_text import counted, span_text
from cli.running_status import RunningStatus, StreamStatus

SILENCE_TOLD_S = 60.0
"""A stream that is connected and brings nothing for so long is told of; a quiet market may be."""


def feed_faults(status: RunningStatus) -> list[str]:
    """Return a sentence for each stream that brings nothing: not connected, or silent."""
    if status.stopping:
        return []
    told = []
    for name, lines in _streams(status):
        age_s = _silent_s(status, lines)
        if not any(line.state == "connected" for line in lines):
            told.append(f"{name}: no connection is open ({lines[0].state}); {_age(lines, age_s)}")
        elif age_s >= SILENCE_TOLD_S:
            told.append(f"{name}: connected, but {_age(lines, age_s)}")
    return told


def silent_streams(status: RunningStatus, limit_s: float) -> list[str]:
    """Return the names of the streams that brought nothing for `limit_s` seconds or longer."""
    return [name for name, lines in _streams(status) if _silent_s(status, lines) >= limit_s]


def dead_feed_text(status: RunningStatus, faults: list[str]) -> str:
    """Return how many of the streams bring nothing, as part of a line; `faults` are of them."""
    return f"NOTHING COMES on {len(faults):,} of {counted(len(_streams(status)), 'stream')}"


def _streams(status: RunningStatus) -> list[tuple[str, list[StreamStatus]]]:
    streams: dict[str, list[StreamStatus]] = {}
    for line in status.streams:
        streams.setdefault(line.stream_text, []).append(line)
    return list(streams.items())


def _last_ages(lines: Iterable[StreamStatus]) -> list[float]:
    return [line.last_frame_age_s for line in lines if line.last_frame_age_s is not None]


def _silent_s(status: RunningStatus, lines: Iterable[StreamStatus]) -> float:
    return min(_last_ages(lines), default=status.running_s)


def _age(lines: Iterable[StreamStatus], age_s: float) -> str:
    if _last_ages(lines):
        return f"the last frame came {span_text(age_s)} ago"
    return f"no frame came in {span_text(age_s)}"
