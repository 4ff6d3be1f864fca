"""The manifest says when it was altered, in any line, the last one too."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from recorder.manifest import (
    ManifestEntry,
    append_entry,
    believable_entries,
    read_manifest,
    rewrite_manifest,
)
from recorder.recording_errors import DamagedManifestError
from tests.recorder.failing_disk import never


def entry(number: int) -> ManifestEntry:
    return ManifestEntry(
        path=f"frames/venue=bybit-linear/date=2026-11-22/{number:06d}.parquet",
        venue="bybit-linear",
        number=number,
        frames=10,
        first_frame_number=number * 10,
        last_frame_number=number * 10 + 9,
        connection_id_max=3,
        payload_bytes=1000,
        file_bytes=900,
        first_receive_time_ns=1,
        last_receive_time_ns=4,
        min_receive_time_ns=1,
        max_receive_time_ns=5,
        footer_bytes=200,
        footer_sha256="f" * 64,
        sha256="a" * 64,
    )


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.jsonl"
    for number in range(1, 6):
        append_entry(path, entry(number))
    return path


def test_entries_come_back_as_they_were_added(manifest: Path) -> None:
    found = read_manifest(manifest)
    assert found.entries == tuple(entry(number) for number in range(1, 6))
    assert found.torn_bytes == 0
    assert manifest.stat().st_mode & 0o777 == 0o600


def test_a_manifest_written_at_once_is_the_same_file(manifest: Path) -> None:
    appended = manifest.read_bytes()
    rewrite_manifest(manifest, read_manifest(manifest).entries)
    assert manifest.read_bytes() == appended


def test_no_manifest_is_an_empty_one(tmp_path: Path) -> None:
    assert read_manifest(tmp_path / "manifest.jsonl").entries == ()


def test_no_flipped_bit_is_silent_and_the_other_lines_are_still_believed(manifest: Path) -> None:
    whole = manifest.read_bytes()
    chance = random.Random(500)
    for _ in range(1_000):
        bit = chance.randrange(len(whole) * 8)
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        manifest.write_bytes(altered)
        # Only the last line break leaves the rest as it was: an unfinished line, then.
        if bit // 8 == len(whole) - 1:
            assert read_manifest(manifest).torn_bytes > 0
        else:
            with pytest.raises(DamagedManifestError, match=r"line [1-5]: "):
                read_manifest(manifest)
        believed = list(believable_entries(manifest))
        assert len(believed) >= 3
        assert all(e == entry(e.number) for e in believed)


@pytest.mark.parametrize("change", ["removed", "doubled", "swapped", "emptied"])
def test_lines_removed_doubled_or_moved_are_found(manifest: Path, change: str) -> None:
    lines = manifest.read_bytes().splitlines(keepends=True)
    match change:
        case "removed":
            del lines[2]
        case "doubled":
            lines.insert(2, lines[2])
        case "swapped":
            lines[1], lines[2] = lines[2], lines[1]
        case _:
            lines[2] = b"\n"
    manifest.write_bytes(b"".join(lines))
    with pytest.raises(DamagedManifestError, match=r"line [2-4]: .*tickreel recover"):
        read_manifest(manifest)


def test_every_cut_leaves_whole_lines_and_the_next_line_follows_them(manifest: Path) -> None:
    whole = manifest.read_bytes()
    chance = random.Random(300)
    for cut in chance.sample(range(len(whole)), 1_000):
        manifest.write_bytes(whole[:cut])
        lines = whole[:cut].count(b"\n")
        found = read_manifest(manifest)
        assert found.entries == tuple(entry(n) for n in range(1, lines + 1))
        assert found.whole_bytes + found.torn_bytes == cut
        append_entry(manifest, entry(77), never())
        assert [e.number for e in read_manifest(manifest).entries] == [*range(1, lines + 1), 77]


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "frames/venue=../date=2026-11-22/000001.parquet/../../..",
        "frames/venue=bybit-linear/../../000001.parquet",
        "frames/venue=bybit-linear/date=2026-11-22/000002.parquet",
        "frames/venue=binance-spot/date=2026-11-22/000001.parquet",
        "frames/venue=bybit-linear/date=2026-11-22/000001.parquet\n",
        "frames/venue=bybit-linear/date=2026-11-22/000001.parquet\0",
        "frames\\venue=bybit-linear\\date=2026-11-22\\000001.parquet",
    ],
)
def test_a_path_that_is_not_the_segments_own_is_refused(tmp_path: Path, path: str) -> None:
    manifest = tmp_path / "manifest.jsonl"
    rewrite_manifest(manifest, [msgspec.structs.replace(entry(1), path=path)])
    with pytest.raises(DamagedManifestError, match="a path that no segment can have"):
        read_manifest(manifest)
