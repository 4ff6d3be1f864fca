"""A kill at any step of sealing loses nothing and doubles nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import pytest

from recorder.manifest import read_manifest
from recorder.recording import RecordingWriter, Rotation
from recorder.recording_errors import SealingError
from recorder.recording_folder import FolderLock, RecordingFolder
from recorder.recovery import recover
from recorder.sealing import seal
from replay.recording import Recording
from tests.recorder.made_frames import made_frames
from tests.recorder.tiny_disk import tiny_disk
from venues.frame import Frame

ROOT = Path(__file__).parents[2]
VENUES = ("binance-usdm", "bybit-linear", "recorder")

KILLED_AT = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from recorder.recording_folder import RecordingFolder
    from recorder.sealing import seal

    wanted, left = sys.argv[2], int(sys.argv[3])

    def on_step(name):
        global left
        if name == wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    seal(RecordingFolder(Path(sys.argv[1])), 1, on_step)
    """
)


def leave_a_closed_journal(folder: Path, frames: list[Frame]) -> None:
    """Leave what a recorder leaves that is killed right after it has closed a journal."""
    writer = RecordingWriter.create(folder, asked_for={}, min_free_bytes=0)
    writer.write(frames)
    writer._journal.close()
    writer._lock.release()


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def check_whole(folder: Path, frames: list[Frame]) -> None:
    recording = Recording.open(folder)
    assert list(recording) == frames
    assert recording.frame_count == len(frames)
    assert list(recording.verify()) == []


@pytest.mark.parametrize(
    ("step", "time"),
    [
        ("journal synced", 1),
        ("segments written", 1),
        ("segments compared", 1),
        ("segment renamed", 1),
        ("segment listed", 1),
        ("segment renamed", 2),
        ("segment listed", 2),
        ("segment renamed", 3),
        ("segment listed", 3),
        ("journal removed", 1),
    ],
)
@pytest.mark.parametrize("torn_line", [False, True])
def test_a_kill_at_any_step_loses_nothing_and_doubles_nothing(
    tmp_path: Path, step: str, time: int, torn_line: bool
) -> None:
    folder = tmp_path / "night"
    frames = made_frames(300, venues=VENUES)
    leave_a_closed_journal(folder, frames)
    killed = run(KILLED_AT, folder, step, time)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    if torn_line and step != "journal removed":
        with (folder / "manifest.jsonl").open("ab") as manifest:
            manifest.write(b'{"path":"frames/venue=bybit-linear/date=')
    check_whole(folder, frames)  # as the kill left it
    recover(folder)
    check_whole(folder, frames)
    assert recover(folder).sentence == "Nothing to recover."
    left = files(folder) - {".lock", ".sealing-lock", "recording.json", "manifest.jsonl"}
    assert left == {entry.path for entry in Recording.open(folder).segments}
    assert len(left) == 3


def test_a_recorder_that_starts_again_goes_on_after_a_kill_in_sealing(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    frames = made_frames(300, venues=VENUES)
    leave_a_closed_journal(folder, frames[:200])
    assert run(KILLED_AT, folder, "segment listed", 2).returncode == -signal.SIGKILL
    writer = RecordingWriter.create(folder, asked_for={})
    assert writer.recovered is not None
    assert writer.next_frame_number == 200
    assert writer.next_connection_id == 4
    writer.write(frames[200:])
    writer.close()
    check_whole(folder, frames)


def test_sealing_again_what_is_sealed_does_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    leave_a_closed_journal(folder, made_frames(10))
    place = RecordingFolder(folder)
    report = seal(place, 1)
    assert report is not None
    assert (report.segments, report.frames, report.closed) == (1, 10, True)
    assert seal(place, 1) is None


def test_the_process_works_from_any_folder_whatever_is_in_it(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("recorder", "venues", "msgspec"):
        (trap / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    code = textwrap.dedent(
        """
        import sys
        sys.path.insert(0, sys.argv[1])
        from pathlib import Path
        from recorder.recording import RecordingWriter
        from tests.recorder.made_frames import made_frames
        writer = RecordingWriter.create(Path("night"), asked_for={})
        frames = made_frames(100)
        writer.write(frames[:50])
        writer.rotate()
        writer.write(frames[50:])
        print(writer.close())
        """
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(ROOT)],
        cwd=trap,
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stderr
    assert "segments=2" in done.stdout
    assert "faults=()" in done.stdout
    check_whole(trap / "night", made_frames(100))


def test_the_process_says_what_it_did_in_one_json_line(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    leave_a_closed_journal(folder, made_frames(10))
    command = [sys.executable, "-m", "recorder.sealing", str(folder), "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert msgspec.json.decode(done.stdout)[0]["frames"] == 10
    (folder / "recording.json").unlink()
    (folder / "journal" / "000002.zst").write_bytes(b"")
    done = subprocess.run(
        [*command[:-1], "2"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "could not be sealed" in msgspec.json.decode(done.stdout)["error"]


def test_a_sealing_that_fails_keeps_its_journal_and_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    writer = RecordingWriter.create(folder, asked_for={}, rotation=Rotation(bytes_max=1))
    frames = made_frames(30)
    (folder / "frames" / "venue=binance-usdm").write_text("a file where a folder has to be")
    writer.write(frames[:10])
    assert not writer.rotate_due(0) or writer.rotate_due(1)
    writer.rotate()
    writer.write(frames[10:])
    report = writer.close()
    assert len(report.faults) >= 1
    assert "The journal is kept" in report.faults[0]
    assert sorted(files(folder / "journal")) == ["000001.zst", "000002.zst"]
    check_whole(folder, frames)
    (folder / "frames" / "venue=binance-usdm").unlink()
    recover(folder)
    check_whole(folder, frames)
    assert files(folder / "journal") == set()


def test_a_sealing_that_cannot_be_begun_ends_nothing_and_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = made_frames(60)
    writer = RecordingWriter.create(tmp_path / "night", asked_for={})
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "an-interpreter-that-was-upgraded-away"))
        for begin in (0, 20):
            writer.write(frames[begin : begin + 20])
            writer.rotate()
        (first, second) = writer.sealing_faults()
        assert "000001.zst: sealing could not be begun (No such file or directory)" in first
        assert "000002.zst" in second
    writer.write(frames[40:])
    report = writer.close()
    assert report.frames == 60
    assert list(Recording.open(tmp_path / "night")) == frames


def test_a_sealing_with_much_to_say_comes_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    writer = RecordingWriter.create(folder, asked_for={}, min_free_bytes=0)
    journal, begins = folder / "journal" / "000001.zst", []
    for frame in made_frames(2_000):
        begins.append(journal.stat().st_size)
        writer.write([frame])
    with journal.open("r+b") as file:
        for begin in begins[::2]:
            file.seek(begin + 12)
            file.write(b"\xff\xff\xff\xff")
    writer.rotate()
    process = writer._queue._process
    assert process is not None
    try:
        assert process.wait(60.0) == 0
    finally:
        process.kill()
    assert writer.close().faults == ()


def test_a_later_journal_waits_for_the_one_before(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    leave_a_closed_journal(folder, made_frames(10))
    (folder / "journal" / "000002.zst").write_bytes(b"")
    with pytest.raises(SealingError, match="journal 1 has to be sealed before it"):
        seal(RecordingFolder(folder), 2)


def test_a_segment_that_reads_back_differently_is_not_put_into_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "night"
    frames = made_frames(10)
    leave_a_closed_journal(folder, frames)

    def alter(step: str) -> None:
        if step == "segments written":
            (path,) = folder.glob("frames/*/*/*.tmp")
            data = bytearray(path.read_bytes())
            data[len(data) // 4] ^= 4
            path.write_bytes(data)

    with pytest.raises(SealingError):
        seal(RecordingFolder(folder), 1, alter)
    assert read_manifest(folder / "manifest.jsonl").entries == ()
    check_whole(folder, frames)
    assert recover(folder).journals[0].frames == 10
    check_whole(folder, frames)


def test_two_sealings_at_once_are_one_after_the_other(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    frames = made_frames(200, venues=VENUES)
    leave_a_closed_journal(folder, frames)
    place = RecordingFolder(folder)
    command = [sys.executable, "-m", "recorder.sealing", str(folder), "1"]
    with FolderLock(place.sealing_lock):
        both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(2)]
        check_whole(folder, frames)
    assert [process.wait() for process in both] == [0, 0]
    check_whole(folder, frames)
    assert len(Recording.open(folder).segments) == 3


@pytest.mark.parametrize("room", [0, 40_000, 200_000, 390_000])
def test_a_full_disk_keeps_the_journal_and_leaves_nothing_half_done(
    tmp_path: Path, room: int
) -> None:
    with tiny_disk(tmp_path / "disk", "1m") as disk:
        frames = made_frames(400, payload_bytes=1000)
        leave_a_closed_journal(disk / "night", frames)
        status = os.statvfs(disk)
        (disk / "ballast").write_bytes(bytes(status.f_bavail * status.f_frsize - room))
        with pytest.raises(SealingError, match="The journal is kept"):
            seal(RecordingFolder(disk / "night"), 1)
        assert list((disk / "night").glob("frames/*/*/*")) == []
        check_whole(disk / "night", frames)
        (disk / "ballast").unlink()
        recover(disk / "night")
        check_whole(disk / "night", frames)
        assert files(disk / "night" / "journal") == set()
