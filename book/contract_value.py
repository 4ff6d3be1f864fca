"""What so much of an instrument is worth, by the exchange's own rule of its contracts.

Exact: of numbers with at most 40 digits before and after the point, three multiplied and summed up
stay within EXACT, whatever else is in the sum.
"""

from __future__ import annotations

from decimal import Decimal

from book.exact import EXACT, NotANumberError, exact
from venues.event import ContractKind, Instrument

DIGITS_MAX = 40
"""Before the point, and after it."""


def plain_number(text: str) -> Decimal:
    """Return the number that `text` writes.

    Raises:
        NotANumberError: it is no decimal number from 0 on with at most `DIGITS_MAX` digits before
            and after the point.
    """
    number = exact(text)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if number < 0 or number.adjusted() >= DIGITS_MAX or exponent < -DIGITS_MAX:
        raise NotANumberError(text)
    return number


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
