"""What a recording says, as rows: level changes, trades, quotes, tickers, liquidations.

Theory. Rows are taken from an engine that plays the recording, not from the messages: so a trade
that came twice is there once, and a book is only said where it may be followed. A snapshot is the
whole book as it is after its frame, deltas that had waited for it included; from there on there are
the changes, until something is lost; then nothing, until the next snapshot. Who applies the rows in
their order, and empties the book where a run of snapshot rows begins, holds the engine's book.

Changes are the exchange's own rows. Where those are not the whole change (levels named by ids,
levels that the client has to cut off itself), they are the difference that the book shows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from book.engine import Engine
from book.market import Market
from book.settings import EngineSettings
from replay.engine_settings import recorded_settings
from replay.frame_source import FrameSource
from replay.player import Player
from venues.event import (
    BookDelta,
    BookSnapshot,
    LiquidatedSide,
    Liquidation,
    Quote,
    Row,
    Side,
    Ticker,
    Trade,
)
from venues.frame import Frame
from venues.registry import venue_named
from venues.traits import DepthKeeper


class BookRow(NamedTuple):
    """A level of a snapshot, or a change of one; size zero removes it. `is_bid` tells the side."""

    venue: str
    symbol: str
    frame_number: int
    receive_time_ns: int
    exchange_time_ns: int | None
    is_snapshot: bool
    is_bid: bool
    price: str
    size: str


class TradeRow(NamedTuple):
    """A trade; `aggressor_side` crossed the spread."""

    venue: str
    symbol: str
    frame_number: int
    receive_time_ns: int
    exchange_time_ns: int | None
    trade_id: str
    aggressor_side: Side
    price: str
    size: str


class LiquidationRow(NamedTuple):
    """A forced close; `notional` is in the quote currency, None where it is not known."""

    venue: str
    symbol: str
    frame_number: int
    receive_time_ns: int
    exchange_time_ns: int | None
    liquidated_side: LiquidatedSide
    price: str
    size: str
    notional: str | None


class QuoteRow(NamedTuple):
    """A best bid and offer, published (`from_book` False) or out of the book; '' is none."""

    venue: str
    symbol: str
    frame_number: int
    receive_time_ns: int
    exchange_time_ns: int | None
    bid_price: str
    bid_size: str
    ask_price: str
    ask_size: str
    from_book: bool = False


class TickerRow(NamedTuple):
    """What an instrument's tickers have said so far: what one leaves out is what was said last."""

    venue: str
    symbol: str
    frame_number: int
    receive_time_ns: int
    exchange_time_ns: int | None
    last_price: str | None
    mark_price: str | None
    index_price: str | None
    funding_rate: str | None
    open_interest: str | None


EventRow = BookRow | TradeRow | LiquidationRow | QuoteRow | TickerRow
_TICKER_TEXTS = (
    *("last_price_text", "mark_price_text", "index_price_text"),
    *("funding_rate_text", "open_interest_text"),
)


class RowReader:
    """Plays frames and gives the rows of each.

    `kinds` are the rows that are wanted. What came before `from_ns` is played and not said; the
    first that is said of a book then is the whole of it.
    """

    def __init__(
        self,
        kinds: frozenset[type],
        settings: EngineSettings | None = None,
        from_ns: int | None = None,
    ) -> None:
        self.engine = Engine(settings)
        self._from_ns = from_ns
        self._begun: set[tuple[str, str]] = set()
        self._rows: list[EventRow] = []
        self._levels: dict[tuple[str, str], tuple[dict[str, str], dict[str, str]]] = {}
        self._best: dict[tuple[str, str], tuple[Row | None, Row | None]] = {}
        self._tickers: dict[tuple[str, str], list[str | None]] = {}
        self._by_difference: dict[str, bool] = {}
        wants_book, wants_quote = BookRow in kinds, QuoteRow in kinds
        if wants_book:
            self.engine.on(BookSnapshot, self._snapshot)
            self.engine.on(BookDelta, self._delta)
        if wants_quote:
            self.engine.on(BookSnapshot, self._top)
            self.engine.on(BookDelta, self._top)
            self.engine.on(Quote, self._quote)
        if TradeRow in kinds:
            self.engine.on(Trade, self._trade)
        if LiquidationRow in kinds:
            self.engine.on(Liquidation, self._liquidation)
        if TickerRow in kinds:
            self.engine.on(Ticker, self._ticker)

    def rows(self, frames: Iterable[Frame]) -> Iterator[EventRow]:
        """Yield the rows of all frames."""
        from_ns = self._from_ns
        for frame in frames:
            self.engine.apply(frame)
            if self._rows:
                rows, self._rows = self._rows, []
                if from_ns is None or frame.receive_time_ns >= from_ns:
                    yield from rows

    def _place(self, event: Any, market: Market) -> tuple[str, str, int, int, int | None]:  # noqa: ANN401
        number = self.engine.frame.frame_number
        time_ns = event.receive_time_ns
        return market.venue, market.symbol, number, time_ns, event.exchange_time_ns

    def _snapshot(self, event: BookSnapshot | BookDelta, market: Market) -> None:
        if self._from_ns is not None and event.receive_time_ns < self._from_ns:
            return
        self._begun.add((market.venue, market.symbol))
        place, book = self._place(event, market), market.book
        for is_bid, side in ((True, book.bids), (False, book.asks)):
            self._rows += [BookRow(*place, True, is_bid, *row) for row in side]
        if self._differing(market):
            self._levels[market.venue, market.symbol] = dict(book.bids), dict(book.asks)

    def _delta(self, event: BookDelta, market: Market) -> None:
        if (market.venue, market.symbol) not in self._begun:
            self._snapshot(event, market)
            return
        place = self._place(event, market)
        if not self._differing(market):
            self._rows += [BookRow(*place, False, True, *row) for row in event.bids]
            self._rows += [BookRow(*place, False, False, *row) for row in event.asks]
            return
        key = market.venue, market.symbol
        before = self._levels.get(key, ({}, {}))
        after = dict(market.book.bids), dict(market.book.asks)
        for is_bid, old, new in zip((True, False), before, after, strict=True):
            gone = [(price, "0") for price in old if price not in new]
            changed = [(p, size) for p, size in new.items() if old.get(p) != size]
            self._rows += [BookRow(*place, False, is_bid, *row) for row in (*gone, *changed)]
        self._levels[key] = after

    def _differing(self, market: Market) -> bool:
        """Return whether the exchange's rows are not the whole change at this venue."""
        known = self._by_difference.get(market.venue)
        if known is None:
            traits = venue_named(market.venue).traits
            known = traits.levels_by_id or traits.depth_keeper is DepthKeeper.CLIENT
            self._by_difference[market.venue] = known
        return known

    def _top(self, event: BookSnapshot | BookDelta, market: Market) -> None:
        key, book = (market.venue, market.symbol), market.book
        best = book.bids.best(), book.asks.best()
        if self._best.get(key) != best:
            self._best[key] = best
            bid, ask = best[0] or ("", ""), best[1] or ("", "")
            self._rows.append(QuoteRow(*self._place(event, market), *bid, *ask, True))

    def _quote(self, quote: Quote, market: Market) -> None:
        texts = (
            *(quote.bid_price_text, quote.bid_size_text),
            *(quote.ask_price_text, quote.ask_size_text),
        )
        self._rows.append(QuoteRow(*self._place(quote, market), *texts))

    def _trade(self, trade: Trade, market: Market) -> None:
        facts = trade.trade_id, trade.aggressor_side, trade.price_text, trade.size_text
        self._rows.append(TradeRow(*self._place(trade, market), *facts))

    def _liquidation(self, event: Liquidation, market: Market) -> None:
        worth = None if event.notional is None else format(event.notional, "f")
        facts = event.liquidated_side, event.price_text, event.size_text, worth
        self._rows.append(LiquidationRow(*self._place(event, market), *facts))

    def _ticker(self, ticker: Ticker, market: Market) -> None:
        known = self._tickers.setdefault((market.venue, market.symbol), [None] * 5)
        for place, name in enumerate(_TICKER_TEXTS):
            said: str | None = getattr(ticker, name)
            known[place] = known[place] if said is None else said
        self._rows.append(TickerRow(*self._place(ticker, market), *known))


def event_rows(
    source: FrameSource,
    *kinds: type,
    from_ns: int | None = None,
    to_ns: int | None = None,
    streams: Collection[str] | None = None,
    skip_damaged: bool = False,
) -> Iterator[EventRow]:
    """Yield the rows of these kinds in a recording, those of `from_ns` <= receive time.

    What came before is played too, so that the books are right; it ends before the first frame
    of `to_ns` or later.

    Raises:
        ReplayError: the source cannot be read.
    """
    player = Player(source, to_ns=to_ns, streams=streams, skip_damaged=skip_damaged)
    return RowReader(frozenset(kinds), recorded_settings(source), from_ns).rows(player)
