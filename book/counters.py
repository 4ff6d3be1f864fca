"""What was counted of one market."""

from __future__ import annotations

import msgspec


class MarketCounters(msgspec.Struct):
    """Counts since the first frame.

    `level_updates` are the rows of all deltas that came, applied or not. A checksum is unverifiable
    where the venue has one but this message brought none, or the book was not in a state to be
    checked. `bridges` are snapshots that were asked for and joined the stream. `overlapping` are
    book messages of an older connection than the one that the book follows. `*_history` is what the
    exchange repeated of the time before the subscription: on no tape, and in no sum.
    Unpriced are liquidations in contracts whose size the exchange has not said: in no sum either.
    """

    snapshots: int = 0
    deltas: int = 0
    level_updates: int = 0
    gaps: int = 0
    duplicates: int = 0
    late: int = 0
    overlapping: int = 0
    bridges: int = 0
    bridges_failed: int = 0
    checksums_verified: int = 0
    checksums_failed: int = 0
    checksums_unverifiable: int = 0
    crossed: int = 0
    quotes: int = 0
    quote_checks: int = 0
    quote_matches: int = 0
    trades: int = 0
    trades_aggregate: int = 0
    trades_off_market: int = 0
    trades_history: int = 0
    trade_gaps: int = 0
    liquidations: int = 0
    liquidations_history: int = 0
    liquidations_unpriced: int = 0
    game_results: int = 0
    tickers: int = 0
    stale: int = 0
