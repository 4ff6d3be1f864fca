"""Every block of the README runs, and prints what the README says that it prints."""

from __future__ import annotations

import re
import shlex
import socket
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

from book.agent import AGENT_METHODS
from cli.command_line import tickreel
from recorder.stream_settings import read_capture_settings
from tests.cli.commands import environment
from tests.readme_blocks import README, Block, Command, blocks, commands, shape

ROOT = Path(__file__).parents[1]
PORT = "8765"
MARK = "=== what command {number} printed"
LIMIT_S = 240


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def named(block: Block) -> tuple[str, str]:
    """Return the file name in a block's first line, and its text."""
    name = re.match(r"# (\S+)\n", block.text)
    assert name is not None, block.text
    return name[1], block.text


def script(run: list[Command], folder: Path) -> str:
    """Return a shell script that runs all commands, what each prints in a file of its own."""
    lines = ["set -m", "export PATH=$PWD/bin:$PATH"]
    for number, command in enumerate(run):
        out = folder / f"{number}.txt"
        if command.line.endswith(" &"):
            lines.append(f"{command.line[:-2]} > {out} 2>&1 &")
            lines.append(f"for i in $(seq 200); do [ -s {out} ] && break; sleep 0.1; done")
        else:
            lines.append(f"{{ {command.line}\n}} > {out} 2>&1")
        if command.line.startswith("kill "):
            # What the shell has to say of a job's end, it says here.
            lines.append("wait > /dev/null 2>&1")
    return "\n".join(lines)


def install_commands(place: Path) -> None:
    (place / "bin").mkdir()
    for name, module in (("tickreel", "-m cli"), ("python", "")):
        path = place / "bin" / name
        path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)


def run_tour(place: Path) -> list[tuple[Command, str]]:
    """Run all console blocks in one shell; return each command with what it printed."""
    port = free_port()
    run: list[Command] = []
    for block in blocks():
        if block.language == "console":
            run += commands(block)
        elif block.language in ("python", "toml"):
            name, text = named(block)
            (place / name).write_text(text.replace(PORT, port))
    install_commands(place)
    outputs = place / "outputs"
    outputs.mkdir()
    # What pytest-asyncio, which is only in our own environment, has to say of a suite's settings.
    unasked = "ignore:The configuration option"
    env = environment(PYTHONPATH=str(ROOT), COLUMNS="120", PYTHONWARNINGS=unasked)
    subprocess.run(
        ["bash", "-c", script(run, outputs).replace(PORT, port)],
        cwd=place,
        env=env,
        timeout=LIMIT_S,
        check=False,
    )
    return [
        (command, output(command, outputs / f"{number}.txt").replace(port, PORT))
        for number, command in enumerate(run)
    ]


def output(command: Command, path: Path) -> str:
    """Return what a command printed; of one in the background, what it said at once."""
    text = path.read_text()
    return text.partition("\n")[0] + "\n" if command.line.endswith(" &") else text


def test_the_tour_prints_what_the_readme_says(tmp_path: Path) -> None:
    ran = run_tour(tmp_path)
    differing = [
        f"$ {command.line}\n{printed}"
        for command, printed in ran
        if shape(printed) != shape(command.output)
    ]
    assert not differing, "\n".join(["the README says otherwise of:", *differing])
    digests = [printed for command, printed in ran if command.line.endswith("--digest")]
    assert len(digests) == 2
    assert digests[0] == digests[1]
    assert f"digest {digests[0][:4]}…" in ran[1][1], "what was captured has another digest"


def test_one_recording_has_one_digest_wherever_the_readme_prints_it() -> None:
    told = {
        digest
        for block in blocks()
        if block.language == "console"
        for command in commands(block)
        if re.match(r"tickreel (capture|replay|index)\b.* first\b(?!.* --(from|to) )", command.line)
        for digest in re.findall(r"digest (\w{4})…|^(\w{4})\w{60}$", command.output, re.MULTILINE)
    }
    assert len({first or second for first, second in told}) == 1, told


def sh_lines() -> list[str]:
    return [
        line for block in blocks() if block.language == "sh" for line in block.text.splitlines()
    ]


@pytest.mark.parametrize("line", sh_lines())
def test_commands_that_need_the_network_or_the_build_are_written_right(line: str) -> None:
    program, *arguments = shlex.split(line)
    if program == "tickreel":
        name, *rest = arguments
        with click.Context(tickreel) as context:
            command = tickreel.get_command(context, name)
            assert command is not None
            command.make_context(name, rest, parent=context)
    elif program == "make":
        assert f"\n{arguments[0]}:" in (ROOT / "Makefile").read_text()
    else:
        assert line == "pip install ."


def test_settings_files_are_read(tmp_path: Path) -> None:
    files = [named(block) for block in blocks() if block.language == "toml"]
    assert files
    for name, text in files:
        (tmp_path / name).write_text(text)
        assert read_capture_settings(tmp_path / name).stream


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {block.language for block in blocks()} <= {"sh", "console", "python", "toml"}


def test_what_an_agent_is_told_is_as_the_readme_says() -> None:
    rows = re.findall(r"^\| `(on_\w+)` \| [^|]+ \| (.+) \|$", README.read_text(), re.MULTILINE)
    assert [name for name, _ in rows] == list(AGENT_METHODS)
    for name, told in rows:
        fields = re.findall(r"`([a-z_]+)`", told)
        assert fields
        assert [each for each in fields if not hasattr(AGENT_METHODS[name], each)] == []
