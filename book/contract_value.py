"""What so much of an instrument is worth, by the exchange's own rule of its contracts.

Exact: numbers of at most 40 digits before and after the point, as `venues.wire` bounds them where a
venue computes the worth itself, so that three of them multiplied and summed up stay within EXACT.
"""

from __future__ import annotations

from decimal import Decimal

from book.exact import EXACT, NotANumberError
from venues.event import ContractKind, Instrument
from venues.wire import exact_number


def plain_number(text: str) -> Decimal:
    """Return the number that `text` writes.

    Raises:
        NotANumberError: it is no plain decimal number of at most 40 digits before and after the
            point.
    """
    try:
        return exact_number(text)
    except ValueError:
        raise NotANumberError(text) from None


def notional(instrument: Instrument, price_text: str, size_text: str) -> Decimal | None:
    """Return the worth in the quote currency (USD of inverse contracts).

    None where the exchange did not say how large a contract is.

    Raises:
        NotANumberError: price, size or contract size is none.
    """
    price, size = plain_number(price_text), plain_number(size_text)
    if instrument.kind is ContractKind.COIN:
        return EXACT.multiply(price, size)
    if instrument.contract_size_text is None:
        return None
    value = EXACT.multiply(size, plain_number(instrument.contract_size_text))
    return EXACT.multiply(value, price) if instrument.kind is ContractKind.LINEAR else value
