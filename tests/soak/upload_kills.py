"""An upload killed at each of its requests: `python -m tests.soak.upload_kills [--remove-local]`.

For every n: a fresh copy of a sample is uploaded to a real S3 server and killed (SIGKILL) once its
n-th request has been carried out, before it hears of it; then the upload is run again. Each time
the recording is whole here or there, and whole there at the end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from recorder.recording_folder import RecordingFolder
from tests.recorder.s3_store import KEYS, Bucket, FaultyProxy, no_fault, s3_server
from tests.recorder.uploads.scene import (
    SAMPLE,
    download,
    killing,
    removing,
    same,
    upload,
    upload_process,
)


def main() -> None:
    """Kill at each request until an upload comes to its end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--remove-local", action="store_true")
    remove_local = parser.parse_args().remove_local
    os.environ.update(KEYS)
    kills = 0
    with s3_server() as server, FaultyProxy(server).standing() as proxy:
        for at in range(10_000):
            with tempfile.TemporaryDirectory() as place:
                if not _killed(Path(place), Bucket(server, f"kill{at}"), proxy, at, remove_local):
                    break
            kills += 1
    print(f"{kills} kills, one at each request; 0 frames lost, 0 copies that are not whole")


def _killed(place: Path, bucket: Bucket, proxy: FaultyProxy, at: int, remove_local: bool) -> bool:
    shutil.copytree(SAMPLE, place / "night")
    folder, uri = RecordingFolder(place / "night"), bucket.uri("night", proxy.address)
    proxy.asked.clear()
    process = upload_process(folder, uri, *(["--remove-local"] if remove_local else []))
    proxy.fault = killing(process, at)
    ended_by_itself = process.wait() == 0
    proxy.fault = no_fault
    if not remove_local:
        same(folder.path, SAMPLE)
    state = removing(folder, uri) if remove_local else upload(folder, uri)[0]
    assert state.complete
    same(download(bucket, place / "there"), SAMPLE)
    return not ended_by_itself


if __name__ == "__main__":
    main()
