"""What an audit says of parts that were removed from a recording on purpose."""

from __future__ import annotations

from replay.written_time import utc_text
from venues.frame import Frame, FrameKind
from venues.marker import DROPPED, Lost, MarkerError, read_marker


def removal_note(frame: Frame) -> str | None:
    """Return the sentence for a marker of removed frames; None for any other frame."""
    if frame.kind is not FrameKind.LOST:
        return None
    try:
        lost = read_marker(frame, Lost)
    except MarkerError:
        return None
    if lost.cause != DROPPED:
        return None
    place = "before" if frame.frame_number == 0 else f"from {utc_text(lost.from_ns, 0)} to"
    return (
        f"{lost.frames or 0:,} frames {place} {utc_text(lost.to_ns, 0)} were removed on purpose "
        f"({lost.detail}), and are not judged."
    )
