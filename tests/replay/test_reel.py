"""A reel is a recording in one file: the same bytes always, every one of them checked."""

from __future__ import annotations

import gc
import random
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.recording import RecordingWriter, Rotation
from recorder.recording_folder import FolderLock, RecordingFolder
from recorder.removals import remove_numbers
from replay.audit import audit
from replay.derived_recording import compact
from replay.pack import pack, unpack
from replay.receipts import prove
from replay.recording import Recording
from replay.reel_errors import CannotPackError, NotAReelError, TargetTakenError
from tests.recorder.made_frames import made_frames
from tests.replay.indexed_recording import rough_frames, rough_recording
from tests.replay.test_receipts import live

VENUES = ("binance-usdm", "bybit-linear", "recorder")
SAMPLES = Path(__file__).parents[2] / "sample_data"


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed recording of several segments of three venues. Not to be changed."""
    place = tmp_path_factory.mktemp("reel") / "night"
    frames = made_frames(300, venues=VENUES)
    writer = RecordingWriter.create(place, asked_for={}, rotation=Rotation(bytes_max=1))
    for first in range(0, 300, 100):
        writer.write(frames[first : first + 100])
        writer.rotate()
    writer.close()
    return place


@pytest.fixture
def reel(folder: Path, tmp_path: Path) -> Path:
    return pack(folder, tmp_path / "night.reel").path


def test_a_reel_gives_the_frames_and_the_files_that_were_packed(
    folder: Path, reel: Path, tmp_path: Path
) -> None:
    assert list(Recording.open(reel)) == list(Recording.open(folder))
    report = unpack(reel, tmp_path / "again")
    assert files(tmp_path / "again") == files(folder)
    assert (report.frames, report.segments) == (300, 9)


def test_packing_gives_the_same_bytes_wherever_and_whenever(
    folder: Path, reel: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere").rglob("*"):
        path.touch()
    unpack(reel, tmp_path / "again")
    for other in ("elsewhere", "again"):
        pack(tmp_path / other, tmp_path / f"{other}.reel")
        assert (tmp_path / f"{other}.reel").read_bytes() == reel.read_bytes()


def test_any_unzip_opens_it(folder: Path, reel: Path) -> None:
    with zipfile.ZipFile(reel) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files(folder)
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100600}


def test_no_flipped_bit_and_no_cut_goes_unseen(reel: Path, tmp_path: Path) -> None:
    whole = reel.read_bytes()
    directory = whole.index(b"PK\1\2")
    chance = random.Random(3)
    headers = [whole.index(b"PK\3\4", chance.randrange(directory // 2)) for _ in range(3)]
    places = [
        *range(directory, len(whole), 19),
        *(at + offset for at in headers for offset in range(0, 30, 3)),
        *(chance.randrange(len(whole)) for _ in range(60)),
    ]
    damaged = tmp_path / "damaged.reel"
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << chance.randrange(8)
        damaged.write_bytes(flipped)
        with pytest.raises(NotAReelError):
            Recording.open(damaged)
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        damaged.write_bytes(whole[:size])
        with pytest.raises(NotAReelError):
            Recording.open(damaged)
    damaged.write_bytes(whole + b"\0")
    with pytest.raises(NotAReelError):
        Recording.open(damaged)


def rezipped(reel: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write an archive as any ZIP program would, its members changed."""
    with zipfile.ZipFile(reel) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100600 << 16
            archive.writestr(entry, content)
    return target


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/tmp/outside",
        "frames/../../outside",
        "journal/000001.zst",
        "receipts/000000000001.zst",
        "frames/venue=a/date=2026-11-22/../x.parquet",
        "frames/venue=recorder/date=2026-11-22/000001.parquet/",
        "\u00e4",
    ],
)
def test_a_name_that_no_recording_has_is_refused(reel: Path, tmp_path: Path, name: str) -> None:
    def add(members: dict[str, bytes]) -> None:
        members[name] = b"x"

    hostile = rezipped(reel, tmp_path / "hostile.reel", add)
    with pytest.raises(NotAReelError):
        unpack(hostile, tmp_path / "deep" / "there")
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "deep").exists()


def test_members_that_overlap_or_are_compressed_are_refused(reel: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.reel"
    deflated = zipfile.ZipFile(hostile, "w", zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(reel) as archive, deflated:
        for name in archive.namelist():
            deflated.writestr(name, archive.read(name))
    with pytest.raises(NotAReelError):
        Recording.open(hostile)
    # Two entries of the directory for the bytes of one: what is unpacked grows beyond the file.
    whole = bytearray(reel.read_bytes())
    first = whole.index(b"PK\1\2")
    second = whole.index(b"PK\1\2", first + 4)
    third = whole.index(b"PK\1\2", second + 4)
    (offset,) = struct.unpack_from("<I", whole, second + 42)
    struct.pack_into("<I", whole, third + 42, offset)
    hostile.write_bytes(whole)
    with pytest.raises(NotAReelError, match=r"directory|header"):
        Recording.open(hostile)


def test_a_segment_that_the_manifest_does_not_vouch_for_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(folder, changed)
    segment = changed / Recording.open(folder).segments[0].path
    segment.write_bytes(segment.read_bytes() + b"\0")
    with pytest.raises(CannotPackError, match="not the bytes that were sealed"):
        pack(changed, tmp_path / "changed.reel")
    assert not (tmp_path / "changed.reel").exists()
    segment.unlink()
    with pytest.raises(CannotPackError, match="missing"):
        pack(changed, tmp_path / "changed.reel")


def test_what_is_not_finished_is_not_packed(folder: Path, tmp_path: Path) -> None:
    unsealed = tmp_path / "unsealed"
    RecordingWriter.create(unsealed, asked_for={}).write(made_frames(3))
    with pytest.raises(CannotPackError, match="being written to"):
        pack(unsealed, tmp_path / "x.reel")
    busy = tmp_path / "busy"
    shutil.copytree(folder, busy)
    with FolderLock(RecordingFolder(busy).lock), pytest.raises(CannotPackError, match="written to"):
        pack(busy, tmp_path / "x.reel")


def test_nothing_is_written_over_without_being_told(
    folder: Path, reel: Path, tmp_path: Path
) -> None:
    with pytest.raises(TargetTakenError, match="--force"):
        pack(folder, reel)
    pack(folder, reel, force=True)
    full = tmp_path / "full"
    unpack(reel, full)
    with pytest.raises(TargetTakenError, match="--force"):
        unpack(reel, full)
    unpack(reel, full, force=True)
    assert files(full) == files(folder)
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.txt").write_text("mine")
    with pytest.raises(TargetTakenError, match="even --force"):
        unpack(reel, own, force=True)
    assert (own / "thesis.txt").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"night.reel", "full", "own"}


def test_what_was_unpacked_for_reading_goes_with_the_recording(reel: Path) -> None:
    recording = Recording.open(reel)
    unpacked = recording.path
    frames = recording.frames()
    del recording
    gc.collect()
    assert next(frames).frame_number == 0, "who still reads keeps it"
    assert unpacked.is_dir()
    del frames
    gc.collect()
    assert not unpacked.exists()


def test_a_sample_is_judged_alike_packed_and_not(tmp_path: Path) -> None:
    pack(SAMPLES / "rough", tmp_path / "rough.reel")
    packed, plain = (
        audit(Recording.open(path)) for path in (tmp_path / "rough.reel", SAMPLES / "rough")
    )
    assert packed == plain


def test_what_was_removed_on_purpose_is_not_packed_as_if_whole(
    folder: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    remove_numbers(RecordingFolder(kept), [1], "retention", 1)
    with pytest.raises(CannotPackError, match="compact"):
        pack(kept, tmp_path / "kept.reel")
    compact(Recording.open(kept), tmp_path / "kept.reel", 9)
    assert list(Recording.open(tmp_path / "kept.reel")) == list(Recording.open(kept))


def test_receipts_come_along_and_prove_a_replay_of_the_reel(tmp_path: Path) -> None:
    folder, frames = tmp_path / "live", rough_frames(500)
    rough_recording(folder, 500)
    live(folder, frames, every=200)
    reel = pack(folder, tmp_path / "live.reel").path
    proof = prove(Recording.open(reel))
    assert (proof.receipts, proof.reproduced, proof.holds) == (3, 3, True)
    again = unpack(reel, tmp_path / "again").path
    pack(again, tmp_path / "again.reel")
    assert (tmp_path / "again.reel").read_bytes() == reel.read_bytes()
    (folder / "receipts.jsonl").unlink()
    live(folder, frames[:199] + frames[200:400], every=199)
    pack(folder, reel, force=True)
    parted = prove(Recording.open(reel))
    assert parted.differs is not None
    assert parted.differs.frame_number == 398
    assert "a .reel file has its digests alone" in parted.why_unknown
