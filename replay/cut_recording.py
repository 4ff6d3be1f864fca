"""Whether a recording was cut: out of another, or off at its end; what an audit says of it then.

Where it was cut, the beginnings of open connections were carried in, with the times they had; their
books were not. A book that began before the cut is told by its next snapshot only: until then
nothing here can prove it, and nothing here says that it was wrong.

A recorder closes every connection before it ends; what a crash left open ends with the loss that is
told of in what is recovered. So where all is sealed and connections still stand, with no loss after
them, the end of the recording is not here.
"""

from __future__ import annotations

from replay.epoch_ledger import EpochLedger
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


def ends_cut(source: FrameSource, ledger: EpochLedger) -> bool:
    """Return whether what a recorder wrote last is missing, after `source` was played to its end.

    Only a recording as its recorder left it is judged: what was made of recordings may end
    anywhere, and one that is being written has no end yet.
    """
    if not isinstance(source, Recording) or source.has_journals:
        return False
    description = source.description
    made = "made_from" in description.asked_for or "merged_from" in description.asked_for
    if made or description.clock_source == "import":
        return False
    return ledger.standing
