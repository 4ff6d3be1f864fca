"""Settings files: what is read, and which sentence answers what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recorder.errors import StreamSettingsError
from recorder.recorder import Recorder
from recorder.stream_settings import (
    CaptureSettings,
    RecordingSettings,
    StreamSettings,
    read_capture_settings,
)
from venues.channel import Channel
from venues.errors import CredentialsError

WHOLE = """
[recording]
folder = "night"
rotate_bytes = 1000000
rotate_interval_s = 60
budget_bytes = 5000000

[[stream]]
venue = "reference"
symbols = ["BTCUSDT", "ETHUSDT"]
channels = ["book", "trades"]
depth = 50
url = "ws://127.0.0.1:8765"
silence_limit_s = 12.5

[[stream]]
venue = "reference"
channels = ["order", "wallet"]
key_env = "MY_KEY"
secret_env = "MY_SECRET"
"""


def _read(folder: Path, text: str) -> CaptureSettings:
    path = folder / "night.toml"
    path.write_text(text)
    return read_capture_settings(path)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    settings = _read(tmp_path, WHOLE)
    assert settings.recording == RecordingSettings(
        folder="night", rotate_bytes=1_000_000, rotate_interval_s=60.0, budget_bytes=5_000_000
    )
    first, second = settings.stream
    assert first.symbols == ("BTCUSDT", "ETHUSDT")
    assert first.channels == (Channel.BOOK, Channel.TRADES)
    assert (first.depth, first.url, first.silence_limit_s) == (50, "ws://127.0.0.1:8765", 12.5)
    assert second.channels == (Channel.ORDER, Channel.WALLET)


def test_a_recorder_is_made_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "some-key")
    monkeypatch.setenv("MY_SECRET", "some-secret")
    path = tmp_path / "night.toml"
    path.write_text(WHOLE)
    recorder = Recorder.from_toml(path)
    assert recorder.folder == Path("night")
    assert [life.stream for life in recorder.connections] == ["reference", "reference/private"]
    assert Recorder.from_toml(path, tmp_path / "other").folder == tmp_path / "other"


def test_without_a_folder_the_recording_is_named_after_the_file(tmp_path: Path) -> None:
    path = tmp_path / "dawn.toml"
    path.write_text('[[stream]]\nvenue = "reference"\nsymbols = ["BTCUSDT"]\n')
    assert Recorder.from_toml(path).folder == tmp_path / "dawn"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[stream]]\nvenu = "reference"\n', r"unknown key 'venu' \(did you mean 'venue'\?\)"),
        ('[[streams]]\nvenue = "x"\n', r"unknown key 'streams' \(did you mean 'stream'\?\)"),
        ('[[stream]]\nvenue = "x"\n[recording]\nrotate_byte = 1\n', "did you mean 'rotate_bytes'"),
        ('[[stream]]\nvenue = "x"\n[[stream]]\nvenue = "x"\nsymbol = 1\n', r"number 2: unknown"),
        ("[recording]\n", r"no \[\[stream\]\] table"),
        ("stream = []\n", r"no \[\[stream\]\] table"),
        ('[stream]\nvenue = "x"\n', r"write \[\[stream\]\]"),
        ("recording = 1\n[[stream]]\n", r"write \[recording\]"),
        ("[[stream]]\n", "missing required field `venue`"),
        ('[[stream]]\nvenue = "x"\nsymbols = "BTC"\n', "Expected `array`"),
        ('[[stream]]\nvenue = "x"\nchannels = ["books"]\n', r"'books' \(did you mean 'book'\?\)"),
        ('[[stream]]\nvenue = "x"\nchannels = [1]\n', r"number 1: channels\[0\]: Expected"),
        ('[[stream]]\nvenue = "x"\n[recording]\nrotate_interval_s = nan\n', "above 0"),
        ('[[stream]]\nvenue = "x"\ndepth = "50"\n', "Expected `int"),
        ('[[stream]]\nvenue = "x"\n[recording]\nbudget_bytes = 0\n', "has to be above 0"),
        ("[[stream]\n", "is no TOML"),
        ("deep = " + "[" * 2_000, "is nested too deeply"),
    ],
)
def test_what_cannot_be_used_is_answered_by_a_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(StreamSettingsError, match=sentence) as caught:
        _read(tmp_path, text)
    assert "night.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StreamSettingsError, match=r"none\.toml: cannot be read: No such file"):
        read_capture_settings(tmp_path / "none.toml")


@pytest.mark.parametrize("key", ["key", "secret", "passphrase", "api_key", "API_SECRET"])
def test_a_key_in_the_file_is_refused_without_being_repeated(tmp_path: Path, key: str) -> None:
    with pytest.raises(StreamSettingsError, match="Name an environment variable") as caught:
        _read(tmp_path, f'[[stream]]\nvenue = "reference"\n{key} = "canary-1234"\n')
    assert "canary" not in str(caught.value)


def test_a_text_in_place_of_several_symbols_is_refused() -> None:
    symbols: Any = "BTCUSDT"
    with pytest.raises(StreamSettingsError, match=r"symbols has to be a tuple: symbols=\('BTCUSD"):
        StreamSettings(venue="reference", symbols=symbols)


def test_keys_come_from_the_environment_under_the_venue_s_name() -> None:
    stream = StreamSettings(venue="bybit-linear")
    environment = {
        "TICKREEL_BYBIT_LINEAR_KEY": "k",
        "TICKREEL_BYBIT_LINEAR_SECRET": "s",
        "TICKREEL_BYBIT_LINEAR_PASSPHRASE": "p",
    }
    found = stream.credentials(environment)
    assert (found.key, found.secret, found.passphrase) == ("k", "s", "p")


def test_keys_come_from_the_variables_that_are_named() -> None:
    stream = StreamSettings(venue="x", key_env="A", secret_env="B", passphrase_env="C")
    found = stream.credentials({"A": "k", "B": "s", "C": "p"})
    assert (found.key, found.secret, found.passphrase) == ("k", "s", "p")
    assert stream.credentials({"A": "k"}).secret == ""
    assert stream.remedy(["secret"]) == "Set the environment variable B."


def test_keys_come_from_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('key = "k"\nsecret = "s"\n')
    stream = StreamSettings(venue="x", credentials_file=str(path))
    path.chmod(0o640)
    with pytest.raises(CredentialsError, match="chmod 600"):
        stream.credentials({})
    path.chmod(0o600)
    found = stream.credentials({})
    assert (found.key, found.secret) == ("k", "s")


@pytest.mark.parametrize("text", ['key = "canary\n', 'key = "canary"\nsecret = 1\n'])
def test_a_broken_file_of_keys_is_named_and_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(CredentialsError, match=r"keys\.toml") as caught:
        StreamSettings(venue="x", credentials_file=str(path)).credentials({})
    assert "canary" not in str(caught.value)


def test_what_is_kept_with_the_recording_has_no_secrets() -> None:
    stream = StreamSettings(
        venue="x", symbols=("A",), url="wss://me:pw@host/path?listenKey=canary&streams=a"
    )
    described = stream.described()
    assert described["url"] == "wss://host/path?listenKey=[redacted]&streams=a"
