"""`tickreel export`: what a recording says, in other programs' formats."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.errors import CommandError
from cli.filter_options import filter_options, taken_from
from cli.options import force_option, json_option, read_names, reading, skip_damaged_option
from cli.report_text import aligned, count_text, printable
from cli.terminal import print_json, warn
from venues.errors import nearest

if TYPE_CHECKING:
    from replay.event_rows import EventRow
    from replay.frame_selection import Wanted
    from replay.recording import Recording


@click.command(short_help="Write trades, books, quotes for other programs.")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The folder for the files.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["parquet", "tardis", "hftbacktest"]),
    required=True,
    help="Parquet of typed events, CSV in Tardis' columns, or hftbacktest's npz.",
)
@click.option(
    "--tables",
    metavar="TABLE,...",
    callback=reading(read_names),
    help="Only these: books, trades, liquidations, quotes, tickers (Parquet); incremental_book_L2, "
    "trades, liquidations, quotes, book_ticker, derivative_ticker (Tardis).",
)
@click.option(
    "--exchange", help="Tardis: what to call the exchange; our venue's name if not given."
)
@click.option(
    "--numbers",
    type=click.Choice(["decimal", "text"]),
    default="decimal",
    show_default=True,
    help="Parquet: prices and sizes as exact decimals, or the exchange's digits as text.",
)
@skip_damaged_option
@filter_options
@force_option
@json_option
def export(
    folder: str,
    output: str,
    format_name: str,
    tables: tuple[str, ...] | None,
    exchange: str | None,
    numbers: str,
    skip_damaged: bool,
    force: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - click's
) -> None:
    """Write what a recording says for other programs: a row a trade, a level, a quote.

    Rows come out of the engine: trades that came twice are there once, and books only where they
    can be followed. With --from, what came before is played, and each book begins whole.
    """
    from replay.output_place import output_folder, refuse_source
    from replay.recording import Recording

    chosen = taken_from(options)
    if chosen.kinds is not None:
        raise click.UsageError("--kinds chooses frames, and events have none: leave it out.")
    recording = Recording.open(folder)
    wanted = chosen.of(recording)
    target, kept = Path(output), _Kept(wanted)
    refuse_source(target, [recording.origin])
    with output_folder(target, force=force, own=_file_names(format_name)) as place:
        files, notes = _write(
            recording, place, wanted, kept, format_name, tables, exchange, numbers, skip_damaged
        )
        kept.refuse_nothing(recording, files)
    for note in notes:
        warn(note)
    if as_json:
        print_json({"path": str(target), "rows": files, "notes": notes})
    else:
        rows = [(printable(f"{target}/{name}"), count_text(count)) for name, count in files.items()]
        click.echo("\n".join(aligned(rows, right=(1,))))


def _file_names(format_name: str) -> re.Pattern[str]:
    from replay import export_hftbacktest, export_parquet, export_tardis

    return {
        "parquet": export_parquet.FILE_NAMES,
        "tardis": export_tardis.FILE_NAMES,
        "hftbacktest": export_hftbacktest.FILE_NAMES,
    }[format_name]


def _write(
    recording: Recording,
    place: Path,
    wanted: Wanted,
    kept: _Kept,
    format_name: str,
    tables: tuple[str, ...] | None,
    exchange: str | None,
    numbers: str,
    skip_damaged: bool,
) -> tuple[dict[str, int], list[str]]:
    from replay import export_hftbacktest, export_parquet, export_tardis

    which: dict[str, Any] = {
        "from_ns": wanted.from_ns,
        "to_ns": wanted.to_ns,
        "streams": wanted.venues,
        "skip_damaged": skip_damaged,
        "keep": kept.keep,
    }
    if format_name == "parquet":
        names = _known(tables, export_parquet.TABLES)
        which["numbers"] = numbers
        return export_parquet.export_parquet(recording, place, names, **which), []
    if format_name == "tardis":
        names = _known(tables, export_tardis.TABLES)
        which["exchange"] = exchange
        return export_tardis.export_tardis(recording, place, names, **which), []
    if tables is not None:
        raise click.UsageError("hftbacktest's files have books and trades; leave --tables out.")
    files = export_hftbacktest.export_hftbacktest(recording, place, **which)
    notes = [
        f"{each.name}: receive times were moved by {each.moved_ns / 1e6:.3f} ms, as hftbacktest "
        "takes nothing that came before it was sent"
        for each in files
        if each.moved_ns
    ]
    return {each.name: each.events for each in files}, notes


def _known(tables: tuple[str, ...] | None, known: dict[str, Any]) -> tuple[str, ...]:
    for name in tables or ():
        if name not in known:
            raise click.UsageError(
                f"there is no table {name!r}{nearest(name, known)}. Tables: {', '.join(known)}."
            )
    return tables or tuple(known)


class _Kept:
    """Which rows are about a wanted symbol, by a wanted channel; and what symbols were met."""

    def __init__(self, wanted: Wanted) -> None:
        from replay.event_rows import BookRow, LiquidationRow, QuoteRow, TickerRow, TradeRow
        from venues.channel import Channel

        self._wanted = wanted
        self._met: set[str] = set()
        self._channels: dict[type[EventRow], Channel] = {
            BookRow: Channel.BOOK,
            TradeRow: Channel.TRADES,
            LiquidationRow: Channel.LIQUIDATIONS,
            QuoteRow: Channel.QUOTES,
            TickerRow: Channel.TICKERS,
        }

    @property
    def keep(self) -> Callable[[EventRow], bool] | None:
        """What says whether a row is kept; None where all are."""
        return self._keep if self._wanted.by_content else None

    def _keep(self, row: EventRow) -> bool:
        self._met.add(row.symbol)
        return self._wanted.covers(row.symbol, self._channels[type(row)])

    def refuse_nothing(self, recording: Recording, files: dict[str, int]) -> None:
        """Refuse to leave no file, or files without a row about symbols that are not there.

        A file of a table without rows is as good as any other: nothing of the kind happened.

        Raises:
            CommandError: it would be so.
        """
        wanted = self._wanted.symbols or ()
        absent = bool(wanted and self._met and self._met.isdisjoint(wanted))
        if files and not absent:
            return
        near = "".join(nearest(symbol, self._met) for symbol in wanted)
        there = f" There are rows of {', '.join(sorted(self._met)[:10])}." if self._met else ""
        raise CommandError(
            f"{recording.origin}: nothing was written, because it has no row of what was asked "
            f"for{near}.{there}"
        )
