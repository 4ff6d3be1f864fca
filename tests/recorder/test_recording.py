"""One writer a folder, nothing lost by a kill, nothing begun on top of something else."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import msgspec
import pytest

from recorder.recording import RecordingWriter, Rotation
from recorder.recording_errors import (
    DamagedDescriptionError,
    FolderInUseError,
    NewerFormatError,
    NotARecordingError,
)
from recorder.recovery import recover
from replay.recording import Recording
from tests.recorder.made_frames import made_frames, record
from venues.frame import Frame, FrameKind
from venues.marker import Lost, read_marker

ROOT = Path(__file__).parents[2]
KILLS = 50

WRITES_UNTIL_KILLED = textwrap.dedent(
    """
    import itertools, mmap, sys
    from pathlib import Path
    from recorder.recording import RecordingWriter, Rotation
    from tests.recorder.made_frames import made_frames

    folder, counter = Path(sys.argv[1]), open(sys.argv[2], "r+b")
    written = mmap.mmap(counter.fileno(), 8)
    writer = RecordingWriter.create(folder, asked_for={}, rotation=Rotation(bytes_max=1_500_000))
    for now_ns in itertools.count():
        writer.write(made_frames(97, first=writer.next_frame_number))
        written[:] = writer.next_frame_number.to_bytes(8, "little")
        if writer.rotate_due(now_ns):
            writer.rotate()
        if now_ns % 10 == 0:
            writer.sync()
    """
)

HOLDS_THE_FOLDER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from recorder.recording import RecordingWriter
    writer = RecordingWriter.create(Path(sys.argv[1]), asked_for={})
    print("holding", flush=True)
    time.sleep(600)
    """
)


def losses(frames: list[Frame]) -> list[Lost]:
    return [read_marker(frame, Lost) for frame in frames if frame.kind is FrameKind.LOST]


def test_nothing_that_was_written_is_lost_by_any_of_fifty_kills(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    counter = tmp_path / "written"
    counter.write_bytes(bytes(8))
    chance = random.Random(9)
    for kill in range(1, KILLS + 1):
        before = counter.read_bytes()
        process = subprocess.Popen(
            [sys.executable, "-c", WRITES_UNTIL_KILLED, str(folder), str(counter)], cwd=ROOT
        )
        while counter.read_bytes() == before:
            assert process.poll() is None
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        written = int.from_bytes(counter.read_bytes(), "little")
        assert Recording.open(folder).frame_count >= written
        assert kill == 1 or written > int.from_bytes(before, "little")
    unrecovered = list(Recording.open(folder))
    recover(folder)
    recording = Recording.open(folder)
    frames = list(recording)
    assert frames == unrecovered
    assert list(recording.verify()) == []
    assert [frame.frame_number for frame in frames] == list(range(len(frames)))
    assert len(frames) >= written
    begins = 0
    for index, frame in enumerate([*frames, None]):
        if frame is None or frame.kind is FrameKind.LOST:
            run = frames[begins:index]
            for first in range(0, len(run), 97):
                batch = run[first : first + 97]
                assert batch == made_frames(97, first=begins + first)[: len(batch)]
            begins = index + 1
    assert [loss.cause for loss in losses(frames)] == ["crash"] * KILLS
    assert all(loss.frames is None for loss in losses(frames))


def test_a_clean_stop_and_start_leaves_no_trace_but_the_frames(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    frames = made_frames(100)
    for begin in range(0, 100, 25):
        writer = RecordingWriter.create(folder, asked_for={})
        assert writer.recovered is None
        assert writer.next_frame_number == begin
        assert writer.next_connection_id == (4 if begin else 1)
        writer.write(frames[begin : begin + 25])
        report = writer.close()
        assert (report.segments, report.frames) == (begin // 25 + 1, begin + 25)
        assert report.payload_bytes == 120 * (begin + 25)
    assert list(Recording.open(folder)) == frames


def test_a_writer_that_writes_nothing_leaves_no_file_behind(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    for _ in range(2):
        report = RecordingWriter.create(folder, asked_for={"venue": "bybit-linear"}).close()
        assert (report.segments, report.frames) == (0, 0)
    assert list((folder / "journal").iterdir()) == []
    assert list((folder / "frames").iterdir()) == []
    recording = Recording.open(folder)
    assert list(recording) == []
    assert recording.first_receive_time_ns is None
    assert recording.description.asked_for == {"venue": "bybit-linear"}


def test_a_second_writer_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    first = RecordingWriter.create(folder, asked_for={})
    first.write(made_frames(10))
    with pytest.raises(FolderInUseError, match="another tickreel is writing into this folder"):
        RecordingWriter.create(folder, asked_for={})
    with pytest.raises(FolderInUseError):
        recover(folder)
    first.write(made_frames(10, first=10))
    first.close()
    assert Recording.open(folder).frame_count == 20


def test_the_lock_of_a_killed_writer_is_free(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_FOLDER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"holding\n"
    with pytest.raises(FolderInUseError):
        RecordingWriter.create(folder, asked_for={})
    holder.kill()
    holder.wait()
    holder.stdout.close()
    writer = RecordingWriter.create(folder, asked_for={})
    assert writer.recovered is not None
    writer.close()
    assert [loss.cause for loss in losses(list(Recording.open(folder)))] == ["crash"]


def test_folders_that_hold_something_else_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"...")
    with pytest.raises(NotARecordingError, match="is not empty and holds no recording"):
        RecordingWriter.create(tmp_path, asked_for={})
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]
    with pytest.raises(NotARecordingError, match="is a file, not a folder"):
        RecordingWriter.create(tmp_path / "holiday.jpg", asked_for={})


def test_a_recording_of_a_later_format_is_not_written_to(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    record(folder, made_frames(3))
    description = folder / "recording.json"
    facts = msgspec.json.decode(description.read_bytes())
    description.write_bytes(msgspec.json.encode({**facts, "format_version": 2}))
    for use in (Recording.open, recover, lambda f: RecordingWriter.create(f, asked_for={})):
        with pytest.raises(NewerFormatError, match="format version 2; this tickreel reads up to"):
            use(folder)
    description.write_bytes(b"{")
    with pytest.raises(DamagedDescriptionError):
        Recording.open(folder)


@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
def test_only_the_owner_can_read_it(tmp_path: Path, mask: int) -> None:
    folder = tmp_path / "night"
    umask = os.umask(mask)
    try:
        record(folder, made_frames(10, venues=("bybit-linear", "recorder")), rotate_every=5)
    finally:
        os.umask(umask)
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_nothing_about_the_machine_but_its_kind_is_written(tmp_path: Path) -> None:
    import getpass
    import socket

    folder = tmp_path / "night"
    record(folder, made_frames(3))
    text = (folder / "recording.json").read_text()
    for secret in (socket.gethostname(), getpass.getuser(), str(tmp_path), "/"):
        assert secret not in text or secret == "root", secret


def test_rotation_is_due_by_size_and_by_time_and_never_for_an_empty_journal(
    tmp_path: Path,
) -> None:
    rotation = Rotation(bytes_max=1000, interval_s=10)
    writer = RecordingWriter.create(tmp_path / "night", asked_for={}, rotation=rotation)
    second_ns = 1_000_000_000
    assert not writer.rotate_due(0)
    assert not writer.rotate_due(100 * second_ns)
    writer.write(made_frames(2))
    assert not writer.rotate_due(109 * second_ns)
    assert writer.rotate_due(110 * second_ns)
    writer.rotate()
    writer.rotate()  # nothing in it: stays
    assert not writer.rotate_due(111 * second_ns)
    writer.write(made_frames(10, first=2))
    assert writer.rotate_due(112 * second_ns)
    writer.rotate()
    assert writer.sealing_faults() == []
    assert writer.close().segments == 2


def test_a_kill_in_the_middle_of_a_rotation_is_one_loss(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    frames = made_frames(30)
    writer = RecordingWriter.create(folder, asked_for={})
    writer.write(frames)
    writer._journal._open(2, 30).abandon()  # the next is begun, the last one not yet closed
    writer._journal.abandon()
    writer._lock.release()
    found = list(Recording.open(folder))
    assert found[:-1] == frames
    assert [loss.cause for loss in losses(found)] == ["crash"]
    recover(folder)
    assert list(Recording.open(folder)) == found
