"""Export as Parquet: a file a table, a row an event, numbers as exact decimals."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from replay.event_rows import (
    BookRow,
    EventRow,
    LiquidationRow,
    QuoteRow,
    TickerRow,
    TradeRow,
    event_rows,
)
from replay.event_table import Numbers, record_batch, table_schema
from replay.frame_source import FrameSource

TABLES: dict[str, type[EventRow]] = {
    "books": BookRow,
    "trades": TradeRow,
    "liquidations": LiquidationRow,
    "quotes": QuoteRow,
    "tickers": TickerRow,
}
FILE_NAMES = re.compile(rf"({'|'.join(TABLES)})\.parquet")
_BATCH_ROWS = 65_536


def export_parquet(
    source: FrameSource,
    folder: Path,
    tables: Collection[str] = tuple(TABLES),
    *,
    numbers: Numbers = "decimal",
    keep: Callable[[EventRow], bool] | None = None,
    **chosen: Any,  # noqa: ANN401 - the arguments of a source's frames
) -> dict[str, int]:
    """Write `books.parquet`, `trades.parquet` ... into an empty folder, in one pass.

    Every table that is asked for has a file, with no rows where there was nothing of the kind.
    Returns how many rows each has.

    Raises:
        TooWideError: a number does not fit.
        ReplayError: the source cannot be read.
        OSError: the disk refused.
    """
    import pyarrow.parquet as pq

    kinds = {TABLES[name]: name for name in tables}
    # Opened here, as pyarrow opens no file whose name is not UTF-8.
    files = {kind: (folder / f"{name}.parquet").open("wb") for kind, name in kinds.items()}
    writers = {
        kind: pq.ParquetWriter(
            files[kind],
            table_schema(kind, numbers),
            compression="zstd",
            compression_level=9,
            write_page_checksum=True,
        )
        for kind in kinds
    }
    waiting: dict[type[EventRow], list[EventRow]] = {kind: [] for kind in kinds}
    counts = dict.fromkeys((f"{name}.parquet" for name in tables), 0)

    def flush(kind: type[EventRow]) -> None:
        rows, waiting[kind] = waiting[kind], []
        if rows:
            writers[kind].write_batch(record_batch(rows, kind, numbers))
            counts[f"{kinds[kind]}.parquet"] += len(rows)

    try:
        for row in event_rows(source, *kinds, **chosen):
            kind = type(row)
            if keep is None or keep(row):
                waiting[kind].append(row)
                if len(waiting[kind]) >= _BATCH_ROWS:
                    flush(kind)
        for kind in kinds:
            flush(kind)
    finally:
        for kind, writer in writers.items():
            with files[kind]:
                writer.close()
    return counts
