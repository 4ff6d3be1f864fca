"""What only an audit listens for, beside the engine: clock offsets, pulses, sizes of holes.

It subscribes to an engine and changes nothing in it: the engine's state, and so its digest, is the
same with and without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from book.engine import Engine
from book.finding import Finding, FindingKind
from book.market import Market
from book.staleness import Stale
from replay.audit_report import ClockAudit, ClockOffset
from replay.clock_offset import ClockOffsetGauge
from venues.channel import Channel
from venues.channel_pulse import ChannelPulse
from venues.event import (
    BookDelta,
    BookSnapshot,
    GameResult,
    Liquidation,
    OrderUpdate,
    PositionUpdate,
    Quote,
    Ticker,
    Trade,
    WalletUpdate,
)

_CHANNELS: dict[type, Channel] = {
    BookDelta: Channel.BOOK,
    Trade: Channel.TRADES,
    Quote: Channel.QUOTES,
    Liquidation: Channel.LIQUIDATIONS,
    Ticker: Channel.TICKERS,
    GameResult: Channel.RESULTS,
}

ChannelKey = tuple[str, str, Channel]
"""Venue, symbol, channel."""


class AuditListener:
    """What was heard.

    Attributes:
        events: how many events were told of, of the market or of one's own account.
        pulses: by venue, symbol and channel.
        stale: how often each channel was silent for longer than its limit.
        stale_limits_ns: those limits, of the channels that were.
        missing: numbers skipped, by kind of finding, venue and symbol.
        steps: clock steps that the recorder noted, and `largest_step_ns` the greatest of them.
        backwards: frames received earlier than one before, and `largest_backwards_ns` by how much.
    """

    def __init__(self, engine: Engine) -> None:
        self.events = 0
        self.pulses: dict[ChannelKey, ChannelPulse] = {}
        self.stale: Counter[ChannelKey] = Counter()
        self.stale_limits_ns: dict[ChannelKey, int] = {}
        self.missing: Counter[tuple[FindingKind, str, str]] = Counter()
        self.steps = 0
        self.largest_step_ns = 0
        self.backwards = 0
        self.largest_backwards_ns = 0
        self._offsets: dict[tuple[str, Channel], ClockOffsetGauge] = {}
        for kind, channel in _CHANNELS.items():
            engine.on(kind, self._ear(channel))
        hear_book = self._ear(Channel.BOOK)

        @engine.on(BookSnapshot)
        def hear_snapshot(snapshot: BookSnapshot, market: Market) -> None:
            # One by HTTP was on its way for as long as the request was, and on no channel.
            if not snapshot.unjoined:
                hear_book(snapshot, market)

        for kind in (OrderUpdate, PositionUpdate, WalletUpdate):
            engine.on(kind, self._of_our_own)
        engine.on(Stale, self._fell_silent)
        engine.on(Finding, self._noticed)

    def clock(self) -> ClockAudit:
        """Return what the clock did."""
        return ClockAudit(
            offsets=[
                _offset(venue, channel, gauge)
                for (venue, channel), gauge in sorted(self._offsets.items())
                if gauge.count
            ],
            steps=self.steps,
            largest_step_ns=self.largest_step_ns,
            backwards=self.backwards,
            largest_backwards_ns=self.largest_backwards_ns,
        )

    def _ear(self, channel: Channel) -> Callable[[Any, Market], None]:
        # Looked up by the market itself: a key of three texts would cost more than all the rest.
        known: dict[Market, tuple[ChannelPulse, ClockOffsetGauge]] = {}

        def hear(event: Any, market: Market) -> None:  # noqa: ANN401 - many kinds, one shape
            heard = known.get(market)
            if heard is None:
                heard = known[market] = self._known(channel, market, event.receive_time_ns)
            pulse, gauge = heard
            self.events += 1
            pulse.heard(event.receive_time_ns)
            if event.exchange_time_ns is not None:
                gauge.add(event.receive_time_ns - event.exchange_time_ns)

        return hear

    def _known(
        self, channel: Channel, market: Market, now_ns: int
    ) -> tuple[ChannelPulse, ClockOffsetGauge]:
        key = (market.venue, market.symbol, channel)
        pulse = self.pulses.setdefault(key, ChannelPulse(now_ns))
        return pulse, self._offsets.setdefault((market.venue, channel), ClockOffsetGauge())

    def _of_our_own(self, update: Any, market: None) -> None:  # noqa: ANN401 - three kinds
        del update, market
        self.events += 1

    def _fell_silent(self, stale: Stale, market: Market | None) -> None:
        del market
        key = (stale.venue, stale.symbol, stale.channel)
        self.stale[key] += 1
        self.stale_limits_ns[key] = stale.limit_ns

    def _noticed(self, finding: Finding, market: Market | None) -> None:
        del market
        if finding.missing is not None:
            self.missing[finding.kind, finding.venue, finding.symbol] += finding.missing
        if finding.kind is FindingKind.CLOCK_STEP:
            self.steps += 1
            self.largest_step_ns = max(self.largest_step_ns, int(finding.received or 0), key=abs)
        elif finding.kind is FindingKind.TIME_BACKWARDS:
            self.backwards += 1
            back_ns = int(finding.expected or 0) - int(finding.received or 0)
            self.largest_backwards_ns = max(self.largest_backwards_ns, back_ns)


def _offset(venue: str, channel: Channel, gauge: ClockOffsetGauge) -> ClockOffset:
    return ClockOffset(
        venue=venue,
        channel=channel,
        count=gauge.count,
        min_ns=gauge.min_ns,
        median_ns=gauge.quantile_ns(0.5),
        p99_ns=gauge.quantile_ns(0.99),
        max_ns=gauge.max_ns,
        width_ns=gauge.width_ns,
    )
