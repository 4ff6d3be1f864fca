"""All the markets of one venue, and how its events go into them.

Theory. Which function takes an event in, and which one decodes, is decided here once, by the
venue's traits, so that no frame pays for what its venue does not do. A connection that ends is
forgotten by all that is kept by connection; see `_forget`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from book.connection_start import ConnectionStarts, whole_book
from book.exact import NumbersSeen
from book.finding import Report
from book.frame_time import FrameTime
from book.instrument_list import InstrumentList
from book.liquidation_monitor import Cascade
from book.market import Market
from book.market_limits import check_new_market
from book.notice_finding import notice_finding
from book.route_table import RouteTable
from book.settings import NS_PER_S, EngineSettings, nanoseconds
from book.staleness import StalenessGuard
from venues.channel import Channel, Subscription
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    FrameSequence,
    GameResult,
    Instrument,
    Liquidation,
    Notice,
    OrderUpdate,
    PositionUpdate,
    Quote,
    Subscribed,
    Ticker,
    Trade,
    WalletUpdate,
)
from venues.frame import Frame
from venues.traits import SnapshotSource
from venues.venue import SnapshotRequest, Venue

ASK_AGAIN_NS = 10 * NS_PER_S
"""A snapshot that has not come by then is asked for again."""


class VenueLane:
    """One venue within the engine.

    Attributes:
        markets: by symbol.
        changed: the markets whose book the current frame changed, still to be settled.
        cascades: what the current frame completed, still to be told.
        instruments: what the exchange says of its symbols, with a market or without.
        starts: how each connection began.
        routes: what the references of each connection mean.
        requests: the snapshots wished for and not yet taken by anyone, by symbol.
        takers: by kind of event, what takes it in; called with the event and its frame, and says
            whether subscribers should be told of it (True, False) or what they should be told of
            in its place. NotANumberError: a price or size is none.
        private_updates: how many updates of one's own account came.
    """

    __slots__ = (
        "_guard",
        "_limits_ns",
        "_numbers",
        "_report",
        "_settings",
        "_time",
        "cascades",
        "changed",
        "decode",
        "instruments",
        "markets",
        "notices",
        "private_updates",
        "requests",
        "routes",
        "starts",
        "takers",
        "venue",
    )

    def __init__(
        self,
        venue: Venue,
        settings: EngineSettings,
        time: FrameTime,
        guard: StalenessGuard,
        report: Report,
    ) -> None:
        self.venue = venue
        self.decode: Callable[[Frame], Sequence[Event]] = venue.decode
        self.markets: dict[str, Market] = {}
        self.changed: list[Market] = []
        self.cascades: list[tuple[Cascade, Market]] = []
        self.requests: dict[str, SnapshotRequest] = {}
        self.private_updates = 0
        self.notices = 0
        self._numbers = NumbersSeen()
        self._settings = settings
        self._time = time
        self._guard = guard
        self._report = report
        limits_s = {**venue.traits.stale_limits_s, **settings.stale_limits_s}
        self._limits_ns = {channel: nanoseconds(limit_s) for channel, limit_s in limits_s.items()}
        self.instruments = InstrumentList()
        self.starts = ConnectionStarts()
        self.routes = RouteTable(venue)
        self.takers: dict[type, Callable[..., bool | Event]] = {
            BookSnapshot: self._take_snapshot,
            BookDelta: self._take_delta,
            Trade: self._take_trade,
            Quote: self._take_quote,
            Liquidation: self._take_liquidation,
            Ticker: self._take_ticker,
            Notice: self._take_notice,
            Instrument: self._take_instrument,
            GameResult: self._take_game_result,
            OrderUpdate: self._take_private,
            PositionUpdate: self._take_private,
            WalletUpdate: self._take_private,
            Subscribed: self._take_subscribed,
            FrameSequence: self._take_frame_sequence,
        }
        self._choose()

    def _choose(self) -> None:
        traits, takers = self.venue.traits, self.takers
        if traits.routed:
            self.decode = self.routes.decode
        if traits.snapshot_source is SnapshotSource.FIRST_DELTA:
            takers[BookDelta] = self._take_delta_or_whole
        if Channel.TRADES in traits.history_first:
            takers[Trade] = self._take_trade_or_past
        if Channel.LIQUIDATIONS in traits.history_first:
            takers[Liquidation] = self._take_liquidation_or_past

    def market(self, symbol: str) -> Market:
        """Return the market of `symbol`, a new one where there is none yet.

        Raises:
            MarketRefusedError: it is no symbol, or there are too many.
        """
        market = self.markets.get(symbol)
        if market is None:
            check_new_market(symbol, self.markets)
            market = self.markets[symbol] = Market(
                self.venue.name,
                symbol,
                self.venue.traits,
                self._settings,
                self._time,
                self._report,
                self._numbers,
            )
            market.instrument = self.instruments.of(symbol)
        return market

    def open(self, frame: Frame) -> None:
        """Note that this frame's connection was seen to open."""
        self.starts.open(frame.connection_id, frame.receive_time_ns)

    def watch(self, symbol: str, channel: Channel, connection_id: int) -> None:
        """Watch a channel for silence from now on, where it has a limit."""
        limit_ns = self._limits_ns.get(channel)
        if limit_ns is None:
            return
        market, now_ns = self.market(symbol), self._time.now_ns
        watch = self._guard.watch(self.venue.name, symbol, channel, limit_ns, now_ns)
        watch.connection_id = connection_id
        market.watches[channel] = watch

    def settle(self, frame: Frame) -> None:
        """Look at the books that the frame changed, now that all of it is in."""
        for market in self.changed:
            market.book.settle(frame)
            if market.book.needs_snapshot:
                self._ask(market)
        self.changed.clear()

    def doubt(
        self, reason: str, frame: Frame, connection_id: int | None, only: Sequence[object] = ()
    ) -> None:
        """Stop trusting the books of one connection (None: of all), or `only` those subscribed."""
        if not only:
            self.starts.doubt(connection_id)
        for symbol, market in self.markets.items():
            if only and Subscription(Channel.BOOK, symbol) not in only:
                continue
            book = market.book
            # Of a book that nothing comes of (only trades are listened to), nothing can be lost.
            if book.listening and connection_id in (None, book.connection_id):
                book.doubt(reason, frame)
                self._ask(market)

    def disconnect(self, frame: Frame) -> None:
        """Note that this frame's connection is gone, and with it whoever could be asked."""
        for market in self.markets.values():
            if market.book.connection_id == frame.connection_id:
                market.book.disconnect(frame)
                self.requests.pop(market.symbol, None)
        self._forget(frame.connection_id)

    def end(self, frame: Frame, connection_id: int | None) -> set[int]:
        """Note that nobody listens to a connection (None: to any) from here on.

        Returns the connections whose channels were watched.
        """
        ended = self._rest(frame, connection_id)
        self._forget(connection_id)
        return ended

    def skip(self, frame: Frame) -> set[int]:
        """Note that what came next was recorded and left out on purpose: not a loss, but unknown.

        Connections may go on after it, and mean by their references what they meant before; of
        all that is counted, nothing can be expected. Returns as `end` does.
        """
        ended = self._rest(frame, None)
        self.starts.doubt(None)
        for market in self.markets.values():
            market.book.connection_id = 0  # whichever speaks next is a new one to it
            market.last_trade_number = None
        return ended

    def _rest(self, frame: Frame, connection_id: int | None) -> set[int]:
        ended: set[int] = set()
        for market in self.markets.values():
            book = market.book
            if book.listening and connection_id in (None, book.connection_id):
                book.end(frame)
                self.requests.pop(market.symbol, None)
            for channel, watch in list(market.watches.items()):
                if connection_id in (None, watch.connection_id):
                    ended.add(watch.connection_id)
                    del market.watches[channel]
        return ended

    def _forget(self, connection_id: int | None) -> None:
        self.starts.forget(connection_id)
        self.routes.forget(connection_id)

    def _ask(self, market: Market) -> None:
        market.book.needs_snapshot = False
        market.asked_ns = self._time.now_ns
        self.requests[market.symbol] = SnapshotRequest(
            self.venue.name, market.book.connection_id, market.symbol
        )

    def _heard(self, market: Market, channel: Channel, frame: Frame) -> None:
        watch = market.watches.get(channel)
        if watch is None:
            self.watch(market.symbol, channel, frame.connection_id)
        elif watch.stale:
            self._guard.heard(watch, frame.connection_id, self._time.now_ns)
        else:
            watch.last_ns = self._time.now_ns
            watch.connection_id = frame.connection_id

    def _take_snapshot(self, snapshot: BookSnapshot, frame: Frame) -> bool:
        market = self.market(snapshot.symbol)
        if not snapshot.unjoined:
            self._heard(market, Channel.BOOK, frame)
        changed = market.book.take_snapshot(snapshot, frame)
        if changed and self.requests:
            self.requests.pop(market.symbol, None)
        return self._book_touched(market, changed)

    def _take_delta(self, delta: BookDelta, frame: Frame) -> bool:
        market = self.markets.get(delta.symbol) or self.market(delta.symbol)
        self._heard(market, Channel.BOOK, frame)
        changed = market.book.take_delta(delta, frame)
        return self._book_touched(market, changed)

    def _take_delta_or_whole(self, delta: BookDelta, frame: Frame) -> bool:
        """Take the first delta of a connection for the whole book, where that is the protocol."""
        market = self.market(delta.symbol)
        if market.book.outran(frame.connection_id):
            # Its beginning is passed over with it, so that nothing of it is the whole book later.
            self.starts.doubt(frame.connection_id)
        first = frame.connection_id != market.book.connection_id
        if first and self.starts.seen_from_start(frame.connection_id):
            return self._take_snapshot(whole_book(delta), frame)
        return self._take_delta(delta, frame)

    def _book_touched(self, market: Market, changed: bool) -> bool:
        book = market.book
        if changed:
            self.changed.append(market)
        if book.needs_snapshot:
            self._ask(market)
        elif book.following:
            if self.requests:
                self.requests.pop(market.symbol, None)
        elif market.asked_ns is not None and self._time.now_ns - market.asked_ns > ASK_AGAIN_NS:
            self._ask(market)
        return changed

    def _take_trade(self, trade: Trade, frame: Frame) -> bool:
        market = self.markets.get(trade.symbol) or self.market(trade.symbol)
        self._heard(market, Channel.TRADES, frame)
        return market.take_trade(trade)

    def _take_trade_or_past(self, trade: Trade, frame: Frame) -> bool:
        market = self.market(trade.symbol)
        if self.starts.first(Channel.TRADES, trade.symbol, frame):
            self._heard(market, Channel.TRADES, frame)
            market.counters.trades_history += 1
            return False
        return self._take_trade(trade, frame)

    def _take_quote(self, quote: Quote, frame: Frame) -> bool:
        market = self.markets.get(quote.symbol) or self.market(quote.symbol)
        market.take_quote(quote, frame)
        if market.book.needs_snapshot:
            self._ask(market)
        return True

    def _take_liquidation(self, liquidation: Liquidation, frame: Frame) -> bool | Event:
        market = self.market(liquidation.symbol)
        self._heard(market, Channel.LIQUIDATIONS, frame)
        if market.repeats(liquidation):
            return False
        told = market.priced(liquidation) if liquidation.notional is None else liquidation
        cascade = market.take_liquidation(told)
        if cascade is not None:
            self.cascades.append((cascade, market))
        return told

    def _take_liquidation_or_past(self, liquidation: Liquidation, frame: Frame) -> bool | Event:
        market = self.market(liquidation.symbol)
        first = self.starts.first(Channel.LIQUIDATIONS, liquidation.symbol, frame)
        made_ns = liquidation.exchange_time_ns
        if first and self.starts.made_before(frame.connection_id, made_ns):
            self._heard(market, Channel.LIQUIDATIONS, frame)
            market.counters.liquidations_history += 1
            return False
        return self._take_liquidation(liquidation, frame)

    def _take_ticker(self, ticker: Ticker, frame: Frame) -> bool:
        self.market(ticker.symbol).take_ticker(ticker)
        return True

    def _take_instrument(self, instrument: Instrument, frame: Frame) -> bool:
        self.instruments.hear(instrument)
        market = self.markets.get(instrument.symbol)
        if market is not None:
            market.instrument = instrument
        return True

    def _take_game_result(self, result: GameResult, frame: Frame) -> bool:
        market = self.market(result.symbol)
        self._heard(market, Channel.RESULTS, frame)
        market.take_game_result(result)
        return True

    def _take_private(self, update: Event, frame: Frame) -> bool:
        self.private_updates += 1
        return True

    def _take_notice(self, notice: Notice, frame: Frame) -> bool:
        self.notices += 1
        found = notice_finding(notice)
        if found is not None:
            self._report(found[0], notice.symbol, found[1])
        return True

    def _take_subscribed(self, subscribed: Subscribed, frame: Frame) -> bool:
        self.routes.add(subscribed, frame.connection_id)
        symbol, channel = subscribed.symbol, subscribed.channel
        if channel is None or channel.private or not symbol:
            return True
        if channel is Channel.BOOK and subscribed.depth:
            book = self.market(symbol).book
            if not book.outran(frame.connection_id):
                book.depth_kept = subscribed.depth
        self.watch(symbol, channel, frame.connection_id)
        return True

    def _take_frame_sequence(self, sequence: FrameSequence, frame: Frame) -> bool:
        return True

    def state(self) -> list[object]:
        """Return the canonical state apart from the markets, for the digest."""
        counts = [self.notices, self.private_updates]
        return [
            self.venue.name,
            *counts,
            self.instruments.state(),
            self.routes.state(),
            self.starts.state(),
        ]
