"""Coinbase: two protocols to one order book.

`advanced` is Advanced Trade (venue `coinbase`): every message of a connection is numbered.
`exchange` is Coinbase Exchange (venue `coinbase-exchange`), once Coinbase Pro: trades are numbered,
books are not. Each has three files: what a client has to know, `*_market` what the messages mean,
`*_dialect` how the exchange itself speaks. `key_token` signs with the keys of Advanced Trade.
"""

from venues.coinbase.advanced import ADVANCED
from venues.coinbase.exchange import EXCHANGE

VENUES = (ADVANCED, EXCHANGE)

__all__ = ["VENUES"]
