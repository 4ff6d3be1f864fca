"""`tickreel upload`: what is sealed of a recording to a store, proved to be there."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import click

from cli.options import json_option
from cli.report_text import byte_text, counted, printable_lines
from cli.stop_signals import EXIT_INTERRUPTED, stop_signals
from cli.terminal import print_json, warn

if TYPE_CHECKING:
    from pathlib import Path

    from recorder.upload import UploadState
    from recorder.upload_rounds import UploadWord

EXIT_INCOMPLETE = 3


class _Stop:
    """Waits until a signal, or (where a capture is followed) until nobody writes any more.

    A round may take hours, and a store that is mute half a minute for each word: a second signal
    ends the process at once, which costs no more than the file in work.
    """

    def __init__(self, lock: Path | None) -> None:
        self._asked = threading.Event()
        self._lock = lock
        for number in stop_signals():
            signal.signal(number, self._ask)

    def _ask(self, *_: object) -> None:
        if self._asked.is_set():
            os._exit(EXIT_INTERRUPTED)
        self._asked.set()
        warn("ends when this round is done; a second signal ends it at once.")

    def wait(self, seconds: float) -> bool:
        from recorder.recording_folder import is_locked

        asked = self._asked.wait(seconds)
        return asked or (self._lock is not None and not is_locked(self._lock))


@click.command(short_help="Bring a recording to S3 or another store.")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.argument("uri", metavar="URI")
@click.option("--follow", is_flag=True, help="Go on while a capture writes it; then once more.")
@click.option(
    "--remove-local", is_flag=True, help="Remove segments here once they are proved to be there."
)
@json_option
def upload(folder: str, uri: str, follow: bool, remove_local: bool, as_json: bool) -> None:
    """Bring what is sealed of a recording to a store, and prove that it is there.

    URI is the recording's own folder there: s3://BUCKET/FOLDER, gs://BUCKET/FOLDER, file:///FOLDER.
    Each file is read back and compared, SHA-256 by SHA-256, before it counts as uploaded, and what
    fails is tried again for as long as it takes. Keys come from the environment or the store's
    usual places (AWS_ACCESS_KEY_ID, AWS_PROFILE, ...). Nothing here is removed unless you say so.
    Exit code 3 says that something is not there yet; the same command goes on.
    """
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from recorder.recording_folder import RecordingFolder
    from recorder.upload import Uploader
    from recorder.upload_rounds import UploadRounds
    from recorder.upload_store import UploadStore

    place = RecordingFolder(Path(folder))
    uploader = Uploader(place, UploadStore(uri), remove_local=remove_local)
    try:
        rounds = UploadRounds(uploader, place, _say)
        stop = _Stop(place.lock if follow else None)
        # In a thread of its own, as no signal is heard in a thread that waits for a store.
        with ThreadPoolExecutor(1) as thread:
            going_on = rounds.follow if follow else rounds.until_complete
            state = thread.submit(going_on, stop).result()
    finally:
        uploader.close()
    journals = len(place.journal_numbers())
    if journals:
        warn(f"{counted(journals, 'journal')} not sealed, so not uploaded: run `tickreel recover`.")
    for path in state.damaged:
        warn(f"{path} is not what was sealed, so not uploaded: `tickreel audit` says more.")
    for path in state.missing:
        warn(f"{path} is missing, here and in the store: restore it, and run this again.")
    _finish(state, as_json=as_json)


def _say(word: UploadWord) -> None:
    for text in (word.fault, word.alarm):
        if text:
            warn(printable_lines(text))


def _finish(state: UploadState, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "segments": state.segments,
                "confirmed": state.confirmed,
                "waiting_bytes": state.waiting_bytes,
                "removed": state.removed,
                "damaged": list(state.damaged),
                "missing": list(state.missing),
            }
        )
    else:
        click.echo(upload_text(state))
    if not state.complete:
        click.get_current_context().exit(EXIT_INCOMPLETE)


def upload_text(state: UploadState) -> str:
    """Return the line that says how far an upload is."""
    text = f"{state.confirmed:,} of {counted(state.segments, 'segment')} uploaded and proved"
    if state.waiting_bytes:
        text += f", {byte_text(state.waiting_bytes)} to go"
    if state.removed:
        text += f", {state.removed:,} removed here"
    return text
