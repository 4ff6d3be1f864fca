"""What is in deploy/, as far as it can be checked without a service manager or containers."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from cli.command_line import tickreel
from recorder.planned_connection import plan_stream
from recorder.stream_settings import read_capture_settings
from venues.registry import venue_named

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "tickreel@.service"
EXPOSURE_MAX = 3.0
"""Of ten, which a unit without any protection has (9.6)."""


def unit_lines(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def parsed(words: list[str]) -> click.Context:
    """Return a command line of ours as it is understood; a usage error is raised."""
    command = tickreel.get_command(click.Context(tickreel), words[0])
    assert command is not None
    return command.make_context(words[0], words[1:])


def docker_instructions() -> list[tuple[str, str]]:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def test_the_unit_runs_a_command_that_there_is() -> None:
    (start,) = unit_lines("ExecStart")
    (options,) = re.findall(r'Environment="TICKREEL_OPTIONS=(.*)"', UNIT.read_text())
    program, *words = shlex.split(start.replace("$TICKREEL_OPTIONS", options).replace("%i", "x"))
    assert program == "/opt/tickreel/bin/tickreel"
    asked = parsed(words).params
    assert asked["target"] == "/etc/tickreel/x.toml"
    assert asked["wait"]
    assert asked["log_json"]
    assert asked["metrics_address"] == ("127.0.0.1", 9464)
    assert unit_lines("Type") == ["notify"]
    assert unit_lines("KillSignal") == ["SIGTERM"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_and_finds_it_hardened(tmp_path: Path) -> None:
    # Program and user need not be there where it is checked; everything else is as it stands.
    text = UNIT.read_text().replace("/opt/tickreel/bin/tickreel", sys.executable)
    copy = tmp_path / "tickreel@night.service"
    copy.write_text(re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [line for line in checked.stderr.splitlines() if str(copy.name) in line] == []
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager",
         f"--threshold={int(EXPOSURE_MAX * 10)}", str(copy)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout[-300:] + judged.stderr


def test_the_container_runs_commands_that_there_are_and_not_as_root() -> None:
    instructions = docker_instructions()
    named = dict(instructions)
    assert json.loads(named["ENTRYPOINT"]) == ["tickreel"]
    assert parsed(json.loads(named["CMD"])).params["folder"] == "/recordings/capture"
    program, *words = json.loads(named["HEALTHCHECK"].partition("CMD ")[2])
    assert program == "tickreel"
    assert parsed(words).params["folder"] == "/recordings/capture"
    user, _, group = named["USER"].partition(":")
    assert int(user) > 0  # as a name it cannot be told from root by whoever must refuse root
    assert int(group) > 0
    assert json.loads(named["VOLUME"]) == ["/recordings"]
    assert named["STOPSIGNAL"] == "SIGTERM"
    images = [rest.split()[0] for name, rest in instructions if name == "FROM"]
    assert images == ["python:3.13-slim"] * 2


def test_the_container_has_all_that_the_wheel_is_made_of_and_extras_that_there_are() -> None:
    described = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, setuptools = described["project"], described["tool"]["setuptools"]
    copied = {
        name
        for instruction, rest in docker_instructions()
        if instruction == "COPY" and not rest.startswith("--from")
        for name in rest.split()[:-1]
    }
    assert all((ROOT / name).exists() for name in copied)
    wanted = {
        "pyproject.toml",
        project["readme"],
        *project["license-files"],
        *(name.rstrip("*") for name in setuptools["packages"]["find"]["include"]),
        *(f"{name}.py" for name in setuptools["py-modules"]),
    }
    assert copied == wanted
    (extras,) = re.findall(r"'\.\[([a-z,]+)\]'", (DEPLOY / "Dockerfile").read_text())
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


def test_commands_that_the_container_is_said_to_be_run_with_are_commands() -> None:
    told = re.findall(r"^#(?: {3,}(.*))?$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    lines = "\n".join(told).replace("\\\n", " ").splitlines()
    commands = [
        words.split()
        for line in lines
        for words in re.findall(r"^docker (?:exec|run) .*?\btickreel (.+)$", line)
    ]
    assert [parsed(words).info_name for words in commands] == ["status", "capture"]


def test_the_settings_can_be_recorded_with() -> None:
    written = read_capture_settings(DEPLOY / "capture.toml")
    plans = [plan for stream in written.stream for plan in plan_stream(stream, venue_named)]
    assert {planned.venue.name for planned in plans} == {"bybit-linear", "binance-spot"}
