"""Sealing in processes of their own, one after the other, beside a recorder that never waits.

Theory. A number is waiting, then in work, then done or a fault. One process at a time: two would
take the recorder's processor. It works whatever the recorder's own folder and search path are, and
a Ctrl-C at the terminal is not for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import recorder
from recorder.recording_folder import RecordingFolder
from recorder.retention import Keep

EXIT_NOT_REMOVED = 3
"""All was sealed, and what is not to be kept any more could not be removed."""


RETRY_INTERVAL_S = 30.0
"""A sealing that failed (no room, killed) is tried again after so long, if nothing else waits."""


class SealingQueue:
    """Journals to be sealed.

    What is beyond the limits `keeps` is removed after each, by the same process.
    """

    def __init__(self, folder: RecordingFolder, keeps: Sequence[Keep] = ()) -> None:
        self._failed: dict[int, str] = {}
        self._not_removed = ""
        self._retry_at_s = 0.0
        self._folder = folder
        self._keeps = keeps
        self._waiting: deque[int] = deque()
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0

    @property
    def faults(self) -> list[str]:
        """A sentence for each sealing that failed and was not made good since."""
        return [*self._failed.values(), *([self._not_removed] if self._not_removed else [])]

    def add(self, number: int) -> None:
        """Let journal `number` wait for its turn; `advance` begins it."""
        self._waiting.append(number)

    def advance(self) -> None:
        """Note the end of the process in work, if it has ended, and begin the next; never waits."""
        if self._process is not None and self._process.poll() is not None:
            self._note_end(self._process)
        if self._process is None and self._waiting:
            self._begin(self._waiting.popleft())
        elif self._process is None and self._failed and time.monotonic() >= self._retry_at_s:
            self._begin(max(self._failed))

    def wait(self) -> None:
        """Wait until nothing is waiting or in work."""
        self.advance()
        while self._process is not None:
            self._process.wait()
            self.advance()

    def _begin(self, number: int) -> None:
        source = str(Path(recorder.__file__).parents[1])
        search_path = os.pathsep.join([source, *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
        self._number = number
        limits = [keep.text for keep in self._keeps]
        # -P: a module of the user's in the current folder must not stand in for one of ours.
        command = [sys.executable, "-P", "-m", "recorder.sealing", str(self._folder.path)]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
                [*command, str(number), *limits],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": search_path.rstrip(os.pathsep)},
                start_new_session=True,
            )
        except OSError as fault:
            # No memory, no descriptor, no interpreter any more: none of it may end the recording.
            self._note_failure(f"sealing could not be begun ({fault.strerror})")

    def _note_end(self, process: subprocess.Popen[bytes]) -> None:
        said = b""
        if process.stdout is not None:
            said = process.stdout.read()
            process.stdout.close()
        last = said.decode("utf-8", "backslashreplace").strip().splitlines()[-1:]
        words = last[0][:500] if last else "it said nothing"
        self._not_removed = ""
        if process.returncode in (0, EXIT_NOT_REMOVED):
            # It has sealed those before it too.
            self._failed = {n: text for n, text in self._failed.items() if n > self._number}
            if process.returncode == EXIT_NOT_REMOVED:
                path = self._folder.path
                self._not_removed = f"{path}: nothing was removed to keep the limits ({words})."
        else:
            self._note_failure(f"sealing ended with code {process.returncode} ({words})")
        self._process = None

    def _note_failure(self, what: str) -> None:
        self._retry_at_s = time.monotonic() + RETRY_INTERVAL_S
        journal = self._folder.journal(self._number)
        self._failed[self._number] = f"{journal}: {what}. The journal is kept."
