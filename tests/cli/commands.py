"""Running the real commands, as a user does: each a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import re
import subprocess
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cli.child_process import child_command, child_environment

LIMIT_S = 60.0


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return msgspec.json.decode(self.out, type=dict[str, Any])


def environment(**more: str) -> dict[str, str]:
    quiet = {name: text for name, text in child_environment().items() if name != "NO_COLOR"}
    return {**quiet, **more}


def run(*arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Done:
    done = subprocess.run(
        child_command("cli", *arguments),
        cwd=cwd,
        env=environment(**(env or {})),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def on_a_terminal(
    *arguments: str, out: bool = False, columns: int = 160, env: Mapping[str, str] | None = None
) -> str:
    """Run a command at a terminal (stderr; with `out` stdout too); return what it shows."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, columns))
    process = subprocess.Popen(
        child_command("cli", *arguments),
        env=environment(TERM="xterm", COLUMNS="", **(env or {})),
        stdout=theirs if out else subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    # Linux says with an error that nobody has the other side any more.
    with contextlib.suppress(OSError):
        while read := os.read(ours, 65_536):
            shown += read
    process.wait()
    os.close(ours)
    return shown.decode()


async def run_async(*arguments: str, env: Mapping[str, str] | None = None) -> Done:
    """Run a command while the test's own event loop goes on serving it."""
    process = await asyncio.create_subprocess_exec(
        *child_command("cli", *arguments),
        env=environment(**(env or {})),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())


@contextmanager
def serving(*arguments: str, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run `tickreel serve` meanwhile; gives the address without its path, as it was announced."""
    process = subprocess.Popen(
        child_command("cli", "serve", *arguments),
        env=environment(**(env or {})),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        announced = re.match(r"ws://[\d.]+:\d+(/\$\w+)?", process.stdout.readline())
        assert announced is not None
        yield announced[0]
    finally:
        process.terminate()
        process.communicate(timeout=LIMIT_S)


def flip_byte(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 0x40]))
        os.fsync(file.fileno())
