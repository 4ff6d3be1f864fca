"""CSV files in Tardis' columns are played, and exported again they are the same files."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from book.book_state import BookState
from book.engine import Engine
from replay.export_tardis import export_tardis
from replay.import_errors import ImportFormatError
from replay.import_recording import import_recording
from replay.recording import Recording
from tests.real_data import needs_real_data
from tests.replay.short_real import short_real
from venues.errors import UNDECODABLE, UnknownSymbolError
from venues.frame import Frame, FrameKind
from venues.registry import venue_named, venues
from venues.venue import StreamRequest

SAMPLES = Path(__file__).parents[2] / "sample_data"
TABLES = ("incremental_book_L2", "trades", "liquidations", "book_ticker", "derivative_ticker")
HEAD = "exchange,symbol,timestamp,local_timestamp,"
BOOK = """is_snapshot,side,price,amount
bybit,BTCUSDT,1795337141000000,1795337141000100,true,bid,100.5,1.50
bybit,BTCUSDT,1795337141000000,1795337141000100,true,bid,100.0,2
bybit,BTCUSDT,1795337141000000,1795337141000100,true,ask,101.0,3
bybit,BTCUSDT,1795337142000000,1795337142000000,false,bid,100.5,0
bybit,BTCUSDT,1795337142000000,1795337142000000,false,ask,100.9,0.25
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress((HEAD + text).encode()))
    return path


def test_a_book_file_is_played_to_its_book_and_never_called_proven(tmp_path: Path) -> None:
    path = written(tmp_path, "bybit_incremental_book_L2_2026-11-22_BTCUSDT.csv.gz", BOOK)
    report = import_recording([path], None, None, tmp_path / "made")
    assert (report.venue, report.frames) == ("tardis-csv", 2)
    engine = Engine()
    Recording.open(report.folder).play_into(engine)
    book = engine.markets["tardis-csv", "BTCUSDT"].book
    assert list(book.bids) == [("100.0", "2")]
    assert list(book.asks) == [("100.9", "0.25"), ("101.0", "3")]
    assert book.state is BookState.UNVERIFIABLE
    assert engine.findings.counts == {}


def test_files_of_two_exchanges_are_not_made_one_market(tmp_path: Path) -> None:
    """Both say BTCUSDT, and nothing else of a row would tell whose trade it is."""
    trades = "id,side,price,amount\n{},BTCUSDT,1795337141000000,1795337141000100,1,buy,100.5,2\n"
    paths = [
        written(tmp_path, f"{exchange}_trades_2026-11-22_BTCUSDT.csv.gz", trades.format(exchange))
        for exchange in ("bybit", "binance-futures")
    ]
    with pytest.raises(ImportFormatError, match=r"one exchange \(bybit\) in all files"):
        import_recording(paths, None, None, tmp_path / "made")
    assert not (tmp_path / "made").exists()
    import_recording(paths[:1], None, None, tmp_path / "alone")


@pytest.mark.parametrize("name", ["rough", "calm"])
def test_what_was_exported_is_imported_and_exported_the_same(tmp_path: Path, name: str) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    export_tardis(Recording.open(SAMPLES / name), tmp_path / "first", TABLES)
    files = sorted((tmp_path / "first").iterdir())
    report = import_recording(files, "tardis", None, tmp_path / "made")
    recording = Recording.open(report.folder)
    export_tardis(recording, tmp_path / "second", TABLES, exchange="reference")
    again = sorted((tmp_path / "second").iterdir())
    assert [path.name for path in again] == [path.name for path in files]
    for one, other in zip(files, again, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
    engine = Engine()
    recording.play_into(engine)
    assert engine.undecodable == 0


@needs_real_data
def test_a_real_recording_with_quotes_goes_around_too(tmp_path: Path) -> None:
    real = short_real(tmp_path / "real", 3_000)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    export_tardis(real, tmp_path / "first", TABLES)
    files = sorted((tmp_path / "first").iterdir())
    assert len(files) == 3
    report = import_recording(files, None, None, tmp_path / "made")
    made = Recording.open(report.folder)
    export_tardis(made, tmp_path / "second", TABLES, exchange="binance-usdm")
    for path in files:
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    "text",
    [
        "is_snapshot,side,price,amount\nbybit,BTCUSDT,1,2,true,bid,100.5,1\n",
        "is_snapshot,side,price,amount\nbybit,BTCUSDT,x\n",
        "colour,side\nbybit,BTCUSDT,1,2,true,bid\n",
        BOOK + "okx,BTCUSDT,1795337142000000,1795337142000000,false,bid,100.5,0\n",
    ],
)
def test_lines_that_are_something_else_are_named(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, "x.csv.gz", text)
    with pytest.raises(ImportFormatError, match=r"x\.csv\.gz: line \d"):
        import_recording([path], "tardis", None, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_nobody_connects_to_files() -> None:
    venue = venue_named("tardis-csv")
    assert "tardis-csv" not in venues()
    with pytest.raises(UnknownSymbolError, match="imported"):
        venue.plan(StreamRequest("tardis-csv", ("BTCUSDT",), ()))


@given(
    table=st.sampled_from(["incremental_book_L2", "trades", "derivative_ticker", "quotes", "?"]),
    rest=st.one_of(
        st.binary(max_size=80),
        st.text(',\n"-0123456789truebidasksl', max_size=120).map(str.encode),
    ),
)
def test_any_bytes_are_events_or_undecodable(table: str, rest: bytes) -> None:
    venue = venue_named("tardis-csv")
    payload = table.encode() + b"\n" + rest
    venue.dialect.topic(payload)
    with contextlib.suppress(*UNDECODABLE):
        venue.decode(Frame(0, 1, "tardis-csv", FrameKind.TEXT, 10**18, None, payload))


def test_a_comma_in_quotes_takes_no_cell_for_another(tmp_path: Path) -> None:
    rows = "id,side,price,amount\n" + 'bybit,"A,B",1795337141000000,1795337142000100,7,buy,1,2\n'
    path = written(tmp_path, "bybit_trades_2026-11-22_A-B.csv.gz", rows)
    report = import_recording([path], None, None, tmp_path / "made")
    (frame,) = Recording.open(report.folder).frames()
    assert frame.receive_time_ns == 1_795_337_142_000_100_000
