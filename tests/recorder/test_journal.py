"""The journal keeps what was written, and never gives back what was not."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings

from recorder.journal import (
    BLOCK_FRAMES_MAX,
    BLOCK_PAYLOAD_BYTES,
    FRAME_PAYLOAD_BYTES_MAX,
    FrameBlock,
    JournalWriter,
    blocks_of,
)
from recorder.journal_reader import DamagedRange, JournalReader
from recorder.recording_errors import (
    FrameFieldError,
    FrameOrderError,
    FrameTooLargeError,
    JournalWriteError,
    NewerFormatError,
)
from tests.recorder.frame_strategy import any_frames
from tests.recorder.made_frames import START_NS, made_frames, write_journal
from tests.recorder.tiny_disk import tiny_disk
from venues.frame import Frame

ROOT = Path(__file__).parents[2]


def read(path: Path) -> tuple[list[Frame], list[DamagedRange], JournalReader]:
    frames: list[Frame] = []
    damage: list[DamagedRange] = []
    with JournalReader(path, 0) as reader:
        for item in reader.walk():
            if isinstance(item, DamagedRange):
                damage.append(item)
            else:
                frames += item
    return frames, damage, reader


def block_ends(path: Path) -> list[int]:
    """Return the offsets after each block, found by decoding with the library's own reader."""
    data = path.read_bytes()
    ends = [0]
    while ends[-1] < len(data):
        decoder = zstandard.ZstdDecompressor().decompressobj()
        decoder.decompress(data[ends[-1] :])
        ends.append(len(data) - len(decoder.unused_data))
    return ends


@given(frames=any_frames())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_in_are_bytes_out(tmp_path: Path, frames: list[Frame]) -> None:
    path = tmp_path / "000001.zst"
    path.unlink(missing_ok=True)
    write_journal(path, frames, block=5)
    found, damage, reader = read(path)
    assert found == frames
    assert damage == []
    assert reader.state.closed
    assert reader.state.torn_bytes == 0


def test_the_journal_is_an_ordinary_zst_file(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    write_journal(path, made_frames(100), block=10)
    with zstandard.open(path, "rb") as file:
        assert len(file.read()) > 100 * 120


def test_a_cut_journal_has_exactly_its_whole_blocks(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    frames = made_frames(400)
    write_journal(path, frames, block=20)
    whole = path.read_bytes()
    ends = block_ends(path)
    chance = random.Random(300)
    cuts = {*chance.sample(range(1, len(whole)), 1_000), *ends[1:], *(end + 1 for end in ends[:-1])}
    for cut in sorted(cuts):
        path.write_bytes(whole[:cut])
        blocks = sum(end <= cut for end in ends[1:])
        found, damage, reader = read(path)
        assert found == frames[: 20 * max(0, blocks - 1)], f"cut at {cut}"
        assert damage == []
        assert reader.state.whole_bytes == ends[blocks]
        assert reader.state.torn_bytes == cut - ends[blocks]
        assert reader.state.closed == (cut == len(whole))


def test_no_flipped_bit_is_silent_and_none_costs_more_than_a_block(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    frames = made_frames(400)
    write_journal(path, frames, block=20)
    whole = path.read_bytes()
    ends = block_ends(path)
    chance = random.Random(500)
    for _ in range(1_000):
        bit = chance.randrange(len(whole) * 8)
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        path.write_bytes(altered)
        found, damage, reader = read(path)
        index = sum(end <= bit // 8 for end in ends[1:])
        lost = range(20 * (index - 1), 20 * index) if 0 < index <= 20 else range(0)
        assert found == [f for f in frames if f.frame_number not in lost], f"bit {bit}"
        assert damage or reader.state.torn_bytes or not reader.state.closed, f"bit {bit}"
        if lost:
            assert [d.frames for d in damage] == [20], f"bit {bit}"
            assert damage[0].first_frame_number == lost[0]
            assert (damage[0].from_byte, damage[0].to_byte) == (ends[index], ends[index + 1])


def test_a_block_that_was_cut_out_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    frames = made_frames(60)
    write_journal(path, frames, block=20)
    whole, ends = path.read_bytes(), block_ends(path)
    path.write_bytes(whole[: ends[2]] + whole[ends[3] :])
    found, damage, _ = read(path)
    assert found == frames[:20] + frames[40:]
    assert [(d.first_frame_number, d.frames) for d in damage] == [(20, 20)]


def test_blocks_that_were_swapped_or_doubled_are_never_read_twice(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    frames = made_frames(60)
    write_journal(path, frames, block=20)
    whole, ends = path.read_bytes(), block_ends(path)
    parts = [whole[a:b] for a, b in pairwise(ends)]
    for order in ([0, 2, 1, 3, 4], [0, 1, 2, 2, 3, 4], [0, 1, 2, 3, 4, 1]):
        path.write_bytes(b"".join(parts[i] for i in order))
        found, damage, _ = read(path)
        numbers = [frame.frame_number for frame in found]
        assert numbers == sorted(set(numbers)), order
        assert damage, order


def test_a_block_within_a_payload_is_never_taken_for_a_block(tmp_path: Path) -> None:
    other = tmp_path / "other.zst"
    write_journal(other, made_frames(40, seed=2), block=40)
    smuggled = other.read_bytes()
    path = tmp_path / "000001.zst"
    frames = made_frames(30)
    frames[10] = msgspec.structs.replace(frames[10], payload=os.urandom(200_000) + smuggled)
    write_journal(path, frames, block=10)
    data = bytearray(path.read_bytes())
    assert smuggled in bytes(data)  # what cannot be compressed is stored as it is
    data[data.index(smuggled) - 100] ^= 1
    path.write_bytes(data)
    found, damage, _ = read(path)
    assert found == frames[:10] + frames[20:]
    assert [d.frames for d in damage] == [10]


@pytest.mark.parametrize("claim", [256 << 20, 1 << 40])
def test_a_block_that_claims_too_much_is_refused_before_it_is_decoded(
    tmp_path: Path, claim: int
) -> None:
    path = tmp_path / "000001.zst"
    write_journal(path, made_frames(20), block=10)
    if claim == 256 << 20:
        bomb = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(bytes(claim))
    else:
        bomb = b"\x28\xb5\x2f\xfd" + bytes([0xE4]) + claim.to_bytes(8, "little") + bytes(200)
    assert len(bomb) < 10_000
    path.write_bytes(path.read_bytes() + bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, damage, _ = read(path)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert len(found) == 20
    assert len(damage) == 1
    assert "claims" in damage[0].reason
    assert grown_kib < 100_000


def test_a_small_block_of_very_many_frames_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    write_journal(path, [], block=1, close=False)
    tag = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(path.read_bytes()))[1]
    frames = made_frames(BLOCK_FRAMES_MAX + 1, payload_bytes=0)
    content = msgspec.msgpack.encode(FrameBlock(tag, frames))
    bomb = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(content)
    path.write_bytes(path.read_bytes() + bomb)
    found, damage, _ = read(path)
    assert found == []
    assert "length" in damage[0].reason


def test_mutated_journals_never_raise_or_hang(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    frames = made_frames(60)
    write_journal(path, frames, block=10)
    whole = path.read_bytes()
    chance = random.Random(11)
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 8)):
            place = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    del data[place : place + chance.randrange(1, 2000)]
                case _:
                    data[place:place] = whole[: chance.randrange(1, 500)]
            if not data:
                break
        path.write_bytes(data)
        found, _, _ = read(path)
        assert all(frame in frames for frame in found)


def test_frames_that_do_not_continue_the_numbering_are_refused_whole(tmp_path: Path) -> None:
    writer = JournalWriter(
        tmp_path / "000001.zst", recording_id="", number=1, first_frame_number=0, time_ns=0
    )
    size = writer.file_bytes
    frames = made_frames(3)
    with pytest.raises(FrameOrderError, match="frame 2 given to the recording where frame 1"):
        writer.write([frames[0], frames[2]])
    with pytest.raises(FrameTooLargeError, match="frame 0 has"):
        writer.write(
            [msgspec.structs.replace(frames[0], payload=bytes(FRAME_PAYLOAD_BYTES_MAX + 1))]
        )
    for field, value in {
        "venue": "../etc",
        "connection_id": -1,
        "receive_time_ns": 1 << 63,
        "monotonic_time_ns": -(1 << 63),
    }.items():
        with pytest.raises(FrameFieldError):
            writer.write([msgspec.structs.replace(frames[0], **{field: value})])
    writer.write(frames)
    writer.close()
    assert writer.file_bytes > size
    assert read(tmp_path / "000001.zst")[0] == frames


def test_blocks_stay_small_unless_one_frame_is_larger() -> None:
    frames = made_frames(200, payload_bytes=3000)
    frames[50] = msgspec.structs.replace(frames[50], payload=bytes(1 << 20))
    blocks = list(blocks_of(frames))
    assert [frame for block in blocks for frame in block] == frames
    for block in blocks:
        size = sum(len(frame.payload) for frame in block)
        assert size <= BLOCK_PAYLOAD_BYTES or len(block) == 1
    tiny = list(blocks_of(made_frames(BLOCK_FRAMES_MAX + 5, payload_bytes=0)))
    assert [len(block) for block in tiny] == [BLOCK_FRAMES_MAX, 5]


def test_a_later_version_is_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    content = msgspec.msgpack.encode(["tickreel journal", b"12345678", 99, "", 1, 0, START_NS])
    path.write_bytes(zstandard.ZstdCompressor(write_checksum=True).compress(content))
    with pytest.raises(NewerFormatError, match="format version 99"):
        read(path)


FULL_DISK = textwrap.dedent(
    """
    import resource, signal, sys
    from pathlib import Path
    from recorder.journal import JournalWriter
    from recorder.recording_errors import JournalWriteError
    from tests.recorder.made_frames import made_frames

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    path = Path(sys.argv[1])
    writer = JournalWriter(path, recording_id="", number=1, first_frame_number=0, time_ns=0)
    frames = made_frames(4000, payload_bytes=1000)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    written = 0
    for room in (100_000, 1_000_000, 1_000_100, 2_345_678):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limit[1]))
        try:
            writer.write(frames[written:])
        except JournalWriteError as error:
            assert error.frames_given == 4000 - written
            written += error.frames_written
            assert writer.next_frame_number == written
        assert path.stat().st_size == writer.file_bytes <= room
        print(written)
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    writer.write(frames[written:])
    writer.close()
    """
)


def test_a_file_that_may_not_grow_stays_whole_and_goes_on_when_it_may(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = [int(line) for line in done.stdout.split()]
    assert 0 < written[1] <= written[2] < written[3] < 4000
    found, damage, reader = read(path)
    assert found == made_frames(4000, payload_bytes=1000)
    assert damage == []
    assert reader.state.closed


def test_a_full_disk_loses_nothing_that_was_written(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "1m") as disk:
        path = disk / "000001.zst"
        (disk / "ballast").write_bytes(bytes(300_000))
        writer = JournalWriter(path, recording_id="", number=1, first_frame_number=0, time_ns=0)
        frames = made_frames(900, payload_bytes=1000)
        with pytest.raises(JournalWriteError, match="No space left on device") as caught:
            writer.write(frames)
        written = caught.value.frames_written
        assert 0 < written < 900
        assert read(path)[0] == frames[:written]
        (disk / "ballast").unlink()
        writer.write(frames[written:])
        writer.close()
        found, damage, _ = read(path)
        assert found == frames
        assert damage == []


def test_a_writer_may_append_while_the_journal_is_read(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    writer = JournalWriter(path, recording_id="", number=1, first_frame_number=0, time_ns=0)
    frames = made_frames(50)
    writer.write(frames[:20])
    with JournalReader(path, 0) as reader:
        writer.write(frames[20:])
        path.unlink()
        assert [frame for block in reader.walk() for frame in block] == frames[:20]  # type: ignore[union-attr]
    writer.abandon()


def test_a_hostile_journal_is_given_up_in_bounded_time(tmp_path: Path) -> None:
    path = tmp_path / "000001.zst"
    # 64 MiB of zeros in some thousand bytes: within the limits, and no block. Many of them.
    hollow = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(bytes(60 << 20))
    path.write_bytes(hollow * 400)
    # Decoding them all would be 24 GB; the reader gives up after 1 GiB.
    found, damage, reader = read(path)
    assert found == []
    assert [(d.from_byte, d.to_byte) for d in damage] == [(0, reader.file_bytes)]
