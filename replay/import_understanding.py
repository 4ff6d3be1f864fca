"""Whether the messages that are imported are those of the venue that they are imported as.

Files by some programs do not say whose they are, and a user may name the wrong venue: every line
becomes a frame all the same, and nothing is ever found in it. So messages are decoded as they are
imported, up to the first that says something of a market. One is enough: what an audit says of the
others, it says of each.
"""

from __future__ import annotations

from collections.abc import Sequence

from replay.decoded_frames import FrameDecoder
from replay.recognition import about_markets, unknown
from venues.frame import Frame


class Understanding:
    """Looks for a message that the venue understands.

    Attributes:
        messages: how many were looked at.
        strange: how many of them were of no kind that the venue knows, or could not be decoded.
        found: whether one said something of a market; no more are looked at then.
    """

    def __init__(self) -> None:
        self.messages = 0
        self.strange = 0
        self.found = False
        self._decode = FrameDecoder().decode

    def look(self, batch: Sequence[Frame]) -> None:
        """Look at the next frames."""
        for frame in batch:
            if self.found:
                return
            if not frame.received:
                continue
            _, events, understood = self._decode(frame)
            self.messages += 1
            self.found = about_markets(events)
            self.strange += not understood or unknown(events)

    @property
    def none(self) -> bool:
        """Whether nothing was understood, and acknowledgements and heartbeats were not all."""
        return not self.found and self.strange > 0
