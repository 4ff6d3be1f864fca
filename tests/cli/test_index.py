"""`index`, `replay --from` and `replay --prove`, as a user calls them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.index import index
from cli.replay import replay
from recorder.recording_folder import RecordingFolder
from replay.recording import Recording
from replay.seek import engine_before
from tests.replay.indexed_recording import rough_frames, rough_recording
from tests.replay.test_receipts import live


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return rough_recording(tmp_path / "night", 500)


def call(*arguments: str) -> Result:
    command = index if arguments[0] == "index" else replay
    return CliRunner().invoke(command, list(arguments[1:]))


def test_replay_from_a_time_is_the_same_with_and_without_an_index(recording: Recording) -> None:
    folder = str(recording.path)
    first_ns = recording.first_receive_time_ns
    assert first_ns is not None
    at = ("--from", "+2s", "--to", "+3s", "--digest")
    before = call("replay", folder, *at)
    done = call("index", folder, "--every", "100")
    assert done.exit_code == 0, done.output
    assert "5 checkpoints over 500 frames" in done.stdout
    after = call("replay", folder, *at)
    right = engine_before(recording, time_ns=first_ns + 3 * 10**9).engine.state_digest()
    assert before.stdout.strip() == after.stdout.strip() == right
    offset = call("replay", folder, "--start-offset", "2s", "--duration", "1s", "--digest")
    assert offset.stdout.strip() == right
    epoch = f"{(first_ns + 2 * 10**9) // 10**6}"
    assert (
        call("replay", folder, "--from", epoch, "--to", "+3s", "--digest").stdout.strip() == right
    )
    assert call("replay", folder, *at, "--cold").stdout.strip() != right


def test_another_spacing_of_checkpoints_is_made_and_none_given_keeps_the_one_there(
    recording: Recording,
) -> None:
    folder = str(recording.path)
    first = call("index", folder, "--every", "100").stdout
    assert "5 checkpoints over 500 frames (one every 100)" in first
    again = call("index", folder).stdout
    assert "5 checkpoints over 500 frames (one every 100)" in again
    assert "; 0 frames replayed" in again
    denser = call("index", folder, "--every", "50").stdout
    assert "10 checkpoints over 500 frames (one every 50)" in denser
    assert "5 checkpoints that no longer fitted removed" in denser
    assert len(list((recording.path / "checkpoints").glob("*.zst"))) == 10
    sparser = call("index", folder, "--every", "250").stdout
    assert "2 checkpoints over 500 frames (one every 250)" in sparser


def test_a_capture_is_proved_and_what_is_not_reproduced_is_shown(recording: Recording) -> None:
    folder = str(recording.path)
    assert call("replay", folder, "--prove").exit_code != 0
    live(recording.path, rough_frames(500), every=200)
    proved = call("replay", folder, "--prove")
    assert proved.exit_code == 0, proved.output
    assert "3 of 3 receipts reproduced over 500 frames" in proved.stdout
    receipts = RecordingFolder(recording.path).path / "receipts.jsonl"
    receipts.unlink()
    live(recording.path, rough_frames(500)[:199] + rough_frames(500)[200:400], every=199)
    shown = call("replay", folder, "--prove")
    assert shown.exit_code == 1
    assert "after frame 398 the state is not the live one" in shown.stdout
    assert "expected 398, is 399" in shown.stdout
    assert "1 receipt before it reproduced" in shown.stdout


def test_symbols_channels_and_ranges_that_mean_nothing_are_refused(recording: Recording) -> None:
    folder = str(recording.path)
    for options, said in [
        (("--channels", "boks"), "there is no channel 'boks'"),
        (("--symbols", "BTCUSD"), "nothing of 'BTCUSD' came"),
        (("--from", "+1s", "--start-offset", "1s"), "say the same"),
        (("--to", "+1s", "--duration", "1s"), "say the same"),
        (("--prove", "--from", "+1s"), "whole recordings"),
        (("--start-paused",), "needs a speed"),
    ]:
        refused = call("replay", folder, *options)
        assert refused.exit_code != 0
        assert said in f"{refused.output} {refused.exception}"


def test_symbols_and_channels_alone_are_played(recording: Recording) -> None:
    done = call("replay", str(recording.path), "--symbols", "BTCUSDT", "--channels", "trades")
    assert done.exit_code == 0, done.output
    assert "BTCUSDT" in done.stdout
    assert "ETHUSDT" not in done.stdout
