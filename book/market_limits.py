"""How many markets there may be, and how long a symbol: both come from the wire."""

from __future__ import annotations

from collections.abc import Sized

from book.market import MarketRefusedError

MARKETS_MAX = 10_000
SYMBOL_CHARACTERS_MAX = 100
"""More than any exchange has. Symbols come from the wire, where anything can be sent."""


def check_new_market(symbol: str, markets: Sized) -> None:
    """See whether a market may be made.

    Raises:
        MarketRefusedError: it is no symbol, or there are too many.
    """
    if len(symbol) > SYMBOL_CHARACTERS_MAX:
        raise MarketRefusedError("a symbol of this length is none")
    if len(markets) >= MARKETS_MAX:
        raise MarketRefusedError(f"there are {MARKETS_MAX:,} markets already")
