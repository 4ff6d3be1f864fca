"""The upload beside a capture, in a process of its own: `python -m cli.live_upload DIR URI`.

It says `UploadWord`s on stdout, a JSON object a line, and ends after the end of its stdin, having
taken what the capture sealed last. It gives way to the recorder: lower priority, no signal of the
terminal, no lock that the recorder waits for. `--remove-local` is as with `tickreel upload`.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from pathlib import Path

import msgspec

from cli.stop_signals import terminal_signals
from recorder.recording_folder import RecordingFolder
from recorder.upload import Uploader
from recorder.upload_errors import UploadInUseError
from recorder.upload_rounds import LOOK_INTERVAL_S, UploadRounds, UploadWord
from recorder.upload_store import UploadStore
from venues.errors import TickreelError

_NICENESS = 10


class _Stdin:
    """Waits for the end of stdin."""

    def wait(self, seconds: float) -> bool:
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            readable, _, _ = select.select([0], [], [], left_s)
            if readable and not os.read(0, 4096):
                return True
        return False


def main(arguments: list[str]) -> int:
    """Upload until stdin ends; exit code 0 where all that is sealed is there."""
    for number in terminal_signals():
        signal.signal(number, signal.SIG_IGN)  # whoever started us closes our stdin
    os.nice(_NICENESS)
    remove_local = "--remove-local" in arguments
    folder, uri = [text for text in arguments if text != "--remove-local"]
    place, stdin = RecordingFolder(Path(folder)), _Stdin()
    try:
        uploader = _begin(place, uri, stdin, remove_local=remove_local)
        state = UploadRounds(uploader, place, _say).follow(stdin)
    except TickreelError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0 if state.complete else 1


def _begin(place: RecordingFolder, uri: str, stdin: _Stdin, *, remove_local: bool) -> Uploader:
    """Return the uploader, as soon as no other has the recording: that of a killed capture, say."""
    while True:
        try:
            return Uploader(place, UploadStore(uri), remove_local=remove_local)
        except UploadInUseError:
            if stdin.wait(LOOK_INTERVAL_S):
                raise


def _say(word: UploadWord) -> None:
    sys.stdout.write(msgspec.json.encode(word).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
