"""Gate.io v4: spot and perpetual futures.

`venue` is what a client has to know, `market` what the public messages mean, `account` those of
one's own account, `rest` the HTTP answers, `dialect` how the exchange itself speaks.
"""

from venues.gateio.venue import VENUES

__all__ = ["VENUES"]
