"""Which parts of a recorder have ended, and what follows from that.

Theory. No part of a recorder ends by itself while it records. One that does, whether it raised,
returned or was cancelled by someone who is not us, is never passed over:

- A stream that the exchange refused at the start ends alone; with the last of them the recorder
  ends, and its error is the first refusal.
- Anything else is a fault of ours, there is no recording to rely on, and the recorder ends with it:
  `fatal` is what ended it. A recorder that looks alive and does not record is the worst of all.

After `stopping` is set, parts end because we told them to, unless they raise.
"""

from __future__ import annotations

import asyncio
import logging

from recorder.errors import PartEndedError
from venues.errors import TickreelError

log = logging.getLogger("tickreel.recorder")


class PartWatch:
    """What has ended before its time.

    Attributes:
        fatal: what ends the recorder; None while nothing does.
        stream_faults: by stream, why it ended alone.
        stopping: whether parts end because they were told to.
    """

    def __init__(self) -> None:
        self.fatal: BaseException | None = None
        self.stream_faults: dict[str, TickreelError] = {}
        self.stopping = False

    @property
    def ended(self) -> str:
        """Why the recorder is ending by itself; '' while it is not."""
        return "" if self.fatal is None else str(self.fatal) or repr(self.fatal)

    def part_ended(self, task: asyncio.Task[None]) -> None:
        """Take down that a part of the recorder has ended."""
        if self.stopping and _was_told_to(task):
            return
        fault = _why(task)
        if self.fatal is None:
            self.fatal = fault
        log.critical("a part of the recorder has ended: %s", fault, extra={"event": "part ended"})

    def stream_ended(self, task: asyncio.Task[None], stream: str, *, last: bool) -> bool:
        """Take down that a stream has ended; return whether the recorder ends with it."""
        if self.stopping and _was_told_to(task):
            return last
        fault = _why(task)
        fields = {"event": "stream ended", "stream": stream}
        if isinstance(fault, TickreelError) and not isinstance(fault, PartEndedError):
            log.error("%s", fault, extra=fields)
            self.stream_faults[stream] = fault
            if last and self.fatal is None:
                self.fatal = next(iter(self.stream_faults.values()))
            return last
        self.fatal = self.fatal or fault
        log.critical("stream %s ended: %r", stream, fault, exc_info=fault, extra=fields)
        return True


def _was_told_to(task: asyncio.Task[None]) -> bool:
    return task.cancelled() or task.exception() is None


def _why(task: asyncio.Task[None]) -> BaseException:
    if task.cancelled():
        return PartEndedError(task.get_name(), "it was cancelled")
    return task.exception() or PartEndedError(task.get_name(), "it came to its end")
