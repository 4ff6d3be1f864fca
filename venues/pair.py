"""One spelling of a pair for all venues: `BTC-USDT` (spot) and `BTC-USDT-PERP` (perpetual).

A text is such a pair only where its second part is a currency that things are priced in:
`BTC-PERP`, `BTC-27MAR26` and `BTC-USDT-SWAP` are some venue's own symbols, and those always work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

QUOTES = frozenset(
    (
        *("USD", "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI", "USDE", "PYUSD", "RLUSD", "EURC"),
        *("EUR", "GBP", "JPY", "KRW", "AUD", "CAD", "CHF", "SGD", "TRY", "BRL", "MXN", "INR"),
        *("IDR", "THB", "ZAR", "PLN", "BTC", "ETH", "BNB", "SOL"),
    )
)
_PAIR = re.compile(r"([A-Z0-9]{1,15})-([A-Z0-9]{1,10})(-PERP)?")


@dataclass(frozen=True, slots=True)
class Pair:
    """A base currency, what it is priced in, and whether a perpetual contract is meant."""

    base: str
    quote: str
    perpetual: bool = False

    def __str__(self) -> str:
        """Return the one spelling."""
        return f"{self.base}-{self.quote}" + ("-PERP" if self.perpetual else "")


def read_pair(text: str) -> Pair | None:
    """Return the pair that `text` spells, None where it is a venue's own symbol."""
    match = _PAIR.fullmatch(text.upper())
    if match is None or match[2] not in QUOTES:
        return None
    return Pair(match[1], match[2], match[3] is not None)
