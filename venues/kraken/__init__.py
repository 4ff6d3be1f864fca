"""Kraken: the spot exchange by two protocols, and the futures exchange by a third.

- `spot_v2`, `spot_v2_market`, `spot_v2_dialect`: the current protocol of the spot exchange.
- `spot_v1`, `spot_v1_market`, `spot_v1_dialect`: the older one, still spoken.
- `spot_request`, `spot_rest`: what both make of a request and need of REST, a token
  and the sizes of pairs.
- `futures`, `futures_market`, `futures_account`, `futures_dialect`: the futures exchange.
- `signature`: how its keys sign.
- `declared`: the traits of the three.

Of each protocol the first file is what a client has to know, `_market` (and `_account`) what the
messages mean, `_dialect` how the exchange itself speaks.
"""

from venues.kraken.declared import FUTURES, SPOT_V1, SPOT_V2
from venues.kraken.futures import KrakenFutures
from venues.kraken.spot_v1 import KrakenV1
from venues.kraken.spot_v2 import KrakenV2

VENUES = (
    KrakenV2("kraken", SPOT_V2),
    KrakenV1("kraken-v1", SPOT_V1),
    KrakenFutures("kraken-futures", FUTURES),
)

__all__ = ["VENUES"]
