"""Closing a recording within a time, whatever the disk does.

Theory. A service manager waits some seconds for a stop and then kills. The end of the journal is
written and synced in milliseconds, unless the disk stalls; then nothing is gained by waiting, as
all that the kernel has is there after a kill too, and the next start seals it. Sealing what the
journal holds takes longer, and is as well done by the next start. So both have a limit, and what
is not done by then goes on in its thread until the process ends.
"""

from __future__ import annotations

import asyncio
import threading
import time

from recorder.recording import ClosingReport, RecordingWriter

JOURNAL_LIMIT_S = 3.0
SEALING_LIMIT_S = 20.0
_LOOK_INTERVAL_S = 0.02
_LEFT = "What was written is in its journal; the next start, or `tickreel recover`, seals it."
_NOT_CLOSED = f"the disk did not let the recording be closed in time. {_LEFT}"
_NOT_SEALED = f"the recording was not sealed in time: the machine is too busy, or its disk. {_LEFT}"


async def close_recording(
    recording: RecordingWriter, *, complete: bool, journal_limit_s: float = JOURNAL_LIMIT_S
) -> ClosingReport:
    """Close it; where the disk does not let us within the limits, that is a fault in the report."""
    reports: list[ClosingReport] = []
    faults: list[Exception] = []

    def close() -> None:
        try:
            reports.append(recording.close(complete=complete))
        except Exception as fault:  # noqa: BLE001 - raised again where it is waited for
            faults.append(fault)

    thread = threading.Thread(target=close, name="tickreel-closing", daemon=True)
    begun_s = time.monotonic()
    thread.start()
    while thread.is_alive():
        passed_s = time.monotonic() - begun_s
        closed = recording.journal_closed.is_set()
        if passed_s > (SEALING_LIMIT_S if closed else journal_limit_s):
            return ClosingReport(0, 0, 0, 0, (_NOT_SEALED if closed else _NOT_CLOSED,))
        await asyncio.sleep(_LOOK_INTERVAL_S)
    if faults:
        raise faults[0]
    return reports[0]
