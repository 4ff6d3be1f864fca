"""CSV files in Tardis' column layout: theirs, or those that `tickreel export` wrote.

Each message becomes one frame of the venue `tardis-csv` (`venues.tardis_csv`), its rows as they
are. Rows of a book are of one message where they follow each other with the same symbol and times
and are all snapshot or all not, as Tardis says of its `local_timestamp`; a row of bids after one of
asks begins another message, so that the order of the rows stays theirs. Of other tables a row is a
message. The receive time is `local_timestamp`, to the microsecond that the file has.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from replay.import_draft import Draft, ImportSource
from replay.import_errors import ImportFormatError
from replay.import_lines import (
    RECEIVE_TIME_NS_MAX,
    RECEIVE_TIME_NS_MIN,
    TIME_DIGITS_MAX,
    read_lines,
)
from venues.frame import FrameKind
from venues.tardis_csv import COLUMNS, HEAD

FORMAT = "tardis"
MESSAGE_ROWS_MAX = 100_000
_BOOK = "incremental_book_L2"
_EXPECTED = f"the columns of a row: {HEAD}, and those of its table"


def table_of(name: str, head: str) -> str | None:
    """Return the table that a file's first line names; its own name decides between two alike."""
    known = [table for table, columns in COLUMNS.items() if head == f"{HEAD},{columns}"]
    named = [table for table in known if table in name]
    return next(iter(named or known), None)


def read_drafts(source: ImportSource) -> Iterator[Draft]:
    """Yield a draft for each message.

    Raises:
        ImportFormatError: a line has other columns, or the file is of two exchanges.
        ImportSourceError: the file cannot be read.
    """
    lines = read_lines(source.path)
    number, head = next(lines, (1, b""))
    table = table_of(source.path.name, head.decode("utf-8", "replace"))
    if table is None:
        raise ImportFormatError(source.path, number, "the head of one of Tardis' tables", head)
    width = head.count(b",") + 1
    exchange: bytes | None = None
    message: list[bytes] = []
    key: tuple[bytes, ...] = ()
    time_ns, last_side = 0, b""
    for number, line in lines:
        cells = _cells(line)
        time = cells[3] if len(cells) > 3 else b""
        row_ns = int(time) * 1_000 if time.isdigit() and len(time) <= TIME_DIGITS_MAX else 0
        in_range = RECEIVE_TIME_NS_MIN <= row_ns <= RECEIVE_TIME_NS_MAX
        if len(cells) < width or not in_range:
            raise ImportFormatError(source.path, number, _EXPECTED, line)
        if exchange not in (None, cells[0]):
            raise ImportFormatError(source.path, number, "rows of one exchange", line)
        exchange = cells[0]
        row_key, side = tuple(cells[1:5]), cells[5]
        turned = (last_side, side) == (b"ask", b"bid") and cells[4] == b"false"
        goes_on = table == _BOOK and row_key == key and not turned
        if message and (not goes_on or len(message) == MESSAGE_ROWS_MAX):
            yield _draft(source, table, time_ns, message)
            message = []
        message.append(line)
        key, time_ns, last_side = row_key, row_ns, side
    if message:
        yield _draft(source, table, time_ns, message)


def refuse_two_exchanges(paths: Sequence[Path]) -> None:
    """Refuse files of two exchanges: their symbols are spelled alike, and would be one market.

    Raises:
        ImportFormatError: there is a file of another exchange than the first one.
        ImportSourceError: a file cannot be read.
    """
    exchange: bytes | None = None
    for path in paths:
        for number, line in islice(read_lines(path), 1, 2):
            named = next(iter(_cells(line)), b"")
            exchange = named if exchange is None else exchange
            if named != exchange:
                said = exchange.decode("utf-8", "replace")
                expected = f"rows of one exchange ({said}) in all files"
                raise ImportFormatError(path, number, expected, line)


def _cells(line: bytes) -> list[bytes]:
    """Return the cells of a row; one in quotes may have commas."""
    if b'"' not in line:
        return line.split(b",")
    text = line.decode("utf-8", "surrogateescape")
    try:
        return [cell.encode("utf-8", "surrogateescape") for cell in next(csv.reader([text]))]
    except csv.Error:
        return []


def _draft(source: ImportSource, table: str, time_ns: int, rows: list[bytes]) -> Draft:
    payload = b"\n".join([table.encode(), *rows])
    return Draft(time_ns, source.file_number, FrameKind.TEXT, payload)
