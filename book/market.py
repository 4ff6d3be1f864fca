"""What is known of one symbol at one venue."""

from __future__ import annotations

import msgspec

from book.book_parts import BookParts
from book.contract_value import notional
from book.counters import MarketCounters
from book.coverage import Coverage
from book.errors import NoMarketError
from book.exact import NumbersSeen
from book.finding import FindingKind, Report
from book.frame_time import FrameTime
from book.game_monitor import GameMonitor, GameParts
from book.level_ids import NamedLevelBook
from book.liquidation_monitor import Cascade, LiquidationMonitor, LiquidationParts
from book.settings import EngineSettings
from book.staleness import ChannelWatch
from book.trade_tape import TapeParts, TradeTape
from book.venue_book import VenueBook
from venues.channel import Channel
from venues.event import GameResult, Instrument, Liquidation, Quote, Ticker, Trade
from venues.frame import Frame
from venues.traits import VenueTraits


class MarketRefusedError(ValueError):
    """A symbol that gets no market. The engine turns it into a finding."""


class MarketParts(msgspec.Struct, frozen=True, array_like=True):
    """A market, for a checkpoint. Its instrument and its watches are in its lane's parts."""

    symbol: str
    counters: MarketCounters
    book: BookParts
    quote: Quote | None
    ticker: Ticker | None
    last_trade_number: int | None
    asked_ns: int | None
    tape: TapeParts
    liquidations: LiquidationParts
    games: GameParts | None
    latest_trade_made_ns: int | None = None


class Markets(dict[tuple[str, str], "Market"]):
    """Markets by (venue, symbol); asked for one that is not there, it says which are."""

    def __missing__(self, key: object) -> Market:
        raise NoMarketError(key, self.keys())


class Market:
    """Book, tape, liquidations, last quote, last ticker and instrument of one symbol.

    Handlers are given it as of the frame that they are called for, after the whole frame.
    `asked_ns` is when a snapshot was last asked for; `watches` are its channels' silences.
    """

    __slots__ = (
        "_games",
        "_latest_trade_made_ns",
        "_liquidations",
        "_numbers",
        "_quotes_prove",
        "_repeated_trade",
        "_report",
        "_settings",
        "_tape",
        "_time",
        "asked_ns",
        "book",
        "counters",
        "instrument",
        "last_trade_number",
        "quote",
        "symbol",
        "ticker",
        "venue",
        "watches",
    )

    def __init__(
        self,
        venue: str,
        symbol: str,
        traits: VenueTraits,
        settings: EngineSettings,
        time: FrameTime,
        report: Report,
        numbers: NumbersSeen,
    ) -> None:
        self.venue = venue
        self.symbol = symbol
        self.counters = MarketCounters()
        kind_of_book = NamedLevelBook if traits.levels_by_id else VenueBook
        self.book = kind_of_book(symbol, traits, self.counters, report, settings, time, numbers)
        self.quote: Quote | None = None
        self.ticker: Ticker | None = None
        self.instrument: Instrument | None = None
        self._games: GameMonitor | None = None
        self.last_trade_number: int | None = None
        self._latest_trade_made_ns: int | None = None
        self._repeated_trade: int | None = None
        self.asked_ns: int | None = None
        self.watches: dict[Channel, ChannelWatch] = {}
        self._tape = TradeTape(settings, numbers)
        self._liquidations = LiquidationMonitor(settings)
        self._numbers = numbers
        self._quotes_prove = traits.quote_shares_sequence
        self._report = report
        self._settings = settings
        self._time = time

    @property
    def now_ns(self) -> int:
        """The receive time up to which everything here is."""
        return self._time.now_ns

    @property
    def tape(self) -> TradeTape:
        """The trade tape, its window ending now."""
        self._tape.advance(self._time.now_ns)
        return self._tape

    @property
    def liquidations(self) -> LiquidationMonitor:
        """The liquidation monitor, its window ending now."""
        self._liquidations.advance(self._time.now_ns)
        return self._liquidations

    @property
    def games(self) -> GameMonitor | None:
        """The results of the game that this symbol is, its window ending now; None without any."""
        if self._games is not None:
            self._games.advance(self._time.now_ns)
        return self._games

    @property
    def coverage(self) -> Coverage:
        """How long the book was proven, up to now."""
        self.book.coverage.advance()
        return self.book.coverage

    def take_trade(self, trade: Trade) -> bool:
        """Take a trade in; return whether it is new.

        Raises:
            NotANumberError: its price or size is none; it is then not on the tape.
        """
        if trade.history:
            self.counters.trades_history += 1
            return False
        if trade.aggregate:
            self.counters.trades_aggregate += 1
            return False
        number, last = trade.trade_number, self.last_trade_number
        if number is not None:
            if last is not None and number != last + 1 and not self._place(trade, number, last):
                return False
            self.last_trade_number = number
            made_ns, latest_ns = trade.exchange_time_ns, self._latest_trade_made_ns
            if made_ns is not None and (latest_ns is None or made_ns > latest_ns):
                self._latest_trade_made_ns = made_ns
        if trade.off_market:
            self.counters.trades_off_market += 1
            return False
        self.counters.trades += 1
        self._tape.add(trade, self._time.now_ns)
        return True

    def _place(self, trade: Trade, number: int, last: int) -> bool:
        made_ns, latest_ns = trade.exchange_time_ns, self._latest_trade_made_ns
        # What came before was made before: a low number of a later time is of another count.
        anew = made_ns is not None and latest_ns is not None and made_ns > latest_ns
        if number <= last and not anew:
            self.counters.duplicates += 1
            self._repeated_trade = number
            text = "a trade that came before; not counted again"
            self._report(
                FindingKind.DUPLICATE, self.symbol, text, expected=last + 1, received=number
            )
            return False
        self.counters.trade_gaps += 1
        self._repeated_trade = None
        restarted = number <= last
        self._report(
            FindingKind.TRADE_GAP,
            self.symbol,
            "the exchange counts its trades anew"
            if restarted
            else "trades are missing before this one",
            expected=last + 1,
            received=number,
            missing=None if restarted else number - last - 1,
        )
        return True

    def priced(self, liquidation: Liquidation) -> Liquidation:
        """Return a liquidation with its worth, where the venue's own contract rule is known.

        Raises:
            NotANumberError: its price or size is none.
        """
        if self.instrument is None:
            return liquidation
        worth = notional(self.instrument, liquidation.price_text, liquidation.size_text)
        return msgspec.structs.replace(liquidation, notional=worth)

    def repeats(self, liquidation: Liquidation) -> bool:
        """Say whether a liquidation is the trade before it, which came before."""
        number = liquidation.trade_number
        return number is not None and number == self._repeated_trade

    def take_liquidation(self, liquidation: Liquidation) -> Cascade | None:
        """Take a liquidation in; return the cascade that it completes, if it does.

        One whose worth is not known is counted, and is in no sum.
        """
        self.counters.liquidations += 1
        if liquidation.notional is None:
            self.counters.liquidations_unpriced += 1
        return self._liquidations.add(liquidation, self._time.now_ns)

    def take_game_result(self, result: GameResult) -> None:
        """Take a game's result in.

        Raises:
            NotANumberError: its outcome is none.
            MarketRefusedError: this symbol's results are another game's.
        """
        games = self._games or GameMonitor(result.game, self._settings)
        if games.game is not result.game:
            raise MarketRefusedError(f"its results are of another game, {games.game}")
        games.add(result, self._time.now_ns)
        self.counters.game_results += 1
        self._games = games

    def take_quote(self, quote: Quote, frame: Frame) -> None:
        """Take a quote in, and hold it against the book where they share their numbers.

        Raises:
            NotANumberError: one of its texts is none.
        """
        prices, sizes = self._numbers.prices, self._numbers.above_zero
        if quote.bid_price_text:
            prices[quote.bid_price_text]
            sizes[quote.bid_size_text]
        if quote.ask_price_text:
            prices[quote.ask_price_text]
            sizes[quote.ask_size_text]
        self.quote = quote
        self.counters.quotes += 1
        sequence = quote.sequence
        if sequence is not None and self._quotes_prove:
            self.book.take_quote(quote, sequence, frame)

    def take_ticker(self, ticker: Ticker) -> None:
        """Take a ticker in."""
        self.counters.tickers += 1
        self.ticker = ticker

    def state(self) -> list[object]:
        """Return the canonical state, for the digest."""
        games = self.games
        return [
            self.venue,
            self.symbol,
            self.counters,
            self.book.book_state(),
            self.coverage.state(),
            self.quote,
            self.ticker,
            self.last_trade_number,
            self.tape.state(),
            self.liquidations.state(),
            self.instrument,
            None if games is None else games.state(),
        ]

    def parts(self) -> MarketParts:
        """Return the market, for a checkpoint."""
        games = self.games
        return MarketParts(
            self.symbol,
            self.counters,
            self.book.parts(),
            self.quote,
            self.ticker,
            self.last_trade_number,
            self.asked_ns,
            self.tape.parts(),
            self.liquidations.parts(),
            None if games is None else games.parts(),
            self._latest_trade_made_ns,
        )

    def take_parts(self, parts: MarketParts) -> None:
        """Be what a checkpoint says."""
        for name in MarketCounters.__struct_fields__:
            # The book counts in the same counters, so they are changed and not exchanged.
            setattr(self.counters, name, getattr(parts.counters, name))
        self.book.take_parts(parts.book)
        self.quote = parts.quote
        self.ticker = parts.ticker
        self.last_trade_number = parts.last_trade_number
        self._latest_trade_made_ns = parts.latest_trade_made_ns
        self.asked_ns = parts.asked_ns
        self._tape.take_parts(parts.tape)
        self._liquidations.take_parts(parts.liquidations)
        if parts.games is not None:
            self._games = GameMonitor(parts.games.game, self._settings)
            self._games.take_parts(parts.games)
