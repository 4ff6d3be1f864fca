"""Whether a recording was cut out of another, and what an audit says of it then.

Where it was cut, the beginnings of open connections were carried in, with the times they had; their
books were not. A book that began before the cut is told by its next snapshot only: until then
nothing here can prove it, and nothing here says that it was wrong.
"""

from __future__ import annotations

from replay.frame_source import FrameSource
from replay.recording import Recording

CUT_NOTE = (
    "this is a part of another recording: what its connections began with was carried in, with "
    "the times it had, and each book is there from its next snapshot on."
)


def begins_cut(source: FrameSource) -> bool:
    """Return whether `source` is a recording that begins where another one was cut."""
    if not isinstance(source, Recording):
        return False
    asked_for = source.description.asked_for
    part, filtered = asked_for.get("part"), asked_for.get("filtered")
    if isinstance(part, dict) and part.get("carried"):
        return True
    return isinstance(filtered, dict) and filtered.get("from") is not None
