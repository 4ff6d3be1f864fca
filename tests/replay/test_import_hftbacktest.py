from __future__ import annotations

import errno
import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorder.disk import REAL_DISK, Disk
from recorder.recording import RecordingWriter
from recorder.recording_errors import JournalWriteError
from replay.import_errors import (
    FileGivenTwiceError,
    ImportFormatError,
    ImportNotWrittenError,
    ImportSourceError,
    ImportTargetError,
    UnknownImportFormatError,
)
from replay.import_recording import ImportReport, import_recording
from replay.recording import Recording
from venues.errors import UnknownVenueError
from venues.frame import Frame, FrameKind
from venues.marker import read_http

DELTA = (
    b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT",'
    b'"U":50,"u":60,"b":[["61737.63000000","0.00000000"]],"a":[]}}'
)
ETHER = DELTA.replace(b"btc", b"eth").replace(b"BTC", b"ETH")
SNAPSHOT = b'{"lastUpdateId":55,"bids":[["61837.63000000","3.78"]],"asks":[["61837.64000000","1"]]}'
FIRST_NS = 1_723_161_253_937_085_768


def lines(*payloads: bytes, first_ns: int = FIRST_NS) -> bytes:
    return b"".join(b"%d %b\n" % (first_ns + at, payload) for at, payload in enumerate(payloads))


def imported(folder: Path, *contents: bytes, venue: str = "binance-spot") -> ImportReport:
    files = []
    for number, content in enumerate(contents):
        files.append(folder / f"file-{number}.gz")
        files[-1].write_bytes(content)
    return import_recording(files, "hftbacktest", venue, folder / "recording")


def frames_of(report: ImportReport) -> list[Frame]:
    return list(Recording.open(report.folder).frames())


def test_each_line_becomes_one_frame_gzipped_or_plain(tmp_path: Path) -> None:
    for name, pack in (("plain", bytes), ("packed", gzip.compress)):
        folder = tmp_path / name
        folder.mkdir()
        report = imported(folder, pack(lines(DELTA, DELTA, b"not even JSON")))
        assert (report.frames, report.connections) == (3, 1)
        frames = frames_of(report)
        assert [frame.payload for frame in frames] == [DELTA, DELTA, b"not even JSON"]
        assert [frame.receive_time_ns - FIRST_NS for frame in frames] == [0, 1, 2]
        assert {frame.kind for frame in frames} == {FrameKind.TEXT}
        assert {(frame.connection_id, frame.monotonic_time_ns) for frame in frames} == {(1, None)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(payloads=st.lists(st.binary(min_size=1), min_size=1, max_size=5))
def test_any_payload_without_a_line_break_is_kept_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes]
) -> None:
    payloads = [b"x" + payload.translate(None, b"\r\n") for payload in payloads]
    report = imported(tmp_path_factory.mktemp("import"), lines(*payloads))
    assert [frame.payload for frame in frames_of(report)] == payloads


@pytest.mark.parametrize("messages", [(DELTA, SNAPSHOT, DELTA), (SNAPSHOT, DELTA, DELTA)])
def test_a_bare_snapshot_is_an_http_frame_with_the_symbol_of_its_neighbours(
    tmp_path: Path, messages: tuple[bytes, ...]
) -> None:
    report = imported(tmp_path, lines(*messages))
    assert report.kinds == {FrameKind.TEXT: 2, FrameKind.HTTP: 1}
    frames = frames_of(report)
    head, body = read_http(frames[messages.index(SNAPSHOT)])
    assert (head.symbol, head.status, head.purpose) == ("BTCUSDT", 200, "book snapshot")
    assert body == SNAPSHOT
    assert report.notes == ()


def test_a_snapshot_of_nobody_knows_whom_is_kept_without_a_symbol_and_said(tmp_path: Path) -> None:
    report = imported(tmp_path, lines(DELTA, ETHER, SNAPSHOT))
    head, body = read_http(frames_of(report)[2])
    assert (head.symbol, body) == ("", SNAPSHOT)
    assert len(report.notes) == 1
    assert str(FIRST_NS + 2) in report.notes[0]


def test_an_acknowledgement_is_no_snapshot(tmp_path: Path) -> None:
    report = imported(tmp_path, lines(b'{"result":null,"id":1}', DELTA))
    assert report.kinds == {FrameKind.TEXT: 2}


def test_files_are_joined_in_time_order_and_keep_their_own(tmp_path: Path) -> None:
    late = lines(b"3", b"4", first_ns=FIRST_NS + 10)
    early = b"%d 1\n%d 0\n%d 2\n" % (FIRST_NS + 1, FIRST_NS, FIRST_NS + 2)
    report = imported(tmp_path, late, early)
    assert [frame.payload for frame in frames_of(report)] == [b"1", b"0", b"2", b"3", b"4"]
    assert report.connections == 1
    assert [path.name for path in report.files] == ["file-0.gz", "file-1.gz"]


def test_line_ends_of_any_kind_and_blank_lines_are_no_part_of_it(tmp_path: Path) -> None:
    content = lines(b"a", b"b").replace(b"\n", b"\r\n") + b"\n\r\n" + lines(b"c")[:-1]
    assert [frame.payload for frame in frames_of(imported(tmp_path, content))] == [b"a", b"b", b"c"]


def test_the_recording_says_where_it_came_from(tmp_path: Path) -> None:
    description = Recording.open(imported(tmp_path, lines(DELTA)).folder).description
    assert description.asked_for == {
        "venue": "binance-spot",
        "imported_from": ["file-0.gz"],
        "import_format": "hftbacktest",
    }
    assert description.clock_source == "import"


@pytest.mark.parametrize(
    "line",
    [
        b"no time at all",
        b'{"stream":"x"}',
        b"1723161253 {}",
        b"1723161253937 {}",
        b"-1723161253937085768 {}",
        b"1_723_161_253_937_085_768 {}",
        b"1723161253937085768",
        b"99999999999999999999 {}",
    ],
)
def test_a_bad_line_is_named_with_its_file_and_number_and_nothing_is_left(
    tmp_path: Path, line: bytes
) -> None:
    with pytest.raises(ImportFormatError) as refused:
        imported(tmp_path, lines(DELTA, DELTA) + line + b"\n")
    assert refused.value.line_number == 3
    assert str(tmp_path / "file-0.gz") in str(refused.value)
    assert "expected a receive time in ns since 1970 (19 digits)" in str(refused.value)
    assert line.decode()[:40] in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file-0.gz"]


def test_a_cut_gzip_stream_is_refused_with_what_to_do(tmp_path: Path) -> None:
    packed = gzip.compress(lines(*[DELTA] * 1_000))
    with pytest.raises(ImportSourceError, match="the gzip stream ends too early"):
        imported(tmp_path, packed[:-20])
    with pytest.raises(ImportSourceError, match="cannot be read"):
        imported(tmp_path, packed[:50] + bytes([packed[50] ^ 255]) + packed[51:])
    assert [path.name for path in tmp_path.iterdir()] == ["file-0.gz"]


def test_a_full_disk_is_told_of_with_the_recording_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: RecordingWriter, frames: Sequence[Frame]) -> None:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise JournalWriteError(tmp_path / "hidden", full, 0, len(frames))

    monkeypatch.setattr(RecordingWriter, "write", refused)
    with pytest.raises(OSError, match="No space left") as caught:
        imported(tmp_path, lines(DELTA))
    assert caught.value.filename == str(tmp_path / "recording")
    assert [path.name for path in tmp_path.iterdir()] == ["file-0.gz"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportSourceError, match="No such file"):
        import_recording([tmp_path / "x"], "hftbacktest", "binance-spot", tmp_path / "to")


def test_a_folder_that_holds_something_is_never_written_into(tmp_path: Path) -> None:
    target = tmp_path / "recording"
    target.mkdir()
    assert imported(tmp_path, lines(DELTA)).frames == 1
    held = {path.relative_to(target): path.stat().st_mtime_ns for path in target.rglob("*")}
    with pytest.raises(ImportTargetError, match="already holds something"):
        imported(tmp_path, lines(DELTA))
    now = {path.relative_to(target): path.stat().st_mtime_ns for path in target.rglob("*")}
    assert now == held


def test_unknown_formats_and_venues_are_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownImportFormatError, match="did you mean 'cryptofeed'"):
        import_recording([], "cryptofed", "binance-spot", tmp_path / "to")
    with pytest.raises(UnknownVenueError, match="did you mean 'binance-spot'"):
        import_recording([], "hftbacktest", "binance-spit", tmp_path / "to")


@pytest.mark.parametrize(
    ("format_name", "line"),
    [
        ("hftbacktest", b"1" * 5_000 + b" {}"),
        ("cryptofeed", b"1" * 5_000 + b": {}"),
        ("cryptofeed", b"wss://x <- 1." + b"1" * 5_000 + b": {}"),
        ("tardis", b"bybit,BTCUSDT,1," + b"1" * 5_000 + b",true,bid,1,1"),
    ],
)
def test_a_number_of_thousands_of_digits_is_no_time_and_no_fault_of_ours(
    tmp_path: Path, format_name: str, line: bytes
) -> None:
    file = tmp_path / "file"
    head = b"exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
    file.write_bytes((head if format_name == "tardis" else b"") + line + b"\n")
    with pytest.raises(ImportFormatError):
        import_recording([file], format_name, "binance-spot", tmp_path / "recording")
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_given_twice_is_refused_under_whatever_name(tmp_path: Path) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_bytes(lines(DELTA))
    other.symlink_to(file)
    with pytest.raises(FileGivenTwiceError, match="is given twice"):
        import_recording([file, other], "hftbacktest", "binance-spot", tmp_path / "recording")
    assert not (tmp_path / "recording").exists()


@pytest.mark.parametrize("refused", [".parquet", "manifest.jsonl"])
def test_an_import_that_the_disk_did_not_take_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    def open_or_not(path: Path, flags: int, mode: int = 0o600) -> int:
        if refused in path.name:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        return Disk.open(REAL_DISK, path, flags, mode)

    monkeypatch.setattr(REAL_DISK, "open", open_or_not)
    with pytest.raises(ImportNotWrittenError, match="Disk quota exceeded"):
        imported(tmp_path, lines(DELTA, DELTA))
    assert [path.name for path in tmp_path.iterdir()] == ["file-0.gz"]
