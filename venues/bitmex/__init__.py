"""BitMEX.

`venue` is what a client has to know, `market` what the public messages mean, `account` what the
private ones do, `instrument` what its endpoint says of one, `dialect` how the exchange speaks.
"""

from venues.bitmex.venue import VENUES

__all__ = ["VENUES"]
