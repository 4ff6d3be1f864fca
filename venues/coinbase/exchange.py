"""Coinbase Exchange (once Coinbase Pro, GDAX): books without numbers, trades with them.

Procedure of the exchange:

1. Subscribe within 5 s. One message may name several channels and products; one of them that is no
   product refuses the whole message (coinbase/coinbase-pro-node, issue 174): each is asked for by a
   message of its own.
2. A `snapshot` of each book comes first, then `l2update`. `level2` sends each change at once and
   asks for a login, `level2_batch` the same every 50 ms and asks for none: it is the one taken.
3. The exchange promises that books are delivered whole. Nothing in them would show that they
   weren't, so none is ever called proven.
4. `heartbeat` comes every second for each product.
5. One's own orders come by `user`, subscribed to with a signed message.

The messages, and the rules by which they are read, are in `exchange_market`. Source: Coinbase
Developer Platform, Exchange WebSocket feed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.coinbase import exchange_market as market
from venues.coinbase.exchange_dialect import PATHS, ExchangeDialect, signature
from venues.connection_plan import Line, Topic, plan_line
from venues.errors import CredentialsError
from venues.event import NO_ROUTES, Event, Notice, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_args import required_keys
from venues.pair import Pair
from venues.stream_request import (
    checked_channels,
    checked_depth,
    checked_symbols,
    require_symbols,
)
from venues.traits import (
    ConnectionLimits,
    Continuity,
    Keepalive,
    SnapshotSource,
    VenueTraits,
)
from venues.venue import (
    ConnectionPlan,
    Credentials,
    Dialect,
    HttpRequest,
    Login,
    Purpose,
    StreamRequest,
    Venue,
)

_NAME = "coinbase-exchange"
_WORDS = {
    Channel.BOOK: "level2_batch",
    Channel.TRADES: "matches",
    Channel.TICKERS: "ticker",
    Channel.ORDER: "user",
}
_HEARTBEAT = "heartbeat"
_SYMBOL = re.compile(r"[A-Z0-9]+-[A-Z0-9]+")
_TOPICS_PER_CONNECTION = 100
_MARKET_BEGINNINGS = (b'{"type":"l2update"', b'{"type":"match"', b'{"type":"ticker"')
_HTTP = FrameKind.HTTP


@dataclass(frozen=True, slots=True)
class Exchange(Venue):
    """Coinbase Exchange."""

    traits: VenueTraits

    @property
    def name(self) -> str:
        """The registry name."""
        return _NAME

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return ExchangeDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data, and one for one's own orders, as asked for."""
        channels = checked_channels(_NAME, request, self.traits)
        checked_depth(_NAME, request, self.traits)
        symbols = checked_symbols(self, request, _SYMBOL)
        # The private channel names its products too.
        require_symbols(_NAME, symbols)
        plans: list[ConnectionPlan] = []
        for private in (False, True):
            wanted = [channel for channel in channels if channel.private is private]
            topics = [_topics(wanted, symbol) for symbol in symbols]
            line = _line(request, private=private)
            plans += plan_line(line, topics, _fits, _subscribe_messages)
        return plans

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the address, and as token what signs the subscription (step 5).

        Raises:
            CredentialsError: a key is missing, or the secret is no base64.
        """
        if not plan.private:
            return Login(plan.url)
        keys = required_keys(_NAME, credentials)
        if not keys.passphrase:
            raise CredentialsError(_NAME, "The passphrase of the key is needed too.")
        time_text = f"{time_ms // 1000}.{time_ms % 1000:03}"
        try:
            signed = signature(keys.secret, time_text)
        except ValueError:
            raise CredentialsError(_NAME, "The secret must be base64, as handed out.") from None
        fields = {"key": keys.key, "passphrase": keys.passphrase}
        return Login(
            plan.url, token=json.dumps({**fields, "timestamp": time_text, "signature": signed})
        )

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        """Return what to send, signed where the plan is private."""
        if not plan.private:
            return plan.subscribe_messages
        signed = json.loads(login.token)
        return tuple(_text({**json.loads(text), **signed}) for text in plan.subscribe_messages)

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        channels = [_WORDS[Channel.BOOK]]
        return [
            _text({"type": kind, "product_ids": [symbol], "channels": channels})
            for kind in ("unsubscribe", "subscribe")
        ]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol."""
        if plan.private:
            return []
        symbols = sorted({one.symbol for one in plan.subscriptions})
        return [
            HttpRequest(f"{plan.rest_url}/products/{symbol}", symbol, Purpose.INSTRUMENTS)
            for symbol in symbols
        ]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTC-USD`; there are no perpetuals."""
        return None if pair.perpetual else f"{pair.base}-{pair.quote}"

    def decode(self, frame: Frame, routes: Routes = NO_ROUTES) -> Sequence[Event]:
        """Return the events of a frame.

        Raises:
            UNDECODABLE: it is none of the exchange's messages.
        """
        if frame.kind is not _HTTP:
            return market.message_events(frame.payload, frame.receive_time_ns)
        answer = read_http_answer(_NAME, frame)
        if not isinstance(answer, HttpAnswer):
            return answer
        return market.instrument_events(answer.body, frame.receive_time_ns)

    def read_notice(self, payload: bytes) -> Notice | None:
        """Return what the exchange says about the connection, None for market data."""
        if payload.startswith(_MARKET_BEGINNINGS):
            return None
        try:
            return market.read_notice(payload)
        except (ValueError, RecursionError):
            return None


def _line(request: StreamRequest, *, private: bool) -> Line:
    return Line(
        stream=f"{_NAME}/private" if private else _NAME,
        url=websocket_url("wss://ws-feed.exchange.coinbase.com", request.url, PATHS),
        rest_url=rest_url("https://api.exchange.coinbase.com", request.url),
        depth=None,
        private=private,
    )


def _topics(channels: Sequence[Channel], symbol: str) -> list[Topic]:
    return [
        Topic(Subscription(channel, symbol), f"{_WORDS[channel]}:{symbol}") for channel in channels
    ]


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _TOPICS_PER_CONNECTION


def _subscribe_messages(topics: Sequence[str]) -> list[str]:
    """Return a message for each product: all of its channels, and the heartbeat (steps 1 and 4)."""
    channels: dict[str, list[str]] = {}
    for topic in topics:
        channel, _, product = topic.partition(":")
        channels.setdefault(product, []).append(channel)
    return [
        _text(
            {
                "type": "subscribe",
                "product_ids": [product],
                "channels": [*named, _HEARTBEAT],
            }
        )
        for product, named in channels.items()
    ]


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"))


_DETECTION_LIMITS = (
    "Books carry neither numbers nor checksums: a lost message cannot be seen in them, and no book "
    "is ever called proven.",
    "What is told of an order is what changed; how much of it is filled is not told.",
)

EXCHANGE = Exchange(
    VenueTraits(
        channels=frozenset(_WORDS),
        default_channels=(Channel.BOOK, Channel.TRADES),
        continuity=Continuity.NONE,
        snapshot_source=SnapshotSource.IN_BAND,
        stale_limits_s={Channel.BOOK: 30.0, Channel.TRADES: 300.0},
        # Heartbeats come every second.
        keepalive=Keepalive(silence_limit_s=15.0),
        # Of 8 connects and 8 messages a second that are allowed, a part.
        limits=ConnectionLimits(connects_max=5, connects_window_s=1.0, message_interval_s=0.2),
        detection_limits=_DETECTION_LIMITS,
        addresses=(
            *("ws-feed.exchange.coinbase.com", "ws-direct.exchange.coinbase.com"),
            *("ws-feed.pro.coinbase.com", "ws-feed.gdax.com", "api.exchange.coinbase.com"),
        ),
    )
)
