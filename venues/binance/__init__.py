"""Binance.

`venue` is what a client has to know, `access` how one's own account is reached, `market` and
`account` what the messages mean, `notice` what is said about the connection, `dialect` how the
exchange itself speaks.
"""

from venues.binance.venue import VENUES

__all__ = ["VENUES"]
