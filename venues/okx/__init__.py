"""OKX v5, and OKCoin, which speaks the same protocol.

`venue` is what a client has to know, `market` what the market messages mean, `account` what those
of one's own account mean, `instrument` what the exchange's endpoint says of a symbol. How the
exchange itself speaks is `venues.op_arg_dialect`, shared with Bitget.
"""

from venues.okx.venue import VENUES

__all__ = ["VENUES"]
