"""The events of a recording as tables: for Arrow, Parquet, Polars, pandas, DuckDB.

    recording.trades().to_polars()
    recording.book_changes(from_ns=...).to_arrow()

Prices and sizes are exact decimals of 38 digits, 18 of them after the point (DECIMAL(38, 18)); a
number that does not fit is an error that names it, never a rounded one, and `numbers="text"` gives
the exchange's own digits instead. Times are UTC, to the nanosecond; an exchange time that the
exchange did not give is null. pyarrow, polars and pandas are imported when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, get_args

from replay.errors import ReplayError
from replay.event_rows import (
    EventRow,
    event_rows,
)
from replay.frame_source import FrameSource

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

PRECISION, SCALE = 38, 18
_BATCH_ROWS = 16_384
Numbers = Literal["decimal", "text"]
_NUMBERS = frozenset(
    {
        *("price", "size", "notional", "bid_price", "bid_size", "ask_price", "ask_size"),
        *("last_price", "mark_price", "index_price", "funding_rate", "open_interest"),
    }
)
_TIMES = frozenset({"receive_time_ns", "exchange_time_ns"})
_FLAGS = frozenset({"is_snapshot", "is_bid", "from_book"})
_COLUMN_NAMES = {"receive_time_ns": "receive_time", "exchange_time_ns": "exchange_time"}
_RENAMED: dict[str, Callable[[Any], Any]] = {"is_bid": lambda bid: "bid" if bid else "ask"}


class TooWideError(ReplayError):
    """A number with more digits than the table's decimals have."""

    def __init__(self, text: str, frame_number: int) -> None:
        self.text = text
        self.frame_number = frame_number
        super().__init__(
            f"frame {frame_number:,}: {text[:60]!r} does not fit DECIMAL({PRECISION}, {SCALE}). "
            'Keep numbers as text: --numbers text, or numbers="text" in Python.'
        )


class UnknownNumbersError(ReplayError):
    """A way to have numbers that a table has not: floats would not be the exchange's numbers."""

    def __init__(self, numbers: object) -> None:
        self.numbers = numbers
        super().__init__(
            f"numbers={numbers!r} is not known: give 'decimal' for exact decimals, or 'text' for "
            "the exchange's own digits."
        )


class MissingLibraryError(ReplayError):
    """A library that is not installed; tickreel itself does without it."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} is not installed: pip install 'tickreel[{name}]'.")


class EventTable:
    """The rows of one kind in a source, read anew each time they are asked for."""

    def __init__(
        self,
        source: FrameSource,
        kind: type[EventRow],
        numbers: Numbers = "decimal",
        keep: Callable[[EventRow], bool] | None = None,
        **chosen: Any,  # noqa: ANN401 - the arguments of a source's frames
    ) -> None:
        if numbers not in get_args(Numbers):
            raise UnknownNumbersError(numbers)
        self._source = source
        self._kind = kind
        self._numbers: Numbers = numbers
        self._keep = keep
        self._chosen = chosen

    def rows(self) -> Iterator[EventRow]:
        """Yield the rows, with numbers as text."""
        for row in event_rows(self._source, self._kind, **self._chosen):
            if isinstance(row, self._kind) and (self._keep is None or self._keep(row)):
                yield row

    def __iter__(self) -> Iterator[EventRow]:
        return self.rows()

    def schema(self) -> pa.Schema:
        """Return the columns."""
        return table_schema(self._kind, self._numbers)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield Arrow batches of some thousand rows.

        Raises:
            TooWideError: a number does not fit.
            ReplayError: the source cannot be read.
        """
        rows = self.rows()
        while batch := list(islice(rows, _BATCH_ROWS)):
            yield record_batch(batch, self._kind, self._numbers)

    def to_arrow(self) -> pa.Table:
        """Return all rows as an Arrow table."""
        import pyarrow as pa

        return pa.Table.from_batches(list(self.batches()), self.schema())

    def to_polars(self) -> pl.DataFrame:
        """Return all rows as a Polars frame.

        Raises:
            MissingLibraryError: Polars is not installed.
        """
        try:
            import polars as pl
        except ImportError:
            raise MissingLibraryError("polars") from None
        frame = pl.from_arrow(self.to_arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def to_pandas(self) -> pd.DataFrame:
        """Return all rows as a pandas frame; prices and sizes are `decimal.Decimal`.

        Raises:
            MissingLibraryError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingLibraryError("pandas") from None
        frame = self.to_arrow().to_pandas()
        assert isinstance(frame, pd.DataFrame)
        return frame


def table_schema(kind: type[EventRow], numbers: Numbers) -> pa.Schema:
    """Return the columns of a table of `kind`."""
    import pyarrow as pa

    fields: list[Any] = []
    for name in kind._fields:
        of: Any
        if name in _NUMBERS:
            of = pa.decimal128(PRECISION, SCALE) if numbers == "decimal" else pa.string()
        elif name in _TIMES:
            of = pa.timestamp("ns", tz="UTC")
        elif name == "frame_number":
            of = pa.int64()
        elif name in _FLAGS and name not in _RENAMED:
            of = pa.bool_()
        else:
            of = pa.string()
        fields.append(pa.field("side" if name == "is_bid" else _COLUMN_NAMES.get(name, name), of))
    return pa.schema(fields)


def record_batch(
    rows: list[EventRow], kind: type[EventRow], numbers: Numbers = "decimal"
) -> pa.RecordBatch:
    """Return rows of one kind as an Arrow batch.

    Raises:
        TooWideError: a number does not fit.
    """
    import pyarrow as pa

    schema = table_schema(kind, numbers)
    columns: list[Any] = []
    for place, name in enumerate(kind._fields):
        values: list[Any] = [row[place] for row in rows]
        if name in _NUMBERS and numbers == "decimal":
            columns.append(_decimals(values, rows))
            continue
        change = _RENAMED.get(name)
        if change is not None:
            values = [change(value) for value in values]
        elif name in _NUMBERS:
            values = [value or None for value in values]
        columns.append(pa.array(values, schema.field(place).type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _decimals(texts: list[str | None], rows: list[EventRow]) -> Any:  # noqa: ANN401 - an Arrow array
    import pyarrow as pa

    of: Any = pa.decimal128(PRECISION, SCALE)
    try:
        return pa.array([Decimal(text) if text else None for text in texts], of)
    except (pa.ArrowInvalid, ValueError):
        for text, row in zip(texts, rows, strict=True):
            try:
                pa.array([Decimal(text) if text else None], of)
            except (pa.ArrowInvalid, ValueError):
                raise TooWideError(str(text), row.frame_number) from None
        raise
