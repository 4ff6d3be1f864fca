"""Whether the files of a recording are what was written: every byte of them is read."""

from __future__ import annotations

from replay.audit_report import Integrity
from replay.frame_merge import MergedRecording
from replay.frame_source import FrameSource
from replay.recording import Recording


def integrity_of(source: FrameSource) -> Integrity | None:
    """Verify the recordings in `source`; None where it holds none, but frames in memory."""
    recordings = _recordings(source)
    if not recordings:
        return None
    segments, damaged, faults = 0, set[str](), list[str]()
    for recording in recordings:
        listed = {entry.path for entry in recording.segments}
        segments += len(listed)
        for problem in recording.verify():
            name = problem.path
            if len(recordings) > 1:
                name = f"{recording.origin.name}/{name}"
            faults.append(f"{name}: {problem.sentence}")
            if problem.path in listed:
                damaged.add(f"{recording.path}/{problem.path}")
    return Integrity(segments=segments, segments_whole=segments - len(damaged), faults=faults)


def _recordings(source: FrameSource) -> list[Recording]:
    if isinstance(source, Recording):
        return [source]
    if isinstance(source, MergedRecording):
        return [recording for part in source.recordings for recording in _recordings(part)]
    return []
