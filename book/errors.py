"""The errors of book.

    TickreelError                 (venues.errors)
    ├── EngineSettingsError       settings that no engine can run with
    └── CheckpointError           a checkpoint that this engine cannot go on from

Bad data is never one of these: it is a finding.
"""

from __future__ import annotations

from venues.errors import TickreelError


class EngineSettingsError(TickreelError):
    """Settings that no engine can run with. `where` names the file and the place in it."""

    def __init__(self, where: str, reason: str) -> None:
        self.where = where
        self.reason = reason
        super().__init__(f"{where}: {reason}")


class CheckpointError(TickreelError):
    """A checkpoint that this engine cannot go on from. `reason` says why not."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"the checkpoint cannot be used: {reason}. Replay from the first frame instead."
        )
