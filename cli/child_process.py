"""Processes of our own: tickreel, or a part of it, beside this one.

They find our packages wherever the user stands, and nothing of the user's in their place: with
`-P` the current folder, which may hold a `book.py` or `replay.py`, is not on the import path.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

OUR_ROOT = Path(__file__).resolve().parents[1]
"""Where our packages lie: a checkout, or the place that they were installed to."""


def child_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs one of our modules with this Python."""
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environment() -> dict[str, str]:
    """Return our environment, our own packages found first."""
    environment = dict(os.environ)
    known = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([str(OUR_ROOT), *([known] if known else [])])
    return environment
