"""Kills and removals: whatever happens between an upload and a removal, nothing is lost."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path

import pytest

from recorder.recording_folder import RecordingFolder
from recorder.removals import RING, remove_numbers
from recorder.upload import Uploader
from recorder.upload_ledger import LEDGER_NAME, UploadLedger, read_uploads
from recorder.upload_store import UploadStore
from replay.recording import Recording
from tests.cli.commands import run
from tests.recorder.s3_store import (
    Bucket,
    FaultyProxy,
    no_fault,
)
from tests.recorder.uploads.scene import (
    EXPECTED,
    download,
    killing,
    local_files,
    removing,
    same,
    upload,
    upload_process,
)
from venues.frame import FrameKind


@pytest.mark.parametrize("at", [4, 11])
def test_an_upload_that_is_killed_goes_on(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy, tmp_path: Path, at: int
) -> None:
    """Killed when its request number `at` has been carried out, before it hears of it."""
    before = local_files(folder)
    process = upload_process(folder, bucket.uri("night", proxy.address))
    proxy.fault = killing(process, at)
    assert process.wait(30) == -signal.SIGKILL
    assert local_files(folder) == before
    held = {one.path for one in read_uploads(folder.path)}
    proxy.fault = no_fault
    asked = len(proxy.asked)
    state, _ = upload(folder, bucket.uri("night", proxy.address))
    assert state.complete
    sent = {one.path.partition("?")[0] for one in proxy.asked[asked:] if one.sends_part}
    assert not any(path.replace("%3D", "=").endswith(tuple(held)) for path in sent if held)
    same(download(bucket, tmp_path / "there"), folder.path)


def test_a_ledger_cut_anywhere_or_altered_costs_no_more_than_another_look(
    folder: RecordingFolder, tmp_path: Path
) -> None:
    uri = (tmp_path / "disk" / "night").as_uri()
    upload(folder, uri)
    whole = (folder.path / LEDGER_NAME).read_bytes()
    chance = random.Random(3)
    for _ in range(60):
        cut = bytearray(whole[: chance.randrange(len(whole) + 1)])
        if cut and chance.random() < 0.5:
            cut[chance.randrange(len(cut))] ^= 1 << chance.randrange(8)
        (folder.path / LEDGER_NAME).write_bytes(cut)
        ledger = UploadLedger(folder.path, uri)
        ledger.add("made", 3, "ab", 7)
        assert read_uploads(folder.path)[-1].path == "made"
        assert UploadLedger(folder.path, uri).holds("made", "ab")
    state, _ = upload(folder, uri)
    assert state.complete


def test_what_is_removed_here_is_whole_there(
    folder: RecordingFolder, bucket: Bucket, tmp_path: Path
) -> None:
    shutil.copytree(folder.path, tmp_path / "original")
    state = removing(folder, bucket.uri("night"))
    assert state.removed == state.confirmed == state.segments
    assert folder.segment_paths() == []
    (left,) = Recording.open(folder.path)
    assert left.kind is FrameKind.LOST
    copy = download(bucket, tmp_path / "there")
    same(copy, tmp_path / "original")
    audited = run("audit", str(copy), "--json")
    assert audited.json["state_digest"] == EXPECTED["state_digest"]
    assert removing(folder, bucket.uri("night")).complete


def test_what_is_gone_from_the_store_is_not_removed_here(
    folder: RecordingFolder, bucket: Bucket
) -> None:
    upload(folder, bucket.uri("night"))
    path = folder.segment_paths()[0]

    class Overwritten(UploadStore):
        def sizes_bytes(self) -> dict[str, int]:
            there = super().sizes_bytes()
            bucket.ask("PUT", f"night/{path}", b"something else")
            return there

    before = local_files(folder)
    uploader = Uploader(folder, Overwritten(bucket.uri("night")), remove_local=True)
    assert not uploader.round().complete
    uploader.close()
    assert local_files(folder) == before
    assert removing(folder, bucket.uri("night")).complete  # sent again, and only then removed


@pytest.mark.parametrize("at", [28])
def test_a_kill_while_it_removes_loses_nothing(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy, tmp_path: Path, at: int
) -> None:
    shutil.copytree(folder.path, tmp_path / "original")
    process = upload_process(folder, bucket.uri("night", proxy.address), "--remove-local")
    proxy.fault = killing(process, at)
    process.wait(30)
    if folder.segment_paths():
        same(folder.path, tmp_path / "original")
    proxy.fault = no_fault
    assert removing(folder, bucket.uri("night", proxy.address)).complete
    same(download(bucket, tmp_path / "there"), tmp_path / "original")


def test_what_was_dropped_before_it_was_uploaded_is_said_in_the_copy(
    folder: RecordingFolder, bucket: Bucket, tmp_path: Path
) -> None:
    remove_numbers(folder, [1], RING, 7)
    state, _ = upload(folder, bucket.uri("night"))
    assert state.complete
    same(download(bucket, tmp_path / "there"), folder.path)
