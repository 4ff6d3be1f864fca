"""Folders to reels and back: `tickreel pack` and `unpack`, and what opens a reel for reading.

A reel is unpacked to be read: into a folder of its own below the system's temporary folder, which
is removed with the `Recording` that was opened. A reel is small (it lies in a repository), and so
each part of tickreel that reads a recording's files reads these too, unchanged: none can disagree
with the others on what a reel says.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from recorder.manifest import read_manifest
from recorder.recording_folder import RecordingFolder, is_locked, stays_inside
from recorder.removals import read_removals
from replay.output_place import output_file, output_folder, refuse_source, refuse_taken
from replay.receipts import LIST_NAME as RECEIPTS_NAME
from replay.recording import Recording
from replay.reel_errors import CannotPackError
from replay.reel_file import (
    FIRST_MEMBERS,
    MEMBERS_MAX,
    REEL_BYTES_MAX,
    is_reel,
    unpack_reel,
    write_reel,
)


@dataclass(frozen=True, slots=True)
class PackReport:
    """What was packed or unpacked: to where, how many frames, segments and bytes."""

    path: Path
    frames: int
    segments: int
    size_bytes: int


def pack(folder: str | Path, target: str | Path, *, force: bool = False) -> PackReport:
    """Write the recording in `folder` as the reel `target`: the same bytes whenever it is done.

    Raises:
        CannotPackError: it is being written to, not sealed, damaged or too large.
        TargetTakenError: `target` is there, and `force` was not given.
        RecorderError: it is no recording, or its manifest is damaged.
        OSError: the disk refused.
    """
    target = Path(target)
    refuse_taken(target, force=force)
    recording = Recording.open(folder)
    refuse_source(target, [recording.origin])
    place = RecordingFolder(recording.path)
    _refuse_unfinished(recording, place)
    names = [*FIRST_MEMBERS, *sorted(entry.path for entry in recording.segments)]
    if stays_inside(place.path, RECEIPTS_NAME) and (place.path / RECEIPTS_NAME).is_file():
        names.append(RECEIPTS_NAME)
    size = sum((place.path / name).stat().st_size for name in names if _is_there(place, name))
    if size > REEL_BYTES_MAX // 2 or len(names) > MEMBERS_MAX:
        raise CannotPackError(
            recording.origin,
            f"has {size:,} bytes in {len(names):,} files, and a reel is for up to "
            f"{REEL_BYTES_MAX // 2:,} in {MEMBERS_MAX:,}",
            "`tickreel filter` or `split` makes it smaller; `compact` makes it denser.",
        )
    with output_file(target, force=force) as path:
        with path.open("xb") as file:
            hashes = write_reel(file, place.path, names)
        for entry in recording.segments:
            if hashes[entry.path] != entry.sha256:
                raise CannotPackError(
                    recording.origin,
                    f"{entry.path} has not the bytes that were sealed",
                    "Restore the file; `tickreel audit` says what else is damaged.",
                )
        size_bytes = path.stat().st_size
    return PackReport(target, recording.frame_count, len(recording.segments), size_bytes)


def _is_there(place: RecordingFolder, name: str) -> bool:
    if (place.path / name).is_file():
        return True
    raise CannotPackError(
        place.path, f"{name} is missing", "Restore the file; `tickreel audit` says what else is."
    )


def _refuse_unfinished(recording: Recording, place: RecordingFolder) -> None:
    if is_locked(place.lock):
        reason, remedy = "is being written to", "Pack it when its capture has ended."
    elif place.journal_numbers():
        reason = "has frames that are not sealed yet"
        remedy = "`tickreel recover` seals them; then pack it."
    elif not recording.segments:
        reason, remedy = "has no frames", "There is nothing to pack."
    elif read_removals(place):
        reason = "has had segments removed on purpose"
        remedy = "`tickreel compact` makes a recording of what is left; pack that."
    elif read_manifest(place.manifest).torn_bytes:
        reason, remedy = "its manifest ends within a line", "`tickreel recover` puts it right."
    else:
        return
    raise CannotPackError(recording.origin, reason, remedy)


def unpack(reel: str | Path, folder: str | Path, *, force: bool = False) -> PackReport:
    """Write the recording in a reel as a folder, byte for byte what was packed.

    Raises:
        NotAReelError: the file is no reel, or not the one that was packed.
        TargetTakenError: the folder holds something, and `force` was not given.
        OSError: the file cannot be read, or the disk refused.
    """
    target = Path(folder)
    with output_folder(target, force=force) as workplace:
        size_bytes = unpack_reel(Path(reel), workplace)
    recording = Recording.open(target)
    return PackReport(target, recording.frame_count, len(recording.segments), size_bytes)


def unpacked_for_reading(path: Path) -> Path:
    """Unpack a reel into a new temporary folder, which the caller removes.

    Raises:
        NotAReelError, OSError: as `unpack`; nothing is left behind.
    """
    from shutil import rmtree

    folder = Path(tempfile.mkdtemp(prefix="tickreel-"))
    try:
        unpack_reel(path, folder)
    except BaseException:
        rmtree(folder, ignore_errors=True)
        raise
    return folder


__all__ = ["PackReport", "is_reel", "pack", "unpack", "unpacked_for_reading"]
