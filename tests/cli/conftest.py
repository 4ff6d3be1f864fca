from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.commands import run, serving


@pytest.fixture(scope="session")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that the real capture made of a simulated market. Not to be changed."""
    folder = tmp_path_factory.mktemp("captured") / "night"
    with serving("--simulate", "calm", "--speed", "20x") as url:
        done = run("capture", "reference", "BTCUSDT", "--url", url, "-o", str(folder),
                   "--duration", "2s", "--no-engine")  # fmt: skip
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def recording(captured: Path, tmp_path: Path) -> Path:
    """A copy of it, to do with as one likes."""
    copy = tmp_path / "night"
    shutil.copytree(captured, copy)
    return copy
