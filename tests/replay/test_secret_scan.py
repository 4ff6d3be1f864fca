"""What was put into a recording by hand is found, masked; what exchanges really send is none."""

from __future__ import annotations

import base64
import gzip
import json
import random
import shutil
import string
import urllib.parse
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from recorder.recording import RecordingWriter
from replay.secret_patterns import sights
from replay.secret_scan import SecretFound, SecretScan
from tests.cli.commands import run
from tests.real_data import REAL_DATA, needs_real_data
from venues.frame import Frame, FrameKind

SAMPLES = Path(__file__).parents[2] / "sample_data"
KEY = "hT9/xQ+2mZr7LbV4kPa81nWcYe06Dg3J"
RANDOM = random.Random(11)


def letters(count: int) -> str:
    return "".join(RANDOM.choice(string.ascii_letters + string.digits) for _ in range(count))


LIKELY = {
    "header bearer": f"Authorization: Bearer {letters(40)}",
    "header basic": f'{{"authorization":"Basic {letters(30)}=="}}',
    "header of aws": f"authorization: AWS4-HMAC-SHA256 Credential={letters(30)}/x",
    "header of okx": f"OK-ACCESS-KEY: {letters(8)}-{letters(12)}-{letters(12)}",
    "header of binance": f"X-MBX-APIKEY: {letters(64)}",
    "header of coinbase": f"CB-ACCESS-SIGN: {letters(43)}=",
    "json key": json.dumps({"apiKey": letters(32)}),
    "json secret": json.dumps({"api_secret": letters(40)}),
    "json passphrase": json.dumps({"op": "login", "args": [{"passphrase": letters(20)}]}),
    "json signature": json.dumps({"params": {"signature": letters(64)}}),
    "json token": json.dumps({"access_token": letters(60)}),
    "json in json": json.dumps({"echo": json.dumps({"secretKey": letters(40)})}),
    "json listen key": json.dumps({"listenKey": letters(64)}),
    "query signature": f"GET /api?timestamp=1&signature={letters(64)}",
    "query key": f"https://host/path?symbol=BTC&apikey={letters(32)}",
    "query of no name": f"wss://host/private?t={letters(40)}",
    "query escaped": f"wss:\\/\\/host\\/private?t={letters(40)}",
    "form": f"nonce=1&api_key={letters(32)}",
    "listen key address": f"wss://stream.host.com:9443/ws/{letters(64)}",
    "listen key stream": f'{{"url":"wss://stream.host.com/stream/{letters(64)}"}}',
    "pem": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----",
    "pem in json": json.dumps({"k": "-----BEGIN PRIVATE KEY-----\nMIGH\n"}),
    "jwt": f"eyJ{letters(30)}.eyJ{letters(80)}.{letters(43)}",
    "aws key": "AKIA" + letters(16).upper(),
    "python repr": f"{{'api-key': '{letters(32)}'}}",
}
SPELLED: dict[str, Callable[[str], bytes]] = {
    "raw": str.encode,
    "in words": lambda key: f"the key {key}, is wrong".encode(),
    "in a json text": lambda key: json.dumps({"x": key}).encode(),
    "slashes escaped": lambda key: json.dumps({"x": key}).replace("/", "\\/").encode(),
    "for a URL": lambda key: urllib.parse.quote(key, safe="").encode(),
    "for a URL, small": lambda key: (
        urllib.parse.quote(key, safe="").lower().encode()
        if key.islower()
        else urllib.parse.quote(key, safe="").replace("%2F", "%2f").replace("%2B", "%2b").encode()
    ),
    "escaped as .NET does": lambda key: key.replace("+", "\\u002B").encode(),
    "escaped as Java's Gson does": lambda key: (
        key.replace("/", "\\/").replace("+", "\\u002b").encode()
    ),
    "escaped twice": lambda key: key.replace("/", "\\\\u002F").encode(),
    "hex": lambda key: key.encode().hex().encode(),
    "capital hex": lambda key: key.encode().hex().upper().encode(),
    "base64": lambda key: base64.b64encode(key.encode()),
    "base64, one before": lambda key: base64.b64encode(b":" + key.encode() + b"xyz"),
    "base64, two before": lambda key: base64.b64encode(b"k:" + key.encode() + b"\0"),
    "base64 for a URL": lambda key: base64.urlsafe_b64encode(b"user:" + key.encode()),
}
PLACES: dict[str, tuple[FrameKind, Callable[[bytes], bytes]]] = {
    "text": (FrameKind.TEXT, bytes),
    "binary": (FrameKind.BINARY, lambda content: b"\0\1" + content),
    "gzip": (FrameKind.BINARY, gzip.compress),
    "gzip in two members": (
        FrameKind.BINARY,
        lambda content: gzip.compress(b"{}") + gzip.compress(content),
    ),
    "zlib": (FrameKind.BINARY, zlib.compress),
    "deflate": (FrameKind.BINARY, lambda content: zlib.compress(content)[2:-4]),
    "sent": (FrameKind.SENT, bytes),
    "marker": (FrameKind.OPENED, lambda content: b'{"stream":"x","url":"' + content + b'"}'),
    "http": (FrameKind.HTTP, lambda content: b'{"method":"GET"}\n' + content),
    "gzip in http": (
        FrameKind.HTTP,
        lambda content: b'{"method":"GET"}\n' + gzip.compress(content),
    ),
    "closed": (FrameKind.CLOSED, lambda content: b'{"code":1000,"reason":"' + content + b'"}'),
}


def made(folder: Path, *frames: tuple[FrameKind, bytes]) -> Path:
    writer = RecordingWriter.create(folder, asked_for={"streams": []})
    writer.write(
        [
            Frame(number, 1, "reference", kind, 10**18 + number, number, payload)
            for number, (kind, payload) in enumerate(frames)
        ]
    )
    writer.close()
    return folder


def scan(folder: Path, *secrets: str) -> list[SecretFound]:
    known = {f"secret {number}": secret for number, secret in enumerate(secrets)}
    return list(SecretScan(known).recording(folder))


def no_secret_in(found: list[SecretFound], *secrets: str) -> None:
    for one in found:
        assert not any(secret in one.excerpt for secret in secrets)


def test_a_known_key_is_found_in_every_place_and_spelling_and_never_shown(tmp_path: Path) -> None:
    frames = [
        (kind, put(spelled(KEY))) for kind, put in PLACES.values() for spelled in SPELLED.values()
    ]
    quiet = (FrameKind.TEXT, b'{"topic":"trade","data":[1,2,3]}')
    folder = made(tmp_path / "night", *[one for frame in frames for one in (quiet, frame)])
    found = scan(folder, KEY)
    assert {one.frame_number for one in found} == set(range(1, 2 * len(frames), 2))
    assert {one.frame_kind for one in found} == {kind.name.lower() for kind, _ in PLACES.values()}
    forms = [spelled(KEY).decode() for spelled in SPELLED.values()]
    no_secret_in(found, KEY, *forms)


@pytest.mark.parametrize("name", LIKELY)
def test_what_looks_like_a_secret_is_found_and_masked(tmp_path: Path, name: str) -> None:
    text = LIKELY[name]
    folder = made(tmp_path / "night", (FrameKind.TEXT, text.encode()))
    (one,) = scan(folder)
    assert one.frame_number == 0
    assert "*****" in one.excerpt
    secret = max(
        text.replace("\\", " ").replace('"', " ").replace("=", " ").replace("/", " ").split(),
        key=len,
    )
    if "PRIVATE" not in text:
        assert secret not in one.excerpt


@pytest.mark.parametrize(
    "place",
    ["recording.json", "manifest.jsonl", "capture.log", "notes/deep/keys.toml", "log.gz",
     "journal/000001.zst.damaged"],
)  # fmt: skip
def test_every_file_in_the_folder_is_searched(tmp_path: Path, place: str) -> None:
    folder = made(tmp_path / "night", (FrameKind.TEXT, b"{}"))
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    content = path.read_bytes() if path.exists() else b"x" * 9_000_000
    content += KEY.encode()
    if place.endswith(".gz"):
        content = gzip.compress(content)
    if place.endswith(".damaged"):
        content = zstandard.compress(b"cut")[:-3] + zstandard.compress(b"?" + content * 3)
    path.write_bytes(content)
    found = list(SecretScan({"k": KEY})._in_folder(folder))
    assert {one.place for one in found} == {place}
    no_secret_in(found, KEY)


def test_a_recording_in_the_folder_of_another_is_searched_and_an_archive_named(
    tmp_path: Path,
) -> None:
    folder = made(tmp_path / "night", (FrameKind.TEXT, b"{}"))
    made(folder / "parts" / "part-0001", (FrameKind.TEXT, b"{}"), (FrameKind.TEXT, KEY.encode()))
    (folder / "parts" / "part-0001" / "capture.log").write_text(KEY)
    run("export", str(SAMPLES / "calm"), "-o", str(folder / "tables"), "--format", "parquet")
    scan = SecretScan({"k": KEY})
    told = [(one.place, one.frame_number) for one in scan.recording(folder)]
    assert told == [("parts/part-0001", 1), ("parts/part-0001/capture.log", None)]
    assert "tables/trades.parquet" in scan.unsearched
    done = run("scan-secrets", str(folder), env={"TICKREEL_X_KEY": KEY})
    assert done.code == 1
    assert "parts/part-0001, frame 1 (text): TICKREEL_X_KEY" in done.out
    assert "tables/trades.parquet cannot be looked into here" in done.err


def test_our_own_standins_and_short_keys_in_longer_words_are_none(tmp_path: Path) -> None:
    folder = made(
        tmp_path / "night",
        (FrameKind.SENT, b'{"redacted":"login"}'),
        (
            FrameKind.OPENED,
            b'{"stream":"x","url":"wss://h/p?apikey=[redacted]&listenKey=[redacted]"}',
        ),
        (FrameKind.TEXT, b'{"apiKey":"[redacted]","signature":"[redacted]"}'),
        (FrameKind.TEXT, b'{"id":"1234567","x":"a1234b"}'),
    )
    assert scan(folder, "1234") == []
    found = scan(made(tmp_path / "other", (FrameKind.TEXT, b'{"pin":"1234"}')), "1234")
    assert len(found) == 1


def test_the_command_says_where_and_its_exit_code_that(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    shutil.copytree(SAMPLES / "calm", folder)
    keys = {"TICKREEL_BYBIT_LINEAR_SECRET": KEY}
    clean = run("scan-secrets", str(folder), "--json", env=keys)
    assert clean.code == 0, clean.out
    assert clean.json["clean"]
    assert clean.json["known_secrets"] >= 1
    (folder / "capture.log").write_text(f"hm: {KEY}")
    (tmp_path / "keys.toml").write_text(f'key = "{letters(24)}"\nsecret = "{letters(24)}"\n')
    dirty = run("scan-secrets", str(folder), str(SAMPLES / "rough"), env=keys)
    assert dirty.code == 1
    assert "capture.log: TICKREEL_BYBIT_LINEAR_SECRET" in dirty.out
    assert KEY not in dirty.out + dirty.err
    assert run("scan-secrets", str(folder), "--json", env=keys).json["found"][0]["place"]


def test_keys_that_a_settings_file_names_are_known(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "calm", tmp_path / "night")
    keys = tmp_path / "keys.toml"
    keys.write_text(f'key = "{KEY}"\nsecret = "{KEY[::-1]}"\n')
    keys.chmod(0o600)
    settings = tmp_path / "night.toml"
    settings.write_text(f'[[stream]]\nvenue = "bybit-linear"\ncredentials_file = "{keys}"\n')
    (tmp_path / "night" / "notes.txt").write_text(base64.b64encode(KEY[::-1].encode()).decode())
    found = run(
        "scan-secrets", str(tmp_path / "night"), "--settings", str(settings), "--json"
    )  # fmt: skip
    assert found.code == 1, found.err
    assert [one["kind"] for one in found.json["found"]] == ["the secret of bybit-linear, in base64"]


@pytest.mark.parametrize("name", ["calm", "rough"])
def test_the_samples_raise_no_alarm(name: str) -> None:
    assert scan(SAMPLES / name, KEY) == []


@needs_real_data
def test_what_exchanges_really_send_raises_no_alarm() -> None:
    looked = 0
    for path in sorted(REAL_DATA.rglob("*")):
        if path.suffix not in (".json", ".jsonl", ".gz") or not path.is_file():
            continue
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(4_000_000)
        looked += len(content)
        assert list(sights(content)) == [], path
    assert looked > 10_000_000
