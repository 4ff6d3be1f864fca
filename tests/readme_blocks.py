"""The README's code blocks, and how their output is compared with what a run really prints.

- `console`: lines that begin with `$ ` are run in order, in one shell, in an empty folder; what
  follows each is what it prints. Times, counts and sizes may differ, words and lines may not.
- `python` and `toml`: the first line names the file (`# night.toml`) that it is written to.
- `sh`: commands that need the network or the build; they are only parsed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command of a console block and what the README says that it prints."""

    line: str
    output: str


def blocks() -> list[Block]:
    return [Block(fence[1], fence[2]) for fence in _FENCE.finditer(README.read_text())]


def commands(block: Block) -> list[Command]:
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert parts[0] == "", f"a console block begins with output: {parts[0]!r}"
    told = []
    for part in parts[1:]:
        line, _, output = part.partition("\n")
        while line.endswith("\\"):
            more, _, output = output.partition("\n")
            line = line[:-1] + more.strip()
        told.append(Command(line, output))
    return told


def shape(output: str) -> list[str]:
    """Return the lines of `output` without what differs from run to run."""
    lines: list[str] = []
    for line in output.strip().splitlines():
        if line.startswith("note:"):
            continue  # what is worth a note differs from run to run
        if re.match(r"\d\d:\d\d:\d\d  ", line):
            continue  # a capture's state every 10 s: one of 9 s gets there where it starts slowly
        text = re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{4}…[0-9a-f]{2}\b", "HASH", line)
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME", text)
        text = re.sub(r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "TIME", text)
        text = re.sub(r"[-+]?\d[\d,]*(\.\d+)?", "#", text)
        text = re.sub(r"# (B|kB|MB|GB)\b", "# bytes", text)
        text = re.sub(r"# (ns|µs|ms|s)\b", "# s", text)
        text = re.sub(r"# ([a-z]{3,}?)s\b", r"# \1", text)
        text = re.sub(r"\s+", " ", text).strip()
        if text and (not lines or lines[-1] != text):
            lines.append(text)
    return lines
