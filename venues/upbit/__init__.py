"""Upbit.

`venue` is what a client has to know, `market` what the messages mean, `dialect` how the exchange
itself speaks.
"""

from venues.upbit.venue import VENUES

__all__ = ["VENUES"]
