"""One recording, twenty runs, one digest: the one that the capture printed, live."""

from __future__ import annotations

import shutil
from itertools import cycle, islice
from pathlib import Path

import pytest

from recorder.description import read_description
from recorder.journal import JournalWriter
from recorder.recording_folder import RecordingFolder
from replay.recording import Recording
from tests.cli.commands import run, serving

RUNS = 20
SPEEDS = ("max", "20x", "5x", "max", "7/3x", "10x", "max", "1x", "50x", "max")
SURROUNDINGS = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC"},
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati"},
    {"PYTHONHASHSEED": "4294967295", "TZ": "America/St_Johns", "LC_ALL": "C"},
)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A capture of a market with every fault, and the digest of the engine beside it."""
    folder = tmp_path_factory.mktemp("live") / "night"
    with serving("--simulate", "rough", "--speed", "15x") as url:
        done = run("capture", "reference", "BTCUSDT", "ETHUSDT", "--url", url, "-o", str(folder),
                   "--duration", "3s", "--json")  # fmt: skip
    assert done.code == 0, done.err
    assert done.json["findings"]["gap"] == 1
    return folder, done.json["state_digest"]


def unsealed(sealed: Path, place: Path) -> Path:
    """Return the same recording as it was before compaction: one journal, ended in good order."""
    folder = RecordingFolder(place / "unsealed")
    for path in (folder.path, folder.journals, folder.frames):
        path.mkdir()
    shutil.copy(sealed / "recording.json", folder.description)
    journal = JournalWriter(
        folder.journal(1),
        recording_id=read_description(folder).recording_id,
        number=1,
        first_frame_number=0,
        time_ns=0,
    )
    journal.write(list(Recording.open(sealed)))
    journal.close()
    return folder.path


def test_twenty_runs_before_and_after_compaction_give_the_live_digest(
    live: tuple[Path, str], tmp_path: Path
) -> None:
    sealed, digest = live
    before = unsealed(sealed, tmp_path)
    assert run("info", str(before), "--json").json["unsealed_journals"] == 1
    runs = islice(zip(cycle(SPEEDS), cycle(SURROUNDINGS), cycle((sealed, before))), RUNS)
    digests = [
        run("replay", str(folder), "--speed", speed, "--digest", env=environment).out.strip()
        for speed, environment, folder in runs
    ]
    assert digests == [digest] * RUNS
    assert run("recover", str(before)).code == 0
    assert run("info", str(before), "--json").json["unsealed_journals"] == 0
    assert run("replay", str(before), "--digest").out.strip() == digest
    assert run("audit", str(before), "--json").json["state_digest"] == digest
