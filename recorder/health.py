"""Whether a recorder does what it is there for: bytes reach the disk, and every part of it lives.

Theory. A process that is up proves nothing; what proves something is that what was written grows.
From the first frame on it always does: where no exchange says a word, a reading of the clocks is
written every ten seconds. So there is a pulse, and it is gone

- when frames have waited for `WAIT_LIMIT_S` and not one was written in that time (a disk that
  stalls or refuses; one that is slow and still moves has a pulse), or
- when nothing was written for `SILENCE_LIMIT_S`, though a reading of the clocks was due. Before
  anything came, as while an exchange is waited for at the start, none is.

A connection that is lost and being made again is the exchange's affair or the network's, and no
fault of health: it is in the metrics, in the log and in the recording. A stream that has ended, a
sealing that failed and was not made good, a sink or an engine that gets no more frames, are faults
of health for as long as they last.

All times are of the steady clock and are arguments.
"""

from __future__ import annotations

from recorder.clock_watch import READING_INTERVAL_NS
from recorder.statistics import RecorderStatistics

WAIT_LIMIT_S = 4.0
SILENCE_LIMIT_S = READING_INTERVAL_NS / 1e9 + 5.0


class DiskPulse:
    """Whether what is written grows."""

    def __init__(self, now_s: float) -> None:
        self._stored_frames = 0
        self._grew_s = now_s

    def fault(self, now_s: float, stored_frames: int, lag_s: float) -> str:
        """Return why bytes do not reach the disk; '' while they do.

        `lag_s` is the age of the oldest frame that is not yet written.
        """
        if stored_frames != self._stored_frames:
            self._stored_frames, self._grew_s = stored_frames, now_s
        still_s = now_s - self._grew_s
        if lag_s >= WAIT_LIMIT_S and still_s >= WAIT_LIMIT_S:
            return f"nothing was written for {still_s:.0f} s, and frames wait to be"
        if stored_frames and still_s >= SILENCE_LIMIT_S:
            return f"nothing was written for {still_s:.0f} s, not even that time goes on"
        return ""


def part_faults(statistics: RecorderStatistics) -> list[str]:
    """Return a sentence for each part of the recorder that does not do its work."""
    faults = [f"the disk: {statistics.disk_fault}"] if statistics.disk_fault else []
    faults += [statistics.ended] if statistics.ended else []
    faults += statistics.stream_faults
    faults += statistics.sealing_faults
    faults += statistics.sink_faults
    faults += statistics.desk_faults
    return faults
