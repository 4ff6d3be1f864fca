"""Uploads to a real S3 server, with a proxy between that does what networks and stores do."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from cli.child_process import child_command
from recorder.recording_folder import RecordingFolder
from recorder.removals import RING, remove_numbers
from recorder.upload import Uploader, UploadState
from recorder.upload_errors import (
    OtherRecordingError,
    StoreFaultError,
    UploadAddressError,
    UploadInUseError,
)
from recorder.upload_ledger import LEDGER_NAME, UploadLedger, read_uploads
from recorder.upload_rounds import UploadRounds, UploadWord
from recorder.upload_store import UploadStore, checked_uri
from replay.recording import Recording
from tests.cli.commands import environment, flip_byte, run
from tests.recorder.s3_store import (
    KEYS,
    Answer,
    Asked,
    Bucket,
    Fault,
    FaultyProxy,
    Impatience,
    no_fault,
    s3_server,
)
from venues.frame import FrameKind

SAMPLE = Path(__file__).parents[2] / "sample_data" / "rough"
EXPECTED = msgspec.json.decode(SAMPLE.with_suffix(".expected.json").read_bytes())
HICCUP = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>sorry</Message></Error>"


@pytest.fixture(scope="module")
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


# All is well.


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


# What stores and networks do. Each of these ends whole, and nothing is believed before.


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


@pytest.mark.parametrize("times", [1, 5])
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


# A kill.


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


@pytest.mark.parametrize("at", [4, 8, 11])
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


# Removing what is there.


def removing(folder: RecordingFolder, uri: str) -> UploadState:
    uploader = Uploader(folder, UploadStore(uri), remove_local=True)
    try:
        return uploader.round()
    finally:
        uploader.close()


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
    bucket.ask("PUT", f"night/{path}", b"something else")
    before = local_files(folder)
    state = removing(folder, bucket.uri("night"))
    assert not state.complete
    assert local_files(folder) == before
    assert removing(folder, bucket.uri("night")).complete  # sent again, and only then removed


@pytest.mark.parametrize("at", [26, 28])
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


# What is refused.


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
    with pytest.raises(StoreFaultError, match="NO_SUCH_BUCKET"):
        upload(folder, uri)


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
