"""Which channel an event came by, and whether it is about a market at all."""

from __future__ import annotations

from collections.abc import Mapping

from venues.channel import Channel
from venues.event import (
    BookDelta,
    BookSnapshot,
    Event,
    GameResult,
    Liquidation,
    OrderUpdate,
    PositionUpdate,
    Quote,
    Ticker,
    Trade,
    WalletUpdate,
)

CHANNEL_OF: Mapping[type, Channel] = {
    BookSnapshot: Channel.BOOK,
    BookDelta: Channel.BOOK,
    Trade: Channel.TRADES,
    Liquidation: Channel.LIQUIDATIONS,
    Quote: Channel.QUOTES,
    Ticker: Channel.TICKERS,
    GameResult: Channel.RESULTS,
    OrderUpdate: Channel.ORDER,
    PositionUpdate: Channel.POSITION,
    WalletUpdate: Channel.WALLET,
}


def channel_of(event: Event) -> Channel | None:
    """Return the channel; None for what is of none: notices, instruments, references."""
    return CHANNEL_OF.get(type(event))
