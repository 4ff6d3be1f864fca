"""A venue's lane as plain values, and made of them again.

A market's watches are those of the staleness guard, so that a lane says of each only whether it is:
one that the guard has forgotten is there whole. The snapshots wished for are left out: they are no
part of the state.
"""

from __future__ import annotations

import msgspec

from book.connection_start import StartsParts
from book.counted_lane import CountedLane, CountedParts
from book.market import Market, MarketParts
from book.staleness import StalenessGuard, WatchParts
from book.venue_lane import VenueLane
from venues.channel import Channel
from venues.event import Instrument, Subscribed


class WatchedParts(msgspec.Struct, frozen=True, array_like=True):
    """A market's watch of a channel: the guard's, or one that the guard has forgotten."""

    channel: Channel
    forgotten: WatchParts | None


class LaneParts(msgspec.Struct, frozen=True, array_like=True):
    """All markets of one venue, in the order in which they came, and what is known besides."""

    venue: str
    notices: int
    private_updates: int
    instruments: list[Instrument]
    starts: StartsParts
    routes: list[tuple[int, list[Subscribed]]]
    markets: list[MarketParts]
    watches: list[list[WatchedParts]]
    counted: list[CountedParts]


def lane_parts(lane: VenueLane, guard: StalenessGuard) -> LaneParts:
    """Return a lane, for a checkpoint."""
    return LaneParts(
        lane.venue.name,
        lane.notices,
        lane.private_updates,
        lane.instruments.state(),
        lane.starts.parts(),
        lane.routes.parts(),
        [market.parts() for market in lane.markets.values()],
        [_watched(market, guard) for market in lane.markets.values()],
        lane.counted_parts() if isinstance(lane, CountedLane) else [],
    )


def take_lane_parts(lane: VenueLane, parts: LaneParts, guard: StalenessGuard) -> None:
    """Make a new lane what a checkpoint says; the guard is so already.

    Raises:
        MarketRefusedError, KeyError: the parts are not those of a lane.
    """
    lane.notices = parts.notices
    lane.private_updates = parts.private_updates
    lane.instruments.take_parts(parts.instruments)
    lane.starts.take_parts(parts.starts)
    lane.routes.take_parts(parts.routes)
    for said, watches in zip(parts.markets, parts.watches, strict=True):
        market = lane.market(said.symbol)
        market.take_parts(said)
        for watched in watches:
            forgotten = watched.forgotten
            watch = guard.watch_of(market.venue, market.symbol, watched.channel)
            if forgotten is not None:
                watch = forgotten.watch()
            if watch is None:
                raise KeyError(watched.channel)
            market.watches[watched.channel] = watch
    if isinstance(lane, CountedLane):
        lane.take_counted_parts(parts.counted)


def _watched(market: Market, guard: StalenessGuard) -> list[WatchedParts]:
    return [
        WatchedParts(
            channel,
            None
            if guard.watch_of(market.venue, market.symbol, channel) is watch
            else WatchParts.of(watch),
        )
        for channel, watch in market.watches.items()
    ]
