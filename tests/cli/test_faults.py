"""`tickreel faults`, and faults on the way: what is printed, exit codes, bad input."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from replay.fault_kind import FaultKind
from tests.cli.commands import run
from tests.cli.test_bad_input import told

CALM = str(Path(__file__).parents[2] / "sample_data" / "calm")


def test_a_table_says_what_noticed_which_kind_how_often() -> None:
    done = run("faults", CALM, "--runs", "3", "--frames", "900", "--seed", "7")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[1:12]] == list(FaultKind)
    assert re.match(r"cut +3 +3 +0 +0 +0 +disconnected 3, doubt 3$", lines[7])
    assert "Trades and liquidations carry no contiguous number" in done.out
    assert lines[-1].startswith("33 faults in 900 frames, seed 7: each noticed, harmless, or")


def test_json_lists_every_fault_that_was_done_the_same_each_time() -> None:
    command = (
        "faults",
        CALM,
        "--runs",
        "2",
        "--frames",
        "600",
        "--kinds",
        "corrupt,drop",
        "--json",
    )
    report, again = run(*command).json, run(*command, env={"PYTHONHASHSEED": "5"}).json
    assert report == again
    assert [kind["kind"] for kind in report["kinds"]] == ["drop", "corrupt"]
    assert len(report["trials"]) == 4
    for trial in report["trials"]:
        assert trial["outcome"] in ("noticed", "harmless", "hidden")
        assert set(trial["fault"]) >= {"kind", "frame_number", "text"}


def test_a_replay_with_faults_lists_them_and_never_says_otherwise() -> None:
    part = ("replay", CALM, "--to", "+8s")
    command = (*part, "--fault", "drop=0.01", "--fault", "cut=0.002", "--seed", "7")
    result, plain = run(*command, "--json").json, run(*part, "--json").json
    assert "faults" not in plain
    kinds = [fault["kind"] for fault in result["faults"]]
    assert set(kinds) == {"drop", "cut"}
    assert result["findings"]["disconnected"] == kinds.count("cut")
    assert result["state_digest"] != plain["state_digest"]
    shown = run(*command)
    assert f"faults done on purpose: {kinds.count('drop')} drop" in shown.err
    assert f"frame {result['faults'][0]['frame_number']:,} drop" in shown.err


def test_a_file_of_faults_does_what_the_words_do(tmp_path: Path) -> None:
    (tmp_path / "faults.toml").write_text("[faults]\nseed = 7\ndrop = 0.002\n")
    part = ("replay", CALM, "--to", "+8s", "--digest")
    of_file = run(*part, "--faults", str(tmp_path / "faults.toml"))
    of_words = run(*part, "--fault", "drop=0.002", "--seed", "7")
    assert of_file.out == of_words.out
    assert of_file.code == of_words.code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("faults nowhere", "nowhere: no such folder"),
        (f"faults {CALM} --kinds dorp", "there is no fault 'dorp' (did you mean 'drop'?)"),
        (f"faults {CALM} --runs 0", "0 is not in the range"),
        (f"faults {CALM} --faults none.toml", "none.toml: cannot be read"),
        (f"replay {CALM} --fault dorp=0.1", "unknown fault 'dorp' (did you mean 'drop'?)"),
        (f"replay {CALM} --fault drop=1.5", "a probability is a number from 0 to 1"),
        (f"replay {CALM} --fault drop", "write a fault and its probability: drop=0.001"),
        (f"replay {CALM} --fault drop=0", "nothing would be done"),
        (f"serve {CALM} --fault clock=0.1", "a client of `serve` has its own clock"),
        (f"serve {CALM} --fault drop=2", "a probability is a number from 0 to 1"),
    ],
)
def test_bad_input_says_what_to_write(arguments: str, sentence: str) -> None:
    assert sentence in told(run(*arguments.split()))


def test_a_recording_without_messages_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "calm"
    shutil.copytree(CALM, folder)
    done = run("faults", str(folder), "--frames", "1")
    assert done.code == 0
    assert "no message of" in done.out
