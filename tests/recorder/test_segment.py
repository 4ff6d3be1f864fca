"""A segment gives back what was sealed, or says which row group it cannot."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from recorder import segment
from recorder.manifest import ManifestEntry
from recorder.recording_errors import NewerFormatError, SegmentFormatError
from recorder.segment import COLUMNS, ROW_GROUP_ROWS, SegmentWriter, arrow_schema
from recorder.segment_file import ROW_GROUP_BYTES_MAX, SegmentFile, survey_segment
from replay.errors import DamagedSegmentError
from replay.segment_reader import SegmentReader, TimeRange
from tests.real_data import REAL_DATA, needs_real_data
from tests.recorder.frame_strategy import any_frames
from tests.recorder.made_frames import made_frames, real_frames
from venues.frame import Frame, FrameKind
from venues.marker import Lost, read_marker

PLACE = "frames/venue=binance-usdm/date=2026-11-18/000001.parquet"
VENUE = "binance-usdm"


def write(folder: Path, frames: list[Frame]) -> ManifestEntry:
    path = folder / PLACE
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = SegmentWriter(path, venue=VENUE, number=1, recording_id="0" * 32)
    writer.write(frames)
    return writer.close(PLACE)


def read(folder: Path, entry: ManifestEntry | None = None) -> list[Frame]:
    with SegmentFile(folder / PLACE, VENUE, entry) as file:
        return [frame for group in file.row_groups for b in file.read(group) for frame in b]


@given(frames=any_frames())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_in_are_bytes_out(tmp_path: Path, frames: list[Frame]) -> None:
    frames = [msgspec.structs.replace(frame, venue=VENUE) for frame in frames]
    entry = write(tmp_path, frames)
    assert read(tmp_path, entry) == frames
    assert survey_segment(tmp_path, PLACE) == entry


def test_row_groups_end_by_rows_and_by_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = made_frames(ROW_GROUP_ROWS + 10, payload_bytes=4)
    entry = write(tmp_path, many)
    with SegmentFile(tmp_path / PLACE, VENUE, entry) as file:
        assert [group.rows for group in file.row_groups] == [ROW_GROUP_ROWS, 10]
    monkeypatch.setattr(segment, "ROW_GROUP_PAYLOAD_BYTES", 10_000)
    frames = made_frames(50, payload_bytes=900)
    frames[20] = msgspec.structs.replace(frames[20], payload=bytes(50_000))
    entry = write(tmp_path, frames)
    with SegmentFile(tmp_path / PLACE, VENUE, entry) as file:
        assert [group.rows for group in file.row_groups] == [11, 9, 1, 11, 11, 7]
    assert read(tmp_path, entry) == frames


def test_the_file_is_what_the_format_says(tmp_path: Path) -> None:
    write(tmp_path, made_frames(100))
    file = pq.ParquetFile(tmp_path / PLACE)
    metadata: Any = file.metadata
    assert metadata.metadata[b"tickreel.venue"] == VENUE.encode()
    assert metadata.metadata[b"tickreel.segment_version"] == b"1"
    group = metadata.row_group(0)
    for index, name in enumerate(COLUMNS):
        column = group.column(index)
        assert column.path_in_schema == name
        assert column.compression == "ZSTD"
        assert not column.has_dictionary_page
        assert column.has_offset_index
        assert column.has_column_index == (name != "payload")
        expected = "PLAIN" if name == "payload" else "DELTA_BINARY_PACKED"
        assert expected in column.encodings
    assert group.column(5).statistics is None


def test_other_readers_of_parquet_read_it(tmp_path: Path) -> None:
    frames = made_frames(100)
    write(tmp_path, frames)
    table = pq.read_table(tmp_path / "frames", partitioning="hive")
    assert table.column("payload").to_pylist() == [frame.payload for frame in frames]
    assert set(table.column("venue").to_pylist()) == {VENUE}


def frames_around_damage(
    folder: Path, entry: ManifestEntry
) -> tuple[list[Frame], list[tuple[Frame, Lost]]]:
    found: list[Frame] = []
    lost: list[tuple[Frame, Lost]] = []
    for batch in SegmentReader(folder, entry).batches(TimeRange(), skip_damaged=True):
        for frame in batch:
            if frame.kind is FrameKind.LOST:
                lost.append((frame, read_marker(frame, Lost)))
            else:
                found.append(frame)
    return found, lost


def test_no_flipped_bit_is_silent_and_none_costs_more_than_a_row_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "ROW_GROUP_ROWS", 25)
    frames = made_frames(200, payload_bytes=40)
    entry = write(tmp_path, frames)
    path = tmp_path / PLACE
    whole = path.read_bytes()
    chance = random.Random(500)
    errors = 0
    for _ in range(1_000):
        bit = chance.randrange(len(whole) * 8)
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        path.write_bytes(altered)
        found, lost = frames_around_damage(tmp_path, entry)
        missing = [frame for frame in frames if frame not in found]
        assert found == [frame for frame in frames if frame not in missing], f"bit {bit}"
        assert len(missing) in (0, 25), f"bit {bit}"
        assert sum(loss.frames or 0 for _, loss in lost) == len(missing), f"bit {bit}"
        if missing:
            errors += 1
            assert lost[0][0].frame_number == missing[0].frame_number
            with pytest.raises(DamagedSegmentError) as caught:
                list(SegmentReader(tmp_path, entry).batches(TimeRange(), skip_damaged=False))
            error = caught.value
            assert (error.first_row, error.rows) == (missing[0].frame_number, 25)
            assert (error.first_frame_number, error.last_frame_number) == (
                missing[0].frame_number,
                missing[-1].frame_number,
            )
    # The rest of the flips fell on bytes that no frame depends on: SHA-256 finds those
    # (test_verify_finds_every_flipped_bit).
    assert errors > 200


def test_the_error_names_file_rows_and_frames(tmp_path: Path) -> None:
    entry = write(tmp_path, made_frames(40, first=1000))
    path = tmp_path / PLACE
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedSegmentError) as caught:
        list(SegmentReader(tmp_path, entry, 41).batches(TimeRange(), skip_damaged=False))
    assert str(caught.value) == (
        f"{path}: page checksum wrong. What is gone is rows 0 to 39 (frames 1,000 to 1,039). "
        "The recording has 41 other segments. Restore the file and run `tickreel audit`. To go on "
        "without what is gone: replay, cat, export, filter, split, merge and serve take "
        "--skip-damaged, and `tickreel compact --skip-damaged` makes a recording of the rest for "
        "every command, with the loss on record."
    )


@pytest.mark.parametrize("left", [0, 3, 11, 300, 0.5, -1, -9])
def test_a_cut_file_is_one_error_that_counts_its_frames(tmp_path: Path, left: float) -> None:
    entry = write(tmp_path, made_frames(400))
    path = tmp_path / PLACE
    data = path.read_bytes()
    path.write_bytes(data[: int(left * len(data)) if left == 0.5 else int(left)])
    with pytest.raises(DamagedSegmentError, match="damaged or cut off"):
        list(SegmentReader(tmp_path, entry).batches(TimeRange(), skip_damaged=False))
    found, lost = frames_around_damage(tmp_path, entry)
    assert found == []
    assert [(loss.frames, loss.bytes) for _, loss in lost] == [(400, entry.payload_bytes)]


def parquet(path: Path, table: pa.Table, **changes: Any) -> None:
    settings: Any = {"compression": "zstd", "use_dictionary": False, **changes}
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, table.schema, store_schema=False, **settings) as writer:
        facts = {"tickreel.segment_version": "1", "tickreel.venue": VENUE}
        writer.add_key_value_metadata(facts)
        writer.write_table(table, row_group_size=len(table))


def hostile_table(rows: int, payload: bytes) -> pa.Table:
    columns: Any = [
        pa.array(range(rows), pa.int64()),
        pa.array([1] * rows, pa.int32()),
        pa.array([2] * rows, pa.int8()),
        pa.array(range(rows), pa.int64()),
        pa.array(range(rows), pa.int64()),
        pa.array([payload] * rows, pa.binary()),
    ]
    return pa.Table.from_arrays(columns, schema=arrow_schema())


@pytest.mark.parametrize("bomb", ["rows", "bytes", "dictionary"])
def test_a_parquet_bomb_is_refused_before_a_page_is_decoded(tmp_path: Path, bomb: str) -> None:
    path = tmp_path / PLACE
    match bomb:
        case "rows":
            parquet(path, hostile_table(ROW_GROUP_ROWS + 1, b""))
        case "bytes":
            parquet(path, hostile_table(200, bytes(ROW_GROUP_BYTES_MAX // 190)))
        case _:
            parquet(path, hostile_table(16_000, bytes(4_000)), use_dictionary=["payload"])
    assert path.stat().st_size < 700_000
    with pytest.raises(SegmentFormatError, match=r"row group 0 claims|pages that no segment has"):
        read(tmp_path)


def test_a_later_version_is_not_guessed_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "SEGMENT_VERSION", 2)
    write(tmp_path, made_frames(3))
    with pytest.raises(NewerFormatError, match="format version 2"):
        read(tmp_path)


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / PLACE
    path.parent.mkdir(parents=True)
    for content in (b"", b"PAR1", b"PAR1" * 4, b"not a Parquet file at all"):
        path.write_bytes(content)
        with pytest.raises(SegmentFormatError):
            read(tmp_path)
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(SegmentFormatError, match="no segment of a recording"):
        read(tmp_path)
    table = hostile_table(3, b"x").drop_columns(["kind"])
    parquet(path, table)
    with pytest.raises(SegmentFormatError, match="columns that are not a segment's"):
        read(tmp_path)


def test_mutated_segments_never_raise_anything_else(tmp_path: Path) -> None:
    entry = write(tmp_path, made_frames(60))
    path = tmp_path / PLACE
    whole = path.read_bytes()
    chance = random.Random(23)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(data))
            data[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        path.write_bytes(data)
        frames_around_damage(tmp_path, entry)


def test_importing_it_does_not_load_pyarrow() -> None:
    code = "import sys, recorder.recording, recorder.recovery; print('pyarrow' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


@needs_real_data
@pytest.mark.parametrize(
    "name", ["usdm_btcusdt_20240808", "coinm_btcusd_perp_20240808", "spot_btcusdt_20240808"]
)
def test_it_takes_no_more_than_eleven_tenths_of_gzip_9(tmp_path: Path, name: str) -> None:
    lines = gzip.decompress((REAL_DATA / "binance" / f"{name}.gz").read_bytes())
    entry = write(tmp_path, real_frames(name))
    assert entry.file_bytes <= 1.1 * len(gzip.compress(lines, 9))
