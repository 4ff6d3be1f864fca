"""The faults that can be done on purpose, and the record of one that was."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FaultKind(StrEnum):
    """What is done to one message, or from one message on.

    - DROP: it never comes.
    - DUPLICATE: it comes twice.
    - REORDER: the next message of its connection comes before it.
    - DELAY: it comes late, past all that came in the meantime.
    - CORRUPT: one bit of it is another.
    - TRUNCATE: its end is missing.
    - CUT: the connection breaks in its place; what comes in the outage after that is lost.
    - STALL: the connection says nothing for a while; then all that was held up comes at once.
    - SLOW: the reader does not keep up: what comes for a while is lost, and how much is told.
    - CHECKSUM: the checksum in it is another.
    - CLOCK: the wall clock steps in its place. Where there is a steady clock, that is told.
    """

    DROP = "drop"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DELAY = "delay"
    CORRUPT = "corrupt"
    TRUNCATE = "truncate"
    CUT = "cut"
    STALL = "stall"
    SLOW = "slow"
    CHECKSUM = "checksum"
    CLOCK = "clock"


class Fault(msgspec.Struct, frozen=True):
    """One fault that was done.

    Attributes:
        kind: what it is.
        frame_number: the frame that it befell, by its number in the recording.
        connection_id: that frame's connection.
        receive_time_ns: when that frame came.
        text: what was done, for people.
    """

    kind: FaultKind
    frame_number: int
    connection_id: int
    receive_time_ns: int
    text: str
