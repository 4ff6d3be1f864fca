"""What Gate.io's venues declare, and the channels by which ours are asked for."""

from __future__ import annotations

from collections.abc import Mapping

from venues.channel import Channel
from venues.gateio.subscription import TIME_PLACE
from venues.traits import (
    BridgeRule,
    ConnectionLimits,
    Continuity,
    Keepalive,
    SnapshotSource,
    VenueTraits,
)

_BOOK_LIMITS = (
    "The book is exact only between the outermost prices of the REST snapshot that began it, 100 "
    "levels a side: a level beyond them is unknown until it changes.",
    "The exchange sends no checksum: a wrong level inside an unbroken sequence cannot be seen.",
    "Trades carry no contiguous number: a lost trade cannot be seen.",
)
_LIQUIDATION_LIMITS = (
    "Liquidations carry no number, and before August 2026 only one a second and contract was "
    "published: notionals are a lower bound. Their price is that of the closing order.",
)


def gate_traits(
    words: Mapping[Channel, str], *, futures: bool, addresses: tuple[str, ...]
) -> VenueTraits:
    """Return what spot or futures declare; `words` are the channels they offer."""
    liquidations = (Channel.LIQUIDATIONS,) if futures else ()
    return VenueTraits(
        channels=frozenset(words),
        default_channels=(Channel.BOOK, Channel.TRADES, *liquidations),
        continuity=Continuity.ID_RANGE,
        snapshot_source=SnapshotSource.REST,
        rest_resync=True,
        bridge=BridgeRule(drop_below=1, joins_at=1),
        # Pairs that trade once an hour are listed beside those that trade each millisecond.
        stale_limits_s={Channel.BOOK: 30.0, Channel.TRADES: 300.0},
        keepalive=Keepalive(
            message=f'{TIME_PLACE}"channel":"{"futures" if futures else "spot"}.ping"}}'
        ),
        limits=ConnectionLimits(message_interval_s=0.02),
        detection_limits=_BOOK_LIMITS + (_LIQUIDATION_LIMITS if futures else ()),
        addresses=addresses,
    )


SPOT_WORDS = {
    Channel.BOOK: "spot.order_book_update",
    Channel.TRADES: "spot.trades",
    Channel.QUOTES: "spot.book_ticker",
    Channel.TICKERS: "spot.tickers",
    Channel.ORDER: "spot.orders",
    Channel.WALLET: "spot.balances",
}
FUTURES_WORDS = {
    Channel.BOOK: "futures.order_book_update",
    Channel.TRADES: "futures.trades",
    Channel.LIQUIDATIONS: "futures.public_liquidates",
    Channel.QUOTES: "futures.book_ticker",
    Channel.TICKERS: "futures.tickers",
    Channel.ORDER: "futures.orders",
    Channel.POSITION: "futures.positions",
    Channel.WALLET: "futures.balances",
}
