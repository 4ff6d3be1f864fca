"""The errors of recordings that are made of recordings: packed, filtered, merged, exported.

    TickreelError
    └── ReplayError                (replay.errors)
        ├── NotAReelError          a `.reel` file that is damaged, hostile, or something else
        ├── CannotPackError        a recording that cannot become a `.reel` file as it is
        ├── TargetTakenError       something is where the result shall go
        ├── TargetInUseError       a capture, a sealing or an upload is at work on it
        └── TargetIsSourceError    the result would take the place of what it is made from

Whatever fails leaves nothing behind that looks whole and is not.
"""

from __future__ import annotations

from pathlib import Path

from replay.errors import ReplayError


class NotAReelError(ReplayError):
    """A file that is no recording in one file, or not the one that was packed."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"{path}: {reason}, so it is not a recording that `tickreel pack` made, or not any "
            "more. Restore the file, or pack the recording again."
        )


class CannotPackError(ReplayError):
    """A recording that cannot be packed as it is; `remedy` says what makes it so."""

    def __init__(self, path: Path, reason: str, remedy: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}. {remedy}")


class TargetTakenError(ReplayError):
    """Something is where the result shall go. Nothing was written."""

    def __init__(self, path: Path, *, replaceable: bool) -> None:
        self.path = path
        self.replaceable = replaceable
        remedy = (
            "Give another name, or --force to replace it."
            if replaceable
            else "It holds more than a recording, and even --force does not replace that: "
            "give another name."
        )
        super().__init__(f"{path}: is there already, and nothing is written over it. {remedy}")


class TargetInUseError(ReplayError):
    """The recording that shall be replaced is at work: a capture would go on into nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path}: is being written to or uploaded, and even --force does not replace that: "
            "give another name, or end what is at work on it."
        )


class TargetIsSourceError(ReplayError):
    """The result would replace the recording that it is made from. Nothing was written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path}: is what the result is made from, and even --force does not replace that: "
            "give another name, and remove the first one when the second is what you want."
        )
