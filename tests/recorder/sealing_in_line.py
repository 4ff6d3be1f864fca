"""Sealing without a process of its own, so that a test's disk sees each call of it."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.recording_errors import SealingError
from recorder.recording_folder import RecordingFolder
from recorder.retention import Keep
from recorder.sealing import seal
from recorder.sealing_process import SealingQueue


class SealingInLine(SealingQueue):
    """Seals what waits when it is next looked at, as the process does that takes its time."""

    def __init__(self, folder: RecordingFolder, keeps: Sequence[Keep] = ()) -> None:
        super().__init__(folder, keeps)
        self._place = folder

    def advance(self) -> None:
        while self._waiting:
            number = self._waiting.popleft()
            try:
                for earlier in self._place.journal_numbers():
                    if earlier <= number:
                        seal(self._place, earlier)
            except SealingError as fault:
                self.faults.append(str(fault))

    def wait(self) -> None:
        self.advance()
