"""What differs between KuCoin's spot and futures when a client connects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from venues.address import rest_url, websocket_url
from venues.channel import Channel
from venues.connection_plan import Line
from venues.kucoin.dialect import FUTURES_SNAPSHOT_PATH, SNAPSHOT_PATH, WEBSOCKET_PATH
from venues.venue import StreamRequest

SPOT_TOPICS = {
    Channel.BOOK: "/market/level2",
    Channel.TRADES: "/market/match",
    Channel.QUOTES: "/market/ticker",
    Channel.TICKERS: "/market/snapshot",
}
FUTURES_TOPICS = {
    Channel.BOOK: "/contractMarket/level2",
    Channel.TRADES: "/contractMarket/execution",
    Channel.QUOTES: "/contractMarket/tickerV2",
    Channel.TICKERS: "/contract/instrument",
}


@dataclass(frozen=True, slots=True)
class Part:
    """What differs between spot and futures: hosts, topics, and where REST has what."""

    suffix: str
    host: str
    rest_host: str
    topics: Mapping[Channel, str]
    snapshot_path: str
    instruments_path: str

    def line(self, name: str, request: StreamRequest) -> Line:
        """Return what its connections have in common."""
        return Line(
            stream=name + self.suffix,
            url=websocket_url(self.host + WEBSOCKET_PATH, request.url, (WEBSOCKET_PATH,)),
            rest_url=rest_url(self.rest_host, request.url),
            depth=None,
        )


SPOT_PART = Part(
    suffix="",
    host="wss://ws-api-spot.kucoin.com",
    rest_host="https://api.kucoin.com",
    topics=SPOT_TOPICS,
    snapshot_path=SNAPSHOT_PATH,
    instruments_path="/api/v2/symbols",
)
FUTURES_PART = Part(
    suffix="/futures",
    host="wss://ws-api-futures.kucoin.com",
    rest_host="https://api-futures.kucoin.com",
    topics=FUTURES_TOPICS,
    snapshot_path=FUTURES_SNAPSHOT_PATH,
    instruments_path="/api/v1/contracts",
)


def part_of(symbol: str) -> Part:
    """Return where a symbol is at home; the one without a name, at spot."""
    return SPOT_PART if "-" in symbol or not symbol else FUTURES_PART
