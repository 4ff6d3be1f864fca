"""Bitget: its protocol of today (v3, and v2 in recordings) and that of 2022 (v1).

`venue` is what a client has to know of v3, `market` and `account` what its messages mean,
`instrument` what the exchange's endpoint says of a symbol; `classic_market` are the messages of v2
and v1, and `v1` what a client had to know of that. `spelling` is how we name symbols. How the
exchange itself speaks is `venues.op_arg_dialect`, shared with OKX.
"""

from venues.bitget.v1 import BITGET_V1
from venues.bitget.venue import BITGET

VENUES = (BITGET, BITGET_V1)

__all__ = ["VENUES"]
