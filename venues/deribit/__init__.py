"""Deribit v2.

`venue` is what a client has to know, `market` what the public messages mean, `account` what the
private ones do, `instrument` what its endpoint says of one, `rpc` the frame that all messages
share, `dialect` how the exchange speaks.
"""

from venues.deribit.venue import VENUES

__all__ = ["VENUES"]
