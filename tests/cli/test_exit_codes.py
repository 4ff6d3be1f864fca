"""Exit codes say what README's table says that they say."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from cli.child_process import child_command
from tests.cli.commands import environment, run

SAMPLES = Path(__file__).parents[2] / "sample_data"
CALM, ROUGH = str(SAMPLES / "calm"), str(SAMPLES / "rough")
FAILING = "class Agent:\n    def on_trade(self, trade, market): raise ValueError\n"


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        *((0, ("audit", CALM)), (1, ("audit", ROUGH)), (2, ("audit", "nowhere"))),
        *((0, ("diff", CALM, CALM)), (1, ("diff", CALM, ROUGH)), (2, ("diff", CALM, "nowhere"))),
        *((0, ("scan-secrets", CALM)), (2, ("scan-secrets", "nowhere"))),
        *((0, ("faults", CALM, "--runs", "1")), (2, ("faults", "nowhere"))),
        *((2, ("status", CALM)), (2, ("status", "nowhere"))),
        *((0, ("replay", CALM)), (2, ("replay", CALM, "--prove")), (2, ("replay",))),
        *((0, ("recover", "{copy}")), (2, ("capture", "nowhere", "BTCUSDT", "-o", "{copy}"))),
        *((1, ("replay", CALM, "--agent", "{agent}:Agent")), (2, ("nothing",))),
    ],
)
def test_a_command_ends_with_the_code_that_says_what_it_found(
    code: int, arguments: tuple[str, ...], recording: Path, tmp_path: Path
) -> None:
    agent = tmp_path / "agent.py"
    agent.write_text(FAILING)
    done = run(*(each.format(copy=recording, agent=agent) for each in arguments))
    assert done.code == code, done.err


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_output_that_was_closed_before_it_began_changes_no_exit_code(closed: str) -> None:
    command = shlex.join(child_command("cli", "audit", ROUGH))
    done = subprocess.run(
        ["sh", "-c", f"{command} {closed}"], env=environment(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, b"")


def test_signals_that_the_disk_refuses_detach_the_agent_and_the_replay_ends_well(
    tmp_path: Path,
) -> None:
    agent = tmp_path / "agent.py"
    agent.write_text("class Agent:\n    def on_trade(self, trade, market): return 1\n")
    done = run("replay", CALM, "--agent", f"{agent}:Agent", "--signals", "/dev/full")
    assert done.code == 1
    assert "No space left on device" in done.err
    assert "digest" in done.out


def test_output_that_nobody_reads_any_more_does_not_look_like_a_finding() -> None:
    process = subprocess.Popen(
        child_command("cli", "cat", ROUGH),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 141
