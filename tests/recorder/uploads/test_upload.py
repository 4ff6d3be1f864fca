"""Uploads to a real S3 server: what is there is the recording, and what is refused."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from recorder.recording import RecordingWriter
from recorder.recording_folder import RecordingFolder
from recorder.upload import Uploader, upload_state
from recorder.upload_errors import (
    OtherRecordingError,
    StoreFaultError,
    UploadAddressError,
    UploadInUseError,
)
from recorder.upload_ledger import LEDGER_NAME
from recorder.upload_rounds import UploadRounds, UploadWord
from recorder.upload_store import Content, UploadStore, checked_uri, refusal
from replay.recording import Recording
from tests.cli.commands import flip_byte
from tests.recorder.made_frames import made_frames
from tests.recorder.s3_store import (
    Bucket,
    FaultyProxy,
    Impatience,
)
from tests.recorder.sealing_in_line import SealingInLine
from tests.recorder.uploads.scene import (
    SAMPLE,
    Once,
    download,
    local_files,
    removing,
    same,
    upload,
)


def test_what_is_downloaded_is_the_recording(
    folder: RecordingFolder, bucket: Bucket, tmp_path: Path
) -> None:
    before = local_files(folder)
    state, words = upload(folder, bucket.uri("night"))
    assert state.complete
    assert state.confirmed == state.segments == len(Recording.open(folder.path).segments) > 0
    assert [word.fault for word in words] == [""]
    same(download(bucket, tmp_path / "there"), folder.path)
    assert local_files(folder) == before


def test_what_is_there_is_not_sent_again(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy
) -> None:
    upload(folder, bucket.uri("night", proxy.address))
    asked = len(proxy.asked)
    upload(folder, bucket.uri("night", proxy.address))
    assert {one.method for one in proxy.asked[asked:]} <= {"HEAD", "GET"}
    (folder.path / LEDGER_NAME).unlink()
    asked = len(proxy.asked)
    state, _ = upload(folder, bucket.uri("night", proxy.address))
    assert state.complete
    assert not any(one.sends_part and "/frames/" in one.path for one in proxy.asked[asked:])


def test_a_folder_of_ones_own_is_a_store_too(folder: RecordingFolder, tmp_path: Path) -> None:
    there = tmp_path / "disk" / "night"
    state, _ = upload(folder, there.as_uri())
    assert state.complete
    same(there, folder.path)


def test_a_damaged_segment_is_named_and_neither_sent_nor_removed(
    folder: RecordingFolder, bucket: Bucket
) -> None:
    entry = Recording.open(folder.path).segments[0]
    flip_byte(folder.path / entry.path, 1000)
    state, _ = upload(folder, bucket.uri("night"))
    assert state.damaged == (entry.path,)
    assert not state.complete
    assert state.confirmed == state.segments - 1
    assert bucket.get(f"night/{entry.path}") is None


def test_a_missing_segment_is_named_and_the_others_are_brought(
    folder: RecordingFolder, tmp_path: Path
) -> None:
    entry = Recording.open(folder.path).segments[0]
    (folder.path / entry.path).unlink()
    there = (tmp_path / "there").as_uri()
    state, _ = upload(folder, there)
    assert state.missing == upload_state(folder, there).missing == (entry.path,)
    assert not state.complete
    assert state.confirmed == state.segments - 1 > 0
    assert state.waiting_bytes == 0


def test_a_segment_that_is_missing_here_is_found_in_the_store(
    folder: RecordingFolder, tmp_path: Path
) -> None:
    there = (tmp_path / "there").as_uri()
    upload(folder, there)
    entry = Recording.open(folder.path).segments[0]
    (folder.path / entry.path).unlink()
    (folder.path / LEDGER_NAME).unlink()
    state, _ = upload(folder, there)
    assert state.complete
    assert state.missing == ()


def test_two_recordings_cannot_lie_at_one_address(
    folder: RecordingFolder, bucket: Bucket, tmp_path: Path
) -> None:
    upload(folder, bucket.uri("night"))
    keys = bucket.listing()
    shutil.copytree(SAMPLE.parent / "calm", tmp_path / "calm")
    other = RecordingFolder(tmp_path / "calm")
    with pytest.raises(OtherRecordingError, match="a folder of its own"):
        upload(other, bucket.uri("night"))
    assert bucket.listing() == keys
    same(download(bucket, tmp_path / "there"), folder.path)


def test_two_uploads_of_one_recording_are_refused(folder: RecordingFolder) -> None:
    uploader = Uploader(folder, UploadStore("s3://b/night"))
    with pytest.raises(UploadInUseError):
        Uploader(folder, UploadStore("s3://b/night"))
    uploader.close()
    Uploader(folder, UploadStore("s3://b/night")).close()


@pytest.mark.parametrize(
    "uri",
    [
        "s3://AKIDSECRETKEY:hush-hush-hush@bucket/night",
        "s3://bucket/night?access_key=AKIDSECRETKEY&secret_key=hush-hush-hush",
        "s3://bucket/night?session_token=hush-hush-hush",
        "abfs://bucket/night?sas_token=hush-hush-hush",
    ],
)
def test_an_address_with_keys_is_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(UploadAddressError) as refused:
        checked_uri(uri)
    assert "hush" not in str(refused.value)
    assert "AKIDSECRETKEY" not in str(refused.value)


@pytest.mark.parametrize("uri", ["night", "ftp://host/night", "file://", "s3://", "s3://[/x"])
def test_what_is_no_address_is_refused(uri: str) -> None:
    with pytest.raises(UploadAddressError):
        checked_uri(uri)


def test_a_bucket_that_is_not_there_is_said_at_once(folder: RecordingFolder, server: str) -> None:
    uri = f"s3://no-such-bucket/night?endpoint_override={server}&scheme=http"
    with pytest.raises(StoreFaultError, match="there is no such bucket: make it") as refused:
        upload(folder, uri)
    assert "NO_SUCH_BUCKET" in str(refused.value)


def test_keys_that_are_refused_are_said_at_once_with_what_to_set(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy
) -> None:
    proxy.fault = Once(lambda asked: True, (403, b""), -1)
    with pytest.raises(StoreFaultError, match="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        upload(folder, bucket.uri("night", proxy.address))


def test_a_bucket_that_amazon_does_not_find_is_a_refusal_that_does_not_pass() -> None:
    # As pyarrow's resolve_s3_region words it, which asks Amazon and no other store.
    assert "make it" in refusal("Bucket 'no-such-bucket' not found")
    assert refusal("AWS Error NETWORK_CONNECTION during HeadBucket operation") == ""


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("s3:///night", "it names no bucket"),
        ("s3:bucket/night", "it names no bucket"),
        ("gs://", "it names no bucket"),
        ("s3://bu!cket/night", "'bu!cket' cannot be the name of a bucket"),
    ],
)
def test_an_address_without_a_bucket_is_refused_before_anything_is_tried(
    uri: str, reason: str
) -> None:
    with pytest.raises(UploadAddressError, match=reason):
        checked_uri(uri)


def test_a_disk_that_fills_while_uploads_wait_is_an_alarm(
    folder: RecordingFolder, bucket: Bucket, proxy: FaultyProxy
) -> None:
    proxy.fault = Once(lambda asked: "/frames/" in asked.path, (503, b""), -1)
    words: list[UploadWord] = []
    uploader = Uploader(folder, UploadStore(bucket.uri("night", proxy.address)))
    rounds = UploadRounds(
        uploader, folder, words.append, chance=random.Random(1), watermark_bytes=1 << 62
    )
    before = local_files(folder)
    rounds.until_complete(Impatience(1))
    uploader.close()
    assert ["left on the disk" in word.alarm for word in words] == [True, False]
    assert local_files(folder) == before


class _Meanwhile(UploadStore):
    """A store that takes its time: something happens while it takes the first segment."""

    def __init__(self, uri: str, meanwhile: Callable[[], None]) -> None:
        super().__init__(uri)
        self._meanwhile: Callable[[], None] | None = meanwhile
        self.put_paths: list[str] = []

    def put(self, path: str, source: IO[bytes]) -> Content:
        if self._meanwhile is not None and path.startswith("frames/"):
            meanwhile, self._meanwhile = self._meanwhile, None
            meanwhile()
        self.put_paths.append(path)
        if path == "manifest.jsonl":
            listed = [json.loads(line)["path"] for line in source]
            source.seek(0)
            assert set(listed) <= set(self.put_paths)
        return super().put(path, source)


def test_the_manifest_there_never_lists_what_was_sealed_while_others_were_sent(
    tmp_path: Path,
) -> None:
    frames = made_frames(400)
    writer = RecordingWriter.create(tmp_path / "night", asked_for={}, sealing_queue=SealingInLine)

    def seal(first: int, last: int) -> None:
        for begin in range(first, last, 20):
            writer.write(frames[begin : begin + 20])
            writer.rotate()

    seal(0, 320)
    place = RecordingFolder(tmp_path / "night")
    there = tmp_path / "there"
    store = _Meanwhile(there.as_uri(), lambda: seal(320, 400))
    uploader = Uploader(place, store)
    state = uploader.round()
    assert store.put_paths[-1] == "manifest.jsonl"
    assert (state.confirmed, state.segments) == (16, 20)
    assert list(Recording.open(there)) == frames[:320]
    assert uploader.round().complete
    uploader.close()
    writer.close()
    same(there, tmp_path / "night")


def test_a_store_that_was_emptied_is_filled_again_and_what_is_nowhere_is_missing(
    folder: RecordingFolder, bucket: Bucket, tmp_path: Path
) -> None:
    uri = bucket.uri("night")
    assert upload(folder, uri)[0].complete
    for key in bucket.listing():
        assert bucket.ask("DELETE", key)[0] == 204
    state, _ = upload(folder, uri)
    assert state.complete
    same(download(bucket, tmp_path / "there"), folder.path)
    assert removing(folder, uri).removed == state.segments
    entry = Recording.open(tmp_path / "there" / "night").segments[0]
    assert bucket.ask("DELETE", f"night/{entry.path}")[0] == 204
    state, _ = upload(folder, uri)
    assert (state.missing, state.complete) == ((entry.path,), False)
    assert upload_state(folder, uri).missing == (entry.path,)
    other, _ = upload(folder, (tmp_path / "elsewhere").as_uri())
    assert (other.segments, other.missing) == (1, (entry.path,))


def test_an_object_that_has_become_another_is_sent_again(
    folder: RecordingFolder, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    assert upload(folder, there.as_uri())[0].complete
    path = there / Recording.open(folder.path).segments[0].path
    path.write_bytes(path.read_bytes()[:-1])
    assert upload(folder, there.as_uri())[0].complete
    same(there, folder.path)
