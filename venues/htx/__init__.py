"""HTX (Huobi until 2023): spot and perpetual swaps.

`spot` and `swap` are what a client has to know. The exchange speaks three protocols: market data
(`market`), notifications of swaps (`notification`) and one's own spot account (`account`); `answer`
reads what all three say about the connection, `rest` the HTTP answers, `signing` the logins.
`dialect` is how the exchange itself speaks.
"""

from venues.htx.spot import SPOT
from venues.htx.swap import SWAP

VENUES = (SPOT, SWAP)

__all__ = ["VENUES"]
