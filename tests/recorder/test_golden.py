"""Recordings of every version of the format are read for ever."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from recorder.description import FORMAT_VERSION
from recorder.recording import RecordingWriter
from recorder.recovery import recover
from replay.recording import Recording
from tests.recorder.make_golden import GOLDEN, frames_sha256, golden_frames
from venues.marker import Lost, read_marker

VERSIONS = sorted(path for path in GOLDEN.iterdir() if path.is_dir())


def test_there_is_one_of_this_version() -> None:
    assert GOLDEN / f"version-{FORMAT_VERSION}" in VERSIONS


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda path: path.name)
def test_it_gives_what_it_gave_when_it_was_made(folder: Path, tmp_path: Path) -> None:
    expected = msgspec.json.decode((GOLDEN / f"{folder.name}.expected.json").read_bytes())
    recording = Recording.open(folder)
    frames = list(recording)
    assert frames_sha256(frames) == expected["frames_sha256"]
    assert len(frames) == recording.frame_count == expected["frames"]
    assert len(recording.segments) == expected["segments"]
    assert recording.payload_bytes == expected["payload_bytes"]
    assert list(recording.verify()) == []
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    recover(copy)
    assert frames_sha256(list(Recording.open(copy))) == expected["frames_sha256"]
    writer = RecordingWriter.create(copy, asked_for={})
    assert writer.next_frame_number == expected["last_frame_number"] + 1
    writer.write(golden_frames(writer.next_frame_number, 8))
    assert writer.close().faults == ()
    assert len(list(Recording.open(copy))) == expected["frames"] + 8


def test_the_frames_are_those_that_the_script_made() -> None:
    frames = list(Recording.open(GOLDEN / "version-1"))
    made = {frame.frame_number: frame for frame in golden_frames(0, frames[-1].frame_number)}
    replaced = [f for f in frames[:-1] if f != made[f.frame_number]]
    (damage,) = (read_marker(frame, Lost) for frame in replaced)
    crash = read_marker(frames[-1], Lost)
    assert (damage.cause, damage.frames, crash.cause, crash.frames) == ("damage", 24, "crash", None)
