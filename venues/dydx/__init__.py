"""dYdX v4.

`venue` is what a client has to know, `market` and `account` what the messages mean, `dialect` how
the exchange itself speaks.
"""

from venues.dydx.venue import VENUES

__all__ = ["VENUES"]
