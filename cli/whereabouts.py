"""Where a recording's segments are: here, in a store, or removed on purpose."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cli.report_text import byte_text, count_text, counted, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replay.recording import Recording


def whereabouts(recording: Recording) -> dict[str, object]:
    """Return what was removed, by cause, and what each store was seen to hold."""
    from recorder.manifest import read_manifest
    from recorder.recording_folder import RecordingFolder
    from recorder.removals import read_removals
    from recorder.upload_ledger import read_uploads

    place = RecordingFolder(recording.path)
    entries = read_manifest(place.manifest).entries
    removals = read_removals(place)
    frames: Counter[str] = Counter()
    for entry in entries:
        if entry.number in removals:
            frames[removals[entry.number].cause] += entry.frames
    hashes = {entry.path: entry for entry in entries}
    stores: dict[str, list[int]] = {}
    for upload in read_uploads(recording.path):
        known = hashes.get(upload.path)
        if known is not None and known.sha256 == upload.sha256:
            held = stores.setdefault(upload.uri, [0, 0])
            held[0] += 1
            held[1] += upload.bytes
    return {
        "removed_frames": dict(frames),
        "uploads": [
            {"uri": uri, "segments": segments, "bytes": size, "of_segments": len(entries)}
            for uri, (segments, size) in stores.items()
        ],
    }


def whereabouts_rows(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the same as rows for people; none where all is here and nowhere else."""
    rows = []
    removed, uploads = facts.get("removed_frames"), facts.get("uploads")
    if isinstance(removed, dict) and removed:
        causes = ", ".join(f"{cause} {count_text(count)}" for cause, count in removed.items())
        rows.append(("removed", f"{counted(sum(removed.values()), 'frame')} on purpose ({causes})"))
    for upload in uploads if isinstance(uploads, list) else ():
        told = f"{upload['segments']:,} of {counted(upload['of_segments'], 'segment')}"
        size = byte_text(upload["bytes"])
        rows.append(("uploaded", f"{told} ({size}) proved at {printable(upload['uri'])}"))
    return rows
