"""Where two runs of an engine parted, and what came of it, as a user reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.report_text import counted, digest_text, printable
from replay.written_time import utc_text

if TYPE_CHECKING:
    from replay.state_trace import StateTrace
    from replay.trace_difference import TraceDifference
    from venues.frame import Frame

STATE_LINES_MAX = 20
_PAYLOAD_CHARACTERS = 200


def difference_text(
    difference: TraceDifference, expected: StateTrace, actual: StateTrace, frame: Frame | None
) -> list[str]:
    """Return lines on how `actual` differs from `expected`; `frame` is the first that does."""
    from replay.state_difference import difference_lines

    lines = [
        f"expected: digest {digest_text(expected.digest)} after "
        f"{counted(expected.frames, 'frame')}, by tickreel {expected.tool_version}",
        f"actual:   digest {digest_text(actual.digest)} after {counted(actual.frames, 'frame')}",
    ]
    if not difference.comparable:
        lines.append(
            "what a state holds has changed between the two, so their digests do not compare; "
            "the values that differ are below"
        )
    lines += _place(difference, frame)
    for kind, (before, now) in difference.events.items():
        lines.append(f"events: {before:,} {kind} expected, {now:,} came")
    if difference.state:
        lines.append("state at the end:")
        lines += [f"  {printable(t)}" for t in difference_lines(difference.state, STATE_LINES_MAX)]
    return lines


def _place(difference: TraceDifference, frame: Frame | None) -> list[str]:
    if difference.first_frame is None:
        return []
    number = difference.first_frame
    where = f"first differing frame: number {number + 1:,} of those applied"
    if difference.not_before < number and difference.events_differ is None:
        where = f"first differing frame: after {difference.not_before:,} were applied, and up to "
        where += f"number {number + 1:,}"
    if difference.events_differ is not None:
        what = "it gives other events" if difference.events_differ else "its events are the same"
        where += f"; {what}"
    return [where] if frame is None else [where, *_shown(frame)]


def _shown(frame: Frame) -> list[str]:
    payload = frame.payload[: _PAYLOAD_CHARACTERS + 1].decode("utf-8", "backslashreplace")
    cut = "…" if len(frame.payload) > _PAYLOAD_CHARACTERS else ""
    return [
        f"  frame {frame.frame_number:,} of {frame.venue}, {frame.kind.name}, connection "
        f"{frame.connection_id}, received {utc_text(frame.receive_time_ns, 9)}",
        f"  {printable(payload[:_PAYLOAD_CHARACTERS])}{cut}",
    ]
