"""KuCoin: spot, and the public data of futures.

`venue` is what a client has to know, `market` what the public messages mean, `account` those of
one's own account, `futures` those of contracts, `dialect` how the exchange itself speaks.
"""

from venues.kucoin.venue import VENUES

__all__ = ["VENUES"]
