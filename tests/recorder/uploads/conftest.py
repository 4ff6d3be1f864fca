"""A real S3 server, a bucket on it, a proxy before it, and a recording to upload."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.recording_folder import RecordingFolder
from tests.recorder.s3_store import (
    KEYS,
    Bucket,
    FaultyProxy,
    s3_server,
)
from tests.recorder.uploads.scene import SAMPLE


@pytest.fixture(scope="package")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bucket(server: str, request: pytest.FixtureRequest) -> Bucket:
    return Bucket(server, f"b{abs(hash(request.node.name))}")


@pytest.fixture
def proxy(server: str) -> Iterator[FaultyProxy]:
    with FaultyProxy(server).standing() as proxy:
        yield proxy


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    shutil.copytree(SAMPLE, tmp_path / "night")
    return RecordingFolder(tmp_path / "night")
