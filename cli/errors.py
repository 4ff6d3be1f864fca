"""What only the command line can get wrong.

TickreelError (venues.errors)
└── CommandError              a command that cannot run as it was written
    ├── AgentFileError        an agent that cannot be loaded from its file
    └── CaptureFailedError    a capture that never came to run, or ended by itself

Each ends a command with exit code 2.
"""

from __future__ import annotations

from venues.errors import TickreelError


class CommandError(TickreelError):
    """A command that cannot run as it was written. The text says what to write instead."""


class AgentFileError(CommandError):
    """An agent that cannot be loaded: `reference` is what the user wrote, `file.py:Class`."""

    def __init__(self, reference: str, reason: str) -> None:
        self.reference = reference
        self.reason = reason
        super().__init__(f"agent {reference}: {reason}")
