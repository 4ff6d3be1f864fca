"""Windows and thresholds that a user sets: the same live, replayed and audited."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from replay.market_simulator import SimulationSettings
from replay.venue_server import VenueServer
from tests.cli.commands import run, run_async

STREAM = '[[stream]]\nvenue = "reference"\nsymbols = ["BTCUSDT"]\nurl = "{url}"\n'
ENGINE = "[engine]\ntape_window_s = 6\ncascade_notional = 50000\nstale_limits_s = { book = 0.5 }\n"
RECORDED = {"tape_window_s": 6.0, "cascade_notional": "50000", "stale_limits_s": {"book": 0.5}}


def test_settings_of_a_capture_are_those_of_its_replays_and_audits(tmp_path: Path) -> None:
    folder, settings = tmp_path / "night", tmp_path / "night.toml"

    async def captured() -> None:
        async with VenueServer(SimulationSettings(), speed="15x") as server:
            settings.write_text(ENGINE + STREAM.format(url=server.url))
            done = await run_async("capture", str(settings), "--duration", "2s", "--json")
        assert done.code == 0, done.err
        live.append(done.json["state_digest"])

    live: list[str] = []
    asyncio.run(captured())
    described = msgspec.json.decode((folder / "recording.json").read_bytes())
    assert described["asked_for"]["engine"] == RECORDED
    assert run("replay", str(folder), "--digest").out.strip() == live[0]
    assert run("audit", str(folder), "--json").json["state_digest"] == live[0]
    assert "tape_window_s 6.0" in run("info", str(folder)).out

    usual = tmp_path / "usual.toml"
    usual.write_text("[engine]\n")
    for command in ("replay", "audit"):
        done = run(command, str(folder), "--engine-settings", str(usual), "--json")
        assert done.json["state_digest"] != live[0]
    usual.write_text(ENGINE)
    done = run("replay", str(folder), "--engine-settings", str(usual), "--digest")
    assert done.out.strip() == live[0]


def test_a_recording_is_not_continued_with_other_settings(recording: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(ENGINE)
    done = run(
        "capture", "reference", "BTCUSDT", "-o", str(recording), "--engine-settings", str(other)
    )
    assert done.code == 2
    assert "was begun with other engine settings" in done.err


def test_recordings_set_differently_are_merged_when_told_how(
    captured: Path, recording: Path, tmp_path: Path
) -> None:
    description = msgspec.json.decode((recording / "recording.json").read_bytes())
    description["asked_for"]["engine"] = RECORDED
    description["recording_id"] = "0" * 32
    del description["description_sha256"]
    (recording / "recording.json").write_bytes(msgspec.json.encode(description))
    done = run("replay", str(captured), str(recording))
    assert done.code == 2
    assert "different engine settings" in done.err
    settings = tmp_path / "engine.toml"
    settings.write_text(ENGINE)
    arguments = ("--engine-settings", str(settings))
    assert run("replay", str(captured), str(recording), *arguments).code == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[engine]\ntape_windw_s = 1\n", "did you mean 'tape_window_s'?"),
        ("[engine]\ntape_window_s = 0\n", "tape_window_s has to be above 0"),
        ("[engine]\ntape_window_s = inf\n", "tape_window_s has to be above 0"),
        ("[engine]\ncascade_notional = 'nan'\n", "cascade_notional has to be above 0"),
        ("[engine]\nspike_window_s = 90\n", "spike_window_s has to be within tape_window_s"),
        ("[engine]\nspike_ratio = 'much'\n", "spike_ratio"),
        ("[engine.stale_limits_s]\nbok = 1\n", "bok"),
        ("engine = 5\n", "write [engine]"),
        ("[engin]\n", "has no [engine] table"),
        ("[engine\n", "is no TOML"),
    ],
)
def test_settings_that_mean_nothing_are_answered_by_a_sentence(
    captured: Path, tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "engine.toml"
    path.write_text(text)
    done = run("replay", str(captured), "--engine-settings", str(path))
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert sentence in " ".join(done.err.split())
