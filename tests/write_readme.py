"""Write into the README what its commands print today: `python -m tests.write_readme`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.readme_blocks import README
from tests.test_readme import run_tour


def filled(text: str, printed: list[str]) -> str:
    """Return the README with each console command followed by what it printed."""
    lines: list[str] = []
    left = list(printed)
    within, after_command = False, False
    for line in text.splitlines():
        if line.startswith("```"):
            within, after_command = line == "```console", False
        elif within and line.startswith("$ "):
            after_command = True
            lines += [line, *left.pop(0).splitlines()]
            continue
        if not after_command:
            lines.append(line)
    return "\n".join(lines) + "\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        printed = [output for _, output in run_tour(Path(place))]
    README.write_text(filled(README.read_text(), printed))


if __name__ == "__main__":
    main()
