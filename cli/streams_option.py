"""`--streams`: whether what is asked for is there at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay.recording import Recording


def refuse_absent(recordings: Sequence[Recording], streams: Sequence[str] | None) -> None:
    """Refuse a venue that none of `recordings` has: nothing judged must not look like no finding.

    What is not sealed yet lists no venues, so a recording that is being made is not judged by them.

    Raises:
        CommandError: there is one.
    """
    from recorder.recording_folder import RecordingFolder

    if any(RecordingFolder(recording.path).journal_numbers() for recording in recordings):
        return
    venues = sorted({venue for recording in recordings for venue in recording.venues})
    for stream in streams or ():
        if stream not in venues:
            folders = ", ".join(str(recording.origin) for recording in recordings)
            raise CommandError(
                f"{folders}: there is no frame of {stream} to look at. "
                f"--streams can be one of: {', '.join(venues) or 'none'}."
            )
