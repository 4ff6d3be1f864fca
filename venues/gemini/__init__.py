"""Gemini: the protocol of today and the one that it replaced.

`streams` is the API at ws.gemini.com (venue `gemini`): each book message names the one it follows.
`v2` is Market Data version 2 (venue `gemini-v2`), archived by the exchange and still answered: its
books are numbered by nothing. They are two venues, since one can prove what the other cannot. Each
has three files: what a client has to know, `*_market` what the messages mean, `*_dialect` how the
exchange itself speaks.
"""

from venues.gemini.streams import STREAMS
from venues.gemini.v2 import MARKET_DATA

VENUES = (STREAMS, MARKET_DATA)

__all__ = ["VENUES"]
