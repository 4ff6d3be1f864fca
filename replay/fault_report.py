"""What trials of faults say: plain values, the same in JSON as in Python."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from replay.fault_kind import Fault, FaultKind


class Outcome(StrEnum):
    """What became of a fault.

    - NOTICED: a finding about its connection or its book followed, or the book is in doubt.
    - HARMLESS: books, tapes and all else are what they would have been without it.
    - HIDDEN: neither, and the venue can't reveal it: it declares so.
    - MISSED: neither, and it could have been noticed. A fault of tickreel's.
    """

    NOTICED = "noticed"
    HARMLESS = "harmless"
    HIDDEN = "hidden"
    MISSED = "missed"


class Hiding(StrEnum):
    """Why a fault cannot be noticed: what the venue does not send."""

    UNNUMBERED_BOOK = "nothing numbers or hashes its book messages"
    UNNUMBERED_ROWS = "nothing numbers its trades, quotes and other rows"
    UNHASHED_BOOK = "no checksum covers its levels"
    UNHASHED_ROWS = "nothing covers what its trades, quotes and other rows say"
    BELOW_CHECKED = "it is below the levels that the checksum covers"
    NOTHING_FOLLOWED = "nothing came after it that could show it"
    NO_STEADY_CLOCK = "its recording has no steady clock to hold the wall clock against"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One fault, and what became of it.

    Attributes:
        venue: whose message it befell.
        caught_by: the kinds of findings that followed, and `doubt` where the book lost its proof.
        differs: what is not as it would have been, where nothing was noticed.
        hiding: why it could not be noticed; None where it was, or should have been.
    """

    fault: Fault
    venue: str
    outcome: Outcome
    caught_by: list[str]
    differs: list[str]
    hiding: Hiding | None


class KindTally(msgspec.Struct, frozen=True, kw_only=True):
    """All trials of one kind of fault. `caught_by` counts trials, some of them more than once."""

    kind: FaultKind
    runs: int
    noticed: int
    harmless: int
    hidden: int
    missed: int
    caught_by: dict[str, int]


class HiddenTally(msgspec.Struct, frozen=True, kw_only=True):
    """Why faults at a venue were not noticed, and what it declares of such (`declared`)."""

    venue: str
    kind: FaultKind
    hiding: Hiding
    times: int
    declared: list[str]


class FaultReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of all faults.

    Attributes:
        seed: which faults were done; the same seed does the same ones anywhere.
        frames: how many frames were looked at for messages to do them to.
        kinds: by kind of fault; `runs` is 0 where no message could have it (no checksum, say).
        hidden: why faults could not be noticed, by venue.
        trials: every fault that was done.
    """

    seed: int
    frames: int
    kinds: list[KindTally]
    hidden: list[HiddenTally]
    trials: list[Trial]

    @property
    def missed(self) -> list[Trial]:
        """The faults that should have been noticed and were not."""
        return [trial for trial in self.trials if trial.outcome is Outcome.MISSED]
