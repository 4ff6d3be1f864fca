"""Bitfinex v2.

`venue` is what a client has to know, `market` what the messages mean, `dialect` how the
exchange itself speaks, `subscription` the words that both sides use for a channel.
"""

from venues.bitfinex.venue import VENUES

__all__ = ["VENUES"]
