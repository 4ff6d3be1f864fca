"""Audits of recordings on disk: whole, damaged, cut off, several at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from cli.audit_text import audit_lines
from recorder.recording import RecordingWriter, Rotation
from recorder.recovery import recover
from replay.audit import audit
from replay.errors import DamagedSegmentError
from replay.frame_merge import MergedRecording
from replay.frame_source import FrameList
from replay.player import Player
from replay.recording import Recording
from replay.written_time import utc_text
from tests.cli.commands import run
from tests.replay.session_script import SessionScript, clean_session
from venues.frame import Frame

FRAMES_BEFORE_ROTATION = 200


def write(folder: Path, frames: list[Frame], *, rotate_at: int | None = None) -> Recording:
    writer = RecordingWriter.create(folder, asked_for={}, rotation=Rotation())
    cut = len(frames) if rotate_at is None else rotate_at
    writer.write(frames[:cut])
    if rotate_at is not None:
        writer.rotate()
        writer.write(frames[cut:])
    writer.close()
    return Recording.open(folder)


@pytest.fixture
def script() -> SessionScript:
    script = clean_session(deltas=300)
    script.closed()
    return script


@pytest.fixture
def recording(tmp_path: Path, script: SessionScript) -> Recording:
    return write(tmp_path / "recording", script.frames, rotate_at=FRAMES_BEFORE_ROTATION)


def flip_a_byte(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def test_time_without_any_connection_is_told(tmp_path: Path) -> None:
    script = clean_session()
    script.closed()
    script.wait(46_000_000_000)
    script.opened()
    script.snapshot({"99": "1"}, {"101": "1"})
    script.closed()
    report = audit(write(tmp_path / "twice", script.frames))
    assert report.clean
    (note,) = [each for each in report.notes if "no connection" in each]
    assert "once, for 46.0 s in all" in note


def test_a_recording_into_which_nothing_ever_came_is_no_clean_one(tmp_path: Path) -> None:
    report = audit(write(tmp_path / "mute", SessionScript().frames))
    assert report.faults == {"nothing received": 1}


def test_a_whole_recording_is_as_clean_as_its_frames(
    recording: Recording, script: SessionScript
) -> None:
    report = audit(recording)
    assert report.clean
    assert report.integrity is not None
    assert (report.integrity.segments, report.integrity.segments_whole) == (2, 2)
    assert report.state_digest == audit(FrameList(script.frames)).state_digest


def test_a_flipped_byte_in_a_page_is_a_damaged_file_and_lost_frames(recording: Recording) -> None:
    segment = recording.path / recording.segments[0].path
    flip_a_byte(segment, 400)
    with pytest.raises(DamagedSegmentError):
        list(Player(recording))
    report = audit(recording)
    assert not report.clean
    assert report.faults["damaged file"] == 1
    assert report.faults["lost"] >= 1
    assert report.lost.frames == FRAMES_BEFORE_ROTATION
    assert report.integrity is not None
    assert report.integrity.segments_whole == 1
    assert recording.segments[0].path in report.integrity.faults[0]


def test_a_missing_segment_is_a_damaged_file_and_lost_frames(recording: Recording) -> None:
    (recording.path / recording.segments[0].path).unlink()
    report = audit(Recording.open(recording.path))
    assert report.faults["damaged file"] == 1
    assert report.lost.frames == FRAMES_BEFORE_ROTATION


def test_time_that_was_lost_on_an_open_connection_is_no_time_without_one(tmp_path: Path) -> None:
    script = clean_session()
    first_frames = len(script.frames)
    script.wait(20_000_000_000)
    script.closed()
    script.wait(30_000_000_000)
    script.opened()
    script.snapshot({"99": "1"}, {"101": "1"})
    script.closed()
    recording = write(tmp_path / "night", script.frames[:-3], rotate_at=first_frames)
    writer = RecordingWriter.create(recording.path, asked_for={})
    writer.write(script.frames[-3:])
    writer.close()
    lost = Recording.open(recording.path).segments[1]
    (recording.path / lost.path).unlink()
    text = " ".join(audit(Recording.open(recording.path)).notes)
    assert "no connection was open once, for 30.1 s" in text


def test_an_end_that_was_taken_away_with_its_line_in_the_manifest_is_missed(
    recording: Recording,
) -> None:
    first, last = recording.segments
    (recording.path / last.path).unlink()
    manifest = recording.path / "manifest.jsonl"
    lines = manifest.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if last.path.encode() not in line]
    assert len(kept) == len(lines) - 1
    manifest.write_bytes(b"".join(kept))
    cut = Recording.open(recording.path)
    assert [entry.path for entry in cut.segments] == [first.path]
    report = audit(cut)
    assert repr(report.faults) == "{'missing end': 1}", "a count, also where it is written as JSON"
    assert "missing end" in "\n".join(audit_lines(report, None))


def test_a_recording_that_goes_on_misses_no_end(tmp_path: Path, script: SessionScript) -> None:
    folder = tmp_path / "goes on"
    writer = RecordingWriter.create(folder, asked_for={})
    writer.write(script.frames[:FRAMES_BEFORE_ROTATION])
    writer.rotate()
    writer._queue.wait()
    assert audit(Recording.open(folder)).clean
    writer.write(script.frames[FRAMES_BEFORE_ROTATION:])
    writer.close()
    assert audit(Recording.open(folder)).clean


def test_what_was_made_of_a_recording_may_end_anywhere(
    tmp_path: Path, recording: Recording, script: SessionScript
) -> None:
    middle_ns = script.frames[FRAMES_BEFORE_ROTATION].receive_time_ns
    made = tmp_path / "half"
    ran = run("filter", str(recording.path), "-o", str(made), "--to", utc_text(middle_ns, 9))
    assert ran.code == 0, ran.err
    assert audit(Recording.open(made)).clean


def test_a_recording_that_was_cut_off_says_so_before_anyone_recovers_it(
    tmp_path: Path, script: SessionScript
) -> None:
    folder = tmp_path / "cut off"
    writer = RecordingWriter.create(folder, asked_for={})
    writer.write(script.frames[:100])
    # The process is gone without a word: its lock with it, its journal unfinished.
    writer._lock.release()
    report = audit(Recording.open(folder))
    assert report.faults["lost"] == 1
    assert report.lost.unknown == 1
    assert [finding.kind for finding in report.findings] == ["lost"]
    recover(folder)
    recovered = audit(Recording.open(folder))
    assert recovered.faults == report.faults
    assert "missing end" not in recovered.faults


@pytest.mark.parametrize(("frames", "missing"), [(None, {}), (-1, {"missing end": 1})])
def test_after_a_crash_only_what_was_opened_since_can_miss_its_end(
    tmp_path: Path, script: SessionScript, frames: int | None, missing: dict[str, int]
) -> None:
    folder = tmp_path / "goes on"
    writer = RecordingWriter.create(folder, asked_for={})
    writer.write(script.frames[:100])
    writer._lock.release()
    later = RecordingWriter.create(folder, asked_for={})
    assert later.recovered is not None
    later.write(
        [
            replace(
                frame,
                frame_number=frame.frame_number + 101,
                connection_id=2,
                receive_time_ns=frame.receive_time_ns + 60_000_000_000,
            )
            for frame in script.frames[:frames]
        ]
    )
    later.close()
    assert audit(Recording.open(folder)).faults == {"lost": 1, **missing}


def test_a_loss_that_cannot_be_read_is_a_finding_and_no_end_of_the_audit(
    tmp_path: Path, script: SessionScript
) -> None:
    script.lost(1)
    script.frames[-1] = replace(script.frames[-1], payload=b"{")
    assert audit(write(tmp_path / "odd", script.frames)).faults == {"undecodable": 1}


def test_an_end_that_did_not_fit_on_the_disk_is_a_loss_and_not_missing(
    tmp_path: Path, script: SessionScript
) -> None:
    script.frames.pop()
    script.lost(1)
    report = audit(write(tmp_path / "full", script.frames))
    assert report.faults["lost"] == 1
    assert "missing end" not in report.faults


def test_several_recordings_are_audited_as_one_and_each_file_is_verified(
    tmp_path: Path, recording: Recording, script: SessionScript
) -> None:
    other = clean_session(deltas=5)
    other.closed()
    second = write(tmp_path / "second", other.frames)
    flip_a_byte(second.path / second.segments[0].path, 4)
    report = audit(MergedRecording([recording, second]))
    assert report.integrity is not None
    assert report.integrity.segments == 3
    assert report.integrity.segments_whole == 2
    assert report.integrity.faults[0].startswith("second/frames/venue=")
