"""Crypto.com Exchange.

`venue` is what a client has to know, `market` and `account` what the messages mean, `dialect` how
the exchange itself speaks.
"""

from venues.cryptocom.venue import VENUES

__all__ = ["VENUES"]
