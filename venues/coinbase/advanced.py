"""Coinbase Advanced Trade: books, trades and tickers, every message of a connection numbered.

Procedure of the exchange:

1. Subscribe within 5 s, one channel a message. `heartbeats` goes with the others: without it a
   channel in which nothing happens is closed after 60 to 90 s.
2. The first message of `level2` (they come as `l2_data`) is a snapshot, and so is the first after
   subscribing anew. What follows changes it.
3. `sequence_num` counts all messages of the connection, from 0. A number left out is a lost
   message, of whichever channel.
4. A connection takes 16 books: with 32 it answers "too many L2 streams requested in a single
   session" (JKorf/Coinbase.Net, issue 19; no number is documented).
5. One's own orders are at a host of their own. The message that subscribes to them carries a token,
   signed for it and good for two minutes.

The messages, and the rules by which they are read, are in `advanced_market`. Source: Coinbase
Developer Platform, Advanced Trade WebSocket; its AsyncAPI specification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.coinbase import advanced_market as market
from venues.coinbase.advanced_dialect import PATHS, AdvancedDialect
from venues.coinbase.key_token import key_token
from venues.connection_plan import Line, Topic, plan_line
from venues.event import NO_ROUTES, Event, Notice, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.op_args import required_keys
from venues.pair import Pair
from venues.stream_request import checked_request
from venues.traits import (
    ConnectionLimits,
    Continuity,
    Keepalive,
    SequenceScope,
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

_NAME = "coinbase"
_MARKET_URL = "wss://advanced-trade-ws.coinbase.com"
_USER_URL = "wss://advanced-trade-ws-user.coinbase.com"
_REST_URL = "https://api.coinbase.com"
_PRODUCTS_PATH = "/api/v3/brokerage/market/products"

_WORDS = {
    Channel.BOOK: "level2",
    Channel.TRADES: "market_trades",
    Channel.TICKERS: "ticker",
}
_USER = "user"
_HEARTBEATS = "heartbeats"
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9-]*")
_TOPICS_PER_CONNECTION = 90
_BOOKS_PER_CONNECTION = 16
_MARKET_BEGINNINGS = (b'{"channel":"l2_data"', b'{"channel":"market_trades"')
_HTTP = FrameKind.HTTP


@dataclass(frozen=True, slots=True)
class Advanced(Venue):
    """Coinbase Advanced Trade."""

    traits: VenueTraits

    @property
    def name(self) -> str:
        """The registry name."""
        return _NAME

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return AdvancedDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data, and one for one's own account, as asked for."""
        public, private, symbols, _ = checked_request(self, request, _SYMBOL)
        plans: list[ConnectionPlan] = []
        if public:
            topics = [_topics(public, symbol) for symbol in symbols]
            plans += plan_line(_line(request), topics, _fits, _subscribe_messages)
        if private:
            # One channel tells of orders and positions both.
            topics = [[Topic(Subscription(channel, ""), _USER) for channel in private]]
            plans += plan_line(_line(request, private=True), topics, _fits, _subscribe_messages)
        return plans

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the address, with the token that the subscription has to carry.

        Raises:
            CredentialsError: a key is missing or malformed, or nothing is installed to sign with.
        """
        if not plan.private:
            return Login(plan.url)
        keys = required_keys(_NAME, credentials)
        return Login(plan.url, token=key_token(_NAME, keys, time_ms))

    def subscribe_messages(
        self, plan: ConnectionPlan, login: Login, answer: str, time_ms: int
    ) -> tuple[str, ...]:
        """Return what to send, the token in the message that needs it (step 5)."""
        if not plan.private:
            return plan.subscribe_messages
        return tuple(
            _message("subscribe", word, [], login.token if word == _USER else "")
            for word in (_USER, _HEARTBEATS)
        )

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return a withdrawal and a new subscription of the book, which brings a snapshot."""
        word = _WORDS[Channel.BOOK]
        return [_message(kind, word, [symbol]) for kind in ("unsubscribe", "subscribe")]

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for each symbol of a public plan."""
        symbols = sorted({one.symbol for one in plan.subscriptions if one.symbol})
        return [
            HttpRequest(f"{plan.rest_url}{_PRODUCTS_PATH}/{symbol}", symbol, Purpose.INSTRUMENTS)
            for symbol in symbols
        ]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `BTC-USD`, and `BTC-PERP-INTX` for a perpetual, all of which are in USDC."""
        if not pair.perpetual:
            return f"{pair.base}-{pair.quote}"
        return f"{pair.base}-PERP-INTX" if pair.quote == "USDC" else None

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


def _line(request: StreamRequest, *, private: bool = False) -> Line:
    return Line(
        stream=f"{_NAME}/private" if private else _NAME,
        url=websocket_url(_USER_URL if private else _MARKET_URL, request.url, PATHS),
        rest_url=rest_url(_REST_URL, request.url),
        depth=None,
        private=private,
    )


def _topics(channels: Sequence[Channel], symbol: str) -> list[Topic]:
    return [
        Topic(Subscription(channel, symbol), f"{_WORDS[channel]}:{symbol}") for channel in channels
    ]


def _fits(topics: Sequence[str]) -> bool:
    """Return whether one connection may carry these topics (step 4)."""
    books = sum(topic.startswith(f"{_WORDS[Channel.BOOK]}:") for topic in topics)
    return books <= _BOOKS_PER_CONNECTION and len(topics) <= _TOPICS_PER_CONNECTION


def _subscribe_messages(topics: Sequence[str]) -> list[str]:
    """Return a message a channel, and one for the heartbeats (step 1)."""
    products: dict[str, list[str]] = {}
    for topic in topics:
        word, _, product = topic.partition(":")
        products.setdefault(word, []).extend([product] if product else [])
    products[_HEARTBEATS] = []
    return [_message("subscribe", word, names) for word, names in products.items()]


def _message(kind: str, word: str, products: Sequence[str], token: str = "") -> str:
    body: dict[str, object] = {"type": kind, "channel": word}
    if products:
        body["product_ids"] = list(products)
    if token:
        body["jwt"] = token
    return json.dumps(body, separators=(",", ":"))


_DETECTION_LIMITS = (
    "Messages are numbered over the whole connection: a lost one is noticed with the next message "
    "of any channel, and puts all books of the connection in doubt.",
    "There is no checksum: a wrong level inside an unbroken sequence cannot be seen.",
    "Products in USDC are the exchange's books in USD under another name, but for a few.",
)

ADVANCED = Advanced(
    VenueTraits(
        channels=frozenset((*_WORDS, Channel.ORDER, Channel.POSITION)),
        default_channels=(Channel.BOOK, Channel.TRADES),
        continuity=Continuity.NONE,
        sequence_scope=SequenceScope.CONNECTION,
        snapshot_source=SnapshotSource.IN_BAND,
        stale_limits_s={Channel.BOOK: 30.0, Channel.TRADES: 300.0},
        # Heartbeats come every second.
        keepalive=Keepalive(silence_limit_s=15.0),
        # Of 8 connects and 8 messages a second that are allowed, a part.
        limits=ConnectionLimits(connects_max=5, connects_window_s=1.0, message_interval_s=0.2),
        detection_limits=_DETECTION_LIMITS,
        addresses=("advanced-trade-ws.coinbase.com", "advanced-trade-ws-user.coinbase.com"),
    )
)
