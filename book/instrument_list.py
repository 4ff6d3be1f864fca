"""What the exchange's own endpoint said of its instruments, those without a market too.

Theory. One answer may name all that an exchange lists, of which a recording has a few. An
instrument makes no market: it waits here until something is said of its symbol, and a market that
is there already has it at once. The latest word counts.
"""

from __future__ import annotations

from book.contract_value import plain_number
from book.market import MarketRefusedError
from venues.event import Instrument

INSTRUMENTS_MAX = 50_000


class InstrumentList:
    """The instruments of one venue, by symbol."""

    __slots__ = ("_by_symbol",)

    def __init__(self) -> None:
        self._by_symbol: dict[str, Instrument] = {}

    def hear(self, instrument: Instrument) -> None:
        """Take in what the exchange says of a symbol.

        Raises:
            NotANumberError: one of its texts is none; the word before it then stays.
            MarketRefusedError: there are too many already.
        """
        for text in (
            instrument.tick_size_text,
            instrument.lot_size_text,
            instrument.contract_size_text,
        ):
            if text is not None:
                plain_number(text)
        known = self._by_symbol
        if instrument.symbol not in known and len(known) >= INSTRUMENTS_MAX:
            raise MarketRefusedError(f"there are {INSTRUMENTS_MAX:,} instruments already")
        known[instrument.symbol] = instrument

    def of(self, symbol: str) -> Instrument | None:
        """Return what was said of a symbol, None where nothing was."""
        return self._by_symbol.get(symbol)

    def state(self) -> list[Instrument]:
        """Return the canonical state, for the digest."""
        return [self._by_symbol[symbol] for symbol in sorted(self._by_symbol)]

    def take_parts(self, instruments: list[Instrument]) -> None:
        """Be what a checkpoint says, which is what `state` gave."""
        self._by_symbol = {instrument.symbol: instrument for instrument in instruments}
