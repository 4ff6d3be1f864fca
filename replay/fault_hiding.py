"""Why a fault could not be noticed, by what the venue sends; None where it could have been.

Theory. What shows a fault is declared by the venue's traits and borne out by the message itself:

1. A message that the connection counts is missed, doubled or out of order for all to see.
2. So is a numbered book message, or a numbered trade.
3. A checksum shows that levels are not those of the exchange, of the levels that it covers.
4. What is neither numbered nor covered can be lost or be wrong without a trace.
5. Nothing shows a fault that no message follows.

A venue that can hide a fault has to say so (`detection_limits`); where it doesn't, nothing hides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from replay.fault_kind import FaultKind
from replay.fault_report import Hiding
from replay.fault_state import NO_BOOK, StreamKey, Witness
from replay.fault_survey import Content
from venues.channel import Channel
from venues.traits import VenueTraits

_MISPLACED = frozenset(
    {FaultKind.DROP, FaultKind.DUPLICATE, FaultKind.REORDER, FaultKind.DELAY, FaultKind.STALL}
)
"""The message is as it was, and in another place, or in none."""


class Harm(NamedTuple):
    """A fault that was not noticed, and what it did.

    Attributes:
        content: what the message said.
        said: what it says with the fault; nothing where it did not come.
        after: what the messages that the exchange sent after it say, as far as they were played.
        behind: what those say that came behind it, with the fault.
        whole: what an engine made of the frames as they are, and `faulty` of those with the fault.
    """

    kind: FaultKind
    content: Content
    said: Content
    after: Sequence[Content]
    behind: Sequence[Content]
    whole: Witness
    faulty: Witness

    def misplaced(self, key: StreamKey) -> bool:
        """Say whether a message about `key` is not where it was, whatever else it may be now."""
        return self.kind in _MISPLACED or key not in self.said.topics

    def shown_by_numbers(self, key: StreamKey) -> bool:
        """Say whether a number is missing where the message about `key` was.

        A message that has become another one keeps its place in the count of the connection.
        """
        recounted = self.kind not in _MISPLACED and self.said.counted
        return (self.content.counted and not recounted) or key in self.content.numbered

    def followed(self, key: StreamKey) -> bool:
        """Say whether a message came that would show a number to be missing."""
        return any(each.counted or key in each.topics for each in self.after)


def hiding_of(harm: Harm, differences: set[StreamKey], traits: VenueTraits) -> Hiding | None:
    """Return why nothing noticed a fault that made `differences`; None: something should have."""
    if not traits.detection_limits:
        return None
    reasons = [
        _of_book(harm, key) if key[2] is Channel.BOOK else _of_rows(harm, key)
        for key in sorted(differences)
    ]
    return None if None in reasons else next(iter(reasons), None)


def _of_book(harm: Harm, key: StreamKey) -> Hiding | None:
    misplaced = harm.misplaced(key)
    if misplaced and harm.shown_by_numbers(key):
        return None if harm.followed(key) else Hiding.NOTHING_FOLLOWED
    if any(key in each.hashed for each in harm.behind):
        book = key[:2]
        was = harm.whole.books().get(book, NO_BOOK).checked
        now = harm.faulty.books().get(book, NO_BOOK).checked
        return Hiding.BELOW_CHECKED if was == now else None
    if key in harm.content.hashed or any(key in each.hashed for each in harm.after):
        return Hiding.NOTHING_FOLLOWED
    return Hiding.UNNUMBERED_BOOK if misplaced else Hiding.UNHASHED_BOOK


def _of_rows(harm: Harm, key: StreamKey) -> Hiding | None:
    if not harm.misplaced(key):
        return Hiding.UNHASHED_ROWS
    if harm.shown_by_numbers(key):
        return None if harm.followed(key) else Hiding.NOTHING_FOLLOWED
    return Hiding.UNNUMBERED_ROWS
