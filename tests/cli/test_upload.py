"""Uploads as a user does them: by hand, and beside a capture that must not feel them."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.child_process import child_command
from cli.upload_process import UploadProcess
from replay.market_simulator import SimulationSettings
from replay.recording import Recording
from replay.venue_server import VenueServer
from tests.cli.commands import LIMIT_S, environment, run, run_async
from tests.recorder.s3_store import KEYS, Asked, Bucket, FaultyProxy, s3_server
from tests.recorder.tiny_venue import until

SAMPLE = Path(__file__).parents[2] / "sample_data" / "calm"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


def same(copy: Path, original: Path) -> None:
    assert list(Recording.open(copy).verify()) == []
    assert list(Recording.open(copy)) == list(Recording.open(original))


def settings_file(folder: Path, url: str, uri: str) -> str:
    path = folder / "night.toml"
    path.write_text(
        f'[recording]\nfolder = "{folder / "night"}"\nrotate_interval_s = 0.5\nupload = "{uri}"\n'
        f'[[stream]]\nvenue = "reference"\nsymbols = ["BTCUSDT"]\nurl = "{url}"\n'
    )
    return str(path)


def test_a_recording_is_uploaded_said_and_removed_by_hand(tmp_path: Path) -> None:
    folder, there = tmp_path / "night", tmp_path / "there"
    shutil.copytree(SAMPLE, folder)
    done = run("upload", str(folder), there.as_uri())
    assert (done.code, done.out) == (0, "2 of 2 segments uploaded and proved\n"), done.err
    assert f"proved at {there.as_uri()}" in run("info", str(folder)).out
    same(there, SAMPLE)
    done = run("upload", str(folder), there.as_uri(), "--remove-local", "--json")
    assert done.json["removed"] == 2
    told = run("info", str(folder), "--scan", "--json").json
    assert told["removed_frames"] == {"uploaded": 3673}
    assert told["lost"] == 0
    assert run("audit", str(there)).code == 0
    assert run("recover", str(folder)).code == 0


def test_what_is_not_sealed_is_said(tmp_path: Path, recording: Path) -> None:
    (recording / "journal" / "000099.zst").write_bytes(b"")
    done = run("upload", str(recording), (tmp_path / "there").as_uri())
    assert "1 journal not sealed" in done.err


async def test_a_capture_uploads_beside_itself(tmp_path: Path, server: str) -> None:
    bucket = Bucket(server, "beside")
    async with VenueServer(SimulationSettings(), speed="15x") as exchange:
        settings = settings_file(tmp_path, exchange.url, bucket.uri("night"))
        done = await run_async("capture", settings, "--duration", "3s", "--json", env=KEYS)
    assert done.code == 0, done.err
    assert done.json["uploaded"]["confirmed"] == done.json["segments"] > 2, done.err
    for key in bucket.listing():
        path = tmp_path / "there" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        content = bucket.get(key)
        assert content is not None
        path.write_bytes(content)
    same(tmp_path / "there" / "night", tmp_path / "night")
    log = done.out + done.err + (tmp_path / "night" / "uploads.jsonl").read_text()
    assert not any(secret in log for name, secret in KEYS.items() if "SECRET" in name)


async def test_an_upload_whose_process_cannot_be_begun_is_told_of_and_tried_again(
    tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    upload = UploadProcess(recording, (tmp_path / "there").as_uri(), on_warning=told.append)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "no-interpreter"))
        upload.start()
        await until(lambda: bool(told), LIMIT_S)
    assert told == ["the upload's process could not be begun (No such file or directory)."]
    await until(lambda: upload.state.confirmed > 0, LIMIT_S)
    assert (await upload.finish(5.0)).confirmed == len(Recording.open(recording).segments)


def received_frames(folder: Path) -> int:
    if not (folder / "recording.json").exists():
        return 0
    return sum(frame.received for frame in Recording.open(folder))


@pytest.mark.parametrize("store", ["mute", "other recording"])
async def test_a_store_that_fails_costs_a_capture_nothing(
    tmp_path: Path, server: str, store: str
) -> None:
    uri = ""
    if store == "other recording":
        shutil.copytree(SAMPLE, tmp_path / "there")
        uri = (tmp_path / "there").as_uri()
    over = threading.Event()

    def mute(asked: Asked, forward: object) -> None:
        over.wait(30)

    with FaultyProxy(server, mute).standing() as proxy:
        if store == "mute":
            uri = f"s3://bucket/night?endpoint_override={proxy.address}&scheme=http"
        async with VenueServer(SimulationSettings(), speed="15x") as exchange:
            settings = settings_file(tmp_path, exchange.url, uri)
            process = await asyncio.create_subprocess_exec(
                *child_command("cli", "capture", settings, "--json", "--no-engine"),
                env=environment(**KEYS),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            await until(lambda: received_frames(tmp_path / "night") > 100, LIMIT_S)
            process.send_signal(signal.SIGTERM)
            out, err = await asyncio.wait_for(process.communicate(), 20)
        over.set()
    assert process.returncode == 0, err
    assert b"uploaded" in err or b"another recording" in err
    assert list(Recording.open(tmp_path / "night").verify()) == []
    assert received_frames(tmp_path / "night") > 100
    assert b'"lost": 0' in out
    assert not (tmp_path / "there" / "uploads.jsonl").exists()


def test_a_second_signal_ends_an_upload_that_waits_for_a_mute_store(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "night")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        process = subprocess.Popen(
            child_command(
                "cli",
                "upload",
                str(tmp_path / "night"),
                f"s3://bucket/night?endpoint_override=127.0.0.1:{port}&scheme=http",
            ),
            env=environment(**KEYS),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        asked, _ = mute.accept()
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "a second signal ends it at once" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
        asked.close()
    assert (process.returncode, out, err) == (130, "", "")
    assert list(Recording.open(tmp_path / "night").verify()) == []
