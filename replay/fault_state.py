"""What is compared to say whether a fault did any harm: books, trades and all else that was said.

Not compared: times (a message that came late says the same as before), counts of messages (two
that say the same book are as good as one), the order of trades, and what the engine says of its
own doubts.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from book.book_state import BookState
from book.engine import Engine
from book.finding import Finding
from book.market import Market
from venues.channel import Channel
from venues.event import (
    GameResult,
    Liquidation,
    OrderUpdate,
    PositionUpdate,
    Quote,
    Row,
    Ticker,
    Trade,
    WalletUpdate,
)
from venues.registry import venue_named

StreamKey = tuple[str, str, Channel]
"""Venue, symbol, channel."""

_FOLLOWING = frozenset({BookState.PROVEN, BookState.UNVERIFIABLE, BookState.ENDED})

_COUNTED: dict[type, Channel] = {
    Trade: Channel.TRADES,
    Liquidation: Channel.LIQUIDATIONS,
    GameResult: Channel.RESULTS,
    OrderUpdate: Channel.ORDER,
    PositionUpdate: Channel.POSITION,
    WalletUpdate: Channel.WALLET,
}
"""Rows of which each is news; of quotes and tickers the last one is."""

_TIMES = frozenset({"receive_time_ns", "exchange_time_ns"})


class BookStanding(NamedTuple):
    """How far a book is trusted, and how often it was in doubt."""

    state: BookState
    windows: int

    @property
    def follows(self) -> bool:
        """Whether the book follows its feed, or did until nobody listened any more."""
        return self.state in _FOLLOWING

    def doubted_against(self, whole: BookStanding) -> bool:
        """Say whether this book is in a doubt that `whole`, the same one without faults, is not."""
        if self.windows > whole.windows:
            return True
        if whole.state is BookState.PROVEN:
            return self.state is not BookState.PROVEN
        return whole.follows and not self.follows


class BookView(NamedTuple):
    """A book: its levels, and those of them that a checksum covers."""

    rows: tuple[list[Row], list[Row]]
    checked: tuple[list[Row], list[Row]]


NO_STANDING = BookStanding(BookState.EMPTY, 0)
NO_BOOK = BookView(([], []), ([], []))


class Witness:
    """Hears all that an engine says from here on, and looks at its books at the end.

    `findings` are what it noticed.
    """

    def __init__(self, engine: Engine) -> None:
        self.findings: list[Finding] = []
        self._engine = engine
        self._rows: dict[StreamKey, Counter[tuple[Any, ...]]] = {}
        engine.on(Finding, self._noticed)
        for kind, channel in _COUNTED.items():
            engine.on(kind, self._ear(channel))

    def _noticed(self, finding: Finding, market: Market | None) -> None:
        del market
        self.findings.append(finding)

    def _ear(self, channel: Channel) -> Any:  # noqa: ANN401 - a handler of any kind of event
        def hear(event: Any, market: Market | None) -> None:  # noqa: ANN401 - many kinds, one shape
            del market
            key = (self._engine.frame.venue, event.symbol, channel)
            self._rows.setdefault(key, Counter())[_without_times(event)] += 1

        return hear

    def standings(self) -> dict[tuple[str, str], BookStanding]:
        """Return how far each book is trusted, by venue and symbol."""
        return {
            key: BookStanding(market.book.state, market.coverage.windows_count)
            for key, market in self._engine.markets.items()
        }

    def books(self) -> dict[tuple[str, str], BookView]:
        """Return all books, by venue and symbol."""
        return {key: _book_view(market) for key, market in self._engine.markets.items()}

    def rows(self) -> dict[StreamKey, object]:
        """Return what was said apart from the books."""
        said: dict[StreamKey, object] = dict(self._rows)
        for (venue, symbol), market in self._engine.markets.items():
            for channel, last in ((Channel.QUOTES, market.quote), (Channel.TICKERS, market.ticker)):
                if last is not None:
                    said[venue, symbol, channel] = _without_times(last)
        return said

    def differences(self, other: Witness) -> set[StreamKey]:
        """Return which streams are not the same in `other`."""
        mine, others = self.books(), other.books()
        found = {
            (*key, Channel.BOOK)
            for key in mine.keys() | others.keys()
            if mine.get(key, NO_BOOK).rows != others.get(key, NO_BOOK).rows
        }
        my_rows, other_rows = self.rows(), other.rows()
        keys = my_rows.keys() | other_rows.keys()
        return found | {key for key in keys if my_rows.get(key) != other_rows.get(key)}


def _without_times(event: Quote | Ticker | Trade) -> tuple[Any, ...]:
    return tuple(getattr(event, name) for name in event.__struct_fields__ if name not in _TIMES)


def _book_view(market: Market) -> BookView:
    book, rule = market.book, venue_named(market.venue).traits.checksum
    levels = 0 if rule is None else rule.levels
    return BookView(
        (list(book.bids), list(book.asks)),
        (book.bids.top(levels), book.asks.top(levels)),
    )
