"""What is exported is what the engine knows, and the programs it is meant for read it."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import subprocess
import sys
from collections import defaultdict
from contextlib import redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest.data import validate_event_order
from hftbacktest.data.utils import tardis

from book.engine import Engine
from replay.event_rows import BookRow, QuoteRow, TradeRow, event_rows
from replay.event_table import EventTable, TooWideError, UnknownNumbersError
from replay.export_hftbacktest import export_hftbacktest
from replay.export_parquet import export_parquet
from replay.export_tardis import TABLES, export_tardis
from replay.frame_source import FrameList, FrameSource
from replay.import_recording import import_recording
from replay.recording import Recording
from tests.feed_recordings import feed_frames
from tests.real_data import needs_real_data
from tests.replay.short_real import short_real
from venues.event import Liquidation, Trade

SAMPLES = Path(__file__).parents[2] / "sample_data"
Books = dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]]


@pytest.fixture(scope="module")
def rough() -> Recording:
    return Recording.open(SAMPLES / "rough")


def played(source: FrameSource) -> Engine:
    engine = Engine()
    for frame in source.frames():
        engine.apply(frame)
    return engine


def books_of(source: FrameSource, **chosen: Any) -> Books:
    """Hold books as a reader of the rows would: a dict a side, emptied where a snapshot begins."""
    books: Books = defaultdict(lambda: ({}, {}))
    last: dict[str, tuple[bool, int]] = {}
    for row in event_rows(source, BookRow, **chosen):
        assert isinstance(row, BookRow)
        if row.is_snapshot and last.get(row.symbol) != (True, row.frame_number):
            books[row.symbol] = ({}, {})
        last[row.symbol] = (row.is_snapshot, row.frame_number)
        side = books[row.symbol][0 if row.is_bid else 1]
        if Decimal(row.size):
            side[Decimal(row.price)] = Decimal(row.size)
        else:
            side.pop(Decimal(row.price), None)
    return books


def known(source: FrameSource) -> Books:
    return {
        symbol: (
            {Decimal(price): Decimal(size) for price, size in market.book.bids},
            {Decimal(price): Decimal(size) for price, size in market.book.asks},
        )
        for (_, symbol), market in played(source).markets.items()
        if market.book.bids.best() or market.book.asks.best()
    }


def test_rows_of_a_book_make_the_engines_book(rough: Recording) -> None:
    engines = known(rough)
    assert books_of(rough) == engines
    times = [frame.receive_time_ns for frame in rough]
    for from_ns in times[500::1500]:
        assert books_of(rough, from_ns=from_ns) == engines, "each begins whole"


@needs_real_data
@pytest.mark.parametrize(
    ("venue", "names"),
    [
        ("kraken-v1", ("KRAKEN.ws.50.0",)),
        ("bitmex", ("BITMEX.ws.1.0",)),
        ("kucoin", ("KUCOIN.ws.1.0", "KUCOIN.http.0.0")),
        ("bitfinex", ("BITFINEX.ws.11.0",)),
    ],
)
def test_rows_make_the_book_where_levels_are_cut_named_bridged(
    venue: str, names: tuple[str, ...]
) -> None:
    frames = FrameList(feed_frames(venue, *names)[:1_500])
    books = known(frames)
    assert books
    assert {s: book for s, book in books_of(frames).items() if s in books} == books


def asked(question: str) -> list[str]:
    """Ask DuckDB, in a process of its own: it complains of leaks in any that it shares."""
    code = "import duckdb, sys; print(*duckdb.sql(sys.argv[1]).fetchall()[0])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, question], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_parquet_opens_in_duckdb_and_polars_with_exact_numbers(
    rough: Recording, tmp_path: Path
) -> None:
    counts = export_parquet(rough, tmp_path)
    engine = Engine()
    trades: list[Trade] = []
    liquidations: list[Liquidation] = []
    engine.on(Trade, lambda trade, market: trades.append(trade))
    engine.on(Liquidation, lambda each, market: liquidations.append(each))
    rough.play_into(engine)
    volume = sum((t.size * t.price for t in trades), Decimal(0))
    sizes = sum((t.size for t in trades), Decimal(0))
    assert counts["trades.parquet"] == len(trades)
    frame = pl.read_parquet(tmp_path / "trades.parquet")
    assert [(t.receive_time_ns, t.price, t.size, t.trade_id) for t in trades] == [
        (row[0], row[1], row[2], row[3])
        for row in frame.select(
            pl.col("receive_time").dt.epoch("ns"), "price", "size", "trade_id"
        ).iter_rows()
    ]
    found = asked(
        f"select sum(size), count(*), min(aggressor_side) from '{tmp_path}/trades.parquet'"
    )
    assert (Decimal(found[0]), *found[1:]) == (sizes, str(len(trades)), "BUY")
    assert volume > 0
    found = asked(f"select sum(notional) from '{tmp_path}/liquidations.parquet'")
    worth = sum((each.notional or Decimal(0) for each in liquidations), Decimal(0))
    assert [Decimal(each) for each in found] == [worth]
    assert pl.read_parquet(tmp_path / "tickers.parquet").height == 0
    assert {path.name for path in tmp_path.iterdir()} == set(counts)


def test_frames_from_python(rough: Recording) -> None:
    trades = rough.trades().to_polars()
    assert trades.height == 1028
    assert trades.schema["price"] == pl.Decimal(38, 18)
    frame = rough.liquidations().to_pandas()
    assert isinstance(frame["price"].iloc[0], Decimal)
    texts = rough.trades(numbers="text").to_arrow()["price"].to_pylist()
    assert [Decimal(str(text)) for text in texts] == trades["price"].to_list()
    first_ns = rough.first_receive_time_ns or 0
    later = rough.trades(from_ns=first_ns + 10**10).to_polars()
    assert 0 < later.height < 1028
    assert rough.book_changes().to_arrow().num_rows == sum(1 for _ in rough.book_changes())


def test_numbers_that_a_table_has_not_are_refused(rough: Recording) -> None:
    floats: Any = "float"
    with pytest.raises(UnknownNumbersError, match="'decimal' for exact decimals, or 'text'"):
        rough.trades(numbers=floats)


def test_a_number_that_does_not_fit_is_named_and_never_rounded(rough: Recording) -> None:
    frames = list(rough)
    at = next(i for i, f in enumerate(frames) if b'"publicTrade' in f.payload and f.received)
    tiny = "0." + "0" * 20 + "1"
    payload = re.sub(rb'"v":"[^"]*"', b'"v":"' + tiny.encode() + b'"', frames[at].payload, count=1)
    frames[at] = msgspec.structs.replace(frames[at], payload=payload)
    source = FrameList(frames)

    with pytest.raises(TooWideError, match=f"frame {at}"):
        EventTable(source, TradeRow).to_arrow()
    assert EventTable(source, TradeRow, "text").to_arrow().num_rows == 1028


def rows_in(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))


def test_csv_has_tardis_columns_and_the_exchanges_digits(rough: Recording, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    counts = export_tardis(rough, tmp_path / "x")
    heads = {
        "incremental_book_L2": "is_snapshot,side,price,amount",
        "trades": "id,side,price,amount",
        "liquidations": "id,side,price,amount",
        "quotes": "ask_amount,ask_price,bid_price,bid_amount",
        "book_ticker": "ask_amount,ask_price,bid_price,bid_amount",
        "derivative_ticker": "funding_timestamp,funding_rate,predicted_funding_rate,"
        "open_interest,last_price,index_price,mark_price",
    }
    assert {name: table.columns for name, table in TABLES.items()} == heads
    for name, count in counts.items():
        path = tmp_path / "x" / name
        table = next(each for each in heads if each in name)
        head, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        assert head == f"exchange,symbol,timestamp,local_timestamp,{heads[table]}"
        assert len(lines) == count
    trades = [row for row in event_rows(rough, TradeRow) if isinstance(row, TradeRow)]
    written = rows_in(tmp_path / "x" / "reference_trades_2026-11-22_BTCUSDT.csv.gz")
    assert [(r["id"], r["side"].upper(), r["price"], r["amount"]) for r in written] == [
        (t.trade_id, str(t.aggressor_side), t.price, t.size)
        for t in trades
        if t.symbol == "BTCUSDT"
    ]
    sides = {
        row["side"]
        for row in rows_in(tmp_path / "x" / "reference_liquidations_2026-11-22_BTCUSDT.csv.gz")
    }
    assert sides == {"buy", "sell"}
    (tmp_path / "y").mkdir()
    export_tardis(rough, tmp_path / "y")
    for path in (tmp_path / "x").iterdir():
        assert path.read_bytes() == (tmp_path / "y" / path.name).read_bytes()


def test_quotes_of_the_book_follow_its_best(rough: Recording) -> None:
    last: dict[str, QuoteRow] = {}
    for row in event_rows(rough, QuoteRow):
        assert isinstance(row, QuoteRow)
        last[row.symbol] = row
    for (_, symbol), market in played(rough).markets.items():
        bid, ask = market.book.best_bid, market.book.best_ask
        assert bid is not None
        assert ask is not None
        assert (last[symbol].bid_price, last[symbol].ask_price) == (bid.price_text, ask.price_text)


def best_at_end(file: Path | list[Path]) -> tuple[float, float]:
    """Let hftbacktest's own loader and book play a file to its end."""
    asset = (
        BacktestAsset()
        .data([str(file)])
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(0.01)
        .lot_size(0.001)
    )
    backtest = HashMapMarketDepthBacktest([asset])
    while backtest.elapse(10_000_000_000) == 0:
        pass
    depth = backtest.depth(0)
    best = depth.best_bid, depth.best_ask
    backtest.close()
    return best


@needs_real_data
def test_hftbacktest_plays_its_file_to_the_engines_book(rough: Recording, tmp_path: Path) -> None:
    short = short_real(tmp_path / "real", 3_000)
    for recording, place in ((rough, "rough"), (short, "short")):
        (tmp_path / place).mkdir()
        files = export_hftbacktest(recording, tmp_path / place)
        markets = played(recording).markets
        assert len(files) == len(markets)
        for (venue, symbol), market in markets.items():
            path = tmp_path / place / f"{venue}_{symbol}.npz"
            events = np.load(path)["data"]
            validate_event_order(events)
            assert market.book.best_bid is not None
            assert market.book.best_ask is not None
            expected = float(market.book.best_bid.price), float(market.book.best_ask.price)
            assert best_at_end(path) == pytest.approx(expected)
            trades = events[(events["ev"] & 0xFF == 2) & (events["ev"] & (1 << 30) > 0)]
            assert len(trades) == market.counters.trades


def test_hftbacktests_converter_reads_our_tardis_files(rough: Recording, tmp_path: Path) -> None:
    export_tardis(rough, tmp_path)
    names = [f"reference_{t}_2026-11-22_BTCUSDT.csv.gz" for t in ("trades", "incremental_book_L2")]
    with redirect_stdout(io.StringIO()):
        events = tardis.convert(
            [str(tmp_path / name) for name in names], str(tmp_path / "x.npz"), buffer_size=20_000
        )
    trades = events[(events["ev"] & 0xFF == 2) & (events["ev"] & (1 << 30) > 0)]
    market = played(rough).markets["reference", "BTCUSDT"]
    assert len(trades) == market.counters.trades
    assert market.book.best_bid is not None
    assert best_at_end(tmp_path / "x.npz")[0] == pytest.approx(float(market.book.best_bid.price))


def test_symbols_that_differ_only_in_signs_have_files_of_their_own(tmp_path: Path) -> None:
    """`A/B` and `A-B` may both be at one exchange, as `@1` and `#1` are at Hyperliquid."""
    head = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    symbols = ["A/B", "A-B", "A/B", "A:B"]
    rows = [
        f"x,{symbol},179533714100000{at},179533714100000{at},{at},buy,{at + 1},1\n"
        for at, symbol in enumerate(symbols)
    ]
    source = tmp_path / "x_trades_2026-11-22_ALL.csv"
    source.write_text(head + "".join(rows))
    made = Recording.open(import_recording([source], None, None, tmp_path / "made").folder)
    for name in ("tardis", "npz"):
        (tmp_path / name).mkdir()
    counts = export_tardis(made, tmp_path / "tardis", ["trades"])
    read = {name: gzip.decompress((tmp_path / "tardis" / name).read_bytes()) for name in counts}
    assert sorted(counts.values()) == [1, 1, 2]
    told = [line for text in read.values() for line in text.decode().splitlines()[1:]]
    assert sorted(line.split(",")[1] for line in told) == ["A-B", "A/B", "A/B", "A:B"]
    files = export_hftbacktest(made, tmp_path / "npz")
    prices = [list(np.load(tmp_path / "npz" / file.name)["data"]["px"]) for file in files]
    assert sorted(prices) == [[1, 3], [2], [4]]


def test_a_folder_whose_name_is_no_text_takes_every_export(
    tmp_path: Path, rough: Recording
) -> None:
    folder = tmp_path / os.fsdecode(b"n\xff")
    folder.mkdir()
    assert export_parquet(rough, folder, ["trades"]) == {"trades.parquet": 1028}
    with (folder / "trades.parquet").open("rb") as file:
        assert pl.read_parquet(file).height == 1028
    for name, rows in export_tardis(rough, folder, ["liquidations"]).items():
        assert gzip.decompress((folder / name).read_bytes()).count(b"\n") == rows + 1
    assert all((folder / each.name).is_file() for each in export_hftbacktest(rough, folder))
