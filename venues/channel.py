"""The named streams within a venue's feed, in tickreel's own words."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Channel(StrEnum):
    """What a subscription asks for; each venue has its own spelling of it."""

    BOOK = "book"
    TRADES = "trades"
    LIQUIDATIONS = "liquidations"
    QUOTES = "quotes"
    TICKERS = "tickers"
    RESULTS = "results"
    ORDER = "order"
    POSITION = "position"
    WALLET = "wallet"

    @property
    def private(self) -> bool:
        """Whether it tells of one's own account, and so needs a login and its own connection."""
        return self in _PRIVATE


_PRIVATE = frozenset({Channel.ORDER, Channel.POSITION, Channel.WALLET})


class Subscription(msgspec.Struct, frozen=True, order=True):
    """A request to receive one channel for one symbol; a private channel has symbol ''."""

    channel: Channel
    symbol: str
