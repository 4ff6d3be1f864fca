"""The errors of reading a recording; what `recorder.recording_errors` has is raised here too.

    TickreelError
    ├── RecorderError                 NotARecordingError, NewerFormatError, DamagedManifestError ...
    ├── ReplayError                   a recording cannot be read as it is
    │   ├── DamagedSegmentError       frames of a segment that cannot be read
    │   │   └── MissingSegmentError   the whole file is not there
    │   ├── RemovedSegmentError       it was removed on purpose while it was to be read
    │   ├── DamagedJournalError       frames of a journal that cannot be read
    │   ├── UnlikeSettingsError       recordings whose engines were not set alike
    │   ├── PartsApartError           (replay.recording_parts) parts of one, and one between missing
    │   ├── NotSeekableError          a playback at max speed was to be led elsewhere
    │   ├── FaultSettingsError        (replay.fault_settings) faults that mean nothing
    │   └── NoClockFaultError         (replay.fault_steps) a clock step asked of a server
    ├── SpeedError                    (replay.speed) a text or number that is no speed
    ├── ClockBackwardsError           (replay.virtual_clock) a jump into the past
    ├── ClockRateError                (replay.virtual_clock) a rate of zero or below
    └── ImportFailedError             (replay.import_errors) an import that was given up

With `skip_damaged` a reader gives a LOST frame in place of what is damaged.
"""

from __future__ import annotations

from venues.errors import TickreelError

AROUND_DAMAGE = (
    "To go on without what is gone: replay, cat, export, filter, split, merge and serve take "
    "--skip-damaged, and `tickreel compact --skip-damaged` makes a recording of the rest for every "
    "command, with the loss on record."
)


class ReplayError(TickreelError):
    """A recording cannot be read as it is."""


class DamagedSegmentError(ReplayError):
    """Frames of a segment that cannot be read.

    Attributes:
        path: the file, with the recording's folder before it.
        reason: what is wrong with it.
        first_row: the first row that cannot be read.
        rows: how many cannot.
        first_frame_number: of those rows.
        last_frame_number: of those rows (other venues' frames may have numbers between).
    """

    def __init__(
        self,
        path: str,
        reason: str,
        *,
        first_row: int,
        rows: int,
        first_frame_number: int,
        last_frame_number: int,
        other_segments: int,
    ) -> None:
        self.path = path
        self.reason = reason
        self.first_row = first_row
        self.rows = rows
        self.first_frame_number = first_frame_number
        self.last_frame_number = last_frame_number
        super().__init__(
            f"{path}: {reason}. What is gone is rows {first_row:,} to {first_row + rows - 1:,} "
            f"(frames {first_frame_number:,} to {last_frame_number:,}). The recording has "
            f"{other_segments:,} other segment{'s' * (other_segments != 1)}. Restore the "
            f"file and run `tickreel audit`. {AROUND_DAMAGE}"
        )


class MissingSegmentError(DamagedSegmentError):
    """A segment that the manifest lists is not there."""


class RemovedSegmentError(ReplayError):
    """A ring, a retention or an upload has removed a segment since the reader looked."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path}: was removed on purpose just now. Open the recording again.")


class DamagedJournalError(ReplayError):
    """Frames of a journal that cannot be read; `frames` is None where their number is unknown."""

    def __init__(
        self,
        path: str,
        reason: str,
        *,
        from_byte: int,
        to_byte: int,
        first_frame_number: int,
        frames: int | None,
    ) -> None:
        self.path = path
        self.reason = reason
        self.from_byte = from_byte
        self.to_byte = to_byte
        self.first_frame_number = first_frame_number
        self.frames = frames
        lost = "an unknown number of frames" if frames is None else f"{frames:,} frames"
        super().__init__(
            f"{path}: {reason} in bytes {from_byte:,} to {to_byte:,}: {lost} from frame "
            f"{first_frame_number:,} on. Run `tickreel recover`, which seals what is "
            f"whole and keeps the original. {AROUND_DAMAGE}"
        )


class UnlikeSettingsError(ReplayError):
    """Recordings whose engines were not set alike cannot be played as one without saying how."""

    def __init__(self, path: str, other_path: str) -> None:
        self.path = path
        self.other_path = other_path
        super().__init__(
            f"{path} and {other_path} were recorded with different engine settings. "
            "Say which are to be used: --engine-settings FILE.toml, with an [engine] table."
        )


class NotSeekableError(ReplayError):
    """A playback at `max` was told to go elsewhere: nothing waits there to be told."""

    def __init__(self) -> None:
        super().__init__(
            "a playback at max speed looks at no clock and cannot be led. Play it at a speed, such "
            "as 1000x, or begin another one where it is to go on."
        )
