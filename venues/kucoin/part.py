"""What differs between KuCoin's spot and futures when a client connects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic
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
SPOT_ACCOUNT_TOPICS = {
    Channel.ORDER: "/spotMarket/tradeOrdersV2",
    Channel.WALLET: "/account/balance",
}
FUTURES_ACCOUNT_TOPICS = {
    Channel.ORDER: "/contractMarket/tradeOrders",
    Channel.POSITION: "/contract/positionAll",
    Channel.WALLET: "/contractAccount/wallet",
}


@dataclass(frozen=True, slots=True)
class Part:
    """What differs between spot and futures: hosts, topics, and where REST has what."""

    suffix: str
    host: str
    rest_host: str
    topics: Mapping[Channel, str]
    account_topics: Mapping[Channel, str]
    snapshot_path: str
    instruments_path: str

    def line(self, name: str, request: StreamRequest, *, private: bool = False) -> Line:
        """Return what its connections have in common."""
        return Line(
            stream=name + self.suffix + ("/private" if private else ""),
            url=websocket_url(self.host + WEBSOCKET_PATH, request.url, (WEBSOCKET_PATH,)),
            rest_url=rest_url(self.rest_host, request.url),
            depth=None,
            private=private,
        )

    def account(self, channels: Iterable[Channel], symbols: Sequence[str]) -> list[Topic]:
        """Return what of one's own account is asked for here.

        It is asked for where the symbols are at home (everywhere, where none is named), and what
        only one part has, always there.
        """
        others = {channel for part in PARTS if part is not self for channel in part.account_topics}
        home = not symbols or any(part_of(symbol) is self for symbol in symbols)
        return [
            Topic(Subscription(channel, ""), self.account_topics[channel])
            for channel in channels
            if channel in self.account_topics and (home or channel not in others)
        ]


SPOT_PART = Part(
    suffix="",
    host="wss://ws-api-spot.kucoin.com",
    rest_host="https://api.kucoin.com",
    topics=SPOT_TOPICS,
    account_topics=SPOT_ACCOUNT_TOPICS,
    snapshot_path=SNAPSHOT_PATH,
    instruments_path="/api/v2/symbols",
)
FUTURES_PART = Part(
    suffix="/futures",
    host="wss://ws-api-futures.kucoin.com",
    rest_host="https://api-futures.kucoin.com",
    topics=FUTURES_TOPICS,
    account_topics=FUTURES_ACCOUNT_TOPICS,
    snapshot_path=FUTURES_SNAPSHOT_PATH,
    instruments_path="/api/v1/contracts",
)


PARTS = (SPOT_PART, FUTURES_PART)


def part_of(symbol: str) -> Part:
    """Return where a symbol is at home; the one without a name, at spot."""
    return SPOT_PART if "-" in symbol or not symbol else FUTURES_PART
