"""What Kraken's three venues declare about themselves."""

from __future__ import annotations

from dataclasses import replace

from venues.channel import Channel
from venues.kraken import spot_v1, spot_v2
from venues.kraken.spot_v1_market import DEPTH_DEFAULT
from venues.traits import (
    ChecksumLayout,
    ChecksumRule,
    ConnectionLimits,
    Continuity,
    DepthKeeper,
    Keepalive,
    SnapshotSource,
    VenueTraits,
)

CHECKED_LEVELS = 10
_PUBLIC = (Channel.BOOK, Channel.TRADES, Channel.QUOTES, Channel.TICKERS)
_STALE_LIMITS_S = {Channel.BOOK: 60.0, Channel.TRADES: 900.0}
"""Many pairs are quiet for minutes. That the connection lives is shown by a heartbeat a second."""

_SPOT_LIMITS = (
    "Books have no sequence numbers: a lost change of the ten best levels of a side fails the next "
    "checksum, unless the message that comes next overwrites it.",
    "The checksum covers ten levels a side. In a deeper book a lost change below them stays unseen "
    "until its level comes into the best ten, and is never seen if it does not: subscribe to depth "
    "10, the default, where everything has to be checked.",
    "Trades have no contiguous number: a lost trade cannot be seen.",
)

SPOT_V2 = VenueTraits(
    channels=frozenset((*_PUBLIC, Channel.ORDER, Channel.WALLET)),
    default_channels=(Channel.BOOK, Channel.TRADES),
    continuity=Continuity.NONE,
    snapshot_source=SnapshotSource.IN_BAND,
    checksum=ChecksumRule(ChecksumLayout.ASKS_THEN_BIDS, CHECKED_LEVELS, signed=False),
    depths=(10, 25, 100, 500, 1000),
    depth=DEPTH_DEFAULT,
    depth_keeper=DepthKeeper.CLIENT,
    stale_limits_s=_STALE_LIMITS_S,
    keepalive=Keepalive(message=spot_v2.PING, silence_limit_s=30.0),
    # 80 % of the 150 connects in 10 minutes that its front end is said to allow. Of 25 requests
    # that were sent at once, ten were dropped (bitrich-info/xchange-stream, issue 502).
    limits=ConnectionLimits(connects_max=120, connects_window_s=600.0, message_interval_s=0.1),
    detection_limits=_SPOT_LIMITS,
    addresses=(
        *(f"{host}.kraken.com/v2" for host in ("ws", "ws-auth", "beta-ws", "beta-ws-auth")),
        "api.kraken.com",
    ),
)

SPOT_V1 = replace(
    SPOT_V2,
    channels=frozenset((*_PUBLIC, Channel.ORDER)),
    keepalive=Keepalive(message=spot_v1.PING, silence_limit_s=30.0),
    detection_limits=(
        *_SPOT_LIMITS,
        "A snapshot has no checksum: a fault in it shows with the first change.",
        "Newer documentation says that the last 50 trades are repeated after subscribing; the "
        "recordings do not show it. Were they sent, nothing would mark them as the past.",
    ),
    addresses=tuple(f"{host}.kraken.com" for host in ("ws", "ws-auth", "beta-ws", "beta-ws-auth")),
)

FUTURES = VenueTraits(
    channels=frozenset(
        (*_PUBLIC, Channel.LIQUIDATIONS, Channel.ORDER, Channel.POSITION, Channel.WALLET)
    ),
    default_channels=(Channel.BOOK, Channel.TRADES, Channel.LIQUIDATIONS),
    continuity=Continuity.COUNTER,
    snapshot_source=SnapshotSource.IN_BAND,
    stale_limits_s={Channel.BOOK: 60.0, Channel.TRADES: 3600.0},
    # A ping at least every 60 s is asked for; protocol pings do.
    keepalive=Keepalive(interval_s=20.0, silence_limit_s=45.0),
    limits=ConnectionLimits(connects_max=80, connects_window_s=600.0),
    detection_limits=(
        "Books have no checksum: a wrong level inside an unbroken sequence cannot be seen.",
        "Tickers and quotes come at most once a second and have no number: a lost one cannot be "
        "seen.",
        "A position that was closed is left out of the next list, and no message tells of it.",
    ),
    addresses=("futures.kraken.com", "demo-futures.kraken.com"),
)
