"""Upbit (Korea): spot, every book message a whole book.

Procedure of the exchange:

1. One message subscribes to all of a connection: an array of a ticket, of types with their codes,
   and of a format. Another one replaces it. It has no answer but data.
2. An order book comes whole each time, first as SNAPSHOT, then as REALTIME when something changed.
   A lost one cannot be seen; with the next one the book is right again. So none is ever called
   proven.
3. A connection on which nothing is sent is cut after 60 s: `PING` brings {"status":"UP"}.
4. One's own orders and assets are at an address of their own, whose handshake carries a token.

Codes name the quote first: `KRW-BTC` is bitcoin in won. The pair BTC-KRW is the same; so is the
text KRW-BTC, which is a code and would be a pair of won in bitcoin: of two currencies that markets
are priced in, the one that comes first of KRW, USDT, BTC is the quote.

The messages, and the rules by which they are read, are in `market`. Source: Upbit developer center,
WebSocket.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from venues.address import rest_url, websocket_url
from venues.channel import Channel, Subscription
from venues.connection_plan import Line, Topic, plan_line
from venues.event import NO_ROUTES, Event, Notice, Routes
from venues.frame import Frame, FrameKind
from venues.http_answer import HttpAnswer, read_http_answer
from venues.json_web_token import hs512_token
from venues.nonce import nonce_uuid
from venues.op_args import required_keys
from venues.pair import Pair
from venues.stream_request import checked_request
from venues.traits import (
    ConnectionLimits,
    Continuity,
    DepthKeeper,
    Keepalive,
    SnapshotSource,
    VenueTraits,
)
from venues.upbit import market
from venues.upbit.dialect import PATH, PING, PRIVATE_PATH, UpbitDialect
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

_NAME = "upbit"
_HOST = "wss://api.upbit.com"
_WORDS = {
    Channel.BOOK: "orderbook",
    Channel.TRADES: "trade",
    Channel.TICKERS: "ticker",
}
_PRIVATE_WORDS = {Channel.ORDER: "myOrder", Channel.WALLET: "myAsset"}
_QUOTES = ("KRW", "USDT", "BTC")
_SYMBOL = re.compile(r"(?:KRW|USDT|BTC|SGD|IDR|THB)-[A-Z0-9]+")
_DEPTHS = (1, 5, 15, 30)
_DEPTH = 30
_TOPICS_PER_CONNECTION = 600
_INSTRUMENTS_PATH = "/v1/orderbook/instruments"
_MARKET_BEGINNINGS = (b'{"ty":"', b'{"type":"')
_HTTP = FrameKind.HTTP


@dataclass(frozen=True, slots=True)
class Upbit(Venue):
    """Upbit."""

    traits: VenueTraits

    @property
    def name(self) -> str:
        """The registry name."""
        return _NAME

    @property
    def dialect(self) -> Dialect:
        """The exchange's side of the protocol."""
        return UpbitDialect()

    def plan(self, request: StreamRequest) -> list[ConnectionPlan]:
        """Return connections for market data, and one for one's own account, as asked for."""
        public, private, symbols, depth = checked_request(self, request, _SYMBOL)
        plans: list[ConnectionPlan] = []
        if public:
            topics = [_topics(public, symbol, depth) for symbol in symbols]
            plans += plan_line(_line(_NAME, PATH, request, depth), topics, _fits, _messages)
        if private:
            line = _line(f"{_NAME}/private", PRIVATE_PATH, request, None)
            words = [
                Topic(Subscription(channel, ""), f"{_PRIVATE_WORDS[channel]}:")
                for channel in private
            ]
            plans += plan_line(line, [words], _fits, _messages)
        return plans

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        """Return the address, with the token of a private plan in its header (step 4).

        Raises:
            CredentialsError: a key is missing.
        """
        if not plan.private:
            return Login(plan.url)
        keys = required_keys(_NAME, credentials)
        claims = {"access_key": keys.key, "nonce": nonce_uuid(keys.secret, time_ms)}
        token = hs512_token(claims, keys.secret)
        return Login(plan.url, (("Authorization", f"Bearer {token}"),))

    def resubscribe_messages(self, plan: ConnectionPlan, symbol: str) -> list[str]:
        """Return the whole subscription once more: it brings whole books (steps 1 and 2)."""
        return list(plan.subscribe_messages)

    def instrument_requests(self, plan: ConnectionPlan) -> list[HttpRequest]:
        """Return a request for all symbols of a public plan."""
        symbols = sorted({one.symbol for one in plan.subscriptions if one.symbol})
        if not symbols:
            return []
        url = f"{plan.rest_url}{_INSTRUMENTS_PATH}?markets={','.join(symbols)}"
        return [HttpRequest(url, "", Purpose.INSTRUMENTS)]

    def native_symbol(self, pair: Pair) -> str | None:
        """Return `KRW-BTC` of BTC-KRW, and of KRW-BTC too; there are no perpetuals."""
        if pair.perpetual or not {pair.base, pair.quote} & set(_QUOTES):
            return None
        quoted_first = pair.base in _QUOTES and (
            pair.quote not in _QUOTES or _QUOTES.index(pair.base) < _QUOTES.index(pair.quote)
        )
        return f"{pair.base}-{pair.quote}" if quoted_first else f"{pair.quote}-{pair.base}"

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


def _line(stream: str, path: str, request: StreamRequest, depth: int | None) -> Line:
    return Line(
        stream=stream,
        url=websocket_url(_HOST + path, request.url, (PATH, PRIVATE_PATH)),
        rest_url=rest_url("https://api.upbit.com", request.url),
        depth=depth,
        private=path == PRIVATE_PATH,
    )


def _topics(channels: Sequence[Channel], symbol: str, depth: int | None) -> list[Topic]:
    suffix = {Channel.BOOK: f".{depth}"}
    return [
        Topic(Subscription(channel, symbol), f"{_WORDS[channel]}:{symbol}{suffix.get(channel, '')}")
        for channel in channels
    ]


def _fits(topics: Sequence[str]) -> bool:
    return len(topics) <= _TOPICS_PER_CONNECTION


def _messages(topics: Sequence[str]) -> list[str]:
    """Return the one message of a connection (step 1)."""
    codes: dict[str, list[str]] = {}
    for topic in topics:
        word, _, code = topic.partition(":")
        codes.setdefault(word, []).extend([code] if code else [])
    fields: list[dict[str, object]] = [{"ticket": "tickreel"}]
    for word, names in codes.items():
        fields.append({"type": word, "codes": names} if names else {"type": word})
    return [json.dumps([*fields, {"format": "SIMPLE"}], separators=(",", ":"))]


_DETECTION_LIMITS = (
    "Every message is the whole book and none is numbered: a lost one cannot be seen, though the "
    "next one puts the book right. No book is ever called proven.",
    "Books change in steps of 100 ms: what came and went in between is not told.",
    "Trades carry no contiguous number: a lost trade cannot be seen.",
    "A subscription has no answer, and an unknown code none either: it stays silent.",
    "The step of prices depends on the price: what is told at the start holds for the price then.",
)

UPBIT = Upbit(
    VenueTraits(
        channels=frozenset((*_WORDS, *_PRIVATE_WORDS)),
        default_channels=(Channel.BOOK, Channel.TRADES),
        continuity=Continuity.NONE,
        snapshot_source=SnapshotSource.IN_BAND,
        depths=_DEPTHS,
        depth=_DEPTH,
        depth_keeper=DepthKeeper.VENUE,
        # A fifth of all markets was seen silent for 30 s.
        stale_limits_s={Channel.BOOK: 300.0, Channel.TRADES: 1800.0},
        # Whether each PING is answered at once on a busy connection is not sure.
        keepalive=Keepalive(message=PING, answer_limit_s=50.0, silence_limit_s=90.0),
        # 5 connects and 5 messages a second are allowed, and 100 messages a minute.
        limits=ConnectionLimits(connects_max=3, connects_window_s=1.0, message_interval_s=0.7),
        detection_limits=_DETECTION_LIMITS,
        addresses=(
            *("api.upbit.com/websocket", "sg-api.upbit.com/websocket"),
            *("id-api.upbit.com/websocket", "th-api.upbit.com/websocket"),
        ),
    )
)

VENUES = (UPBIT,)
