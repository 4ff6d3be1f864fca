"""What the tests of uploads share: an upload, its copy, and faults that happen so many times."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec

from cli.child_process import child_command
from recorder.recording_folder import RecordingFolder
from recorder.upload import Uploader, UploadState
from recorder.upload_ledger import LEDGER_NAME
from recorder.upload_rounds import UploadRounds, UploadWord
from recorder.upload_store import UploadStore
from replay.recording import Recording
from tests.cli.commands import environment
from tests.recorder.s3_store import (
    KEYS,
    Answer,
    Asked,
    Bucket,
    Fault,
    Impatience,
)

SAMPLE = Path(__file__).parents[3] / "sample_data" / "rough"
EXPECTED = msgspec.json.decode(SAMPLE.with_suffix(".expected.json").read_bytes())
HICCUP = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>sorry</Message></Error>"


def upload(
    folder: RecordingFolder, uri: str, *, rests: int = 20
) -> tuple[UploadState, list[UploadWord]]:
    """Upload with a patience of so many rests."""
    words: list[UploadWord] = []
    uploader = Uploader(folder, UploadStore(uri))
    try:
        rounds = UploadRounds(uploader, folder, words.append, chance=random.Random(1))
        return rounds.until_complete(Impatience(rests)), words
    finally:
        uploader.close()


def download(bucket: Bucket, to: Path) -> Path:
    for key in bucket.listing():
        content = bucket.get(key)
        assert content is not None
        path = to / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return to / "night"


def same(copy: Path, original: Path) -> None:
    """Check that a copy is the recording, to the byte and by its own hashes."""
    recording = Recording.open(copy)
    assert list(recording.verify()) == []
    assert list(recording) == list(Recording.open(original))
    assert recording.description == Recording.open(original).description


def local_files(folder: RecordingFolder) -> dict[str, bytes]:
    return {
        path.relative_to(folder.path).as_posix(): path.read_bytes()
        for path in folder.path.rglob("*")
        if path.is_file() and path.name not in (LEDGER_NAME, ".upload-lock")
    }


class Once:
    """Does wrong at each of the first `times` requests that it is about."""

    def __init__(self, about: Callable[[Asked], bool], wrong: Answer | None, times: int) -> None:
        self._about = about
        self._wrong = wrong
        self.left = times

    def __call__(self, asked: Asked, forward: Callable[[], Answer]) -> Answer | None:
        if self.left and self._about(asked):
            self.left -= 1
            return self._wrong
        return forward()


def upload_process(folder: RecordingFolder, uri: str, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        child_command("cli", "upload", str(folder.path), uri, *more),
        env=environment(**KEYS),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def killing(process: subprocess.Popen[bytes], at: int) -> Fault:
    def kill(asked: Asked, forward: Callable[[], Answer]) -> Answer | None:
        answer = forward()
        if asked.number == at:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        return answer

    return kill


def removing(folder: RecordingFolder, uri: str) -> UploadState:
    uploader = Uploader(folder, UploadStore(uri), remove_local=True)
    try:
        return uploader.round()
    finally:
        uploader.close()
