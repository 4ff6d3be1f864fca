"""A ring beside a real capture: what lies around a trigger stays, the rest goes."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from book.engine import Engine
from book.finding import FindingKind
from cli.child_process import child_command
from recorder.recording_folder import RecordingFolder
from recorder.removals import read_removals
from recorder.ring import NS_PER_S, SEGMENTS_PER_WINDOW, RingFile
from replay.recording import Recording
from tests.cli.commands import environment, run, serving
from venues.frame import FrameKind
from venues.marker import DROPPED, Lost, read_marker

WINDOW_NS = 1 * NS_PER_S


@pytest.fixture(scope="module")
def rough(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A market with one gap in it, early on, captured in a ring of a second until much is gone."""
    folder = tmp_path_factory.mktemp("ring") / "night"
    with serving("--simulate", "rough", "--speed", "2x") as url:
        process = subprocess.Popen(
            child_command(
                "cli", "capture", "reference", "BTCUSDT", "ETHUSDT", "--url", url,
                "-o", str(folder), "--ring", "1s", "--on", "gap", "--json",
            ),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until_s = time.monotonic() + 60
        while time.monotonic() < until_s and len(read_removals(RecordingFolder(folder))) < 2:
            time.sleep(0.1)
        process.terminate()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return folder, msgspec.json.decode(out)


def test_a_window_around_the_gap_is_kept_and_proved_and_the_rest_is_gone(
    rough: tuple[Path, dict[str, Any]],
) -> None:
    folder, told = rough
    assert told["ring"]["triggers"] == 1
    assert told["ring"]["dropped"] >= 2
    engine = Engine()
    last_kept_ns, dropped = 0, []
    proven_after_gap = proven_again = False
    for frame in Recording.open(folder):
        engine.apply(frame)
        if frame.kind is FrameKind.LOST:
            dropped.append(read_marker(frame, Lost))
        elif engine.findings.counts[FindingKind.GAP]:
            proven = all(market.book.proven for market in engine.markets.values())
            if dropped:
                proven_again |= proven
            else:
                last_kept_ns = frame.receive_time_ns
                proven_after_gap |= proven
    (gap,) = [one for one in engine.findings if one.kind is FindingKind.GAP]
    assert last_kept_ns >= gap.receive_time_ns + WINDOW_NS
    assert {one.cause for one in dropped} == {DROPPED}
    assert sum(one.frames or 0 for one in dropped) > 100
    assert proven_after_gap
    assert proven_again
    assert engine.connections.lost_frames == 0


def test_what_is_left_is_bounded_by_the_window_and_what_is_kept(
    rough: tuple[Path, dict[str, Any]],
) -> None:
    folder, _ = rough
    ring = msgspec.json.decode((folder / "ring.json").read_bytes(), type=RingFile)
    assert len(ring.kept) == 1
    recording = Recording.open(folder)
    last_ns = recording.last_receive_time_ns
    assert last_ns is not None
    spans = {(one.number, one.min_receive_time_ns, one.max_receive_time_ns)
             for one in recording.segments if one.venue == "reference"}  # fmt: skip
    elsewhere = [
        number
        for number, low, high in spans
        if not any(low <= until and since <= high for since, until in (*ring.kept, *ring.openings))
    ]
    # The window, its lead, and what a sealing may lag behind, in segments of half a second.
    assert len(elsewhere) <= 4 * SEGMENTS_PER_WINDOW
    audited = run("audit", str(folder), "--json")
    assert audited.json["lost"]["frames"] == 0
    assert "damaged file" not in audited.json["faults"]


def test_a_capture_that_goes_on_keeps_what_the_ring_had_kept(
    rough: tuple[Path, dict[str, Any]],
) -> None:
    folder, told = rough
    before = RecordingFolder(folder).segment_paths()
    with serving("--simulate", "calm", "--speed", "2x") as url:
        done = run(
            "capture", "reference", "BTCUSDT", "--url", url, "-o", str(folder),
            "--duration", "4s", "--ring", "1s", "--json",
        )  # fmt: skip
    assert done.code == 0, done.err
    ring = msgspec.json.decode((folder / "ring.json").read_bytes(), type=RingFile)
    recording = Recording.open(folder)
    kept = [one for one in recording.segments if one.min_receive_time_ns <= ring.kept[0][1]]
    assert kept
    assert {one.path for one in kept} <= set(before)
    assert list(recording.verify()) == []
    assert done.json["first_frame_number"] == told["frames"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--ring", "15m", "--on", "gap,chekcsum"], "there is no such trigger"),
        (["--on", "gap"], "give its length"),
        (["--ring", "10ms"], "less than a second"),
        (["--ring", "15m", "--no-engine"], "needs the engine"),
        (["--ring", "15m", "--upload", "file:///tmp/x"], "afterwards"),
        (["--remove-local"], "needs an --upload"),
        (["--upload", "s3://key:secret@bucket/x"], "keys have no place"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, options: list[str], sentence: str) -> None:
    done = run("capture", "reference", "BTCUSDT", "--url", "ws://127.0.0.1:1", "-o",
               str(tmp_path / "night"), *options)  # fmt: skip
    assert done.code == 2
    assert sentence in done.err
    assert "secret@" not in done.err
    assert not (tmp_path / "night").exists()
