"""Sealing in processes of their own, one after the other, beside a recorder that never waits.

Theory. A number is waiting, then in work, then done or a fault. One process at a time: two would
take the recorder's processor. It works whatever the recorder's own folder and search path are, and
a Ctrl-C at the terminal is not for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import recorder
from recorder.recording_folder import RecordingFolder
from recorder.retention import Keep

EXIT_NOT_REMOVED = 3
"""All was sealed, and what is not to be kept any more could not be removed."""


class SealingQueue:
    """Journals to be sealed. `faults` holds a sentence for each sealing that failed.

    What is beyond the limits `keeps` is removed after each, by the same process.
    """

    def __init__(self, folder: RecordingFolder, keeps: Sequence[Keep] = ()) -> None:
        self.faults: list[str] = []
        self._folder = folder
        self._keeps = keeps
        self._waiting: deque[int] = deque()
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0

    def add(self, number: int) -> None:
        """Let journal `number` wait for its turn; `advance` begins it."""
        self._waiting.append(number)

    def advance(self) -> None:
        """Note the end of the process in work, if it has ended, and begin the next; never waits."""
        if self._process is not None and self._process.poll() is not None:
            self._note_end(self._process)
        if self._process is None and self._waiting:
            self._begin(self._waiting.popleft())

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
        self._process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            [
                *(sys.executable, "-P", "-m", "recorder.sealing"),
                *(str(self._folder.path), str(number), *limits),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": search_path.rstrip(os.pathsep)},
            start_new_session=True,
        )

    def _note_end(self, process: subprocess.Popen[bytes]) -> None:
        said = b""
        if process.stdout is not None:
            said = process.stdout.read()
            process.stdout.close()
        if process.returncode != 0:
            last = said.decode("utf-8", "backslashreplace").strip().splitlines()[-1:]
            words = last[0][:500] if last else "it said nothing"
            if process.returncode == EXIT_NOT_REMOVED:
                fault = f"{self._folder.path}: nothing was removed to keep the limits ({words})."
            else:
                fault = (
                    f"{self._folder.journal(self._number)}: sealing ended with code "
                    f"{process.returncode} ({words}). The journal is kept."
                )
            self.faults.append(fault)
        self._process = None
