"""A recording is read in every state it can be in, and says what it cannot read."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from recorder import segment
from recorder.recording import RecordingWriter
from recorder.recording_errors import DamagedManifestError, NotARecordingError
from recorder.recording_folder import RecordingFolder
from recorder.retention import Keep, apply_keeps
from recorder.sealing import seal
from replay.errors import DamagedSegmentError, MissingSegmentError
from replay.recording import Recording
from tests.recorder.made_frames import START_NS, made_frames, record
from tests.recorder.sealing_in_line import SealingInLine
from venues.frame import Frame, FrameKind
from venues.marker import DROPPED, Lost, read_marker

ROOT = Path(__file__).parents[2]
VENUES = ("binance-usdm", "bybit-linear", "recorder")


def lost(frames: list[Frame]) -> list[tuple[str, int, int | None]]:
    return [
        (frame.venue, frame.frame_number, read_marker(frame, Lost).frames)
        for frame in frames
        if frame.kind is FrameKind.LOST
    ]


@pytest.mark.parametrize("sealed", [True, False])
def test_time_range_and_streams_are_kept_to(
    tmp_path: Path, sealed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "ROW_GROUP_ROWS", 16)
    folder = tmp_path / "night"
    frames = made_frames(400, venues=VENUES)
    writer = RecordingWriter.create(folder, asked_for={})
    writer.write(frames)
    if sealed:
        writer.close()
    recording = Recording.open(folder)
    assert list(recording) == frames
    times = [None, START_NS - 1, START_NS, *(f.receive_time_ns for f in frames[37:400:61])]
    for from_ns in times:
        for to_ns in [*times, START_NS * 2]:
            for streams in (None, [], ["bybit-linear"], VENUES[:2]):
                expected = [
                    frame
                    for frame in frames
                    if (from_ns is None or frame.receive_time_ns >= from_ns)
                    and (to_ns is None or frame.receive_time_ns < to_ns)
                    and (streams is None or frame.venue in {*streams, "recorder"})
                ]
                found = recording.frames(from_ns=from_ns, to_ns=to_ns, streams=streams)
                assert list(found) == expected
    if not sealed:
        writer.close()


def test_row_groups_outside_the_range_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "ROW_GROUP_ROWS", 100)
    folder = tmp_path / "night"
    frames = made_frames(300)
    record(folder, frames)
    path = folder / Recording.open(folder).segments[0].path
    data = bytearray(path.read_bytes())
    data[len(data) // 6] ^= 1  # in the first row group: reading it is an error
    path.write_bytes(data)
    recording = Recording.open(folder)
    with pytest.raises(DamagedSegmentError, match=r"rows 0 to 99 \(frames 0 to 99\)"):
        list(recording)
    assert list(recording.frames(from_ns=frames[100].receive_time_ns)) == frames[100:]


def test_a_clock_that_steps_back_does_not_change_the_order(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    forth, back = made_frames(100), made_frames(50)
    frames = [
        *forth,
        *(
            Frame(100 + i, 1, f.venue, f.kind, f.receive_time_ns, i, b"")
            for i, f in enumerate(back)
        ),
    ]
    record(folder, frames)
    recording = Recording.open(folder)
    assert list(recording) == frames
    bound = forth[30].receive_time_ns
    assert list(recording.frames(to_ns=bound)) == frames[:30] + frames[100:130]
    assert recording.last_receive_time_ns == back[-1].receive_time_ns


def test_it_is_read_while_it_is_written_and_while_it_is_sealed(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    frames = made_frames(300, venues=VENUES)
    writer = RecordingWriter.create(folder, asked_for={})
    writer.write(frames[:100])
    opened_early = Recording.open(folder)
    assert list(opened_early) == frames[:100]
    writer.rotate()
    writer.write(frames[100:200])
    assert list(opened_early) == frames[:200]
    assert Recording.open(folder).frame_count == 200
    assert Recording.open(folder).totals.connections == max(f.connection_id for f in frames[:200])
    reading = opened_early.frames()
    begun = [next(reading) for _ in range(50)]
    writer.write(frames[200:])
    report = writer.close()
    assert report.segments == 6
    # The journal that was being read is gone, and the next one too: it was not missed.
    assert [*begun, *reading] == frames
    assert list(opened_early) == frames
    assert opened_early.frame_count == 300


def test_a_journal_that_is_sealed_between_two_looks_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "night"
    frames = made_frames(100, venues=VENUES)
    writer = RecordingWriter.create(folder, asked_for={})
    writer.write(frames)
    writer._journal.close()
    writer._lock.release()
    recording = Recording.open(folder)
    place = RecordingFolder(folder)
    real = RecordingFolder.journal_numbers

    def seal_after_looking(self: RecordingFolder) -> list[int]:
        numbers = real(self)
        monkeypatch.setattr(RecordingFolder, "journal_numbers", real)
        seal(place, 1)
        return numbers

    monkeypatch.setattr(RecordingFolder, "journal_numbers", seal_after_looking)
    assert list(recording) == frames
    assert recording.frame_count == 100


def test_a_missing_segment_is_named_and_the_rest_is_read_around_it(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    frames = made_frames(300, venues=("binance-usdm", "bybit-linear"))
    record(folder, frames, rotate_every=100)
    recording = Recording.open(folder)
    gone = recording.segments[2]
    assert (gone.venue, gone.number) == ("binance-usdm", 2)
    (folder / gone.path).unlink()
    with pytest.raises(MissingSegmentError) as caught:
        list(recording)
    assert str(folder / gone.path) in str(caught.value)
    named = "the file is missing. What is gone is rows 0 to 49 (frames 100 to 198)"
    assert named in str(caught.value)
    found = list(recording.frames(skip_damaged=True))
    assert lost(found) == [("binance-usdm", 100, 50)]
    rest = [f for f in frames if not (100 <= f.frame_number < 200 and f.frame_number % 2 == 0)]
    assert [frame for frame in found if frame.kind is not FrameKind.LOST] == rest
    assert [frame.frame_number for frame in found] == sorted(frame.frame_number for frame in found)
    # Who does not ask for that venue is not bothered.
    assert len(list(recording.frames(streams=["bybit-linear"]))) == 150
    assert [p.path for p in recording.verify()] == [gone.path]


def test_verify_finds_every_flipped_bit(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    record(folder, made_frames(100))
    recording = Recording.open(folder)
    path = folder / recording.segments[0].path
    whole = path.read_bytes()
    chance = random.Random(4)
    for _ in range(500):
        bit = chance.randrange(len(whole) * 8)
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        path.write_bytes(altered)
        (problem,) = recording.verify()
        assert problem.path == recording.segments[0].path
        assert "SHA-256 differs" in problem.sentence
    path.write_bytes(whole)
    assert list(recording.verify()) == []


def test_a_segment_that_nobody_listed_is_noticed_on_opening(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    record(folder, made_frames(20))
    path = folder / Recording.open(folder).segments[0].path
    path.with_name("000009.parquet").write_bytes(path.read_bytes())
    with pytest.raises(DamagedManifestError, match=r"does not list frames/.*000009\.parquet"):
        Recording.open(folder)


def test_a_symbolic_link_out_of_the_recording_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    record(folder, made_frames(20))
    recording = Recording.open(folder)
    path = folder / recording.segments[0].path
    outside = tmp_path / "outside"
    path.parent.rename(outside)
    path.parent.symlink_to(outside)
    with pytest.raises(DamagedSegmentError, match="a symbolic link leads out"):
        list(recording)
    path.parent.unlink()
    outside.rename(path.parent)
    path.rename(outside)
    path.symlink_to(outside)
    with pytest.raises(DamagedSegmentError, match="a symbolic link leads out"):
        list(recording)


def test_what_is_no_recording_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(NotARecordingError, match="no such folder"):
        Recording.open(tmp_path / "nowhere")
    with pytest.raises(NotARecordingError, match=r"holds no recording\.json"):
        Recording.open(tmp_path)
    (tmp_path / "recording.json").write_text('{"format": "of others", "format_version": 1}')
    with pytest.raises(NotARecordingError, match="was not written by tickreel"):
        Recording.open(tmp_path)
    with pytest.raises(NotARecordingError, match="is a file, not a folder"):
        Recording.open(tmp_path / "recording.json")


def test_importing_and_opening_it_does_not_load_pyarrow(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    record(folder, made_frames(20))
    code = textwrap.dedent(
        """
        import sys
        from replay.recording import Recording
        recording = Recording.open(sys.argv[1])
        print(recording.frame_count, "pyarrow" in sys.modules, sum(1 for _ in recording))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "20 False 20\n"


MEASURES_MEMORY = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from replay.recording import Recording
    frames = sum(1 for _ in Recording.open(sys.argv[1]))
    # Not ru_maxrss: that of a new process begins with its parent's.
    (peak,) = (x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x)
    print(frames, peak.split()[1])
    """
)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_does_not_grow_with_the_recordings_length(tmp_path: Path) -> None:
    peaks_kib = []
    for segments in (1, 5):
        folder = tmp_path / f"of {segments}"
        frames = made_frames(20_000 * segments, payload_bytes=700, venues=VENUES[:2])
        record(folder, frames, rotate_every=20_000)
        done = subprocess.run(
            [sys.executable, "-c", MEASURES_MEMORY, str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        count, peak_kib = map(int, done.stdout.split())
        assert count == 20_000 * segments
        peaks_kib.append(peak_kib)
    assert peaks_kib[1] < 300_000
    assert peaks_kib[1] - peaks_kib[0] < 40_000, peaks_kib


@pytest.mark.parametrize("skip_damaged", [True, False])
def test_what_is_removed_on_purpose_under_a_reader_is_no_damage(
    tmp_path: Path, skip_damaged: bool
) -> None:
    folder = tmp_path / "night"
    frames = made_frames(240, venues=VENUES[:2])
    record(folder, frames, rotate_every=40)
    opened = Recording.open(folder)
    batches = opened.frame_batches(skip_damaged=skip_damaged)
    read = next(batches)
    sizes = [entry.file_bytes for entry in opened.segments if entry.number == 6]
    apply_keeps(RecordingFolder(folder), [Keep("", bytes=sum(sizes))])
    read += [frame for batch in batches for frame in batch]
    (gone,) = [frame for frame in read if frame.kind is FrameKind.LOST]
    told = read_marker(gone, Lost)
    assert (gone.frame_number, told.cause, told.frames) == (40, DROPPED, 160)
    assert [frame for frame in read if frame is not gone] == frames[:40] + frames[200:]
    assert list(opened.verify()) == []


def test_a_recording_that_goes_on_while_it_is_verified_has_no_damage(tmp_path: Path) -> None:
    folder, frames = tmp_path / "live", made_frames(200)
    writer = RecordingWriter.create(folder, asked_for={}, sealing_queue=SealingInLine)
    for begin in (0, 40):
        writer.write(frames[begin : begin + 40])
        writer.rotate()
    opened = Recording.open(folder)
    for begin in (80, 120, 160):
        writer.write(frames[begin : begin + 40])
        writer.rotate()
    writer.sync()
    assert list(opened.verify()) == []
    assert writer.close().faults == ()
