"""What stores and networks do: each of these ends whole, and nothing is believed before."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.recording_folder import RecordingFolder
from recorder.upload import Uploader, UploadState
from recorder.upload_errors import (
    StoreFaultError,
)
from recorder.upload_rounds import UploadRounds
from recorder.upload_store import UploadStore
from tests.recorder.s3_store import (
    Answer,
    Asked,
    Bucket,
    FaultyProxy,
    Impatience,
)
from tests.recorder.uploads.scene import (
    HICCUP,
    Once,
    download,
    local_files,
    same,
    upload,
)


@pytest.mark.parametrize("times", [3])
def test_a_success_that_holds_an_error_is_no_success(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy, tmp_path: Path, times: int
) -> None:
    fault = Once(lambda asked: asked.completes, (200, HICCUP), times)
    proxy.fault = fault
    state, _ = upload(folder, bucket.uri("night", proxy.address), rests=60)
    assert state.complete
    assert fault.left == 0
    same(download(bucket, tmp_path / "there"), folder.path)


def test_a_store_that_never_keeps_what_it_confirms_never_counts(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy
) -> None:
    before = local_files(folder)
    proxy.fault = Once(
        lambda asked: asked.completes and "/frames/" in asked.path, (200, HICCUP), -1
    )
    state, words = upload(folder, bucket.uri("night", proxy.address), rests=3)
    assert state.confirmed == 0
    assert all(word.fault for word in words)
    assert local_files(folder) == before


def test_an_object_cut_short_is_noticed_and_sent_again(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy, tmp_path: Path
) -> None:
    cut: list[str] = []

    def cutting(asked: Asked, forward: Callable[[], Answer]) -> Answer | None:
        answer = forward()
        key = asked.path.partition("?")[0].removeprefix(f"/{bucket.name}/").replace("%3D", "=")
        if asked.completes and key not in cut:
            cut.append(key)
            content = bucket.get(key)
            assert content
            bucket.ask("PUT", key, content[:-1])
        return answer

    proxy.fault = cutting
    state, words = upload(folder, bucket.uri("night", proxy.address))
    assert state.complete
    assert len(cut) == state.segments + 2  # the description and the manifest too
    assert sum("gives back" in word.fault for word in words) == len(cut)
    same(download(bucket, tmp_path / "there"), folder.path)


def test_a_line_cut_after_the_last_part_is_one_upload(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy, tmp_path: Path
) -> None:
    """The store has completed it, but nobody heard: the client completes again, and is refused."""
    deaf: list[str] = []

    def hang_up(asked: Asked, forward: Callable[[], Answer]) -> Answer | None:
        answer = forward()
        if asked.completes and len(deaf) < 3:
            deaf.append(asked.path)
            return None
        return answer

    proxy.fault = hang_up
    state, _ = upload(folder, bucket.uri("night", proxy.address))
    assert state.complete
    assert len(deaf) == 3
    same(download(bucket, tmp_path / "there"), folder.path)


def test_completing_twice_changes_nothing(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy, tmp_path: Path
) -> None:
    def twice(asked: Asked, forward: Callable[[], Answer]) -> Answer | None:
        answer = forward()
        if asked.completes:
            forward()
        return answer

    proxy.fault = twice
    state, _ = upload(folder, bucket.uri("night", proxy.address))
    assert state.complete
    same(download(bucket, tmp_path / "there"), folder.path)


def test_a_store_that_is_away_for_long_is_asked_again_and_again(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy, tmp_path: Path
) -> None:
    fault = Once(lambda asked: True, (503, b""), 9)
    proxy.fault = fault
    state, words = upload(folder, bucket.uri("night", proxy.address), rests=60)
    assert state.complete
    assert any(word.fault for word in words)
    same(download(bucket, tmp_path / "there"), folder.path)


def test_a_slow_store_is_waited_for(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy, tmp_path: Path
) -> None:
    pause = threading.Event()

    def slow(asked: Asked, forward: Callable[[], Answer]) -> Answer | None:
        pause.wait(0.03)
        return forward()

    proxy.fault = slow
    state, words = upload(folder, bucket.uri("night", proxy.address), rests=0)
    assert state.complete
    assert [word.fault for word in words] == [""]
    same(download(bucket, tmp_path / "there"), folder.path)


def test_rests_grow_and_are_spread_over_all_of_their_length(folder: RecordingFolder) -> None:
    store = UploadStore("s3://nowhere/night?endpoint_override=127.0.0.1:9&scheme=http")
    uploader = Uploader(folder, store)

    def down() -> UploadState:
        raise StoreFaultError("night", "away.")

    uploader.round = down  # type: ignore[method-assign]
    patience = Impatience(400)
    UploadRounds(uploader, folder, lambda word: None, chance=random.Random(5)).until_complete(
        patience
    )
    uploader.close()
    assert all(
        rest_s <= limit_s
        for rest_s, limit_s in zip(patience.rests_s, (1, 2, 4, 8, 16, 32), strict=False)
    )
    settled = patience.rests_s[6:]
    assert max(settled) <= 60
    assert min(settled) < 3
    assert 27 < sum(settled) / len(settled) < 33
