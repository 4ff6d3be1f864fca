"""What a source of frames has as tables, as methods of it: `recording.trades()`.

A module of its own, because a recording is opened by programs that want none of it: what makes
the tables (the engine, and then Arrow) is imported when one is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from replay.event_table import EventTable, Numbers
    from replay.frame_source import FrameSource


class EventTables:
    """The tables of a source. Keyword arguments are those of its `frames`.

    `numbers` is "decimal" for exact decimals, or "text" for the exchange's own digits.
    """

    def trades(self, *, numbers: Numbers = "decimal", **chosen: Any) -> EventTable:  # noqa: ANN401
        """Return the trades: each once, those before the recording left out."""
        from replay.event_rows import TradeRow

        return self._table(TradeRow, numbers, chosen)

    def liquidations(self, *, numbers: Numbers = "decimal", **chosen: Any) -> EventTable:  # noqa: ANN401
        """Return the forced closes."""
        from replay.event_rows import LiquidationRow

        return self._table(LiquidationRow, numbers, chosen)

    def book_changes(self, *, numbers: Numbers = "decimal", **chosen: Any) -> EventTable:  # noqa: ANN401
        """Return the books: the levels of each snapshot, then each change of a level."""
        from replay.event_rows import BookRow

        return self._table(BookRow, numbers, chosen)

    def quotes(self, *, numbers: Numbers = "decimal", **chosen: Any) -> EventTable:  # noqa: ANN401
        """Return best bids and offers: the published ones, and those of the books."""
        from replay.event_rows import QuoteRow

        return self._table(QuoteRow, numbers, chosen)

    def tickers(self, *, numbers: Numbers = "decimal", **chosen: Any) -> EventTable:  # noqa: ANN401
        """Return what tickers said."""
        from replay.event_rows import TickerRow

        return self._table(TickerRow, numbers, chosen)

    def _table(self, kind: Any, numbers: Numbers, chosen: dict[str, Any]) -> EventTable:  # noqa: ANN401
        from replay.event_table import EventTable

        return EventTable(cast("FrameSource", self), kind, numbers, **chosen)
