"""A replay reproduces each receipt of the live engine, or says which one it does not, and why."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from book.engine import Engine
from recorder.recording import RecordingWriter
from recorder.recording_folder import RecordingFolder
from recorder.removals import remove_numbers
from replay.receipts import ReceiptWriter, prove, read_receipts
from replay.recording import Recording
from tests.recorder.made_frames import record
from tests.replay.indexed_recording import rough_frames
from venues.event import NO_ROUTES, BookDelta, Event, Routes
from venues.frame import Frame
from venues.reference.venue import Reference


def live(folder: Path, frames: Sequence[Frame], every: int = 100) -> Engine:
    """Do what the engine beside a capture does."""
    writer, engine = ReceiptWriter(RecordingFolder(folder), every), Engine()
    writer.begin(frames[0].frame_number)
    for frame in frames:
        engine.apply(frame)
        if engine.frames >= writer.due_frames:
            writer.write(engine)
    writer.write(engine)
    return engine


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captured") / "night"
    record(folder, rough_frames(450))
    live(folder, rough_frames(450))
    return folder


@pytest.fixture
def own(captured: Path, tmp_path: Path) -> Path:
    return shutil.copytree(captured, tmp_path / "own")


def test_a_replay_reproduces_every_receipt(captured: Path) -> None:
    receipts = read_receipts(RecordingFolder(captured))
    assert [receipt.frames for receipt in receipts] == [100, 200, 300, 400, 450]
    proof = prove(Recording.open(captured))
    assert proof.holds
    assert (proof.reproduced, proof.frames, proof.differs) == (5, 450, None)
    assert proof.unproved == 0


def test_frames_that_no_receipt_is_about_are_not_among_the_proved(tmp_path: Path) -> None:
    """An engine that came later and ended before: no change of the others would be noticed."""
    record(tmp_path / "night", rough_frames(450))
    live(tmp_path / "night", rough_frames(450)[150:400])
    proof = prove(Recording.open(tmp_path / "night"))
    assert proof.holds
    assert (proof.frames, proof.unproved) == (250, 200)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that drops deltas from frame 250 on: what a change of code can do."""
    decode = Reference.decode

    def forgets(self: Reference, frame: Frame, routes: Routes = NO_ROUTES) -> list[Event]:
        events = decode(self, frame, routes)
        if frame.frame_number < 250:
            return list(events)
        return [event for event in events if not isinstance(event, BookDelta)]

    monkeypatch.setattr(Reference, "decode", forgets)


@pytest.mark.usefixtures("forgetful")
def test_the_first_receipt_that_differs_is_said_with_what_differs(own: Path) -> None:
    proof = prove(Recording.open(own))
    assert not proof.holds
    assert proof.differs is not None
    assert (proof.differs.frame_number, proof.reproduced) == (299, 2)
    said = {difference.place: difference for difference in proof.differences}
    engine = Engine()
    for frame in rough_frames(300):
        engine.apply(frame)
    place = "reference BTCUSDT counters deltas"
    assert int(said[place].actual) == engine.markets["reference", "BTCUSDT"].counters.deltas
    assert int(said[place].expected) > int(said[place].actual)
    assert any(place.startswith("reference BTCUSDT book ") for place in said)


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("harm", ["flip", "gone"])
def test_where_the_live_state_is_damaged_that_is_said_instead(own: Path, harm: str) -> None:
    path = own / "receipts" / "000000000299.zst"
    content = bytearray(path.read_bytes())
    path.unlink()
    if harm == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    proof = prove(Recording.open(own))
    assert proof.differs is not None
    assert proof.differences == []
    assert proof.why_unknown


def test_a_capture_that_was_continued_is_proved_run_by_run(tmp_path: Path) -> None:
    frames, folder = rough_frames(450), tmp_path / "continued"
    record(folder, frames)
    live(folder, frames[:170])
    live(folder, frames[170:])
    receipts = read_receipts(RecordingFolder(folder))
    assert [receipt.first_frame_number for receipt in receipts] == [0, 0, 170, 170, 170]
    assert prove(Recording.open(folder)).holds


def test_a_receipt_about_frames_that_are_not_there_is_not_proved(tmp_path: Path) -> None:
    frames, folder = rough_frames(450), tmp_path / "cut"
    record(folder, frames[:320])
    live(folder, frames)
    proof = prove(Recording.open(folder))
    assert not proof.holds
    assert (proof.reproduced, proof.beyond, proof.differs) == (3, 2, None)


def crashed(folder: Path, frames: Sequence[Frame], kept: int) -> None:
    """Record the first `kept` frames and die, with an engine beside that was given all."""
    writer = RecordingWriter.create(folder, asked_for={})
    writer.write(frames[:kept])
    writer._lock.release()
    live(folder, frames, every=10_000)


@pytest.mark.parametrize("ahead", [0, 1, 60])
def test_a_last_receipt_that_was_ahead_of_the_disk_in_a_crash_contradicts_nothing(
    tmp_path: Path, ahead: int
) -> None:
    """Whether nothing follows, or frames to which the same numbers were given again."""
    folder, frames = tmp_path / "killed", rough_frames(450)
    live_frames = frames[: 170 + ahead]
    crashed(folder, live_frames, kept=170)
    proof = prove(Recording.open(folder))
    assert (proof.differs, proof.receipts - proof.reproduced) == (None, int(ahead > 0))
    assert proof.beyond == proof.excused
    assert proof.holds == (ahead == 0), "where nothing was reproduced, nothing is proved"

    writer = RecordingWriter.create(folder, asked_for={})
    later = [replace(frame, frame_number=frame.frame_number + 171) for frame in frames[:250]]
    writer.write(later)
    writer.close()
    live(folder, later)
    proof = prove(Recording.open(folder))
    assert proof.holds
    assert (proof.differs, proof.beyond) == (None, proof.excused)
    assert proof.frames == 250 + (170 if ahead == 0 else 0)


def test_a_receipt_about_frames_that_were_removed_on_purpose_contradicts_nothing(
    tmp_path: Path,
) -> None:
    folder, frames = tmp_path / "kept", rough_frames(450)
    writer = RecordingWriter.create(folder, asked_for={})
    for part in (frames[:150], frames[150:300], frames[300:]):
        writer.write(part)
        writer.rotate()
    writer.close()
    live(folder, frames[:120], every=10_000)
    live(folder, frames[120:320], every=10_000)
    live(folder, frames[320:], every=10_000)
    assert prove(Recording.open(folder)).reproduced == 3
    remove_numbers(RecordingFolder(folder), [1], "retention", 1)
    proof = prove(Recording.open(folder))
    assert proof.holds
    assert (proof.reproduced, proof.excused, proof.beyond) == (1, 2, 2)


def test_a_line_that_was_altered_or_half_written_counts_as_not_there(own: Path) -> None:
    path = own / "receipts.jsonl"
    lines = path.read_bytes().splitlines()
    lines[1] = lines[1].replace(b'"frames":200', b'"frames":201')
    path.write_bytes(b"\n".join(lines) + b'\n{"frame_nu')
    assert [receipt.frames for receipt in read_receipts(RecordingFolder(own))] == [
        100,
        300,
        400,
        450,
    ]
    live(own, rough_frames(450)[:50])
    assert len(read_receipts(RecordingFolder(own))) == 5


def test_without_receipts_nothing_is_proved(tmp_path: Path) -> None:
    record(tmp_path / "plain", rough_frames(30))
    proof = prove(Recording.open(tmp_path / "plain"))
    assert (proof.receipts, proof.holds) == (0, False)


def test_a_folder_that_was_renamed_is_not_made_anew_for_receipts(own: Path) -> None:
    writer, engine = ReceiptWriter(RecordingFolder(own), 100), Engine()
    frames = rough_frames(120)
    writer.begin(frames[0].frame_number)
    for frame in frames:
        engine.apply(frame)
    own.rename(own.with_name("moved"))
    with pytest.raises(FileNotFoundError, match="the recording is gone"):
        writer.write(engine)
    assert [path.name for path in own.parent.iterdir()] == ["moved"]
